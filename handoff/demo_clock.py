"""The clock of conversations that the demo shop is said to have had."""

from __future__ import annotations

from datetime import datetime, timedelta


class PastClock:
    """Starts in the past and moves on by ``step_seconds`` with every look."""

    def __init__(self, start: datetime, step_seconds: float = 15) -> None:
        self._now = start
        self._step = timedelta(seconds=step_seconds)

    def __call__(self) -> datetime:
        self._now += self._step
        return self._now
