"""Understands a question to the reports in Chinese or English, without a language model: the same words, the same query.

What carries meaning and was not understood is never left out silently: it is named, and where the answer would be to
another question, there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from reporting import times_said
from reporting.catalogue import METRICS, Form
from reporting.comparing_words import Compared, compared_with
from reporting.lexicon import Lexicon
from reporting.measured import Misfit, measured, reasons_apart
from reporting.parts_asked import end_of, filters_of, parts_of, top_of
from reporting.possible import possible
from reporting.query import Query, QueryError
from reporting.reading import Reading, is_han, read
from reporting.segments import Segment, segments_of

_BEFORE_NAMES = frozenset(
    [
        "of",
        "by",
        "for",
        "on",
        "from",
        "in",
        "with",
        "via",
        "per",
        "at",
        "about",
        "to",
        "and",
        "mentioning",
        "regarding",
        "except",
        "using",
        "like",
        "between",
        "within",
        "under",
    ]
)
_NAMES_BEGIN = frozenset("小老阿高钱花方于那查")
_ARTICLES = frozenset(["the", "a", "an", "our", "all", "my"])


@dataclass(frozen=True, slots=True)
class Part:
    """One part of what was understood, to show and to change: what it is, its key, and the words that said it ("" for none)."""

    kind: str  #: metric, period, by, filter, top, end, compare, median
    key: str
    said: str
    dimension: str = ""  #: of a filter

    def form(self) -> dict[str, str]:
        """Its JSON form."""
        return {"kind": self.kind, "key": self.key, "said": self.said, "dimension": self.dimension}


@dataclass(frozen=True, slots=True)
class Understood:
    """A question with its answer's query; ``unknown`` are words that may have meant something more."""

    query: Query
    explained: tuple[Part, ...]
    unknown: tuple[str, ...] = ()
    compare: bool = False  #: whether a comparison with the period before was asked for


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """A question that cannot be answered as it was asked: why, which words, and what can be asked instead."""

    code: str
    explained: tuple[Part, ...]
    unknown: tuple[str, ...]
    possible: tuple[str, ...]


def parse(text: str, today: date, lexicon: Lexicon, language: str | None = None) -> Understood | NotUnderstood:
    """What is asked; never raises. ``language`` is that of what is proposed instead, else the question's own."""
    reading = read(text)
    segments = segments_of(reading, lexicon, today)
    spoken = language or ("zh" if any(map(is_han, reading.folded)) else "en")
    explained: list[Part] = []
    try:
        return _understood(reading, segments, today, lexicon, explained)
    except Misfit as misfit:
        code, said, keys = misfit.code, misfit.said, misfit.keys
    except QueryError as error:
        code, said, keys = error.code, (error.detail,) if error.detail else (), ()
    return NotUnderstood(code, tuple(explained), said, possible(code, keys, segments, lexicon, spoken, today))


def _understood(
    reading: Reading, segments: Sequence[Segment], today: date, lexicon: Lexicon, explained: list[Part]
) -> Understood:
    if not segments:
        raise Misfit("empty")
    compared = compared_with(reading, segments)
    segments = [one for one in segments if not (one.start < compared.end and one.end > compared.start)]
    segments = reasons_apart(segments)
    meant = measured(segments)
    period, spans = _period(compared, segments, today)
    if meant is not None:
        explained.append(Part("metric", meant.key, meant.said))
    if spans or meant is not None:
        explained.append(Part("period", f"{period.since}/{period.until}", ", ".join(one.said for one in spans)))
    _check_negation(segments)
    unknown = _unknown(reading, segments, essential=False)
    essential = _unknown(reading, segments, essential=True)
    if meant is None:
        raise Misfit("no_metric", unknown)
    if essential:
        raise Misfit("unknown_part", essential, (meant.key,))
    metric = METRICS[meant.key]
    filters = filters_of(segments, meant, lexicon)
    by, by_said = parts_of(segments, meant, filters, period)
    end = end_of(segments)
    top = top_of(segments, end, by)
    if by is None and not filters.get("served") and not filters.get("agent") and meant.key == "csat":
        by = "served"  # the bot and people are never mixed without being asked
    wanted = end.meaning("end", "comparative", "adjective") if end is not None else None
    lowest = wanted is not None and (wanted.key == "lowest" or wanted.key == ("best" if metric.better < 0 else "worst"))
    query = Query(
        meant.key, period.since, period.until, by,
        {name: tuple(one.key for one in named) for name, named in filters.items()}, top[0] if top else None, lowest,
    )  # fmt: skip
    for name, named in filters.items():
        explained += [Part("filter", one.key, one.said, name) for one in named]
    if by is not None:
        explained.append(Part("by", by, by_said))
    if top is not None:
        explained.append(Part("top", str(top[0]), top[1]))
    if end is not None:
        explained.append(Part("end", "lowest" if lowest else "highest", end.said))
    if compared.asked:
        explained.append(Part("compare", "before", compared.said))
    if metric.form in (Form.SECONDS, Form.MILLISECONDS):
        explained += [Part("median", "median", one.said) for one in segments if one.meaning("average")]
    return Understood(query, tuple(explained), unknown, compared.asked)


