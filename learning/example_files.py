"""Reads and changes one file of examples line by line: what an edit does not concern stays byte for byte as it was.

YAML's own reader says where the examples stand and what they are; it never writes. After every change the file is read
again, and a change that reads differently than it was meant is refused.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from learning.changes import ExampleRefused, Place

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_DASH = re.compile(r"^\s*-\s?")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FEWEST_IN_ORDER = 5  #: so many lines in alphabetical order are no accident
#: What YAML does not take, and what it or training would take for the end of a line.
_UNFIT = re.compile("[^\t\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


class BadFile(ValueError):
    """A file cannot be read as examples; the message says what is wrong, ``line`` where (the first line is 1)."""

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(f"{file}, line {line}: {reason}")
        self.file = file
        self.line = line
        self.reason = reason


class _Row:
    """A line of the file, its line break, and the example that training reads in it."""

    __slots__ = ("ending", "raw", "text")

    def __init__(self, raw: str, ending: str) -> None:
        self.raw = raw
        self.ending = ending
        self.text = _DASH.sub("", raw).strip()


@dataclass(slots=True, eq=False)
class _Block:
    """The examples of one intent at one place of the file."""

    intent: str
    line: int  #: of its ``examples:``
    indent: int  #: of its lines, as long as it has none
    rows: list[_Row]
    texts: list[str] | None = None  #: of a block that is only read
    why_not: str = ""  #: why it is only read
    #: how often each text stands in it, so that a long list of changes does not look through it again and again
    counts: dict[str, int] = field(default_factory=dict)
    fold: Callable[[str], str] | None = None  #: by what its lines are in order, if they are

    def lines(self) -> Iterator[str]:
        if self.texts is not None:
            yield from self.texts
        else:
            yield from (text for row in self.rows if (text := row.text))


class ExampleFile:
    """One YAML file in Rasa's format; raises ``BadFile`` if it is not."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            raise BadFile(name, line, "not UTF-8; save the file in that encoding") from None
        self._blocks: list[_Block] = []
        #: The file from top to bottom: lines that never change, and blocks.
        self._parts: list[list[_Row] | _Block] = []
        self._read(_rows_of(text), text)

    # -- reading ------------------------------------------------------------------------------------------------

    def examples(self) -> Iterator[tuple[str, str]]:
        """Intent and text of every example, from top to bottom."""
        for block in self._blocks:
            for text in block.lines():
                yield block.intent, text

    def numbered(self) -> Iterator[tuple[int, str, str]]:
        """The same, with the number of the line; that of the whole list where the lines are not ours to read."""
        number = 1
        for part in self._parts:
            if isinstance(part, _Block):
                for row in part.rows:
                    if row.text:
                        yield number, part.intent, row.text
                    number += 1
            else:
                number += len(part)
        for block in self._blocks:
            for text in block.texts or ():
                yield block.line, block.intent, text

    def content(self) -> bytes:
        """The file as it is now."""
        parts = (part.rows if isinstance(part, _Block) else part for part in self._parts)
        return "".join(row.raw + row.ending for rows in parts for row in rows).encode("utf-8")

    def holds(self, intent: str) -> bool:
        """Whether the intent has a place here, with or without examples."""
        return any(block.intent == intent for block in self._blocks)

    def has(self, intent: str, text: str) -> bool:
        """Whether the example stands here."""
        return any(block.counts.get(text) for block in self._blocks if block.intent == intent)

    # -- changing -----------------------------------------------------------------------------------------------

    def add(self, intent: str, text: str, place: Place | None = None) -> None:
        """Write an example where it stood once, where the alphabet wants it, or at the end of its intent."""
        block = self._block_for(intent, place)
        rows = block.rows
        at, raw = self._where(block, text, place)
        if at == 0:
            ending = rows[0].ending if rows else self._ending()
            head = self._row_before(block)
            if not rows and not head.ending:
                head.ending, ending = self._ending(), ""
            rows.insert(0, _Row(raw, ending or self._ending() if rows else ending))
        else:
            before = rows[at - 1]
            ending = before.ending
            if not before.ending:  # the last line of a file that does not end with a line break
                before.ending = self._ending()
            rows.insert(at, _Row(raw, ending))
        block.counts[text] = block.counts.get(text, 0) + 1

    def remove(self, intent: str, text: str) -> Place:
        """Take the line of an example out, and tell where it stood."""
        block, at = self._find(intent, text)
        row = block.rows.pop(at)
        block.counts[text] -= 1
        if not any(one.text for one in block.rows):
            block.indent = _indent(row.raw)
        return Place(self.name, row.raw, block.rows[at - 1].raw if at else "")

    def reword(self, intent: str, before: str, after: str) -> None:
        """Write an example another way in the same line."""
        block, at = self._find(intent, before)
        row = block.rows[at]
        block.rows[at] = _Row(self._dash_of(block, row) + after, row.ending)
        block.counts[before] -= 1
        block.counts[after] = block.counts.get(after, 0) + 1

    def verify(self) -> bytes:
        """The content, after reading it again; raises ``ExampleRefused`` if it would not be read as it was meant."""
        content = self.content()
        try:
            same = list(ExampleFile(self.name, content).examples()) == list(self.examples())
        except BadFile as error:
            raise _not_editable(self.name, error.line, error.reason) from None
        if not same:
            raise _not_editable(
                self.name, 1, "the lines of this file are indented in a way that this change would break"
            )
        return content

    # -- inside -------------------------------------------------------------------------------------------------

    def _read(self, rows: list[_Row], text: str) -> None:
        try:
            root = yaml.compose(text, Loader=_LOADER)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise BadFile(self.name, mark.line + 1 if mark else 1, error.problem or "not YAML") from None
        except (yaml.YAMLError, RecursionError) as error:
            raise BadFile(self.name, 1, " ".join(str(error).split()) or "not YAML") from None
        listed = _value_of(root, "nlu")
        if not isinstance(listed, yaml.SequenceNode):
            raise BadFile(self.name, 1, "not in Rasa's format: there is no list under nlu")
        done, seen = 0, set()
        for item in listed.value:
            intent, examples = _value_of(item, "intent"), _value_of(item, "examples")
            if not isinstance(intent, yaml.ScalarNode) or examples is None:
                continue
            block = self._block_of(str(intent.value), item, examples, rows)
            if id(examples) in seen or examples.start_mark.line < done:
                block.texts, block.why_not = (
                    list(block.lines()),
                    "these examples are shared by several intents (an alias)",
                )
                block.rows = []
            seen.add(id(examples))
            self._blocks.append(block)
            for line in block.lines():
                block.counts[line] = block.counts.get(line, 0) + 1
            block.fold = _order_of(list(block.lines()))
            if block.texts is None:
                start = examples.start_mark.line + 1
                self._parts.append(rows[done:start])
                self._parts.append(block)
                done = start + len(block.rows)
        self._parts.append(rows[done:])

    def _block_of(self, intent: str, item: Any, examples: Any, rows: list[_Row]) -> _Block:
        line = int(examples.start_mark.line)
        block = _Block(intent, line + 1, int(item.start_mark.column) + 2, [])
        if isinstance(examples, yaml.SequenceNode):
            texts = (_value_of(one, "text") if isinstance(one, yaml.MappingNode) else one for one in examples.value)
            values = [str(one.value) for one in texts if isinstance(one, yaml.ScalarNode)]
            block.texts = [text for value in values for part in value.splitlines() if (text := _Row(part, "").text)]
            block.why_not = "its examples are a YAML list; write them as lines below “examples: |”"
            return block
        if not isinstance(examples, yaml.ScalarNode):
            block.texts, block.why_not = [], "its examples are neither lines nor a list"
            return block
        wanted = [text for part in str(examples.value).splitlines() if (text := _Row(part, "").text)]
        if examples.style == "|":
            block.rows = _rows_of_literal(rows, line + 1, int(item.start_mark.column))
            if list(block.lines()) == wanted:
                return block
        block.rows, block.texts = [], wanted
        block.why_not = (
            "its lines are laid out in an unusual way"
            if examples.style == "|"
            else "its examples do not stand as lines below “examples: |”"
        )
        return block

    def _find(self, intent: str, text: str) -> tuple[_Block, int]:
        for block in self._blocks:
            if block.intent == intent and block.counts.get(text):
                if block.texts is not None:
                    raise _not_editable(self.name, block.line, block.why_not)
                # From below: taking back a long list of new lines finds each at once.
                return block, next(at for at in reversed(range(len(block.rows))) if block.rows[at].text == text)
        raise LookupError(text)

    def _block_for(self, intent: str, place: Place | None) -> _Block:
        fitting = [block for block in self._blocks if block.intent == intent]
        editable = [block for block in fitting if block.texts is None]
        if not editable:
            raise _not_editable(self.name, fitting[0].line, fitting[0].why_not)
        if place is not None:
            for block in editable:
                if any(row.raw == place.after for row in block.rows):
                    return block
        return editable[-1]

    def _where(self, block: _Block, text: str, place: Place | None) -> tuple[int, str]:
        """The index of the new line and what it looks like."""
        rows = block.rows
        raw = f"{self._dash_of(block, None)}{text}"
        if place is not None:
            if _Row(place.line, "").text == text and _indent(place.line) == _indent(raw):
                raw = place.line
            if not place.after:
                return 0, raw
            for at in reversed(range(len(rows))):
                if rows[at].raw == place.after:
                    return at + 1, raw
        if block.fold is not None:
            filled = [at for at, row in enumerate(rows) if row.text]
            before = bisect_right([block.fold(rows[at].text) for at in filled], block.fold(text))
            return (filled[before - 1] + 1 if before else filled[0] if filled else 0), raw
        last = next((at for at in reversed(range(len(rows))) if rows[at].text), -1)
        return last + 1, raw

    def _dash_of(self, block: _Block, like: _Row | None) -> str:
        first = like or next((row for row in block.rows if row.text), None)
        if first is None:
            return f"{' ' * block.indent}- "
        found = _DASH.match(first.raw)
        if found:
            return found[0] if found[0].endswith(" ") else f"{found[0].rstrip()} "
        return f"{' ' * _indent(first.raw)}- "

    def _row_before(self, block: _Block) -> _Row:
        part = self._parts[self._parts.index(block) - 1]
        assert not isinstance(part, _Block), "every block is preceded by its head"
        return part[-1]

    def _ending(self) -> str:
        for part in self._parts:
            for row in part.rows if isinstance(part, _Block) else part:
                if row.ending:
                    return row.ending
        return "\n"


