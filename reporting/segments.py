"""Cuts a question into phrases with meanings: of all ways to cut it, the one that leaves the fewest words unexplained."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from reporting.lexicon import Lexicon, Meaning
from reporting.reading import NUMBER, Reading, is_han, number_of, stem
from reporting.times_said import Period, periods_in

_COST = {"period": 0.3, "number": 0.9, "filler": 1.2, "adjective": 1.2, "sign": 0.0, "unknown": 10.0}
_SIGNS_WITHOUT_MEANING = set("?!.,;:，。？！、；：()（）\"'“”「」《》-/…~·")
_RANKED = re.compile(
    rf"(?:前|top ?|排名前)(?P<a>{NUMBER})(?: ?(?:个|名|位|大|条|种|项|篇|类|家))?|(?P<b>{NUMBER}) ?(?:个|名|位|大|条|种|项|篇|类|家)(?!月|星期|小时|季)|\b(?P<c>\d+|(?!one\b)[a-z]+)\b"
)
Cut = tuple[float, int, "Segment"]


@dataclass(frozen=True, slots=True)
class Segment:
    """Some neighbouring tokens and what they may mean, the likeliest first; without meanings they were not understood."""

    start: int  #: in the folded text
    end: int
    said: str
    meanings: tuple[Meaning, ...] = ()
    period: Period | None = None
    number: int | None = None
    plural: bool = False
    ranked: bool = False  #: a number that says how many of the first ones

    @property
    def kind(self) -> str:
        """What its likeliest meaning is."""
        if self.period is not None:
            return "period"
        if self.number is not None:
            return "number"
        return self.meanings[0].kind if self.meanings else "unknown"

    @property
    def key(self) -> str:
        """The key of its likeliest meaning."""
        return self.meanings[0].key if self.meanings else ""

    def meaning(self, *kinds: str) -> Meaning | None:
        """The likeliest meaning of some kinds."""
        return next((one for one in self.meanings if one.kind in kinds), None)


def segments_of(reading: Reading, lexicon: Lexicon, today: date) -> list[Segment]:
    """The whole question, in order, without signs that mean nothing."""
    tokens = reading.tokens
    words = [lexicon.meant(stem(token.text)) for token in tokens]
    starts = {token.start: at for at, token in enumerate(tokens)}
    ends = {token.end: at + 1 for at, token in enumerate(tokens)}
    options: list[list[Cut]] = [[] for _ in tokens]
    for period in periods_in(reading.folded, today):
        first, last = starts.get(period.start), ends.get(period.end)
        if first is not None and last is not None:
            said = reading.said(period.start, period.end)
            options[first].append((_COST["period"], last, Segment(period.start, period.end, said, period=period)))
    for at, segment in _numbers(reading):
        if at in starts and segment.end in ends:
            options[starts[at]].append((_COST["number"], ends[segment.end], segment))
    for at, token in enumerate(tokens):
        found: dict[int, list[Meaning]] = {}
        for phrase, meaning in lexicon.phrases.get(words[at], ()):
            if tuple(words[at : at + len(phrase)]) == phrase:
                found.setdefault(at + len(phrase), []).append(meaning)
        for last, meanings in found.items():
            ordered = tuple(sorted(meanings, key=lambda one: one.rank))
            end = tokens[last - 1].end
            plural = tokens[last - 1].text.isascii() and tokens[last - 1].text.endswith("s")
            segment = Segment(token.start, end, reading.said(token.start, end), ordered, plural=plural)
            options[at].append((_COST.get(ordered[0].kind, 1.0), last, segment))
        alone = Segment(token.start, token.end, reading.said(token.start, token.end))
        meaningless = token.text in _SIGNS_WITHOUT_MEANING
        options[at].append((_COST["sign" if meaningless else "unknown"], at + 1, alone))
    return _joined(reading, _cheapest(options))


def _numbers(reading: Reading) -> Iterator[tuple[int, Segment]]:
    for match in _RANKED.finditer(reading.folded):
        number = number_of(match["a"] or match["b"] or match["c"])
        if number is not None and match["b"] != "一":  # "a conversation" is no number
            said = reading.said(match.start(), match.end())
            yield (
                match.start(),
                Segment(
                    match.start(), match.end(), said, number=number, ranked=bool(match["a"] or said.endswith("大"))
                ),
            )


def _cheapest(options: list[list[Cut]]) -> list[Segment]:
    count = len(options)
    best: list[tuple[float, list[Segment]]] = [(0.0, [])] * (count + 1)
    for at in range(count - 1, -1, -1):
        cost, last, segment = min(options[at], key=lambda one: (round(one[0] + best[one[1]][0], 6), -one[1]))
        best[at] = (cost + best[last][0], [segment, *best[last][1]])
    return best[0][1]


def _joined(reading: Reading, cut: list[Segment]) -> list[Segment]:
    """Neighbours that were not understood, as one; signs left out."""
    found: list[Segment] = []
    for one in cut:
        if one.kind == "unknown" and reading.folded[one.start : one.end] in _SIGNS_WITHOUT_MEANING:
            continue
        before = found[-1] if found else None
        if one.kind == "unknown" and before is not None and before.kind == "unknown" and _touch(reading, before, one):
            found[-1] = Segment(before.start, one.end, reading.said(before.start, one.end))
        else:
            found.append(one)
    return found


def _touch(reading: Reading, before: Segment, behind: Segment) -> bool:
    gap = reading.folded[before.end : behind.start]
    both_han = is_han(reading.folded[before.end - 1]) == is_han(reading.folded[behind.start])
    return both_han and (gap == "" or gap == " ")
