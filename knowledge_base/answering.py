"""Chooses what of an article answers a question and quotes it: sentences, a list, or rows of a table, word for word.

Nothing is written here but a yes or no from a fixed table; the rest are slices of the article's body, so a quotation
cannot say what the article does not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from knowledge_base.articles import Article
from knowledge_base.asking import Asking, asks_for_remedy, asks_for_value, covered
from knowledge_base.polarity import Evidence, Verdict, asks, lead_in, leading_word, verdict_of
from knowledge_base.quotable import quotable
from knowledge_base.splitting import weight
from knowledge_base.structure import Group, Span
from knowledge_base.wording import plain

Form = Literal["text", "steps", "table"]
GAP = " … "  #: stands where something between two quoted sentences is left out
_MOST_SENTENCES = 3
_ROOM = 420  #: weight of a few sentences; one may exceed it
_LIST_ROOM = 1400  #: weight of a whole list or table
_MOST_ROWS = 12
_WORDS = 0.4  #: what having all of the question's words is worth, beside the cosine
_FIRST = 0.08  #: writers begin with what matters
_FOUND_HERE = 0.05  #: the search preferred this passage
_COMPANY = 0.03  #: a neighbour must lower the mean by less than this to come along
_ALIKE = 0.06  #: list items this near to the best one answer, too
_BONUS = {"steps": 0.3, "bullets": 0.12}  #: for lists when the question asks how
_VALUE_BONUS = 0.1  #: for tables when the question asks for a value
_NAMED = 0.15  #: for tables that have a row of the name the question asks for
_Row = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Piece:
    """A quoted slice and what stands before it: nothing but blanks, line ends or the mark of a gap."""

    before: str
    span: Span


@dataclass(frozen=True, slots=True)
class Quotation:
    """What is said in answer: ``lead`` (a yes or no from the fixed table, or nothing), then the pieces."""

    lead: str
    pieces: tuple[Piece, ...]
    form: Form
    polarity: Literal["yes", "no"] | None  #: as the article says it, whether or not a lead had to be added
    at: int  #: where in the body the best piece begins

    def text(self, body: str) -> str:
        """The words, without Markdown's marks except those of tables and lists."""
        said = "".join(piece.before + written(piece.span.of(body)) for piece in self.pieces)
        joint = " " if self.lead.isascii() and self.lead else ""
        return f"{self.lead}{joint}{said}" if self.lead else said


def written(piece: str) -> str:
    """A slice as it is shown: table rows as they are, everything else as plain text."""
    return piece if piece.startswith("|") else plain(piece)


def quote(article: Article, preferred: Span, asking: Asking, vectors: _Row, question: _Row, language: str) -> Quotation:
    """The slices that answer; ``preferred`` is the passage the search found, ``vectors`` those of ``slices_to_encode``.

    ``language`` is the asker's, in which a lead is said.
    """
    return _Choice(article, preferred, asking, vectors @ question, language).quotation()


