"""Days, weeks and months as the facts number them, and what their rows are called."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from reporting.query import Query


def weekday_of(day: int) -> int:
    """1 is Monday, 7 is Sunday."""
    return (day + 6) % 7 + 1


def key_of_day(day: int, by: str) -> str:
    """The row that a day belongs to: "2026-11-30", the Monday of its week, "2026-11", or "1" to "7"."""
    if by == "weekday":
        return str(weekday_of(day))
    there = date.fromordinal(day)
    if by == "week":
        return (there - timedelta(days=there.weekday())).isoformat()
    return there.isoformat()[:7] if by == "month" else there.isoformat()


def key_of_hour(hour: int) -> str:
    """The row of an hour: "00" to "23"."""
    return f"{hour:02d}"


def every_key(query: Query) -> list[str]:
    """The rows of a period by time in their order, whether or not anything was counted in them."""
    if query.by == "hour":
        return [key_of_hour(hour) for hour in range(24)]
    found = dict.fromkeys(key_of_day(day, query.by or "day") for day in days_of(query))
    return sorted(found) if query.by == "weekday" else list(found)


def days_of(query: Query) -> Iterator[int]:
    """The numbers of its days."""
    return iter(range(query.since.toordinal(), query.until.toordinal() + 1))
