"""Dates, times, slots and deadlines: expressions for days and for times of day, put together and reckoned from a moment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from bot.entities.candidates import GRAMMAR, Candidate
from bot.entities.clock_words import Clock, clock_text, find_clocks
from bot.entities.day_words import FIXED_HOLIDAYS, Span, find_days, nearest_year

#: The types this grammar finds, which a catalogue file switches on with ``grammar``.
TIME_TYPES = (
    "date", "time", "datetime", "date_range", "time_slot", "deadline", "weekday", "relative_day", "day_part",
)  # fmt: skip

_HINT = re.compile(
    r"[天日号周月年点时早晚夜午晨前后末]|星期|礼拜|节|元旦|圣诞|国庆|工作日|双休|休息日|今|明|昨|\d\s?[ap]\.?m|\d:\d|\d{4}[-/.]\d|\d/\d"
    r"|day|tomor|tommor|tmr|tonight|week|month|year|ago|morning|noon|evening|night|lunchtime|o'?clock|half past|quarter (?:to|past)|(?:five|ten|twenty) (?:to|past)"
    r"|\b(?:[ap]m|mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|in \w+ (?:hour|min)|end of)|christmas|xmas|hours?\b|later"
)
_JOIN = re.compile(r"[,，、]?\s?(?:的|at|on|in the|around|about|from|between|大概|大约|左右)?\s?")
_TO = re.compile(r"\s?(?:到|至|-|~|–|—|to|until|till|through|and)\s?")
_FROM = re.compile(r"(?:from|between) $")
_FIRST_DAY = re.compile(r"(?<![\d/])(?P<d>\d{1,2})(?:st|nd|rd|th)?(?: to | - |-|–| and )$")
_LATER_DAY = re.compile(r"\s?(?:到|至|-|~|–|—)\s?(?P<d>\d{1,2})\s?[日号](?!\d)")
_LATER_DAY_EN = re.compile(r"(?: to |-|–| - )(?P<d>\d{1,2})(?:st|nd|rd|th)?(?![\d:])(?!\s?[ap]\.?m)")
_BEFORE_AFTER = re.compile(r"(?:之前|以前|前)(?![天日年面后台往])")
_BY = re.compile(r"(?:(?:no|not) later than|by|before|until|till|最晚|最迟|不晚于|截止到?|赶在)\s?(?:the )?$")
_HOLIDAY = re.compile("|".join(map(re.escape, sorted(FIXED_HOLIDAYS, key=len, reverse=True))))


class Times:
    """The grammar, for the types a catalogue has."""

    def __init__(self, order: dict[str, int]) -> None:
        """``order`` gives the place of each type in the catalogue; types not in it are not found."""
        self._order = order

    def find(self, lower: str, now: datetime) -> list[Candidate]:
        """All expressions of time in a text said at ``now`` (aware, in the zone of the speaker)."""
        if not _HINT.search(lower):
            return []
        today = now.date()
        days, clocks = list(find_days(lower, today)), find_clocks(lower)
        found: list[Candidate] = []

        def add(kind: str, start: int, end: int, value: Any) -> None:
            if kind in self._order:
                found.append(Candidate(kind, start, end, GRAMMAR, lambda: value, order=self._order[kind]))

        points: list[tuple[int, int, str]] = []  # what a deadline can be reckoned to
        for span in days:
            kind, value = _day_value(span, now)
            if any((clock.start, clock.end) == (span.start, span.end) for clock in clocks):
                continue  # “tonight” is a part of a day, told below
            add(kind, span.start, span.end, value)
            if span.kind in {"day", "offset"}:
                points.append((span.start, span.end, span.last.isoformat()))
            elif span.kind == "days":
                points.append((span.start, span.end, span.first.isoformat()))
            elif span.kind == "moment":
                points.append((span.start, span.end, str(value)))
        for clock in clocks:
            kind, value = _clock_value(clock)
            add(kind, clock.start, clock.end, value)
            if kind == "time":
                points.append((clock.start, clock.end, _at(today, clock.first, now)))
        for span, clock, start, end in _pairs(lower, days, clocks):
            kind, value = _pair_value(span, clock, now)
            add(kind, start, end, value)
            if kind == "datetime":
                points.append((start, end, value))
        for start, end, first, last in _ranges(lower, days, today):
            add("date_range", start, end, {"from": first.isoformat(), "to": last.isoformat()})
        for start, end, value in _deadlines(lower, points, today):
            add("deadline", start, end, value)
        return found


def _at(day: date, minutes: int, now: datetime) -> str:
    moment = datetime.combine(day, datetime.min.time(), tzinfo=now.tzinfo) + timedelta(minutes=minutes)
    return moment.isoformat(timespec="minutes")


def _day_value(span: Span, now: datetime) -> tuple[str, Any]:
    if span.kind == "weekdays":
        return "weekday", list(span.weekdays)
    if span.kind == "moment":
        return "datetime", (now + timedelta(minutes=span.minutes)).isoformat(timespec="minutes")
    if span.kind == "days":
        return "date_range", {"from": span.first.isoformat(), "to": span.last.isoformat()}
    return ("relative_day" if span.kind == "offset" else "date"), span.first.isoformat()


def _clock_value(clock: Clock) -> tuple[str, Any]:
    if clock.part:
        return "day_part", clock.part
    if clock.last is None:
        return "time", clock_text(clock.first)
    return "time_slot", {"from": clock_text(clock.first), "to": clock_text(clock.last)}


def _pairs(lower: str, days: list[Span], clocks: list[Clock]) -> Iterator[tuple[Span, Clock, int, int]]:
    """A day beside a time of day: 后天下午三点, tomorrow at 3pm, 3pm tomorrow, tonight."""
    for span in days:
        if span.kind not in {"day", "offset"}:
            continue
        for clock in clocks:
            if clock.start >= span.end:
                joint = _JOIN.match(lower, span.end)
                if joint and joint.end() >= clock.start:
                    yield span, clock, span.start, clock.end
            elif clock.end <= span.start:
                between = lower[clock.end : span.start]
                if between in {" ", " on ", " of ", ", "} and not clock.part:
                    yield span, clock, clock.start, span.end
            elif (clock.start, clock.end) == (span.start, span.end):
                yield span, clock, span.start, span.end  # “tonight” is both
            elif span.start < clock.start < span.end <= clock.end:
                yield span, clock, span.start, clock.end


def _pair_value(span: Span, clock: Clock, now: datetime) -> tuple[str, Any]:
    first = _at(span.first, clock.first, now)
    if clock.last is None:
        return "datetime", first
    return "time_slot", {"from": first, "to": _at(span.first, clock.last, now)}


def _ranges(lower: str, days: list[Span], today: date) -> Iterator[tuple[int, int, date, date]]:
    """From one day to another; the month may be said once (11月27日到30日, 27 to 30 November)."""
    singles = [span for span in days if span.kind == "day"]
    for place, span in enumerate(singles):
        around = _FROM.search(lower, 0, span.start)
        start = around.start() if around else span.start
        if place + 1 < len(singles):
            following = singles[place + 1]
            joint = _TO.match(lower, span.end)
            if joint and joint.end() == following.start and span.first < following.first:
                yield start, following.end, span.first, following.first
                continue
        for expression in (_LATER_DAY, _LATER_DAY_EN):
            later = expression.match(lower, span.end)
            if later and (last := _same_month(span.first, later["d"])) and last > span.first:
                yield start, later.end(), span.first, last
        earlier = _FIRST_DAY.search(lower, 0, span.start)
        if earlier and (first := _same_month(span.first, earlier["d"])) and first < span.first:
            around = _FROM.search(lower, 0, earlier.start())
            yield around.start() if around else earlier.start(), span.end, first, span.first


def _same_month(day: date, number: str) -> date | None:
    try:
        return day.replace(day=int(number))
    except ValueError:
        return None


def _deadlines(lower: str, points: list[tuple[int, int, str]], today: date) -> Iterator[tuple[int, int, str]]:
    """A day or moment with “by”, “before”, 之前 or 最晚."""
    holidays = [
        (match.start(), match.end(), day.isoformat())
        for match in _HOLIDAY.finditer(lower)
        if (day := nearest_year(today, *FIXED_HOLIDAYS[match.group()]))
    ]
    for start, end, value in (*points, *holidays):
        after = _BEFORE_AFTER.match(lower, end)
        before = _BY.search(lower, 0, start)
        if before and not (before.start() and lower[before.start() - 1].isalpha() and lower[before.start()].isascii()):
            yield before.start(), after.end() if after else end, value
        elif after:
            yield start, after.end(), value
