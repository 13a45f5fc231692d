"""Shows the other service processes that this one lives, and frees the turns of one that does not.

A turn's lease outlasts the longest turn. A process that was killed shows no sign of life, which is noticed much sooner.
One that only stood still may come back: what it then writes is refused if somebody else has begun.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from conversations.lease_store import Lease, LeaseStore

_PREFIX = "process/"
log = structlog.get_logger()


class Living:
    """One process's sign of life, and its look at everybody else's; ``free`` gives up the turns of a dead one."""

    def __init__(
        self,
        leases: LeaseStore,
        process: str,
        free: Callable[[str], Awaitable[int]],
        *,
        beat_seconds: float = 2.0,
        dead_seconds: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._leases = leases
        self._process = process
        self._free = free
        self._beat_seconds = beat_seconds
        self._dead_seconds = dead_seconds
        self._clock = clock
        self._mine: Lease | None = None
        self._seen: dict[str, tuple[Lease, float]] = {}  #: with when a process looked like that first
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Be seen from now on."""
        self._loop = asyncio.create_task(self._run(), name="living")

    async def stop(self) -> None:
        """Be gone, which is not being dead: no turn is left behind."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        if self._mine is not None:
            found = await self._leases.find(self._mine.name)
            if found is not None:
                await self._leases.forget(found)

    async def look(self) -> None:
        """Show a sign of life, and see who has not for too long."""
        if self._mine is None or not await self._leases.beat(self._mine):
            name = f"{_PREFIX}{self._process}"
            self._mine = await self._leases.take(name, self._process, await self._leases.find(name))
        now = self._clock()
        others = [one for one in await self._leases.all_below(_PREFIX) if one.owner != self._process]
        self._seen = {one.name: self._first_seen(one, now) for one in others}
        for one, since in list(self._seen.values()):
            if now - since >= self._dead_seconds:
                await self._bury(one)

    def _first_seen(self, one: Lease, now: float) -> tuple[Lease, float]:
        before = self._seen.get(one.name)
        return before if before is not None and before[0] == one else (one, now)

    async def _bury(self, dead: Lease) -> None:
        process = dead.name.removeprefix(_PREFIX)
        turns = await self._free(process)  # first: should this process die in between, another one does it again
        if await self._leases.forget(dead):
            log.warning("process_died", process=process, turns_freed=turns)

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Exception as error:  # the database is away for everybody, or the next look does it
                log.warning("no_sign_of_life", error=repr(error))
                self._seen.clear()  # nobody could show a sign of life meanwhile
            await asyncio.sleep(self._beat_seconds)
