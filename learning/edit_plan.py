"""Works out what an edit makes of the files, without writing any; refuses what would make a worse bot."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from learning import intent_file
from learning.annotations import check_annotations, key_of
from learning.changes import (
    LANGUAGES,
    MAX_CHANGES,
    MAX_TEXT,
    OUT_OF_SCOPE,
    Add,
    Change,
    DropIntent,
    Example,
    ExampleRefused,
    Move,
    NewIntent,
    OfIntent,
    Place,
    Remove,
    ReviseIntent,
    Reword,
)
from learning.example_files import BadFile, ExampleFile, check_text, new_file
from learning.example_folder import ExampleFolder, Shelf, language_of
from learning.intent_file import IntentFile, check_intent, new_intent_file

_FILE_NAME = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file as it was read and as it will be; ``before`` is None for a file that does not exist yet."""

    name: str
    before: bytes | None
    after: bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """What an edit does: the changes, each with the place it had, and the files."""

    changes: tuple[Change, ...]
    files: tuple[FileChange, ...]


def digest(content: bytes | None) -> str:
    """What tells one content of a file from another; empty for no file."""
    return "" if content is None else hashlib.sha256(content).hexdigest()


def plan(folder: ExampleFolder, changes: Sequence[Change], *, taking_back: bool = False) -> Plan:
    """The files after the changes, in their order; raises ``ExampleRefused`` for the first that cannot be made.

    ``taking_back`` puts back what was there, so that it is not judged again; it is refused only where somebody has
    changed the same lines since.
    """
    if not changes:
        raise ExampleRefused("empty", "There is nothing to change.")
    if len(changes) > MAX_CHANGES:
        raise ExampleRefused(
            "too_many", f"At most {MAX_CHANGES} examples can be changed at once.", {"most": MAX_CHANGES}
        )
    return _Planner(folder, folder.look(), taking_back).planned(changes)


def check_new(shelf: Shelf, example: Example, *, instead_of: str = "", made: frozenset[str] = frozenset()) -> None:
    """Raises ``ExampleRefused`` if a text can be no example of an intent, whatever the other examples are.

    ``instead_of`` is the line that it replaces: what differs from it in spelling or marks only measures no more than before.
    ``made`` are intents that the same edit makes.
    """
    text = example.text
    if example.intent not in shelf.intents and example.intent not in made:
        raise ExampleRefused(
            "unknown_intent",
            f"There is no intent {example.intent}. Make it first.",
            {"intent": example.intent},
        )
    if not text:
        raise ExampleRefused("empty", "An example needs words.")
    if len(text) > MAX_TEXT:
        raise ExampleRefused("too_long", f"An example has at most {MAX_TEXT} characters.", {"text": text[:80]})
    check_text(text)
    check_annotations(text, shelf.entity_types, shelf.product_names)
    file = shelf.held_as(key_of(text), example.language)
    if file is not None and not (instead_of and key_of(instead_of) == key_of(text)):
        raise ExampleRefused(
            "held_out",
            f"“{text}” measures the bot ({file}); as an example it would make the figures better than the bot.",
            {"text": text, "file": file},
        )


