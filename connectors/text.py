"""Fits our messages into what a channel can show: long texts become parts, buttons and citations become lines."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Literal

from conversations.model import MessageKind, OutboundMessage

#: How a channel counts: Slack and Meta count characters, Telegram UTF-16 units, WeChat and WeCom UTF-8 bytes.
Unit = Literal["characters", "utf-16", "utf-8"]

_SIZE: dict[Unit, Callable[[str], int]] = {
    "characters": lambda character: 1,
    "utf-16": lambda character: 2 if ord(character) > 0xFFFF else 1,
    "utf-8": lambda character: len(character.encode("utf-8", "surrogatepass")),
}
_LARGEST: dict[Unit, int] = {"characters": 1, "utf-16": 2, "utf-8": 4}

#: Characters after which a text may be cut, best first; a cut is looked for in the last half of a part.
_CUTS = ("\n", "。！？!?…", "；;，,、：:", " \t\u3000")

#: Signs that also stand inside addresses, amounts and times; they end something only before a space or another script.
_ALSO_INSIDE = "!?;,:"
#: Web addresses, and numbers with whatever stands between their digits: half of one is another one.
_UNBROKEN = re.compile(r"https?://[!-~]+|\d[\d.,:/-]*\d")

_ROW = re.compile(r"\s*\|.*\|\s*$")
_RULE = re.compile(r"\s*\|(?:\s*:?-+:?\s*\|)+\s*$")
_WHOLE = re.compile(r"\[[^\]\n]+\]\([^\s()]+\)|\*\*[^*\n]+\*\*")
_LOOK_AHEAD = 100
_ZWJ = "\u200d"
_SOURCES = {"zh": "来源", "en": "Source"}


def split_text(text: str, limit: int, unit: Unit = "characters") -> list[str]:
    """The text in parts of at most ``limit`` units, joined again they are the text; an empty text gives no part.

    A part ends between two visible characters, at a line, sentence or word end where there is one, and not inside a
    web address or a number of up to half the limit. Only a single visible character that is larger than the limit by
    itself is cut, between its code points.
    """
    if limit < _LARGEST[unit]:
        raise ValueError(f"a limit of {limit} {unit} cannot hold every character; use at least {_LARGEST[unit]}")
    size_of = _SIZE[unit]
    parts: list[str] = []
    part: list[str] = []
    size = 0
    for cluster in _pieces(text, limit, size_of):
        cluster_size = sum(map(size_of, cluster))
        while part and size + cluster_size > limit:
            keep = _best_cut(part, cluster[0])
            parts.append("".join(part[:keep]))
            part = part[keep:]
            size = sum(size_of(character) for kept in part for character in kept)
        part.append(cluster)
        size += cluster_size
    if part:
        parts.append("".join(part))
    return parts


def split_markdown(text: str, limit: int, unit: Unit = "characters") -> list[str]:
    """The parts of ``split_text``, none of which ends inside a link or a bold phrase that fits into one part."""
    whole = [(found.start(), found.end()) for found in _WHOLE.finditer(text)]
    if not whole:
        return split_text(text, limit, unit)
    parts: list[str] = []
    at = 0
    while at < len(text):
        # No more than this can be in the first part: a character is a unit or more, a visible one rarely many.
        end = at + len(split_text(text[at : at + limit + _LOOK_AHEAD], limit, unit)[0])
        start, stop = next(((start, stop) for start, stop in whole if start < end < stop), (end, end))
        if start > at:
            end = start
        elif sum(map(_SIZE[unit], text[at:stop])) <= limit:
            end = stop  # it stands at the beginning, and the cut was at a sign within it
        parts.append(text[at:end])
        at = end
    return parts


def language_of(text: str) -> str:
    """The language of the few words that a connector adds to a text: Chinese for a text with any, or without words."""
    return "zh" if not text.strip() or any("\u4e00" <= letter <= "\u9fff" for letter in text) else "en"


def tables_as_lists(text: str, language: str = "en") -> str:
    """The text with each Markdown table written as lines "column: value", one row after the other."""
    between = "：" if language == "zh" else ": "
    lines = text.split("\n")
    written: list[str] = []
    at = 0
    while at < len(lines):
        if at + 1 < len(lines) and _ROW.match(lines[at]) and _RULE.match(lines[at + 1]):
            names, rows = _cells(lines[at]), list[str]()
            at += 2
            while at < len(lines) and _ROW.match(lines[at]):
                pairs = zip(names, _cells(lines[at]), strict=False)
                said = [f"{name}{between}{value}" if name else value for name, value in pairs if value]
                rows.append("\n".join(said))
                at += 1
            several = any("\n" in row for row in rows) and len(rows) > 1
            written.append(("\n\n" if several else "\n").join(rows))
        else:
            written.append(lines[at])
            at += 1
    return "\n".join(written)


def _cells(row: str) -> list[str]:
    inner = re.sub(r"^\s*\||(?<!\\)\|\s*$", "", row)  # "\|" is part of a cell
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]


def as_plain_text(message: OutboundMessage, base_url: str = "", language: str = "en") -> str:
    """A message for a channel without buttons and links: a numbered list of the choices and one line per source."""
    blocks = [tables_as_lists(message.text, language)] if message.text else []
    if message.buttons and message.kind is MessageKind.RATING_REQUEST:
        blocks.append("\n".join(button.title for button in message.buttons))  # a number here is the score, not a place
    elif message.buttons:
        blocks.append("\n".join(f"{number}. {button.title}" for number, button in enumerate(message.buttons, 1)))
    if message.citations:
        source = _SOURCES.get(language, _SOURCES["en"])
        lines = []
        for citation in message.citations:
            url = f"{base_url.rstrip('/')}{citation.url}" if citation.url.startswith("/") else citation.url
            lines.append(f"{source}: {citation.title}" + (f" {url}" if url else ""))
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _best_cut(part: list[str], following: str) -> int:
    """How many pieces of a full part to keep; the rest opens the next part."""
    for characters in _CUTS:
        for index in range(len(part) - 1, len(part) // 2 - 1, -1):
            sign = part[index][-1]
            after = part[index + 1][0] if index + 1 < len(part) else following
            if sign in characters and (sign not in _ALSO_INSIDE or after.isspace() or not after.isascii()):
                return index + 1
    return len(part)


def _pieces(text: str, limit: int, size_of: Callable[[str], int]) -> Iterator[str]:
    """What a part may end after: visible characters, those larger than the limit cut between code points."""
    at = 0
    for unbroken in _UNBROKEN.finditer(text):
        if sum(map(size_of, unbroken.group())) <= limit // 2 and not _joined_at(text, unbroken.end()):
            yield from _cut_clusters(text[at : unbroken.start()], limit, size_of)
            yield unbroken.group()
            at = unbroken.end()
    yield from _cut_clusters(text[at:], limit, size_of)


def _joined_at(text: str, index: int) -> bool:
    return index < len(text) and _joined(text[index - 1], text[index], 0)


def _cut_clusters(text: str, limit: int, size_of: Callable[[str], int]) -> Iterator[str]:
    for cluster in _clusters(text):
        piece, size = "", 0
        for character in cluster:
            if piece and size + size_of(character) > limit:
                yield piece
                piece, size = "", 0
            piece += character
            size += size_of(character)
        yield piece


def _clusters(text: str) -> Iterator[str]:
    """Runs of code points that are seen as one character (a practical subset of Unicode's UAX #29)."""
    start = 0
    flags = 0  # regional indicators before the position: flags are pairs of them
    for index in range(1, len(text)):
        before, after = text[index - 1], text[index]
        flags = flags + 1 if _is_flag_letter(before) else 0
        if not _joined(before, after, flags):
            yield text[start:index]
            start = index
    if text:
        yield text[start:]


def _joined(before: str, after: str, flags: int) -> bool:
    if after == _ZWJ or before == _ZWJ or (before == "\r" and after == "\n"):
        return True
    point = ord(after)
    if unicodedata.category(after) in ("Mn", "Mc", "Me"):
        return True
    if 0x1F3FB <= point <= 0x1F3FF or 0xE0020 <= point <= 0xE007F:  # skin tones; tags of regional flags
        return True
    if _is_flag_letter(after) and flags % 2 == 1:
        return True
    if 0x1160 <= point <= 0x11FF and 0x1100 <= ord(before) <= 0x11FF:  # Hangul syllables written in letters
        return True
    return 0xD800 <= ord(before) <= 0xDBFF and 0xDC00 <= point <= 0xDFFF


def _is_flag_letter(character: str) -> bool:
    return 0x1F1E6 <= ord(character) <= 0x1F1FF
