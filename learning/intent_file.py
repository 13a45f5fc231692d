"""Reads and changes ``intents.yml``: one line for each intent that trainers have made, so that it diffs like the examples.

What people write by hand may span several lines; it is read, and stays as it is. Only lines of ours are changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from learning.changes import LANGUAGES, ExampleRefused, MadeIntent
from learning.example_files import BadFile

FILE = "intents.yml"
DOES = ("knowledge", "reply", "handoff")
FEWEST = 5  #: examples in one language at least; the bot's training leaves intents with fewer out
MAX_TITLE = 60
MAX_REPLY = 1_000
_HEAD = "# Intents that trainers have made; those that the product brings are in bot/domain.yml.\n"
_NAME = re.compile(r"(?=.{3,40}$)[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
#: Names that mean something else to the bot.
_RESERVED = {"clarify", "out_of_scope", "restart", "back", "session_start", "nlu_fallback", "oos"}
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNFIT = re.compile("[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


class IntentFile:
    """The file as it was read; raises ``BadFile`` if it is not a list of intents."""

    def __init__(self, content: bytes) -> None:
        try:
            self._text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadFile(FILE, content[: error.start].count(b"\n") + 1, "not UTF-8") from None
        #: By name, with the first and the last line (from 0).
        self._found: dict[str, tuple[MadeIntent, int, int]] = {}
        try:
            root = yaml.compose(self._text, Loader=_LOADER)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise BadFile(FILE, mark.line + 1 if mark else 1, error.problem or "not YAML") from None
        except (yaml.YAMLError, RecursionError) as error:
            raise BadFile(FILE, 1, " ".join(str(error).split()) or "not YAML") from None
        if root is None:
            return
        if not isinstance(root, yaml.SequenceNode) or root.flow_style:
            raise BadFile(FILE, int(root.start_mark.line) + 1, "not a list of intents, one below the other")
        for item, form in zip(root.value, yaml.load(self._text, Loader=_LOADER), strict=True):  # noqa: S506  # safe
            first, last = int(item.start_mark.line), int(item.end_mark.line)
            try:
                made = intent_of(form)
            except (KeyError, TypeError, ValueError):
                raise BadFile(FILE, first + 1, "an intent needs name, title, does and, to reply, reply") from None
            if made.name in self._found:
                raise BadFile(FILE, first + 1, f"{made.name} stands there twice")
            # A mapping below its dash ends where the next thing begins; one in braces ends in its own line.
            self._found[made.name] = (made, first, last if item.flow_style else max(first, last - 1))

    def intents(self) -> Iterator[MadeIntent]:
        """From top to bottom."""
        return (made for made, _, _ in self._found.values())

    def has(self, made: MadeIntent) -> bool:
        """Whether the intent stands there just so."""
        return self._found.get(made.name, (None,))[0] == made

    def add(self, made: MadeIntent) -> bytes:
        """The content with another line at the end."""
        gap = "" if not self._text or self._text.endswith("\n") else "\n"
        return self._verified(f"{self._text}{gap}{line_of(made)}\n", [*self.intents(), made])

    def remove(self, made: MadeIntent) -> bytes:
        """The content without the intent's line."""
        return self._replaced(made, None)

    def revise(self, before: MadeIntent, after: MadeIntent) -> bytes:
        """The content with another line in the place of the intent's."""
        return self._replaced(before, after)

    def _replaced(self, before: MadeIntent, after: MadeIntent | None) -> bytes:
        _, first, last = self._found[before.name]
        lines = self._text.splitlines(keepends=True)
        if first != last or not lines[first].startswith("- "):
            raise ExampleRefused(
                "not_editable", f"{FILE}, line {first + 1}: {before.name} is laid out by hand. Edit this file by hand.",
                {"file": FILE, "line": first + 1},
            )  # fmt: skip
        lines[first : first + 1] = [f"{line_of(after)}\n"] if after is not None else []
        wanted = [after if one == before else one for one in self.intents()]
        return self._verified("".join(lines), [one for one in wanted if one is not None])

    def _verified(self, text: str, wanted: list[MadeIntent]) -> bytes:
        content = text.encode("utf-8")
        if list(IntentFile(content).intents()) != wanted:
            raise ExampleRefused("not_editable", f"{FILE} cannot be changed this way. Edit it by hand.", {"file": FILE})
        return content


def new_intent_file() -> bytes:
    """A file without intents."""
    return _HEAD.encode()


def line_of(made: MadeIntent) -> str:
    """The line of an intent; quoted as JSON, which YAML reads."""

    def by_language(texts: dict[str, str]) -> str:
        return "{" + ", ".join(f"{name}: {json.dumps(texts[name], ensure_ascii=False)}" for name in LANGUAGES) + "}"

    title = by_language({"zh": made.title_zh, "en": made.title_en})
    reply = f", reply: {by_language({'zh': made.reply_zh, 'en': made.reply_en})}" if made.does == "reply" else ""
    return f"- {{name: {made.name}, title: {title}, does: {made.does}{reply}}}"


def intent_of(form: Any) -> MadeIntent:
    """The intent of an entry; raises ``KeyError``, ``TypeError`` or ``ValueError`` if it is none."""
    does = str(form["does"])
    if does not in DOES:
        raise ValueError(does)
    reply = form["reply"] if does == "reply" else {"zh": "", "en": ""}
    texts = [str(texts[language]).strip() for texts in (form["title"], reply) for language in LANGUAGES]
    return MadeIntent(str(form["name"]), texts[0], texts[1], does, texts[2], texts[3])


def check_intent(made: MadeIntent, taken: set[str] | frozenset[str]) -> None:
    """Raises ``ExampleRefused`` if an intent cannot be made so; ``taken`` are the names that are there already."""
    if not _NAME.fullmatch(made.name) or made.name in _RESERVED:
        raise ExampleRefused(
            "bad_intent", "An intent's name has 3 to 40 small letters, digits and _, such as gift_wrapping.",
            {"intent": made.name},
        )  # fmt: skip
    if made.name in taken:
        raise ExampleRefused(
            "intent_exists", f"There is an intent {made.name} already. Choose it in the list.", {"intent": made.name}
        )
    if made.does not in DOES:
        raise ExampleRefused("bad_intent", f"What the bot does must be one of {', '.join(DOES)}.")
    titles, replies = (made.title_zh, made.title_en), (made.reply_zh, made.reply_en)
    wanted = [(text, MAX_TITLE) for text in titles]
    wanted += [(text, MAX_REPLY) for text in replies] if made.does == "reply" else []
    for text, most in wanted:
        if not text.strip():
            raise ExampleRefused("bad_intent", "An intent needs its title, and its reply, in both languages.")
        if len(text) > most:
            raise ExampleRefused("too_long", f"A title has at most {MAX_TITLE} characters, a reply {MAX_REPLY}.")
        found = _UNFIT.search(text)
        if found or "{" in text or "}" in text:
            sign = found[0] if found else "{"
            raise ExampleRefused("bad_text", f"This text has the character U+{ord(sign):04X}.", {"text": text})
