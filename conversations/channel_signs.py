"""What can be known of a channel account from the signs of life it gives. Standard library only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

#: ``fine``: the channel proved that the settings are right, by a handshake or a check; the last three are of a
#: connection of its own.
Sign = Literal["received", "sent", "fine", "failed", "refused", "connecting", "connected", "broken"]
_WORST_FIRST = ("broken", "connecting", "connected")
_LONGEST = 500
_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Health:
    """How an account is doing, in one process or in all of them."""

    connection: str | None = None
    received_at: datetime | None = None
    sent_at: datetime | None = None
    fine_at: datetime | None = None
    error_code: str | None = None
    error: str | None = None
    error_at: datetime | None = None
    refusal: str | None = None
    refused_at: datetime | None = None
    errors: Mapping[str, int] = field(default_factory=dict)
    refusals: Mapping[str, int] = field(default_factory=dict)

    def after(self, sign: Sign, now: datetime, code: str = "", detail: str = "") -> Health:
        """What is known once a sign was given."""
        told = detail.replace("\x00", "").encode("utf-8", "replace").decode()[:_LONGEST]
        match sign:
            case "received":
                return replace(self, received_at=now)
            case "sent":
                return replace(self, sent_at=now)
            case "fine":
                return replace(self, fine_at=now)
            case "refused":
                return replace(self, refusal=told, refused_at=now, refusals=_counted(self.refusals, now))
            case "failed" | "broken":
                errors = _counted(self.errors, now)
                failed = replace(self, error_code=code[:64], error=told, error_at=now, errors=errors)
                return replace(failed, connection="broken") if sign == "broken" else failed
            case "connected":
                return replace(self, connection=sign, fine_at=now)
            case _:
                return replace(self, connection=sign)

    def errors_within_the_hour(self, now: datetime) -> int:
        """How often something went wrong."""
        return sum(_recent(self.errors, now).values())

    def refusals_within_the_hour(self, now: datetime) -> int:
        """How many requests were not believed."""
        return sum(_recent(self.refusals, now).values())

    @property
    def news(self) -> Health:
        """What a process that starts may go on with: the last times, but neither a connection nor counts of others."""
        return replace(self, connection=None, errors={}, refusals={})


def together(parts: Iterable[Health]) -> Health:
    """What several processes know of one account: the newest of everything, the worst connection, all counts."""
    known = list(parts)
    failed = max((one for one in known if one.error_at), key=lambda one: _or_never(one.error_at), default=Health())
    refused = max((one for one in known if one.refused_at), key=lambda one: _or_never(one.refused_at), default=Health())
    states = {one.connection for one in known}
    return Health(
        connection=next((state for state in _WORST_FIRST if state in states), None),
        received_at=_newest(one.received_at for one in known),
        sent_at=_newest(one.sent_at for one in known),
        fine_at=_newest(one.fine_at for one in known),
        error_code=failed.error_code,
        error=failed.error,
        error_at=failed.error_at,
        refusal=refused.refusal,
        refused_at=refused.refused_at,
        errors=_sum(one.errors for one in known),
        refusals=_sum(one.refusals for one in known),
    )


def _newest(times: Iterable[datetime | None]) -> datetime | None:
    return max((one for one in times if one is not None), default=None)


def _or_never(moment: datetime | None) -> float:
    return moment.timestamp() if moment is not None else 0.0


def _minute(now: datetime) -> int:
    return int(now.timestamp() // 60)


def _recent(counts: Mapping[str, int], now: datetime) -> dict[str, int]:
    this = _minute(now)
    return {minute: count for minute, count in counts.items() if this - _MINUTES < int(minute) <= this + _MINUTES}


def _counted(counts: Mapping[str, int], now: datetime) -> dict[str, int]:
    key = str(_minute(now))
    recent = _recent(counts, now)
    return recent | {key: recent.get(key, 0) + 1}


def _sum(several: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for counts in several:
        for minute, count in counts.items():
            total[minute] = total.get(minute, 0) + count
    return total
