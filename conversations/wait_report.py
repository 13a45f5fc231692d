"""Says how honest the forecasts of waiting times were: what contacts were told against how long it took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from statistics import median

from conversations.queue_store import Stay


@dataclass(frozen=True, slots=True)
class WaitRow:
    """The waits of one team that began on one day."""

    team_id: str
    day: date
    waits: int  #: all of them
    accepted: int  #: ended with an agent
    left: int  #: the contact went back to the bot
    told: int  #: accepted ones for which a time was told; the figures below are theirs
    expected_seconds: float | None  #: median
    actual_seconds: float | None  #: median
    error_seconds: float | None  #: median of how far each was off, whichever way
    late_share: float | None  #: how many took longer than they were told


def wait_rows(stays: Iterable[Stay], zones: Mapping[str, tzinfo]) -> list[WaitRow]:
    """The report, latest day first; ``zones`` say what a day is for each team (else UTC)."""
    days: dict[tuple[date, str], list[Stay]] = defaultdict(list)
    for stay in stays:
        day = stay.queued_at.astimezone(zones.get(stay.team_id, UTC)).date()
        days[day, stay.team_id].append(stay)
    return [_row(team_id, day, found) for (day, team_id), found in sorted(days.items(), reverse=True)]


def _row(team_id: str, day: date, stays: list[Stay]) -> WaitRow:
    pairs = [
        (float(stay.expected_seconds), (stay.ended_at - stay.queued_at).total_seconds())
        for stay in stays
        if stay.outcome == "accepted" and stay.ended_at is not None and stay.expected_seconds is not None
    ]
    return WaitRow(
        team_id=team_id,
        day=day,
        waits=len(stays),
        accepted=sum(stay.outcome == "accepted" for stay in stays),
        left=sum(stay.outcome == "left_queue" for stay in stays),
        told=len(pairs),
        expected_seconds=median(expected for expected, _ in pairs) if pairs else None,
        actual_seconds=median(actual for _, actual in pairs) if pairs else None,
        error_seconds=median(abs(actual - expected) for expected, actual in pairs) if pairs else None,
        late_share=sum(actual > expected for expected, actual in pairs) / len(pairs) if pairs else None,
    )