def _period(compared: Compared, segments: Sequence[Segment], today: date) -> tuple[times_said.Period, list[Segment]]:
    """The days, and the words for them."""
    own = [one for one in segments if one.period is not None]
    wrong = tuple(one.said for one in own if one.period and one.period.since == date.max)
    if wrong:
        raise Misfit("no_such_day", wrong)
    if len({(one.period.since, one.period.until) for one in own if one.period}) > 1:
        raise Misfit("two_periods", tuple(one.said for one in own))
    if own and own[0].period is not None:
        period = own[0].period
    elif compared.unit:
        period = times_said.this(compared.unit, today)
    else:
        period = times_said.default(today)
    if period.since > today:
        raise Misfit("future", tuple(one.said for one in own))
    period = times_said.Period(period.since, min(period.until, today), unit=period.unit)
    if compared.period is not None and (compared.period.until - period.since).days != -1:
        raise Misfit("compare_other", (compared.said,))
    return period, own


def _check_negation(segments: Sequence[Segment]) -> None:
    for kind, code in (("except", "negation"), ("condition", "condition")):
        said = tuple(one.said for one in segments if one.kind == kind)
        if said:
            raise Misfit(code, said)


def _unknown(reading: Reading, segments: Sequence[Segment], *, essential: bool) -> tuple[str, ...]:
    """Words that were not understood; the essential ones are where a name or a limit stands."""
    found = []
    for at, one in enumerate(segments):
        if one.kind == "unknown" and (not essential or _limits(reading, segments, at)):
            found.append(one.said)
    return tuple(found)


def _limits(reading: Reading, segments: Sequence[Segment], at: int) -> bool:
    one = segments[at]
    behind = segments[at + 1] if at + 1 < len(segments) else None
    named = behind is not None and behind.kind in ("metric", "weak", "several", "dimension", "filter")
    if is_han(reading.folded[one.start]):
        before_it = reading.folded[one.start - 1 : one.start]
        if one.end - one.start == 1 and before_it not in _NAMES_BEGIN:  # seldom a name, often a particle
            return at == 0 or (behind is not None and (behind.said == "的" or behind.kind == "dimension"))
        marked = at > 0 and segments[at - 1].kind in ("mark", "filter", "period")
        timed = behind is not None and behind.period is not None
        joined = behind is not None and behind.said in ("的", "和", "跟", "与", "人")
        return at == 0 or named or timed or marked or joined
    if not one.said.isascii() or not one.said.isalpha() or (one.said[0].isupper() and at > 0):
        return True
    if reading.folded[one.start - 1 : one.start] == "-":  # the second half of a name
        return True
    before = at - 1
    while before >= 0 and reading.folded[segments[before].start : segments[before].end] in _ARTICLES:
        before -= 1
    if before >= 0 and reading.folded[segments[before].start : segments[before].end] in _BEFORE_NAMES:
        return True
    return named or (behind is not None and behind.said == "'s")


def form_of(found: Understood | NotUnderstood) -> dict[str, Any]:
    """What the staff API answers."""
    if isinstance(found, Understood):
        return {
            "query": found.query.form(), "compare": found.compare, "code": None,
            "explained": [one.form() for one in found.explained], "unknown": list(found.unknown), "possible": [],
        }  # fmt: skip
    return {
        "query": None, "compare": False, "code": found.code, "explained": [one.form() for one in found.explained],
        "unknown": list(found.unknown), "possible": list(found.possible),
    }  # fmt: skip
