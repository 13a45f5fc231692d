"""A question as it is read: half-width, small, simplified, in tokens that remember where they stood in what was typed."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LONGEST = 500  #: characters of a question; the rest is not read
_TOKEN = re.compile(r"'s\b|[a-z]+(?:[-'][a-z]+)*|\d+|[^\W\d_]|[^\s\w]|\d")
_ZH_DIGITS = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
_EN_NUMBERS = {
    name: number
    for number, name in enumerate(
        [
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ],
        start=1,
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90}
#: For patterns: a number as it may be written in either language.
NUMBER = (
    r"(?:\d{1,4}|[零〇一二两三四五六七八九十百]{1,5}|" + "|".join(sorted(_EN_NUMBERS, key=len, reverse=True)) + r")"
)
_SHORTEST_MISTYPED = 5  #: a mistyped word of fewer letters could be too many others


@dataclass(frozen=True, slots=True)
class Token:
    """A Chinese character, a word, a number or a sign."""

    text: str
    start: int  #: in the folded text
    end: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A question folded, and what each of its characters was."""

    typed: str
    folded: str
    places: tuple[int, ...]  #: where each folded character was typed
    tokens: tuple[Token, ...]

    def said(self, start: int, end: int) -> str:
        """What was typed between two places of the folded text."""
        if start >= end:
            return ""
        return self.typed[self.places[start] : self.places[end - 1] + 1].strip()


@cache
def _simplified() -> dict[str, str]:
    import opencc  # type: ignore[import-untyped]

    table = {}
    characters = Path(opencc.__file__).parent / "dictionary" / "TSCharacters.txt"
    for line in characters.read_text(encoding="utf-8").splitlines():
        written, _, simple = line.partition("\t")
        if len(written) == 1 and len(simple.split(" ")[0]) == 1:
            table[written] = simple.split(" ")[0]
    return table


def is_han(text: str) -> bool:
    """Whether it begins with a Chinese character."""
    return "\u3400" <= text[:1] <= "\u9fff"


def read(typed: str) -> Reading:
    """The question, folded and cut into tokens."""
    typed = typed[:LONGEST]
    folded: list[str] = []
    places: list[int] = []
    table = _simplified()
    for place, character in enumerate(typed):
        for one in unicodedata.normalize("NFKC", character).lower():
            simple = table.get(one, one)
            if simple == " " and _only_typography(typed, place):
                continue
            folded.append({"’": "'", "‘": "'", "–": "-", "—": "-"}.get(simple, simple))
            places.append(place)
    text = "".join(folded)
    return Reading(typed, text, tuple(places), tuple(tokens_of(text)))


def _only_typography(typed: str, place: int) -> bool:
    """Whether a space only sets a number off from the Chinese around it, as in "近 7 天"."""
    before, behind = typed[place - 1 : place], typed[place + 1 : place + 2]
    return (is_han(before) and behind.isdigit()) or (before.isdigit() and is_han(behind))


def tokens_of(folded: str) -> list[Token]:
    """Words, numbers, characters and signs; the 's of a name stands alone."""
    found: list[Token] = []
    for match in _TOKEN.finditer(folded):
        text, start, end = match[0], match.start(), match.end()
        if text.endswith("'s") and len(text) > 2:
            found += [Token(text[:-2], start, end - 2), Token("'s", end - 2, end)]
        elif "-" in text:
            for part in re.finditer(r"[^-]+", text):
                found.append(Token(part[0], start + part.start(), start + part.end()))
        else:
            found.append(Token(text, start, end))
    return found


def number_of(written: str) -> int | None:
    """The number that digits, Chinese numerals up to 999 or an English word say."""
    if written.isascii() and written.isdigit():
        return int(written)
    if written in _EN_NUMBERS:
        return _EN_NUMBERS[written]
    total = digit = 0
    for character in written:
        if character in _ZH_DIGITS:
            digit = digit * 10 + _ZH_DIGITS[character]
        elif character in "十百":
            total, digit = total + (digit or 1) * (10 if character == "十" else 100), 0
        else:
            return None
    return total + digit if written else None


def stem(word: str) -> str:
    """An English word without its plural; what is no word stays."""
    if not word.isascii() or len(word) < 4 or word.endswith(("ss", "us", "'s")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word.removesuffix("s")


def mistyped(word: str, meant: str) -> bool:
    """Whether one slip of the fingers lies between two words that begin alike."""
    if min(len(word), len(meant)) < _SHORTEST_MISTYPED or abs(len(word) - len(meant)) > 1 or word[0] != meant[0]:
        return False
    same = 0
    while same < min(len(word), len(meant)) and word[same] == meant[same]:
        same += 1
    left, right = word[same:], meant[same:]
    swapped = left[:2] == right[1::-1] and left[2:] == right[2:]
    return left[1:] == right or left == right[1:] or left[1:] == right[1:] or swapped
