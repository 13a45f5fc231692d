"""What trainers saved to test models with: chats, single lines and questions, as files of ``nlu_data/test`` that are never trained on."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeVar

import yaml

from learning.annotations import key_of
from learning.changes import LANGUAGES, ExampleRefused
from learning.example_files import BadFile, ExampleFile, check_text, new_file
from learning.example_folder import ExampleFolder
from learning.example_writing import content_of, replace_file, sole_editor

STORIES, QUESTIONS = "test/stories", "test/knowledge"
MAX_MESSAGES, MAX_TEXT, MAX_TITLE = 40, 2000, 200
#: What may be expected of an answer, in the order in which it is written.
EXPECTED = ("intent", "route", "language", "entities", "actions", "article", "handoff", "would")
_HEAD = "# A saved test: played on a model as a dry run in the sample shop, never trained on.\n"
_QUESTIONS_HEAD = "# Saved questions with the articles that answer them; none means that nothing does.\n"
_NAME = re.compile(r"[a-z0-9_]+-(?:zh|en)-[0-9a-f]{8}")
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Message:
    """What is said or pressed, and what is expected of the answer; what is not named is not looked at."""

    says: str
    presses: str | None
    expect: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Story:
    """A chat that is expected to go as it is written down; ``name`` is that of its file."""

    title: str
    language: str
    messages: tuple[Message, ...]
    note: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A single line and the intent it is meant to be taken for."""

    language: str
    intent: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the articles that answer it, any of them; without one nothing should be answered."""

    language: str
    text: str
    articles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Saved:
    """All of it at one moment; ``problems`` names files that are not as they should be."""

    stories: tuple[Story, ...]
    lines: tuple[Line, ...]
    questions: tuple[Question, ...]
    problems: tuple[str, ...]


class SavedTests:
    """The saved tests of one folder. Every change is whole or not made, whoever else edits there."""

    def __init__(self, folder: ExampleFolder) -> None:
        self._folder = folder
        self._root = folder.root
        self._turn = asyncio.Lock()

    async def look(self) -> Saved:
        """What the files hold now."""
        return await asyncio.to_thread(self._look)

    async def save_story(self, story: Story) -> Story:
        """Write a new story; returns it with its name. Raises ``ExampleRefused``."""
        clean = _clean(story)
        intent = next((str(one.expect["intent"]) for one in clean.messages if one.expect.get("intent")), "chat")
        stem = re.sub(r"[^a-z0-9_]+", "_", intent.lower()).strip("_")[:40] or "chat"
        named = replace(clean, name=f"{stem}-{clean.language}-{token_hex(4)}")
        content = written_story(named).encode()
        if read_story(named.name, content) != named:
            raise ExampleRefused("bad_text", "This chat cannot be written down as it is; leave out unusual characters.")
        await self._alone(lambda: replace_file(self._root / STORIES / f"{named.name}.yml", content))
        return named

    async def delete_story(self, name: str) -> Story:
        """Delete a story; raises ``ExampleRefused`` where it is gone already."""
        path = self._root / STORIES / f"{name}.yml"

        def work() -> Story:
            content = content_of(path) if _NAME.fullmatch(name) else None
            if content is None:
                raise _gone("There is no such chat any more.")
            try:
                found = read_story(name, content)
            except (ValueError, KeyError, TypeError, yaml.YAMLError):
                found = Story(name, "en", (), "", name)
            replace_file(path, None)
            return found

        return await self._alone(work)

    async def add_line(self, line: Line) -> Line:
        """Write a line; one that is an example or measures already is refused (``ExampleRefused``)."""
        clean = replace(line, text=" ".join(line.text.split()))
        if not clean.text or len(clean.text) > MAX_TEXT:
            raise ExampleRefused("empty" if not clean.text else "too_long", "A line has 1 to 2000 characters.")
        check_text(clean.text)

        def work() -> Line:
            shelf = self._folder.look()
            if clean.intent not in shelf.intents:
                raise ExampleRefused("unknown_intent", f"There is no intent {clean.intent}.", {"intent": clean.intent})
            for entry in shelf.by_key.get(key_of(clean.text), ()):
                if entry.example.language == clean.language:
                    raise ExampleRefused(
                        "exists",
                        f"“{clean.text}” is an example of {entry.example.intent}; what is learned cannot measure.",
                        {"language": clean.language, "intent": entry.example.intent, "as": entry.example.text},
                    )
            held = shelf.held_as(key_of(clean.text), clean.language)
            if held is not None:
                raise ExampleRefused("held_out", f"“{clean.text}” measures the bot already ({held}).", {"file": held})
            name, path = self._file_of(clean.language)
            content = content_of(path) or new_file(clean.intent)
            file = ExampleFile(name, content)
            if not file.holds(clean.intent):
                more = new_file(clean.intent).decode().partition("nlu:\n")[2].encode()
                file = ExampleFile(name, content + (b"" if content.endswith(b"\n") else b"\n") + more)
            file.add(clean.intent, clean.text)
            replace_file(path, file.verify())
            return clean

        return await self._alone(work)

    async def delete_line(self, line: Line) -> Line:
        """Take a line out; raises ``ExampleRefused`` where it is gone already."""

        def work() -> Line:
            name, path = self._file_of(line.language)
            content = content_of(path)
            file = ExampleFile(name, content) if content is not None else None
            if file is None or not file.has(line.intent, line.text):
                raise _gone("There is no such line any more.")
            file.remove(line.intent, line.text)
            replace_file(path, file.verify())
            return line

        return await self._alone(work)

    async def add_question(self, question: Question) -> Question:
        """Write a question; one that is there already is refused (``ExampleRefused``)."""
        clean = replace(question, text=" ".join(question.text.split()), articles=tuple(sorted(set(question.articles))))
        if not clean.text:
            raise ExampleRefused("empty", "A question needs words.")
        check_text(clean.text)

        def work() -> Question:
            there = self._questions(clean.language)
            if any(key_of(one.text) == key_of(clean.text) for one in there):
                raise ExampleRefused("exists", f"“{clean.text}” is a saved question already.", {"as": clean.text})
            self._write_questions(clean.language, [*there, clean])
            return clean

        return await self._alone(work)

    async def delete_question(self, language: str, text: str) -> Question:
        """Take a question out; raises ``ExampleRefused`` where it is gone already."""

        def work() -> Question:
            there = self._questions(language)
            found = next((one for one in there if one.text == text), None)
            if found is None:
                raise _gone("There is no such question any more.")
            self._write_questions(language, [one for one in there if one != found])
            return found

        return await self._alone(work)

    # -- inside -------------------------------------------------------------------------------------------------

    def _look(self) -> Saved:
        stories: list[Story] = []
        lines: list[Line] = []
        questions: list[Question] = []
        problems: list[str] = []
        for path in sorted((self._root / STORIES).glob("*.yml")):
            try:
                stories.append(read_story(path.stem, path.read_bytes()))
            except (ValueError, KeyError, TypeError, AttributeError, OSError, yaml.YAMLError) as error:
                problems.append(f"{STORIES}/{path.name}: {' '.join(str(error).split())[:200]}")
        for language in LANGUAGES:
            name, path = self._file_of(language)
            try:
                content = content_of(path)
                if content is not None:
                    lines += [Line(language, *one) for one in ExampleFile(name, content).examples()]
                questions += self._questions(language)
            except (BadFile, ExampleRefused) as error:
                problems.append(str(error))
        return Saved(tuple(stories), tuple(lines), tuple(questions), tuple(problems))

    def _file_of(self, language: str) -> tuple[str, Path]:
        name = f"test/saved_{language}.yml"
        return name, self._root / name

    def _questions(self, language: str) -> list[Question]:
        path = self._root / QUESTIONS / f"{language}.yml"
        content = content_of(path)
        try:
            rows = yaml.safe_load(content) if content is not None else None
            return [Question(language, str(one["text"]), tuple(map(str, one["relevant"]))) for one in rows or []]
        except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise ExampleRefused("not_editable", f"{QUESTIONS}/{path.name} cannot be read: {error}") from None

    def _write_questions(self, language: str, questions: Sequence[Question]) -> None:
        rows = "".join(f"- {_flow({'text': one.text, 'relevant': list(one.articles)})}\n" for one in questions)
        replace_file(self._root / QUESTIONS / f"{language}.yml", (_QUESTIONS_HEAD + rows).encode() if rows else None)

    async def _alone(self, work: Callable[[], Done]) -> Done:
        def locked() -> Done:
            with sole_editor(self._root):
                return work()

        async with self._turn:
            return await asyncio.shield(asyncio.to_thread(locked))


def written_story(story: Story) -> str:
    """The story as its file holds it: one line for each thing that can change."""
    rows = [_HEAD.rstrip("\n"), f"story: {_flow(story.title)}", f"language: {story.language}"]
    if story.note:
        rows.append(f"note: {_flow(story.note)}")
    rows.append("messages:")
    for one in story.messages:
        rows.append(f"  - says: {_flow(one.says)}")
        if one.presses is not None:
            rows.append(f"    presses: {_flow(one.presses)}")
        if one.expect:
            rows.append("    expect:")
            rows += [f"      {name}: {_flow(one.expect[name])}" for name in EXPECTED if name in one.expect]
    return "\n".join(rows) + "\n"


def read_story(name: str, content: bytes) -> Story:
    """The story of a file; raises ``ValueError``, ``KeyError``, ``TypeError`` or a YAML error if it is none."""
    form = yaml.safe_load(content.decode("utf-8"))
    messages = tuple(
        Message(str(one["says"]), one.get("presses"), dict(one.get("expect") or {})) for one in form["messages"]
    )
    unknown = [key for one in messages for key in one.expect if key not in EXPECTED]
    if form["language"] not in LANGUAGES or not messages or unknown:
        raise ValueError(f"expects the unknown {unknown[0]}" if unknown else "needs a language and messages")
    return Story(str(form["story"]), form["language"], messages, str(form.get("note") or ""), name)


def _clean(story: Story) -> Story:
    if not story.messages or len(story.messages) > MAX_MESSAGES:
        raise ExampleRefused("empty", f"A chat has 1 to {MAX_MESSAGES} messages.")
    title = " ".join(story.title.split())[:MAX_TITLE]
    if not title:
        raise ExampleRefused("empty", "A chat needs a title.")
    messages = []
    for one in story.messages:
        says = " ".join(one.says.split())
        if not says and one.presses is None:
            raise ExampleRefused("empty", "A message needs words.")
        if says:
            check_text(says)
        expect = {name: one.expect[name] for name in EXPECTED if name in one.expect}
        messages.append(replace(one, says=says, expect=expect))
    return replace(story, title=title, note=" ".join(story.note.split()), messages=tuple(messages))


def _flow(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)  # JSON is YAML, on one line


def _gone(message: str) -> ExampleRefused:
    return ExampleRefused("gone", message)
