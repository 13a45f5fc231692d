"""Work that several consoles may ask for at once and that is out of date as soon as the contact writes again.

The same question is worked on once, a newer one stops the work on the older one, and what nobody waits for any more is
stopped as well.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any


class Superseded(Exception):
    """A newer message has arrived, so the answer is not wanted any more."""


@dataclass(slots=True)
class _Work:
    version: int
    task: asyncio.Task[Any]
    waiting: int = 0
    done_at: float = field(default=0.0)


class InFlight:
    """At most one piece of work per key; a finished one answers again for ``kept_seconds``."""

    def __init__(
        self, kept_seconds: float = 20.0, most: int = 256, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._kept_seconds = kept_seconds
        self._most = most
        self._clock = clock
        self._work: OrderedDict[str, _Work] = OrderedDict()
        self.started = 0  #: pieces of work begun
        self.stopped = 0  #: of them, stopped before they were done

    async def of(self, key: str, version: int, make: Callable[[], Awaitable[Any]]) -> Any:
        """The result for this version of ``key``; raises ``Superseded`` when there is a newer version, now or meanwhile."""
        work = self._work.get(key)
        if work is not None and work.version > version and not self._stale(work):
            raise Superseded
        if work is None or work.version != version or self._stale(work):
            if work is not None:
                self._stop(work)
            work = _Work(version, asyncio.ensure_future(make()))
            self._work[key] = work
            self.started += 1
            work.task.add_done_callback(partial(self._done, work))
        self._work.move_to_end(key)
        self._forget_oldest()
        work.waiting += 1
        try:
            return await asyncio.shield(work.task)
        except asyncio.CancelledError:
            if work.task.cancelled() and self._work.get(key) is not work:
                raise Superseded from None
            raise
        finally:
            work.waiting -= 1
            if work.waiting == 0 and not work.task.done():
                self._stop(work)
                if self._work.get(key) is work:
                    del self._work[key]

    def _done(self, work: _Work, _task: asyncio.Task[Any]) -> None:
        work.done_at = self._clock()

    def _stale(self, work: _Work) -> bool:
        if not work.task.done():
            return False
        failed = work.task.cancelled() or work.task.exception() is not None
        return failed or self._clock() - work.done_at > self._kept_seconds

    def _stop(self, work: _Work) -> None:
        if not work.task.done():
            self.stopped += 1
            work.task.cancel()

    def _forget_oldest(self) -> None:
        for key in list(self._work):
            if len(self._work) <= self._most:
                return
            if self._work[key].task.done():
                del self._work[key]
