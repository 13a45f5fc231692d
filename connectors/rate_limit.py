"""Bounds how often one visitor may do something, with a bounded memory of visitors."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

_REMEMBERED = 50_000


class RateLimit:
    """A token bucket per key: ``burst`` at once, refilled evenly over ``per_seconds``."""

    def __init__(self, burst: int, per_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = float(burst)
        self._per_second = burst / per_seconds
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_seconds(self, key: str) -> float:
        """Take one token: 0 when it was there, otherwise how long until the next one (nothing is taken then)."""
        now = self._clock()
        left, since = self._buckets.pop(key, (self._burst, now))
        left = min(self._burst, left + max(0.0, now - since) * self._per_second)
        allowed = left >= 1
        self._buckets[key] = (left - 1 if allowed else left, now)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self._per_second

    def give_back(self, key: str) -> None:
        """Return a token that was taken and not used."""
        left, since = self._buckets.get(key, (self._burst, self._clock()))
        self._buckets[key] = (min(self._burst, left + 1), since)
