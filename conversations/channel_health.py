"""Knows how each channel account is doing: in memory for this process, and in a table for all of them.

Noting a sign costs nothing but memory. What changed is written behind everybody's back, errors at once, the rest every
few seconds, so that neither a message nor a turn ever waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from conversations.channel_signs import Health, Sign, together
from conversations.channel_store import Account, ChannelStore, Writer
from conversations.model import new_id, utc_now
from conversations.store import Database

log = structlog.get_logger()

_AT_ONCE = ("failed", "refused", "connecting", "connected", "broken")
_GONE = timedelta(hours=2)  # then the counts of the last hour mean nothing any more either
_THERE = timedelta(minutes=3)
_SEEN_EVERY_SECONDS = 60.0
_WRITERS = 12


class ChannelHealth:
    """Start it once per service process, with the accounts there are."""

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], datetime] = utc_now,
        write_every_seconds: float = 10.0,
        shortest_pause_seconds: float = 1.0,
    ) -> None:
        self._database = database
        self._now = now
        self._write_every_seconds = write_every_seconds
        self._shortest_pause_seconds = shortest_pause_seconds
        self._process = new_id()
        self._known: dict[Account, Health] = {}
        self._changed: set[Account] = set()
        self._urgent = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    def note(self, channel: str, account: str, sign: Sign, code: str = "", detail: str = "") -> None:
        """An account gave a sign of life, or of trouble."""
        key = (channel, account)
        self._known[key] = self._known.get(key, Health()).after(sign, self._now(), code, detail)
        self._changed.add(key)
        if sign in _AT_ONCE:
            self._urgent.set()

    async def read(self) -> dict[Account, Health]:
        """How every account is doing, as all processes know it."""
        now = self._now()
        async with self._database.read() as connection:
            written = await ChannelStore(connection).all()
        parts: dict[Account, list[Health]] = {key: [health] for key, health in self._known.items()}
        for account, process, seen_at, health in written:
            if process != self._process:
                # A connection of a process that was not seen for minutes is gone with it.
                parts.setdefault(account, []).append(health if now - seen_at < _THERE else health.news)
        return {account: together(known) for account, known in parts.items()}

    async def last_writers(self, channel: str, account: str) -> list[Writer]:
        """Who wrote to an account last."""
        async with self._database.read() as connection:
            return await ChannelStore(connection).last_writers((channel, account), _WRITERS)

    async def start(self, accounts: Iterable[Account]) -> None:
        """Go on with what was known of these accounts before, and begin to write."""
        wanted, now = set(accounts), self._now()
        async with self._database.write() as connection:
            store = ChannelStore(connection)
            before: dict[Account, list[Health]] = {}
            for account, _, _, health in await store.all():
                if account in wanted:
                    before.setdefault(account, []).append(health.news)
            for account, known in before.items():
                own = self._known.get(account, Health())
                self._known[account] = together([own, *known])
            await store.save(self._process, self._known, now)
            await store.forget(now - _GONE)
        self._loop = asyncio.create_task(self._run(), name="channel health")

    async def stop(self) -> None:
        """Write what is left; the connections of this process are gone."""
        if self._loop is not None:
            self._loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop
        left = {account: replace(health, connection=None) for account, health in self._known.items()}
        try:
            async with self._database.write() as connection:
                await ChannelStore(connection).save(self._process, left, self._now())
        except Exception as error:  # others that stop must not stay behind for it
            log.warning("channel_health_not_written", error=repr(error))

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        seen = clock()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._write_every_seconds):
                    await self._urgent.wait()
            self._urgent.clear()
            try:
                await self._write()
                if clock() - seen >= _SEEN_EVERY_SECONDS:
                    seen = clock()
                    async with self._database.write() as connection:
                        await ChannelStore(connection).see(self._process, self._now())
            except Exception as error:  # it is written the next time
                log.warning("channel_health_not_written", error=repr(error))
            await asyncio.sleep(self._shortest_pause_seconds)

    async def _write(self) -> None:
        changed, self._changed = self._changed, set()
        if not changed:
            return
        try:
            async with self._database.write() as connection:
                known = {key: self._known[key] for key in changed}
                await ChannelStore(connection).save(self._process, known, self._now())
        except BaseException:
            self._changed |= changed
            raise
