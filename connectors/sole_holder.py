"""Keeps a connection that a channel allows only once in one of several service processes, and moves it when that one dies.

The holder shows signs of life in the database; it stops by itself before the others may take its place, so that there
are never two. What it receives after its time is refused, and the next holder gets it from the channel again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog

log = structlog.get_logger()

LEASE_SECONDS = 15.0
_OWN_SHARE = 0.6  #: of the lease, after which a holder without a sign of life stops; the rest is time to close
_BEATS, _LOOKS = 6, 8  #: in the time of a lease


class Leases(Protocol):
    """Where the places are kept; a lease is anything with an ``owner``, equal to another one only if nothing happened."""

    async def find(self, name: str) -> Any:
        """The place as it is, or None."""
        ...

    async def take(self, name: str, owner: str, seen: Any) -> Any:
        """The place, if it still is as it was ``seen``; else None."""
        ...

    async def beat(self, mine: Any) -> bool:
        """Show a sign of life; False when the place is not ours any more."""
        ...

    async def give_back(self, mine: Any) -> None:
        """Free the place."""
        ...


class HeldElsewhere(Exception):
    """Another process holds the connection, or may do so any moment."""


class SoleHolder:
    """One process's claim on one connection."""

    def __init__(self, leases: Leases, name: str, owner: str, *, seconds: float = LEASE_SECONDS) -> None:
        self._leases = leases
        self._name = name
        self._owner = owner
        self._seconds = seconds
        self._mine: Any = None
        self._until = 0.0
        self._lost = asyncio.Event()
        self._beating: asyncio.Task[None] | None = None

    @property
    def holds(self) -> bool:
        """Whether the connection is ours at this moment."""
        return self._mine is not None and asyncio.get_running_loop().time() < self._until

    def check(self) -> None:
        """Raises ``HeldElsewhere`` unless the connection is ours."""
        if not self.holds:
            raise HeldElsewhere(f"another process holds {self._name}")

    async def run(self, work: Callable[[], Awaitable[None]], let_go: Callable[[], Awaitable[None]]) -> None:
        """Wait for the place, work for as long as it is ours, and give it back; raises what ended the work.

        Cancelled, the place is kept until ``release``: the process still says what it has to say.
        """
        await self._obtain()
        working = asyncio.ensure_future(work())
        lost = asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait((working, lost), return_when=asyncio.FIRST_COMPLETED)
        finally:
            lost.cancel()
            working.cancel()
            await asyncio.gather(working, lost, return_exceptions=True)
        try:
            await let_go()
        finally:
            await self.release()
        if working.cancelled():
            raise HeldElsewhere(f"this process could not keep {self._name}")
        working.result()

    async def release(self) -> None:
        """Let another process have the connection, which must be closed by now."""
        mine, self._mine = self._mine, None
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
            self._beating = None
        if mine is not None:
            try:
                async with asyncio.timeout(self._seconds):
                    await self._leases.give_back(mine)
            except Exception as error:  # the lease runs out by itself
                log.info("connection_not_given_back", connection=self._name, error=repr(error))

    async def _obtain(self) -> None:
        clock = asyncio.get_running_loop().time
        if self._mine is not None:
            await self.release()
        seen, since, told = None, clock(), False
        while True:
            found = await self._leases.find(self._name)
            began = clock()
            if found is None or found.owner is None or (found == seen and began - since >= self._seconds):
                mine = await self._leases.take(self._name, self._owner, found)
                if mine is not None:
                    self._mine, self._until = mine, began + self._seconds * _OWN_SHARE
                    self._lost.clear()
                    self._beating = asyncio.create_task(self._beat(), name=f"holder of {self._name}")
                    log.info("connection_held_here", connection=self._name)
                    return
            elif found != seen:
                seen, since = found, began
                if not told:
                    log.info("connection_held_elsewhere", connection=self._name, advice="it moves here when that ends")
                    told = True
            await asyncio.sleep(self._seconds / _LOOKS * random.uniform(0.8, 1.2))  # noqa: S311  # spreads looks

    async def _beat(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._mine is not None and clock() < self._until:
            await asyncio.sleep(min(self._seconds / _BEATS, max(0.0, self._until - clock())))
            began = clock()
            try:
                async with asyncio.timeout(max(0.0, self._until - began)):
                    if not await self._leases.beat(self._mine):
                        break
            except Exception as error:
                log.warning("connection_sign_of_life_failed", connection=self._name, error=repr(error))
            else:
                self._until = max(self._until, began + self._seconds * _OWN_SHARE)
        self._until = 0.0
        log.warning("connection_lost_to_others", connection=self._name)
        self._lost.set()
