"""Works through the audit chain in small steps, in one process at a time and off every turn's path.

The chain's entries are numbered and committed in that order, so whoever keeps how far they have come in the same
transaction as what they made of it loses and repeats nothing.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar

from conversations.work_leases import WorkLeases


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the chain has been read: up to which entry, and which is the newest."""

    read: int
    of: int

    @property
    def behind(self) -> int:
        """How many entries are still to be read."""
        return max(0, self.of - self.read)


async def at_once() -> None:
    """Nothing to wait for."""


class ChainFollower(ABC):
    """Start it once per service process: the one that holds the lease works, the others wait."""

    lease: ClassVar[str]

    def __init__(
        self,
        leases: WorkLeases,
        *,
        poll_seconds: float,
        breath_seconds: float,
        give_way: Callable[[], Awaitable[None]] = at_once,
    ) -> None:
        """``give_way`` is awaited before each step."""
        self._leases = leases
        self._poll_seconds = poll_seconds
        self._breath_seconds = breath_seconds  #: between steps, so that turns go first
        self._give_way = give_way
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Go on after what was read before, or begin with the first entry there is."""
        work = self._leases.keep_at(self.lease, self._go_on, self._poll_seconds)
        self._task = asyncio.create_task(work, name=self.lease)

    async def stop(self) -> None:
        """Stop; what was not finished is done again by whoever goes on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @abstractmethod
    async def _work(self) -> bool:
        """One step; False when there is nothing to do until more happens."""

    async def _begin(self) -> None:
        """Called each time the lease has become ours, before the first step."""
        return

    async def _go_on(self) -> None:
        await self._begin()
        while True:
            await self._give_way()
            more = await self._work()
            await asyncio.sleep(self._breath_seconds if more else self._poll_seconds)
