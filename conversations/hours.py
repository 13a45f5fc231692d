"""When people work: reads "Mon-Fri 09:00-18:00, Sat 10:00-14:00 Asia/Shanghai" and answers open or closed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"(?:(\w{3})(?:-(\w{3}))?\s+)?(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})", re.IGNORECASE)


#: How far ahead the next opening is looked for; a desk closed longer names no day.
_LOOK_AHEAD_DAYS = 400


@dataclass(frozen=True, slots=True)
class Holiday:
    """Days, first to last, on which the weekly hours do not hold: closed, or other hours on each of them."""

    first: date
    last: date
    spans: tuple[tuple[int, int], ...] = ()  #: first minute of the day, minute after the last; none means closed
    name: str = ""

    @classmethod
    def parse(cls, first: str, last: str = "", hours: str = "", name: str = "") -> Holiday:
        """A holiday from ISO dates and hours ("10:00-16:00", empty: closed); raises ``ValueError`` saying what is wrong."""
        begins = _date(first)
        ends = _date(last) if last.strip() else begins
        if ends < begins:
            raise ValueError(f"the holiday from {first} ends before it begins")
        if (ends - begins).days > 366:
            raise ValueError(
                f"the holiday from {first} to {last} is longer than a year; change the weekly hours instead"
            )
        spans: list[tuple[int, int]] = []
        for part in filter(None, (one.strip() for one in hours.split(","))):
            found = {(start, end) for _, start, end in _parse_span(part)}
            if len(found) != 1 or not re.match(r"\d", part):
                raise ValueError(f"{part!r} is not hours of one day; write them like 10:00-16:00, or leave them empty")
            spans += found
        return cls(begins, ends, tuple(sorted(spans)), name.strip())


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """Weekly hours in one time zone, with holidays; no weekly spans means open day and night."""

    zone: ZoneInfo
    spans: tuple[tuple[int, int, int], ...]  #: weekday (Monday is 0), first minute, minute after the last
    holidays: tuple[Holiday, ...] = ()  #: where two cover a day, the first counts

    @classmethod
    def parse(cls, text: str) -> BusinessHours:
        """Hours from their text form ("always", or spans and a time zone); raises ``ValueError`` saying what is wrong."""
        if text.strip().lower() == "always":
            return cls(ZoneInfo("UTC"), ())
        spans, _, zone_name = text.strip().rpartition(" ")
        return cls.of(spans, zone_name)

    @classmethod
    def of(cls, spans: str, zone_name: str, holidays: tuple[Holiday, ...] = ()) -> BusinessHours:
        """Hours from their parts; ``spans`` may be "always"; raises ``ValueError``."""
        try:
            zone = ZoneInfo(zone_name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(
                f"business hours must end in a time zone such as Asia/Shanghai, not {zone_name!r}"
            ) from None
        if spans.strip().lower() == "always":
            return cls(zone, (), holidays)
        found = [span for part in spans.split(",") for span in _parse_span(part.strip())]
        return cls(zone, tuple(sorted(found)), holidays)

    def is_open(self, now: datetime) -> bool:
        """Whether people work at ``now``."""
        local = now.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        return any(first <= minute < end for first, end in self._spans_on(local.date()))

    def opens_at(self, now: datetime) -> datetime | None:
        """The next moment people start (``now`` itself while open), in the desk's time zone; None: not in sight."""
        local = now.astimezone(self.zone)
        if self.is_open(now):
            return local
        for ahead in range(_LOOK_AHEAD_DAYS):
            day = local.date() + timedelta(days=ahead)
            for first, _ in self._spans_on(day):
                # In UTC: comparing two times of one zone would compare what the clocks show.
                opens = self._moment(day, first)
                if opens > now and self.is_open(opens):
                    return opens.astimezone(self.zone)
        return None

    def _moment(self, day: date, minute: int) -> datetime:
        """When the clocks show this, or where they are put forward past it, when they are."""
        shown = datetime.combine(day, time(minute // 60, minute % 60), self.zone)
        late, early = shown.astimezone(UTC), shown.replace(fold=1).astimezone(UTC)
        if early >= late:
            return late
        moment = early
        while moment < late and moment.astimezone(self.zone).utcoffset() == early.astimezone(self.zone).utcoffset():
            moment += timedelta(minutes=1)
        return moment

    def _spans_on(self, day: date) -> list[tuple[int, int]]:
        for holiday in self.holidays:
            if holiday.first <= day <= holiday.last:
                return list(holiday.spans)
        if not self.spans:
            return [(0, 24 * 60)]
        return [(first, end) for weekday, first, end in self.spans if weekday == day.weekday()]


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is not a date; write it like 2026-10-01") from None


def _parse_span(text: str) -> list[tuple[int, int, int]]:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"cannot read business hours {text!r}; write them like Mon-Sun 09:00-21:00 Asia/Shanghai")
    first_day = _day(match[1]) if match[1] else 0
    last_day = _day(match[2]) if match[2] else first_day if match[1] else 6
    first, end = int(match[3]) * 60 + int(match[4]), int(match[5]) * 60 + int(match[6])
    if not (0 <= first < 24 * 60 and 0 < end <= 24 * 60):
        raise ValueError(f"{text!r} is not within one day; times run from 00:00 to 24:00")
    days = [(first_day + step) % 7 for step in range((last_day - first_day) % 7 + 1)]
    if first < end:
        return [(day, first, end) for day in days]
    late = [(day, first, 24 * 60) for day in days]  # past midnight, into the next day
    return late + [((day + 1) % 7, 0, end) for day in days if end > 0]


def _day(name: str) -> int:
    try:
        return _DAYS.index(name.lower())
    except ValueError:
        raise ValueError(f"{name!r} is not a day; use Mon Tue Wed Thu Fri Sat Sun") from None
