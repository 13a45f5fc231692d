"""When a digest is due by the desk's clock, what period it speaks of, and which figures it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from reporting.catalogue import METRICS
from reporting.query import Query


class Rhythm(StrEnum):
    """How often a digest is sent."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Way(StrEnum):
    """How a digest reaches people or programs."""

    EMAIL = "email"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a digest is due; ``day`` is a weekday (1 is Monday) or a day of the month (1 to 28, which every month has)."""

    rhythm: Rhythm
    clock: time
    day: int = 0

    def falls_on(self, day: date) -> bool:
        """Whether one is due on a day of the desk's calendar."""
        if self.rhythm is Rhythm.DAILY:
            return True
        return self.day == (day.isoweekday() if self.rhythm is Rhythm.WEEKLY else day.day)

    def moment(self, day: date, zone: ZoneInfo) -> datetime:
        """When it is due on a day: where the clock is put back the first time, where it is put forward right after."""
        return datetime.combine(day, self.clock, zone).astimezone(UTC)

    def last(self, now: datetime, zone: ZoneInfo) -> date:
        """The latest day whose digest is due by now."""
        day = now.astimezone(zone).date() + timedelta(
            days=1
        )  # where midnight is skipped a day's moment is the next day's
        while not (self.falls_on(day) and self.moment(day, zone) <= now):
            day -= timedelta(days=1)
        return day

    def next(self, now: datetime, zone: ZoneInfo) -> date:
        """The first day whose digest is not due yet."""
        day = self.last(now, zone) + timedelta(days=1)
        while not self.falls_on(day):
            day += timedelta(days=1)
        return day

    def period(self, day: date) -> tuple[date, date]:
        """The first and last day that the digest of a day speaks of: whole days, and none that is not over."""
        until = day - timedelta(days=1)
        if self.rhythm is Rhythm.DAILY:
            return until, until
        if self.rhythm is Rhythm.WEEKLY:
            return day - timedelta(days=7), until
        until = day.replace(day=1) - timedelta(days=1)
        return until.replace(day=1), until


@dataclass(frozen=True, slots=True)
class Digest:
    """What is sent regularly, and to whom."""

    id: str
    revision: int
    name: str
    schedule: Schedule
    language: str
    metrics: tuple[str, ...]
    way: Way
    addresses: tuple[str, ...]
    active: bool = True

    @classmethod
    def of(cls, row: Mapping[Any, Any]) -> Digest:
        """The digest of a stored row."""
        schedule = Schedule(Rhythm(row["rhythm"]), time.fromisoformat(row["clock"]), row["day"])
        return cls(
            row["id"], row["revision"], row["name"], schedule, row["language"],
            tuple(one for one in row["metrics"] if one in METRICS), Way(row["way"]), tuple(row["addresses"]), row["active"],
        )  # fmt: skip

    def values(self) -> dict[str, Any]:
        """What is stored of it, but who saved it and when."""
        return {
            "id": self.id, "revision": self.revision, "name": self.name, "rhythm": self.schedule.rhythm.value,
            "day": self.schedule.day, "clock": self.schedule.clock.strftime("%H:%M"), "language": self.language,
            "metrics": list(self.metrics), "way": self.way.value, "addresses": list(self.addresses), "active": self.active,
        }  # fmt: skip

    def queries(self, day: date) -> list[Query]:
        """What it asks the reports on a day; ratings of the bot and of people apart, as everywhere."""
        since, until = self.schedule.period(day)
        found = []
        for metric in self.metrics:
            parts = ("bot", "human") if "served" in METRICS[metric].dimensions else ("",)
            found += [Query(metric, since, until, filters={"served": (one,)} if one else {}) for one in parts]
        return found
