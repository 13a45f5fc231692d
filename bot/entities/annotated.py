"""Reads sentences whose entities are marked ``[words](type: value)``: the held-out lines of ``nlu_data/entities/test``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

_MARK = re.compile(r"\[(?P<words>[^\[\]]+)\]\((?P<type>[a-z][a-z0-9_]*)(?::\s*(?P<value>[^()]*))?\)")
#: The value that is not compared.
ANY = "~"


@dataclass(frozen=True)
class Marked:
    """One expected entity; ``value`` is ``ANY``, or what the normalised value must say."""

    entity: str
    start: int
    end: int
    value: Any


@dataclass(frozen=True)
class Line:
    """A sentence; ``trap`` names the type that it only seems to hold."""

    text: str
    entities: tuple[Marked, ...]
    language: str
    said_at: datetime
    trap: str | None = None


def read_lines(path: Path) -> list[Line]:
    """The lines of a file; raises ``ValueError`` naming a line that is not marked as it should be."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    said_at = datetime.fromisoformat(content["reference"])
    language = content["language"]
    lines = [_read(path, text, language, said_at, None) for text in _split(content.get("lines"))]
    for trap, block in (content.get("traps") or {}).items():
        for text in _split(block):
            line = _read(path, text, language, said_at, str(trap))
            if any(marked.entity == trap for marked in line.entities):
                raise ValueError(f"{path.name}: “{text}” is a trap for {trap} and must not mark one.")
            lines.append(line)
    return lines


def _split(block: str | None) -> Iterator[str]:
    return (line.strip() for line in (block or "").splitlines() if line.strip())


def _read(path: Path, marked_text: str, language: str, said_at: datetime, trap: str | None) -> Line:
    text, entities, position = "", [], 0
    for match in _MARK.finditer(marked_text):
        text += marked_text[position : match.start()]
        start = len(text)
        text += match["words"]
        written = match["value"]
        value = match["words"] if written is None else ANY if written.strip() == ANY else yaml.safe_load(written)
        entities.append(Marked(match["type"], start, len(text), value))
        position = match.end()
    text += marked_text[position:]
    if "](" in text:
        raise ValueError(f"{path.name}: “{marked_text}” has a mark that cannot be read.")
    return Line(text, tuple(entities), language, said_at, trap)


def same_value(expected: Any, normalized: Any) -> bool:
    """Whether a typed value says what a line expects; a mapping may be written as its values in order, with ``-`` for none."""
    if expected in (ANY, normalized):
        return True
    if isinstance(normalized, dict):
        written = " ".join("-" if value is None else str(value) for value in normalized.values())
        return _without_offset(written) == _without_offset(str(expected).strip())
    if isinstance(normalized, bool) or isinstance(expected, bool):
        return False
    return _without_offset(str(normalized)) == _without_offset(str(expected))


def _without_offset(value: str) -> str:
    """Times in the lines leave out the offset of their zone."""
    return re.sub(r"(?<=T\d\d:\d\d)[+-]\d\d:\d\d", "", value)