class _Choice:
    def __init__(self, article: Article, preferred: Span, asking: Asking, nearness: _Row, language: str) -> None:
        self.article = article
        self.body = article.body
        self.asking = asking
        self.language = language
        self.ready = quotable(article)
        self.structure, self.texts = self.ready.structure, self.ready.texts
        self.units = self.structure.units
        self.nearness = [float(value) for value in nearness]
        self.here = [preferred.start <= unit.span.start < preferred.end for unit in self.units]
        self.words = [
            covered(asking, f"{heading} {text}", self.ready.title)
            for heading, text in zip(self.ready.headings, self.texts, strict=True)
        ]
        self.scores = [
            self.nearness[place]
            + _WORDS * self.words[place]
            + (_FIRST if place == 0 else 0.0)
            + (_FOUND_HERE if self.here[place] else 0.0)
            - (1.0 if self._bare_lead(place) else 0.0)
            for place in range(len(self.units))
        ]

    def quotation(self) -> Quotation:
        """The best of what the article offers."""
        if not self.units:
            return Quotation("", (Piece("", Span(0, len(self.body))),), "text", None, 0)
        verdict = verdict_of(self.asking, [self._evidence(place) for place in range(len(self.units))])
        if verdict is not None:
            return self._said(verdict)
        group = self._best_group()
        if group is not None:
            return self._table(group) if group.form == "table" else self._list(group)
        return self._text(self._window(range(len(self.units))), None)

    # -- lists and tables

    def _best_group(self) -> Group | None:
        """The list or table that answers better than any sentence outside of it."""
        best = max(range(len(self.units)), key=lambda place: self.scores[place])
        scored = [(self._group_score(number, group), group) for number, group in enumerate(self.structure.groups)]
        score, group = max(scored, key=lambda pair: pair[0], default=(0.0, None))
        if group is None:
            return None
        own = self.units[best].group
        if own is not None:
            # A list that as a whole fits much better than the one its best line stands in is preferred to it.
            mine = self._group_score(own, self.structure.groups[own])
            margin = 0.0 if self.asking.how else 0.1
            return group if score > mine + margin else self.structure.groups[own]
        return group if score >= self.scores[best] else None

    def _group_score(self, number: int, group: Group) -> float:
        at = len(self.units) + 2 * number
        here = _FOUND_HERE if any(self.here[place] for place in group.units) else 0.0
        words = covered(self.asking, self.ready.groups[number], self.ready.title)
        rest = _WORDS * words + here
        about, holds = self.nearness[at], self.nearness[at + 1]
        if group.form == "table":
            if not asks_for_value(self.asking.text):
                return holds + rest
            named = any(self._named(place) for place in group.units)
            return max(about, holds) + rest + _VALUE_BONUS + (_NAMED if named else 0.0)
        # Steps that do not speak of what is asked are not the way to do it.
        if not self.asking.how or words < max(self.words) - 0.25:
            return holds + rest
        if group.form == "bullets" and not asks_for_remedy(self.asking.text):
            return holds + rest
        return max(about, holds) + rest + _BONUS[group.form]

    def _named(self, row: int) -> bool:
        """Whether the question names what the row is about, as its first cell says."""
        names = re.split(r"[、,，和及/()（）]| and ", self.texts[row].strip("| ").split("|")[0])
        return any(name.strip() in self.asking.text for name in names if name.strip())

    def _list(self, group: Group) -> Quotation:
        places = list(group.units)
        scores = [self.scores[place] for place in places]
        size = sum(weight(self.texts[place]) for place in places)
        # A short list that a sentence introduces reads best as it stands.
        if group.intro is not None and size <= _ROOM:
            return self._lines(group, places, "steps")
        whole = size <= _LIST_ROOM
        intro = self.scores[group.intro] if group.intro is not None else 0.0
        about = max(intro, self._group_score(self.structure.groups.index(group), group))
        if not (whole and (self.asking.how or group.form == "steps" or about >= max(scores) - _ALIKE)):
            best = max(scores)
            places = [place for place, score in zip(places, scores, strict=True) if score >= best - _ALIKE]
            places = sorted(places, key=lambda place: -self.scores[place])[:_MOST_SENTENCES]
        return self._lines(group, sorted(places), "steps")

    def _table(self, group: Group) -> Quotation:
        rows = list(group.units)
        words = {row: self._row_words(row, rows) for row in rows}
        best = max(words.values())
        if best > 0:
            chosen = [row for row in rows if words[row] == best]
        else:
            nearest = max(rows, key=lambda row: self.nearness[row])
            others = [self.nearness[row] for row in rows if row != nearest] or [-1.0]
            chosen = [nearest] if self.nearness[nearest] > max(others) + _ALIKE else rows[:_MOST_ROWS]
        return self._lines(group, chosen, "table")

    def _row_words(self, row: int, rows: Sequence[int]) -> float:
        """How much of the question this row has that not every row has."""
        everywhere = min(covered(self.asking, self.texts[one]) for one in rows)
        return round(covered(self.asking, self.texts[row]) - everywhere, 4)

    def _lines(self, group: Group, places: Sequence[int], form: Form) -> Quotation:
        spans: list[Span] = []
        whole = len(places) == len(group.units)
        if group.intro is not None:
            spans.append(self.units[group.intro].span)
        elif group.heading is not None and (whole or group.form == "bullets"):
            spans.append(group.heading)
        spans += [*group.header, *(self.units[place].span for place in places)]
        best = max(places, key=lambda place: self.scores[place])
        pieces = tuple(Piece("\n" if number else "", span) for number, span in enumerate(spans))
        if group.header and len(spans) > len(places) + 2:  # a table begins after an empty line
            pieces = (pieces[0], Piece("\n\n", pieces[1].span), *pieces[2:])
        return Quotation("", pieces, form, None, self.units[best].span.start)

    # -- sentences

    def _said(self, verdict: Verdict) -> Quotation:
        """The sentence that says yes or no, with the neighbours that belong to it."""
        place = verdict.unit
        unit = self.units[place]
        if unit.group is not None:
            group = self.structure.groups[unit.group]
            said = self._lines(group, [place], "table" if group.form == "table" else "steps")
            lead = lead_in(self.asking, verdict, self.language)
            return Quotation(lead, said.pieces, said.form, "yes" if verdict.yes else "no", said.at)
        if self._bare_lead(place) and place + 1 < len(self.units):
            first, last = place, place + 2
        else:
            first, last = self._window(range(len(self.units)), around=place)
        return self._text((first, last), verdict)

    def _text(self, window: tuple[int, int], verdict: Verdict | None) -> Quotation:
        first, last = self._finished(*window)
        places = list(range(first, last))
        extra = self._elsewhere(places) if verdict is None else None
        if extra is not None:
            places = sorted([*places, extra])
        pieces: list[Piece] = []
        for number, place in enumerate(places):
            span = self.units[place].span
            before = ""
            if number:
                between = self.body[self.units[places[number - 1]].span.end : span.start]
                before = between if not between.strip() and "\n\n" not in between else GAP
            pieces.append(Piece(before, span))
        best = max(places, key=lambda place: self.scores[place])
        lead, polarity = "", None
        leading = leading_word(pieces[0].span.of(self.body))
        if verdict is not None:
            polarity = "yes" if verdict.yes else "no"
            best = verdict.unit
            if leading is None or leading[0] != verdict.yes:
                lead = lead_in(self.asking, verdict, self.language)
        if leading is not None and (lead or (verdict is None and self.asking.matter is not None)):
            pieces[0] = Piece("", self._without_lead(pieces[0].span, leading[1]))
        said: Literal["yes", "no"] | None = "yes" if polarity == "yes" else "no" if polarity == "no" else None
        return Quotation(lead, tuple(pieces), "text", said, self.units[best].span.start)

    def _without_lead(self, span: Span, length: int) -> Span:
        """A sentence without the yes or no it begins with, which answers something else."""
        start = span.start + length
        start += len(self.body[start : span.end]) - len(self.body[start : span.end].lstrip())
        return Span(start, span.end) if start < span.end else span

    def _window(self, places: Sequence[int], around: int | None = None) -> tuple[int, int]:
        """The best few sentences that follow each other in one paragraph."""
        windows = [
            (first, last)
            for first in places
            for last in range(first + 1, min(first + _MOST_SENTENCES, len(self.units)) + 1)
            if (around is None or first <= around < last) and self._reads_on(first, last)
        ]
        return max(windows, key=lambda span: _worth(self.scores[span[0] : span[1]]))

    def _reads_on(self, first: int, last: int) -> bool:
        """Whether the units may stand together: one alone, or a few sentences of one paragraph."""
        inside = self.units[first:last]
        if len(inside) == 1:
            return True
        together = all(unit.kind == "sentence" and unit.block == inside[0].block for unit in inside)
        return together and weight(self.body[inside[0].span.start : inside[-1].span.end]) <= _ROOM

    def _finished(self, first: int, last: int) -> tuple[int, int]:
        """The window with the second half of a sentence that ends with a semicolon or colon."""
        while last < len(self.units) and self.body[self.units[last - 1].span.end - 1] in ";；:：":
            if self.units[last].block != self.units[last - 1].block:
                break
            last += 1
        # A question in the article is answered by what stands below it, up to the next one.
        while last < len(self.units) and asks(self.texts[last - 1]):
            if self.units[last].headings != self.units[last - 1].headings or asks(self.texts[last]):
                break
            block, last = self.units[last].block, last + 1
            while last < len(self.units) and self.units[last].block == block and not asks(self.texts[last]):
                last += 1
        return first, last

    def _elsewhere(self, places: Sequence[int]) -> int | None:
        """A sentence outside of the window that answers a part of the question that the window leaves open."""
        said = " ".join(self.texts[place] for place in places)
        before = covered(self.asking, said)
        best = max(self.scores[place] for place in places)
        rivals = [
            place
            for place, unit in enumerate(self.units)
            if place not in places
            and unit.kind == "sentence"
            and self.scores[place] >= best - _ALIKE
            and covered(self.asking, f"{said} {self.texts[place]}") > before + 0.15
        ]
        return max(rivals, key=lambda place: self.scores[place], default=None)

    def _evidence(self, place: int) -> Evidence:
        return Evidence(
            place,
            self.texts[place],
            self.ready.title,
            self.ready.headings[place],
            self.ready.questions,
            self.ready.body,
            self.nearness[place],
        )

    def _bare_lead(self, place: int) -> bool:
        """Whether a sentence says nothing but yes or no."""
        leading = leading_word(self.texts[place])
        return leading is not None and not self.texts[place][leading[1] :].strip()


def _worth(scores: list[float]) -> float:
    return max(scores) * 0.7 + sum(scores) / len(scores) * 0.3 + _COMPANY * (len(scores) - 1)
