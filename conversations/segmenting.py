"""Cuts text into the terms of the search index, and finds in a text what a search asks for.

Chinese, Japanese, Korean and Thai are written without spaces, so their runs are indexed as overlapping pairs of
characters: a search for two characters is one term, a longer one a phrase of pairs, a single one the beginning of a
pair. Nothing depends on a word list, so any substring is found. Other words are indexed as written and, marked with
``=``, by their stem.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import snowballstemmer

MAX_PARTS = 12  #: of one search; what is longer is a text, not a search
_LONGEST_TERM = 64
STEM = "="  #: what marks a stem among terms
_UNSPACED = "\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_TERM = re.compile(f"[{_UNSPACED}]+|[^\\W_{_UNSPACED}]+")
_UNSPACED_RUN = re.compile(f"[{_UNSPACED}]+")
_DIGIT_GROUPS = re.compile(r"(?<!\d)\d{2,}(?:[ -]\d{2,})+(?!\d)")
_LETTERS_AND_DIGITS = re.compile(r"[a-z]+(\d{4,})")
_stemmer = snowballstemmer.stemmer("english")


@dataclass(frozen=True, slots=True)
class Folded:
    """A text without differences that readers ignore; ``origin[i]`` is where its i-th character stands in the original."""

    text: str
    origin: tuple[int, ...] | range


def fold(text: str) -> Folded:
    """Lower case, full width as half width, letters without accents."""
    if text.isascii():
        return Folded(text.lower(), range(len(text)))
    pieces = [_folded(character) for character in text]
    if all(len(piece) == 1 for piece in pieces):
        return Folded("".join(pieces), range(len(text)))
    return Folded("".join(pieces), tuple(place for place, piece in enumerate(pieces) for _ in piece))


@lru_cache(maxsize=20_000)
def _folded(character: str) -> str:
    if "\uac00" <= character <= "\ud7af":  # a Korean syllable stays one character
        return character
    plain = unicodedata.normalize("NFKD", character).casefold()
    return "".join(part for part in plain if not unicodedata.combining(part))


@dataclass(frozen=True, slots=True)
class Terms:
    """What a text is found by: terms in order, and terms without a place such as stems and joined digits."""

    placed: tuple[str, ...]
    loose: tuple[str, ...]


def terms_of(text: str) -> Terms:
    """The terms of a text."""
    folded = fold(text).text
    placed: list[str] = []
    loose: dict[str, None] = {}
    for match in _TERM.finditer(folded):
        term = match[0]
        if _UNSPACED_RUN.match(term):
            placed += [term[place : place + 2] for place in range(len(term))]
            continue
        term = term[:_LONGEST_TERM]
        placed.append(term)
        stem = stem_of(term)
        if stem != term:
            loose[STEM + stem] = None
        number = _LETTERS_AND_DIGITS.fullmatch(term)
        if number:
            loose[number[1]] = None
    for match in _DIGIT_GROUPS.finditer(folded):
        loose[re.sub("[ -]", "", match[0])[:_LONGEST_TERM]] = None
    return Terms(tuple(placed), tuple(loose))


@lru_cache(maxsize=20_000)
def stem_of(word: str) -> str:
    """The stem of an English word; what is no word of letters stays as it is."""
    return str(_stemmer.stemWord(word)) if word.isascii() and word.isalpha() else word


@dataclass(frozen=True, slots=True)
class Part:
    """One thing a search asks for: a word (also as a beginning, or by its stem) or a run of unspaced characters."""

    text: str
    unspaced: bool


@dataclass(frozen=True, slots=True)
class Search:
    """What somebody typed: every part must occur. ``joined`` is a number written in groups, wanted instead of its parts."""

    parts: tuple[Part, ...]
    joined: str | None = None

    @property
    def asks(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self.parts)


def parse(text: str) -> Search:
    """The parts of what somebody typed; punctuation asks for nothing."""
    folded = fold(text).text.strip()
    parts: dict[Part, None] = {}
    for match in _TERM.finditer(folded):
        parts[Part(match[0][:_LONGEST_TERM], bool(_UNSPACED_RUN.match(match[0])))] = None
    grouped = re.sub(r"[\s()+./-]", "", folded)
    number = re.fullmatch(r"[a-z]{0,4}\d{4,}", grouped)
    return Search(tuple(parts)[:MAX_PARTS], grouped if number and len(parts) > 1 else None)


def pairs_of(run: str) -> list[str]:
    """The overlapping pairs of a run of unspaced characters."""
    return [run[place : place + 2] for place in range(max(1, len(run) - 1))]


def is_unspaced(term: str) -> bool:
    """Whether a term is of a script that is written without spaces."""
    return _UNSPACED_RUN.match(term) is not None


Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """Where a search fits a text: ranges of characters in the original, and how well it fits (0 to about 3)."""

    ranges: tuple[Range, ...]
    quality: float


def find(search: Search, text: str, whole: str) -> Found:
    """The places of every part; better where ``whole`` (what was typed, folded) stands there in one piece."""
    folded = fold(text)
    ranges: list[Range] = []
    quality = 0.0
    for part in search.parts:
        best = 0.0
        for start, end, fits in _places(part, folded.text):
            ranges.append((folded.origin[start], folded.origin[end - 1] + 1))
            best = max(best, fits)
        quality += best
    quality /= max(1, len(search.parts))
    if search.joined:
        for start, end in _grouped(search.joined, folded.text):
            ranges.append((folded.origin[start], folded.origin[end - 1] + 1))
            quality = max(quality, 2.0)
    if whole and len(search.parts) > 1 and whole in folded.text:
        quality += 1.0
    density = 0.2 * min(1.0, sum(end - start for start, end in ranges) / max(20, len(text)))
    return Found(_merged(ranges), quality + density)


def _places(part: Part, folded: str) -> Iterator[tuple[int, int, float]]:
    if part.unspaced:
        start = folded.find(part.text)
        while start >= 0:
            yield start, start + len(part.text), 2.0
            start = folded.find(part.text, start + len(part.text))
        return
    stem = stem_of(part.text)
    for match in _TERM.finditer(folded):
        word = match[0]
        if word == part.text:
            yield match.start(), match.end(), 2.0
        elif stem_of(word) == stem:
            yield match.start(), match.end(), 1.5
        elif len(part.text) > 1 and word.startswith(part.text):
            yield match.start(), match.start() + len(part.text), 1.2
        else:
            number = _LETTERS_AND_DIGITS.fullmatch(word)
            if number and len(part.text) > 1 and number[1].startswith(part.text):
                yield match.start() + number.start(1), match.start() + number.start(1) + len(part.text), 1.5
    if part.text.isdigit() and len(part.text) >= 4:
        yield from ((start, end, 1.5) for start, end in _grouped(part.text, folded))


def _grouped(number: str, folded: str) -> Iterator[Range]:
    for match in re.finditer("[ -]?".join(number), folded):
        yield match.start(), match.end()


def _merged(ranges: list[Range]) -> tuple[Range, ...]:
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


@dataclass(frozen=True, slots=True)
class Snippet:
    """Words around a match on one line; ``marks`` are ranges of its characters (code points) that were asked for."""

    text: str
    marks: tuple[Range, ...]


def snippet(text: str, ranges: tuple[Range, ...], *, before: int = 30, length: int = 140) -> Snippet:
    """The part of a text with the most matches close together, cut at ``length`` characters."""
    if ranges:
        anchor = max(ranges, key=lambda one: (sum(one[0] <= start < one[0] + length for start, _ in ranges), -one[0]))
        start = max(0, anchor[0] - before)
    else:
        start = 0
    end = min(len(text), start + length)
    shown: list[str] = []
    place: dict[int, int] = {}
    if start > 0:
        shown.append("…")
    for at in range(start, end):
        character = " " if text[at].isspace() else text[at]
        if character == " " and (not shown or shown[-1] == " "):
            place[at] = len(shown)
            continue
        place[at] = len(shown)
        shown.append(character)
    stop = len(shown)
    if end < len(text):
        shown.append("…")
    marks = [
        (place.get(max(first, start), 0), place.get(last, stop))
        for first, last in ranges
        if first < end and last > start
    ]
    return Snippet("".join(shown), tuple((first, last) for first, last in marks if first < last))
