"""A question put to the reports: one figure, a period, what it is broken down by and what it is limited to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from reporting.catalogue import DIMENSIONS, METRICS, TIMES

LONGEST_DAYS = 1100
MOST_ROWS = 200


class QueryError(ValueError):
    """A question that the reports cannot answer; ``code`` names why for the console, ``detail`` the part meant."""

    def __init__(self, code: str, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked; the days are those of the desk's time zone, the first and the last one included."""

    metric: str  #: a key of ``METRICS``
    since: date
    until: date
    by: str | None = None  #: a key of ``DIMENSIONS`` or ``TIMES``
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: by dimension, the keys that count
    top: int | None = None  #: so many rows, the highest first; the rest is one row "other"
    lowest: bool = False  #: the lowest first

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise QueryError("unknown_metric", f"There is no figure {self.metric!r}.", self.metric)
        if self.until < self.since:
            raise QueryError("wrong_period", "The period ends before it begins.")
        if (self.until - self.since).days >= LONGEST_DAYS:
            raise QueryError("long_period", f"A period may have at most {LONGEST_DAYS} days.", str(LONGEST_DAYS))
        metric = METRICS[self.metric]
        for name in (*self.filters, *((self.by,) if self.by is not None and self.by not in TIMES else ())):
            if name not in DIMENSIONS:
                raise QueryError("unknown_dimension", f"There is no dimension {name!r}.", name)
            if name not in metric.dimensions:
                raise QueryError("no_such_part", f"{self.metric} is not known by {name}.", name)
        if self.top is not None and not 1 <= self.top <= MOST_ROWS:
            raise QueryError("wrong_top", f"Ask for 1 to {MOST_ROWS} rows.", str(MOST_ROWS))

    def form(self) -> dict[str, Any]:
        """Its JSON form, which ``of`` reads."""
        return {
            "metric": self.metric,
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "by": self.by,
            "filters": {name: list(keys) for name, keys in sorted(self.filters.items())},
            "top": self.top,
            "lowest": self.lowest,
        }

    @classmethod
    def of(cls, form: Mapping[str, Any]) -> Query:
        """The question of a JSON form; raises ``QueryError``."""
        try:
            return cls(
                metric=str(form["metric"]),
                since=date.fromisoformat(form["since"]),
                until=date.fromisoformat(form["until"]),
                by=form.get("by"),
                filters={str(name): tuple(map(str, keys)) for name, keys in (form.get("filters") or {}).items()},
                top=form.get("top"),
                lowest=bool(form.get("lowest", False)),
            )
        except QueryError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise QueryError("unreadable", f"This is no question to the reports: {error}.") from error
