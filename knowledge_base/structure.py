"""What an article's body is made of: sentences, list items, table rows, code; each a slice that can be quoted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from knowledge_base.splitting import Block, blocks, sentences

Kind = Literal["sentence", "item", "row", "code"]
_ORDERED = re.compile(r"[ \t]*\d{1,9}[.)][ \t]")
_RULE = re.compile(r"[ \t]*(?:\|[ \t]*)?:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*(?:\|[ \t]*)?$")
_HEADING = re.compile(r"#{1,6}[ \t]+\S")


@dataclass(frozen=True, slots=True)
class Span:
    """The slice of an article's body from ``start`` to ``end``."""

    start: int
    end: int

    def of(self, body: str) -> str:
        """The slice itself."""
        return body[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Unit:
    """The smallest slice that is quoted alone; ``group`` is the list or table it belongs to, None for others."""

    span: Span
    kind: Kind
    block: int  #: units of one paragraph share it
    headings: tuple[str, ...]
    group: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A list or table: its units stand together, below an introduction and a heading where it has them."""

    form: Literal["steps", "bullets", "table"]
    units: tuple[int, ...]  #: places among the article's units, in order
    header: tuple[Span, ...] = ()  #: of a table: the line with the columns' names, and the rule below it
    intro: int | None = None  #: the sentence just above the list, if it ends with a colon
    heading: Span | None = None  #: the heading above it, if nothing else stands between


@dataclass(frozen=True, slots=True)
class Structure:
    """An article's body, taken apart."""

    units: tuple[Unit, ...]
    groups: tuple[Group, ...]


@lru_cache(maxsize=256)
def structure_of(body: str, language: str) -> Structure:
    """The body's units and groups in order."""
    return _Reading(body, language).structure()


class _Reading:
    def __init__(self, body: str, language: str) -> None:
        self._body = body
        self._language = language
        self._units: list[Unit] = []
        self._groups: list[Group] = []

    def structure(self) -> Structure:
        members: list[int] = []
        form: Literal["steps", "bullets"] = "bullets"
        before: Block | None = None
        indent, ordinal = 0, 0
        every = list(blocks(self._body))
        for number, block in enumerate(every):
            listed = block.kind == "item"
            same = bool(members) and before is not None and block.headings == before.headings
            if same and (self._indent(block) > indent or (form == "steps" and self._resumes(every, number, ordinal))):
                kind: Kind = "code" if block.kind == "fence" else "item"
                self._add(self._trimmed(block.start, block.end), kind, number, block, len(self._groups))
                members = [*members, len(self._units) - 1]
                before = block
                continue
            this: Literal["steps", "bullets"] = "steps" if _ORDERED.match(self._body, block.start) else "bullets"
            goes_on = listed and members and before is not None and block.headings == before.headings and this == form
            if members and not goes_on:
                self._close(form, members)
                members = []
            if listed:
                if not members:
                    indent = self._indent(block)
                form = this
                ordinal = self._ordinal(block)
                self._add(self._trimmed(block.start, block.end), "item", number, block, len(self._groups))
                members.append(len(self._units) - 1)
            elif block.kind == "table":
                self._table(number, block)
            elif block.kind == "fence":
                self._add(self._trimmed(block.start, block.end), "code", number, block)
            elif block.kind == "text":
                for span in self._sentences(block):
                    self._add(span, "sentence", number, block)
            before = block
        if members:
            self._close(form, members)
        return Structure(tuple(self._units), tuple(self._groups))

    def _indent(self, block: Block) -> int:
        line = self._body[block.start : block.end].expandtabs(4)
        return len(line) - len(line.lstrip(" ")) if block.kind in ("item", "text", "fence") else 0

    def _ordinal(self, block: Block) -> int:
        found = re.match(r"\s*(\d{1,9})", self._body[block.start : block.end])
        return int(found[1]) if found else 0

    def _resumes(self, every: list[Block], number: int, ordinal: int) -> bool:
        """Whether what stands here is said between two steps: after it the numbers go on."""
        if every[number].kind not in ("text", "fence"):
            return False
        later = next((one for one in every[number:] if one.kind not in ("text", "fence")), None)
        return (
            later is not None
            and later.kind == "item"
            and later.headings == every[number].headings
            and self._ordinal(later) == ordinal + 1
        )

    def _add(self, span: Span, kind: Kind, number: int, block: Block, group: int | None = None) -> None:
        if span.start < span.end:
            self._units.append(Unit(span, kind, number, block.headings, group))

    def _close(self, form: Literal["steps", "bullets"], members: list[int]) -> None:
        above = self._above(members[0], self._units[members[0]].span.start)
        self._groups.append(Group(form, tuple(members), (), *above))

    def _above(self, first: int, begins: int) -> tuple[int | None, Span | None]:
        """The sentence that introduces the list or table that begins here, or else the heading right above it."""
        last = first - 1
        if last >= 0 and self._units[last].headings == self._units[first].headings:
            introduces = self._units[last].kind == "sentence" and self._units[last].span.of(self._body)[-1] in ":："
            return last if introduces else None, None
        end = len(self._body[:begins].rstrip())
        heading = self._trimmed(self._body.rfind("\n", 0, end) + 1, end)
        return None, heading if _HEADING.match(heading.of(self._body)) else None

    def _table(self, number: int, block: Block) -> None:
        lines = list(self._lines(block))
        header: tuple[Span, ...] = ()
        if len(lines) > 2 and _RULE.match(lines[1].of(self._body)):
            header, lines = (lines[0], lines[1]), lines[2:]
        first = len(self._units)
        for line in lines:
            self._add(line, "row", number, block, len(self._groups) if header else None)
        members = tuple(range(first, len(self._units)))
        if members and header:
            self._groups.append(Group("table", members, header, *self._above(first, header[0].start)))

    def _lines(self, block: Block) -> Iterator[Span]:
        at = block.start
        for line in self._body[block.start : block.end].splitlines(keepends=True):
            span = self._trimmed(at, at + len(line))
            at += len(line)
            if span.start < span.end:
                yield span

    def _sentences(self, block: Block) -> Iterator[Span]:
        at = block.start
        for sentence in sentences(self._body[block.start : block.end], self._language):
            yield self._trimmed(at, at + len(sentence))
            at += len(sentence)

    def _trimmed(self, start: int, end: int) -> Span:
        raw = self._body[start:end]
        return Span(start + len(raw) - len(raw.lstrip()), start + len(raw.rstrip()))
