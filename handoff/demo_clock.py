"""The clock of conversations that the demo shop is said to have had."""

from __future__ import annotations

from datetime import datetime, timedelta


class PastClock:
    """Starts in the past and moves on by ``step_seconds`` with every look."""

    def __init__(self, start: datetime, step_seconds: float = 15) -> None:
        self._now = start
        self._step = timedelta(seconds=step_seconds)
        self._turns = 0

    def __call__(self) -> datetime:
        self._now += self._step
        return self._now

    def turn_began(self) -> datetime:
        """When a turn of the bot began that ends with the next look: some tenths of a second before it."""
        self._turns += 1
        return self._now + self._step - timedelta(milliseconds=180 + self._now.second * 7 + self._turns * 90)