class _Planner:
    def __init__(self, folder: ExampleFolder, shelf: Shelf, taking_back: bool) -> None:
        self._folder = folder
        self._shelf = shelf
        self._taking_back = taking_back
        self._open: dict[str, ExampleFile] = {}
        self._before: dict[str, bytes | None] = {}
        self._added: dict[str, Counter[Example]] = defaultdict(Counter)  #: by key; below nought: taken away
        self._intents: tuple[bytes | None, IntentFile] | None = None  #: as on the disk, and as it will be
        self._intent_content = b""
        self._made_here: frozenset[str] = frozenset()

    def planned(self, changes: Sequence[Change]) -> Plan:
        done = tuple(self._make(change) for change in changes)
        files = []
        for name, file in self._open.items():
            content = file.verify()
            if content != self._before[name]:
                files.append(FileChange(name, self._before[name], content))
        return Plan(done, (*self._changed_intents(), *files))

    def _make(self, change: Change) -> Change:
        if isinstance(change, NewIntent | DropIntent | ReviseIntent):
            self._make_intent(change)
            return change
        if change.language not in LANGUAGES:
            raise ValueError(f"{change.language!r} is no language of the desk")
        language = change.language
        if isinstance(change, Add):
            text = self._checked(language, change.intent, change.text, place=change.place)
            self._put(Example(language, change.intent, text), change.place)
            return replace(change, text=text)
        if isinstance(change, Remove):
            return replace(change, was=self._take(Example(language, change.intent, change.text)))
        if isinstance(change, Move):
            was = self._take(Example(language, change.before, change.text))
            moved = Example(language, change.after, change.text)
            if self._taking_back:
                self._not_again(moved, change.place)
            else:
                if moved.intent not in self._shelf.intents:
                    check_new(self._shelf, moved, made=self._made_here)
                self._unused(moved)
            self._put(moved, change.place)
            return replace(change, was=was)
        return self._reword(change)

    def _reword(self, change: Reword) -> Change:
        old = Example(change.language, change.intent, change.before)
        name = self._file_with(old)
        self._note(old, -1)
        text = self._checked(change.language, change.intent, change.after, instead_of=change.before)
        self._file(name).reword(change.intent, change.before, text)
        self._note(Example(change.language, change.intent, text), 1)
        return replace(change, after=text)

    def _put(self, example: Example, place: Place | None) -> None:
        self._file(self._file_for(example, place)).add(example.intent, example.text, place)
        self._note(example, 1)

    def _take(self, example: Example) -> Place:
        place = self._file(self._file_with(example)).remove(example.intent, example.text)
        self._note(example, -1)
        others = self._same(example.text)
        left = sum(count for one, count in others.items() if one == example)
        elsewhere = {f"{one.language}/{one.intent}" for one in others if one.intent != example.intent}
        return replace(place, left=left, others=tuple(sorted(elsewhere)))

    # -- intents ------------------------------------------------------------------------------------------------

    def _make_intent(self, change: OfIntent) -> None:
        before, file = self._intents or self._opened_intents()
        if isinstance(change, NewIntent):
            check_intent(change.made, frozenset(self._shelf.intents) | {one.name for one in file.intents()})
            content = file.add(change.made)
            self._made_here |= {change.made.name}
        else:
            known = change.before if isinstance(change, ReviseIntent) else change.made
            if not file.has(known):
                raise ExampleRefused(
                    "gone",
                    f"{known.name} is not as it was. Somebody may have changed it; reload.",
                    {"intent": known.name},
                )
            if isinstance(change, ReviseIntent):
                check_intent(change.after, frozenset(self._shelf.intents) - {known.name})
                if change.after.name != known.name:
                    raise ExampleRefused("bad_intent", "The name of an intent stays.", {"intent": known.name})
                content = file.revise(known, change.after)
            else:
                self._refuse_used(known.name)
                content = file.remove(known)
        self._intents = (before, IntentFile(content))
        self._intent_content = content

    def _opened_intents(self) -> tuple[bytes | None, IntentFile]:
        try:
            content: bytes | None = (self._folder.root / intent_file.FILE).read_bytes()
        except FileNotFoundError:
            content = None
        try:
            return content, IntentFile(content if content is not None else new_intent_file())
        except BadFile as problem:
            raise _unreadable(problem) from None

    def _changed_intents(self) -> tuple[FileChange, ...]:
        if self._intents is None or self._intents[0] == self._intent_content:
            return ()
        # First: an intent without examples does no harm, examples without their intent stop the training.
        return (FileChange(intent_file.FILE, self._intents[0], self._intent_content),)

    def _refuse_used(self, name: str) -> None:
        left = sum(self._shelf.counts.get((name, language), 0) for language in LANGUAGES)
        left += sum(count for found in self._added.values() for one, count in found.items() if one.intent == name)
        if left > 0:
            raise ExampleRefused(
                "intent_used",
                f"{name} still has {left} examples. Move or delete them first.",
                {"intent": name, "left": left},
            )

    # -- what is refused ----------------------------------------------------------------------------------------

    def _checked(
        self, language: str, intent: str, text: str, *, place: Place | None = None, instead_of: str = ""
    ) -> str:
        if self._taking_back:
            self._not_again(Example(language, intent, text), place)
            return text
        example = Example(language, intent, text.strip())
        check_new(self._shelf, example, instead_of=instead_of, made=self._made_here)
        self._unused(example)
        return example.text

    def _unused(self, example: Example) -> None:
        language, intent, text = example.language, example.intent, example.text
        for one in self._same(text):
            # What only the two languages share is fine: people mix them. The gate knows no languages.
            if one.language == language or (OUT_OF_SCOPE in (one.intent, intent) and one.intent != intent):
                raise _exists(text, one)

    def _not_again(self, example: Example, place: Place | None) -> None:
        """Refuses to put back what somebody has put there, or next to it, meanwhile."""
        was = place or Place("", "", "")
        for one, count in self._same(example.text).items():
            again = one == example and count > was.left
            elsewhere = one.language == example.language and one.intent != example.intent
            if again or (elsewhere and f"{one.language}/{one.intent}" not in was.others):
                raise _exists(example.text, one)

    def _same(self, text: str) -> Counter[Example]:
        key = key_of(text)
        found = Counter(entry.example for entry in self._shelf.by_key.get(key, ()))
        found.update(self._added.get(key, Counter()))
        return +found

    def _note(self, example: Example, number: int) -> None:
        self._added[key_of(example.text)][example] += number

    # -- which file ---------------------------------------------------------------------------------------------

    def _file_with(self, example: Example) -> str:
        for name in self._names(example.language, example.intent):
            if self._file(name).has(example.intent, example.text):
                return name
        self._refuse_unreadable(example.language)
        raise ExampleRefused(
            "gone",
            f"“{example.text}” is not an example of {example.intent} any more. Somebody may have changed it; reload.",
            {"language": example.language, "intent": example.intent, "text": example.text},
        )

    def _file_for(self, example: Example, place: Place | None) -> str:
        names = self._names(example.language, example.intent)
        if place is not None and place.file in names:
            return place.file
        own = f"{'gate' if example.intent == OUT_OF_SCOPE else example.language}/{{}}.yml"
        usual = own.format(example.language if example.intent == OUT_OF_SCOPE else example.intent)
        if usual in names or not names:
            return usual if usual in names else self._made(usual, example)
        return names[0]

    def _made(self, name: str, example: Example) -> str:
        self._refuse_unreadable(example.language)
        if not _FILE_NAME.fullmatch(example.intent):
            raise ExampleRefused(
                "not_editable", f"No file can be named after {example.intent}; make one by hand.", {"file": name}
            )
        if name not in self._open:
            if (self._folder.root / name).exists():
                raise ExampleRefused(
                    "not_editable",
                    f"{name} is there and holds no examples of {example.intent}. Edit this file by hand.",
                    {"file": name},
                )
            self._open[name], self._before[name] = ExampleFile(name, new_file(example.intent)), None
        return name

    def _names(self, language: str, intent: str) -> list[str]:
        """The files that hold an intent in a language, as read before this edit, and those that it makes."""
        known = {**self._shelf.files, **self._open}
        return [name for name, file in known.items() if language_of(name) == language and file.holds(intent)]

    def _file(self, name: str) -> ExampleFile:
        """The file as it is on the disk at this moment, with what this edit has changed in it."""
        if name not in self._open:
            try:
                content = (self._folder.root / name).read_bytes()
                self._open[name], self._before[name] = ExampleFile(name, content), content
            except BadFile as problem:
                raise _unreadable(problem) from None
            except OSError:
                raise ExampleRefused("gone", f"{name} was deleted meanwhile; reload.", {"file": name}) from None
        return self._open[name]

    def _refuse_unreadable(self, language: str) -> None:
        for problem in self._shelf.problems:
            if problem.file != intent_file.FILE and language_of(problem.file) == language:
                raise _unreadable(problem)


def _exists(text: str, other: Example) -> ExampleRefused:
    return ExampleRefused(
        "exists",
        f"“{text}” is already an example of {other.intent} ({other.language}).",
        {"text": text, "language": other.language, "intent": other.intent, "as": other.text},
    )


def _unreadable(problem: BadFile) -> ExampleRefused:
    return ExampleRefused(
        "not_editable",
        f"{problem}. Correct this file by hand first.",
        {"file": problem.file, "line": problem.line},
    )
