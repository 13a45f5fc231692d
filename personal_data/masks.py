"""Hides what was found: partly, so that people can work with it, or wholly, for machines that must not see it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from personal_data.addresses import kept_of_address
from personal_data.finding import find
from personal_data.kinds import EVERY_KIND, Kind, Span

Find = Callable[[str, str, Collection[str]], Sequence[Span]]
STARS = "***"
_COMPOUND = re.compile(r"欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|司徒|夏侯")


@dataclass(frozen=True, slots=True)
class Hidden:
    """A mask in a masked text, and the place in the text before that it stands for."""

    start: int
    end: int
    kind: Kind
    was: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without what must not be seen."""

    text: str
    hidden: tuple[Hidden, ...] = ()

    def place_of(self, offset: int, *, end: bool = False) -> int:
        """Where a place of the text before is now; inside of a mask: its beginning, or its end."""
        moved = 0
        for one in self.hidden:
            if offset <= one.was[0]:
                break
            if offset < one.was[1]:
                return one.end if end else one.start
            moved = one.end - one.was[1]
        return offset + moved


def masked(
    text: str,
    language: str = "",
    kinds: Collection[Kind] = EVERY_KIND,
    *,
    names: Collection[str] = (),
    finder: Find = find,
) -> Masked:
    """The text with a partial mask over every place of these kinds; ``names`` are known to be somebody's."""
    written: list[str] = []
    hidden: list[Hidden] = []
    behind = length = 0
    for span in finder(text, language, names):
        if span.kind not in kinds:
            continue
        mask = mask_of(span.kind, text[span.start : span.end])
        written += [text[behind : span.start], mask]
        length += span.start - behind
        hidden.append(Hidden(length, length + len(mask), span.kind, (span.start, span.end)))
        length += len(mask)
        behind = span.end
    return Masked("".join([*written, text[behind:]]), tuple(hidden)) if hidden else Masked(text)


def put_back(written: str, before: str, mask: Masked) -> str:
    """What somebody wrote over a masked text: each mask that still stands there becomes again what it hid."""
    whole: list[str] = []
    behind = 0
    for one in mask.hidden:
        stars = mask.text[one.start : one.end]
        at = written.find(stars, behind)
        if at >= 0:
            whole += [written[behind:at], before[one.was[0] : one.was[1]]]
            behind = at + len(stars)
    return "".join([*whole, written[behind:]])


def mask_of(kind: Kind, value: str) -> str:
    """The partial mask over one value."""
    return _MASKS[kind](value)


def _digits(first: int, last: int) -> Callable[[str], str]:
    """Shows so many digits at both ends, and keeps what groups them."""

    def mask(value: str) -> str:
        places = [place for place, letter in enumerate(value) if letter.isalnum()]
        # Of a short number less is shown, so that most of it is always hidden.
        shown_first, shown_last = (
            (first, last) if len(places) >= 2 * (first + last) - 3 else (0, min(2, len(places) // 3))
        )
        hidden = set(places[shown_first : len(places) - shown_last])
        return "".join("*" if place in hidden else letter for place, letter in enumerate(value))

    return mask


def _mail(value: str) -> str:
    local, at, domain = value.partition("@")
    return f"{local[:1]}{STARS}@{domain.strip()}" if at else f"{value[:1]}{STARS}"


def _name(value: str) -> str:
    if re.search(r"[\u4e00-\u9fff]", value) and "·" not in value and " " not in value.strip():
        kept = 2 if _COMPOUND.match(value) and len(value) > 2 else 1
        return value[:kept] + "*" * max(1, min(2, len(value) - kept))
    return " ".join(f"{part[:1]}{STARS}" for part in re.split(r"[\s·]+", value.strip()) if part)


def _address(value: str) -> str:
    kept = kept_of_address(value)
    if kept:
        return value[:kept] + STARS
    # Of an English address the town stays, which is one of the last parts and has no number.
    parts = [part.strip() for part in value.split(",")]
    towns = [part for part in parts[1:] if re.fullmatch(r"[A-Z][a-z][A-Za-z'’ -]+", part)]
    return f"{STARS}, {towns[0]}" if towns else STARS


_MASKS: dict[Kind, Callable[[str], str]] = {
    Kind.PHONE: _digits(3, 4),
    Kind.EMAIL: _mail,
    Kind.ID_CARD: _digits(2, 2),
    Kind.BANK_CARD: _digits(0, 4),
    Kind.PASSPORT: _digits(1, 2),
    Kind.PLATE: _digits(2, 1),
    Kind.IP: lambda value: (
        f"{re.split(r'[.:]', value)[0]}.{STARS}" if "." in value else f"{value.split(':')[0]}:{STARS}"
    ),
    Kind.ADDRESS: _address,
    Kind.NAME: _name,
}
