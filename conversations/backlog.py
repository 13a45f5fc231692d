"""Knows whether too much is waiting, so that channels which retry can be asked to come back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime

import structlog

from conversations.due_store import DueStore
from conversations.model import utc_now
from conversations.store import Database

log = structlog.get_logger()


class Backlog:
    """Counts the conversations with a due turn every ``every_seconds``; ``full`` is that count against the limit."""

    def __init__(
        self,
        database: Database,
        limit: int = 2000,
        *,
        every_seconds: float = 1.0,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._limit = limit
        self._every_seconds = every_seconds
        self._now = now
        self._waiting = 0
        self._loop: asyncio.Task[None] | None = None

    def full(self) -> bool:
        """Whether as much waits as the desk is willing to hold."""
        return self._waiting >= self._limit

    async def look(self) -> None:
        """Count once."""
        async with self._database.read() as connection:
            self._waiting = await DueStore(connection).count(self._now(), self._limit)

    async def start(self) -> None:
        """Count from now on."""
        self._loop = asyncio.create_task(self._run(), name="backlog")

    async def stop(self) -> None:
        """Stop counting."""
        if self._loop is not None:
            self._loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Exception as error:  # a database that is away is not overload; other parts report it
                log.warning("backlog not counted", error=error)
            await asyncio.sleep(self._every_seconds)
