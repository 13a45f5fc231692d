"""Repeats the desk's housekeeping: what nobody asks for and everybody relies on."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

import structlog

from conversations.conversations import Conversations
from conversations.dispatch import Shown

log = structlog.get_logger()

_DAY_SECONDS = 86_400.0
_SLOWER = 4  # sweeps between chores that need not be prompt
_ROUTE_EVERY_SECONDS = 1.0


class Sweeper:
    """Repeats the desk's housekeeping: lost agents, quiet contacts, places in the queue, offers, audit checkpoints, and once a
    day (and at the start) what the owner of old records wants forgotten."""

    def __init__(
        self,
        conversations: Conversations,
        *,
        checkpoint: Callable[[], Awaitable[object]] | None = None,
        daily: Callable[[], Awaitable[object]] | None = None,
        refresh: Callable[[], Awaitable[object]] | None = None,
        every_seconds: float = 2.0,
        idle_seconds: float = 3600.0,
    ) -> None:
        self._conversations = conversations
        self._checkpoint = checkpoint
        self._daily = daily
        self._refresh = refresh  #: takes over what another process changed
        self._daily_after = 0.0
        self._every_seconds = every_seconds
        self._idle_seconds = idle_seconds
        self._places: dict[str, Shown] = {}
        self._sweeps = 0
        self._loops: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to sweep."""
        self._loops = [
            asyncio.create_task(self._run(), name="sweeper"),
            asyncio.create_task(self._route(), name="router"),
        ]

    async def stop(self) -> None:
        """Stop sweeping."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        self._loops = []

    async def sweep(self) -> None:
        """Do everything once; a failing chore does not keep the others from being done."""
        chores = (
            self._requeue_lost,
            self._wake_due,
            self._resolve_idle,
            self._positions,
            self._conversations.link_proved,
            self._conversations.close_callbacks,
            self._checkpoint,
            self._refresh,
        )
        desk = self._conversations
        now_and_then = (
            ()
            if self._sweeps % _SLOWER
            else (
                desk.tell_waits,
                desk.file_callbacks,
                desk.tidy_company,
                desk.finish_erasures,
            )
        )
        self._sweeps += 1
        for chore in (*chores, *now_and_then, self._once_a_day):
            if chore is None:
                continue
            try:
                await chore()
            except Exception as error:
                log.error("sweep_failed", chore=getattr(chore, "__name__", "checkpoint"), error=error)

    async def _run(self) -> None:
        while True:
            await self.sweep()
            await asyncio.sleep(self._every_seconds)

    async def _route(self) -> None:
        """Offer what waits as soon as somebody waits or becomes free; what other processes changed, soon after."""
        wanted = self._conversations.routing_wanted
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ROUTE_EVERY_SECONDS):
                    await wanted.wait()
            wanted.clear()
            try:
                await self._conversations.route_queue()
            except Exception as error:
                log.error("routing_failed", error=error)
                await asyncio.sleep(_ROUTE_EVERY_SECONDS)

    async def _once_a_day(self) -> None:
        if self._daily is not None and time.monotonic() >= self._daily_after:
            self._daily_after = time.monotonic() + _DAY_SECONDS
            await self._daily()

    async def _requeue_lost(self) -> None:
        await self._conversations.requeue_lost()

    async def _wake_due(self) -> None:
        await self._conversations.wake_due()

    async def _resolve_idle(self) -> None:
        await self._conversations.resolve_idle(self._idle_seconds)

    async def _positions(self) -> None:
        self._places = await self._conversations.publish_positions(self._places)
