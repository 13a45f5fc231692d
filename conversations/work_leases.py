"""What only one service process at a time may do: whoever has the lease does it, and another one goes on when that one dies."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from conversations.lease_store import Lease, LeaseStore
from conversations.model import new_id
from conversations.store import Database

log = structlog.get_logger()


class LeaseLost(Exception):
    """The lease ran out before it could be prolonged; somebody else may have begun."""


class WorkLeases:
    """The leases of one process; each gets four signs of life in the time after which others take it.

    Others count that time by their own ``clock``, from the last sign of life that they saw.
    """

    def __init__(
        self, database: Database, *, seconds: float = 15.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = LeaseStore(database)
        self._seconds = seconds
        self._clock = clock
        self._mine: dict[str, Lease] = {}
        self._seen: dict[str, tuple[Lease, float]] = {}  #: others' leases, with when they looked like that first
        self.holder = new_id()

    async def take(self, name: str) -> bool:
        """Take a lease, or show a sign of life in one's own; False while another process has it."""
        mine = self._mine.get(name)
        if mine is not None:
            if await self._store.beat(mine):
                return True
            del self._mine[name]
        found, now = await self._store.find(name), self._clock()
        if found is not None and found.owner is not None:
            seen, since = self._seen.get(name, (None, now))
            if seen != found:
                self._seen[name] = found, now
                return False
            if now - since < self._seconds:
                return False
        taken = await self._store.take(name, self.holder, found)
        if taken is not None:
            self._seen.pop(name, None)
            self._mine[name] = taken
        return taken is not None

    async def give_back(self, name: str) -> None:
        """Let another process take it at once; somebody else's is left alone."""
        mine = self._mine.pop(name, None)
        if mine is not None:
            await self._store.give_back(mine)

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Wait until nobody else is in here, and keep others out until the block ends."""
        await self._wait_for(name, self._seconds / 60)
        prolonging = asyncio.create_task(self._prolong(name), name=f"lease {name}")
        try:
            yield
        finally:
            prolonging.cancel()
            await asyncio.gather(prolonging, return_exceptions=True)
            await self._give_back_if_possible(name)

    async def while_held(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Wait for the lease, then work as long as it is ours; ends as the work ends, or raises ``LeaseLost``."""
        await self._wait_for(name, self._seconds / 3)
        working = asyncio.ensure_future(work())
        prolonging = asyncio.create_task(self._prolong(name), name=f"lease {name}")
        try:
            await asyncio.wait((working, prolonging), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise LeaseLost(f"the lease {name} ran out before it could be prolonged")
            await working
        finally:
            for task in (working, prolonging):
                task.cancel()
            await asyncio.gather(working, prolonging, return_exceptions=True)
            await self._give_back_if_possible(name)

    async def keep_at(self, name: str, work: Callable[[], Awaitable[None]], pause_seconds: float) -> None:
        """Work whenever the lease is ours, until cancelled; what goes wrong is logged, and begins again after a pause."""
        while True:
            try:
                await self.while_held(name, work)
            except Exception as error:
                log.error("work_interrupted", lease=name, error=repr(error))
            await asyncio.sleep(pause_seconds)

    async def _wait_for(self, name: str, pause: float) -> None:
        while not await self.take(name):  # noqa: ASYNC110  # the other one is another process
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311  # guards nothing

    async def _prolong(self, name: str) -> None:
        """Return once the lease is somebody else's, or could not be prolonged before it ran out."""
        held_until = self._clock() + self._seconds
        while True:
            await asyncio.sleep(self._seconds / 4)
            asked_at, mine = self._clock(), self._mine.get(name)
            try:
                if mine is None or not await self._store.beat(mine):
                    self._mine.pop(name, None)
                    return
                held_until = asked_at + self._seconds
            except Exception as error:
                log.warning("lease_not_prolonged", lease=name, error=repr(error))
                if self._clock() + self._seconds / 4 >= held_until:
                    return

    async def _give_back_if_possible(self, name: str) -> None:
        with contextlib.suppress(Exception):  # it runs out by itself
            await self.give_back(name)
