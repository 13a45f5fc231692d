"""When people work: reads "Mon-Fri 09:00-18:00, Sat 10:00-14:00 Asia/Shanghai" and answers open or closed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"(?:(\w{3})(?:-(\w{3}))?\s+)?(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """Weekly hours in one time zone; no spans means open day and night."""

    zone: ZoneInfo
    spans: tuple[tuple[int, int, int], ...]  #: weekday (Monday is 0), first minute, minute after the last

    @classmethod
    def parse(cls, text: str) -> BusinessHours:
        """Hours from their text form ("always", or spans and a time zone); raises ``ValueError`` saying what is wrong."""
        if text.strip().lower() == "always":
            return cls(ZoneInfo("UTC"), ())
        spans, _, zone_name = text.strip().rpartition(" ")
        try:
            zone = ZoneInfo(zone_name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(
                f"business hours must end in a time zone such as Asia/Shanghai, not {zone_name!r}"
            ) from None
        found = [span for part in spans.split(",") for span in _parse_span(part.strip())]
        return cls(zone, tuple(sorted(found)))

    def is_open(self, now: datetime) -> bool:
        """Whether people work at ``now``."""
        local = now.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        return not self.spans or any(day == local.weekday() and first <= minute < end for day, first, end in self.spans)

    def opens_at(self, now: datetime) -> datetime:
        """The next moment people start (``now`` itself while open), in the desk's time zone."""
        local = now.astimezone(self.zone)
        if self.is_open(now):
            return local
        for ahead in range(8):
            date = local.date() + timedelta(days=ahead)
            for day, first, _ in self.spans:
                opens = datetime.combine(date, time(first // 60, first % 60), self.zone)
                if day == date.weekday() and opens > local:
                    return opens
        raise AssertionError("a week holds every span")


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