def check_text(text: str) -> None:
    """Raises ``ExampleRefused`` if a text cannot stand in one line of a file."""
    found = _UNFIT.search(text)
    if found:
        raise ExampleRefused(
            "bad_text", f"An example is one line of text; it has the character U+{ord(found[0]):04X}.", {"text": text}
        )
    if _Row(f"- {text}", "").text != text:
        raise ExampleRefused("bad_text", "An example must not begin or end with a blank.", {"text": text})


def new_file(intent: str) -> bytes:
    """A file for an intent that has none, without examples."""
    return f'version: "3.1"\nnlu:\n  - intent: {intent}\n    examples: |\n'.encode()


def _rows_of(text: str) -> list[_Row]:
    rows, start = [], 0
    for found in _BREAK.finditer(text):
        rows.append(_Row(text[start : found.start()], found[0]))
        start = found.end()
    if start < len(text):
        rows.append(_Row(text[start:], ""))
    return rows


def _rows_of_literal(rows: list[_Row], start: int, parent: int) -> list[_Row]:
    """The lines of a literal block: blank, or indented at least as far as its first one."""
    first = next((row for row in rows[start:] if row.raw.strip(" ")), None)
    if first is None or _indent(first.raw) <= parent:
        return []
    base, end = _indent(first.raw), start
    while end < len(rows) and (not rows[end].raw.strip(" ") or _indent(rows[end].raw) >= base):
        end += 1
    return rows[start:end]


def _order_of(texts: list[str]) -> Callable[[str], str] | None:
    if len(texts) < _FEWEST_IN_ORDER:
        return None
    folds: tuple[Callable[[str], str], ...] = (str, str.casefold)
    return next((fold for fold in folds if (keys := list(map(fold, texts))) == sorted(keys)), None)


def _indent(raw: str) -> int:
    return len(raw) - len(raw.lstrip(" "))


def _value_of(node: Any, key: str) -> Any:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if isinstance(name, yaml.ScalarNode) and name.value == key), None)


def _not_editable(file: str, line: int, reason: str) -> ExampleRefused:
    return ExampleRefused(
        "not_editable", f"{file}, line {line}: {reason}. Edit this file by hand.", {"file": file, "line": line}
    )
