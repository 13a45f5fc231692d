"""Bounds how often something may be done for one key, such as a visitor, with a bounded memory of keys."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from connectors.shared_buckets import Away, SharedBuckets

_REMEMBERED = 50_000


class RateLimit:
    """A token bucket per key: ``burst`` at once, refilled evenly over ``per_seconds``.

    ``take`` counts with all processes once the limit is shared, ``wait_seconds`` always in this one.
    """

    def __init__(self, burst: int, per_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = float(burst)
        self._per_second = burst / per_seconds
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._shared: tuple[SharedBuckets, str] | None = None

    def share(self, buckets: SharedBuckets, name: str) -> None:
        """Count together with the limits of the same name in other processes; a limit that has a name keeps it."""
        if self._shared is None:
            self._shared = (buckets, name)

    async def take(self, key: str) -> float:
        """Take one token: 0 when it was there, otherwise how long until the next one (nothing is taken then)."""
        if self._shared is not None:
            buckets, name = self._shared
            try:
                return await buckets.take(name, key, self._burst, self._per_second)
            except Away:
                pass
        return self.wait_seconds(key)

    async def put_back(self, key: str) -> None:
        """Return a token that ``take`` gave and that was not used."""
        if self._shared is not None:
            buckets, name = self._shared
            try:
                await buckets.take(name, key, self._burst, self._per_second, -1)
                return
            except Away:
                pass
        self.give_back(key)

    def wait_seconds(self, key: str) -> float:
        """As ``take``, in this process alone."""
        now = self._clock()
        left, since = self._buckets.pop(key, (self._burst, now))
        left = min(self._burst, left + max(0.0, now - since) * self._per_second)
        allowed = left >= 1
        self._buckets[key] = (left - 1 if allowed else left, now)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self._per_second

    def give_back(self, key: str) -> None:
        """As ``put_back``, in this process alone."""
        left, since = self._buckets.get(key, (self._burst, self._clock()))
        self._buckets[key] = (min(self._burst, left + 1), since)
