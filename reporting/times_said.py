"""When a question means: the periods it says, joined with "to" and opened with "since"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from reporting.time_words import EN_MONTHS, MONTH, ORDINAL, PATTERNS, Make, Period, default, last_begun, this

__all__ = ["Period", "default", "periods_in", "this"]
_BETWEEN = re.compile(r" ?(?:到|至|~|-|—|to|until|till|through|and) ?(?:the )?")
_NOW = re.compile(r"今天?|现在(?:为止)?|目前(?:为止)?|now\b|date\b")
_BARE_DAY = re.compile(rf"(?P<d>3[01]|[12]?\d)(?:{ORDINAL}(?![\w])|[日号])(?: (?:of )?(?P<m>{MONTH}))?")
_BARE_DAYS_EN = re.compile(
    rf"(?:the )?(?P<a>3[01]|[12]?\d){ORDINAL} ?(?:-|to|until|through|and) ?(?:the )?(?P<b>3[01]|[12]?\d){ORDINAL} (?:of )?(?P<m>{MONTH})"
)
_SINCE_BEFORE = re.compile(r"(?:\bsince|\bstarting|\bfrom|自从?|从) ?(?:the )?$")
_SINCE_BEHIND = re.compile(r" ?(?:以来|起至今|开始|起(?![诉])|至今|之后|onwards?|until now|till now|to now)")
_LEADING = re.compile(r"(?:\b(?:in|on|for|during|over|within|of|from|between|since|starting)|从|自从?|在) ?(?:the )?$")


def periods_in(text: str, today: date) -> list[Period]:
    """Every period said in a folded text, in order, none within another; those out of reach as ``date.max``."""
    single = _longest(sorted(_singles(text, today), key=lambda one: (one.start, -one.end)))
    found: list[Period] = []
    at = 0
    while at < len(single):
        one = single[at]
        joined = _joined(text, today, one, single[at + 1] if at + 1 < len(single) else None)
        at += 2 if joined is not None and at + 1 < len(single) and joined.end >= single[at + 1].end else 1
        found.append(_opened(text, today, joined or one))
    return found


def _singles(text: str, today: date) -> Iterator[Period]:
    for match in _BARE_DAYS_EN.finditer(text):
        yield _placed(match, today, _days_of_month)
    for pattern, make in PATTERNS:
        for match in pattern.finditer(text):
            if match.end() > match.start():
                yield _placed(match, today, make)


def _days_of_month(match: re.Match[str], today: date) -> Period:
    month, first, last = EN_MONTHS[match["m"][:3]], int(match["a"]), int(match["b"])

    def of(year: int) -> Period:
        return Period(date(year, month, first), date(year, month, last))

    return last_begun(of, today)


def _placed(match: re.Match[str], today: date, make: Make) -> Period:
    try:
        made = make(match, today)
    except (ValueError, OverflowError):
        return Period(date.max, date.max, match.start(), match.end())
    if made.until < made.since:
        return Period(date.max, date.max, match.start(), match.end())
    return Period(made.since, made.until, match.start(), match.end(), made.unit)


def _longest(ordered: list[Period]) -> list[Period]:
    kept: list[Period] = []
    for one in ordered:
        if kept and one.start < kept[-1].end:
            if one.end - one.start > kept[-1].end - kept[-1].start:
                kept[-1] = one
            continue
        kept.append(one)
    return kept


def _joined(text: str, today: date, first: Period, second: Period | None) -> Period | None:
    """From one to the other, when only a word for "to" stands between."""
    if date.max in (first.since, second.since if second else None):
        return None
    between = _BETWEEN.match(text, first.end)
    if between is None:
        return None
    if " and" in between[0] and not re.search(r"\bbetween (?:the )?$", text[: first.start]):
        return None
    if second is not None and between.end() == second.start:
        until = second.until
        if until < first.since:  # it has not come yet this year, so it was taken for the one before
            said = text[first.start : second.end]
            until = today if not re.search(r"(?:19|20)\d\d|今年|去年|last|上", said) else date.max
        return Period(first.since if until < date.max else date.max, until, first.start, second.end)
    bare = _BARE_DAY.match(text, between.end())
    if bare is not None and first.unit == "day" and bare["m"] is None and first.since.day < int(bare["d"]):
        try:
            last = first.since.replace(day=int(bare["d"]))
        except ValueError:
            return Period(date.max, date.max, first.start, bare.end())
        return Period(first.since, last, first.start, bare.end())
    now = _NOW.match(text, between.end())
    return None if now is None else Period(first.since, today, first.start, now.end())


def _opened(text: str, today: date, one: Period) -> Period:
    """With the words before and behind that belong to it; with "since", it goes on until today."""
    behind, before = _SINCE_BEHIND.match(text, one.end), _SINCE_BEFORE.search(text[: one.start])
    start, end, until = one.start, one.end, one.until
    if behind is not None:
        until, end = max(today, one.since), behind.end()
    elif before is not None and before[0].strip().startswith(("since", "starting", "自")):
        until = max(today, one.since)
    lead = _LEADING.search(text[:start])
    if lead is not None:
        start = lead.start()
    if one.since == date.max:
        until = date.max
    return Period(one.since, until, start, end, one.unit)
