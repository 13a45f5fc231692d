"""Decides how many turns run at once: fewer while messages come faster than they are answered and wait to be stored.

Whoever sends wants to hear soon that a message is safe; its answer is late then anyway. Turns and storing share one event
loop, so each turn less makes the others' wait shorter. A desk that keeps up is never held back, however busy it is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

BURST_PER_SECOND = 40.0  #: below it turns are what people wait for
OUTRUN = 2.0  #: as many messages as answers, from which answering has lost the race
SLOW_SECONDS = 0.025
REST_SECONDS = 0.25  #: between two turns, where even one at a time is too much
_FEWEST = 0.5  # places; below one, turns rest
_MEMORY_SECONDS = 1.0


class Pace:
    """Told of each message how long storing it took, from its arrival on, and of each turn that ended."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._arrived = _Rate(clock)
        self._answered = _Rate(clock)
        self._places = float(most)
        self._clock = clock
        self._answered_at = -math.inf

    def answered(self) -> None:
        """A turn has ended."""
        self._answered.count()
        self._answered_at = self._clock()

    def stored(self, seconds: float) -> None:
        """A message is safe."""
        self._arrived.count()
        if not self._outrun():
            self._places = float(self._most)
        elif seconds > SLOW_SECONDS:
            self._places = max(_FEWEST, self._places * 0.8)
        else:
            self._places = min(float(self._most), self._places + 0.05)

    @property
    def pressed(self) -> bool:
        """Whether messages come so fast that whatever can wait should."""
        return self._arrived.now() >= BURST_PER_SECOND

    @property
    def turns(self) -> int:
        """How many may run now; none only right after one, so that there are always some in a second."""
        if not self._outrun():
            return self._most
        return int(max(1.0, self._places)) if self.rest() <= 0 else 0

    def rest(self) -> float:
        """Seconds until another turn may begin."""
        if not self._outrun() or self._places >= 1.0:
            return 0.0
        return max(0.0, self._answered_at + REST_SECONDS - self._clock())

    def _outrun(self) -> bool:
        arriving = self._arrived.now()
        return arriving >= BURST_PER_SECOND and arriving >= OUTRUN * self._answered.now()


class _Rate:
    """How often something happens in a second, what is past fading."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counted = 0.0
        self._at = clock()

    def count(self) -> None:
        self._counted, self._at = self.now() + 1.0, self._clock()

    def now(self) -> float:
        return self._counted * math.exp((self._at - self._clock()) / _MEMORY_SECONDS)
