"""Hands what happens at the desk on to data teams: in order, at least once, by one process at a time.

The audit chain is the outbox: its entries are numbered without gaps and committed in that order together with what they
tell of. What has arrived is remembered after the target has confirmed it, so a crash in between repeats some events and
never skips one; ``id`` tells the repeats.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from conversations.export_events import Event, event_of, turn_ids_in
from conversations.export_store import ExportStore
from conversations.model import utc_now
from conversations.store import Database
from conversations.work_leases import WorkLeases

log = structlog.get_logger()

LONGEST_PAUSE_SECONDS = 60.0
_SEND_SECONDS = 30.0


class Sink(Protocol):
    """Where events go."""

    target: str  #: names it without any secret; how far events have come is remembered under this name

    async def send(self, events: Sequence[Event]) -> None:
        """Return once all of them are safe there; raises anything else, and all of them are sent again."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Exporter:
    """Start it once per service process: the one that holds the lease works, the others wait.

    ``hide`` takes out of what people said what the target need not know.
    """

    def __init__(
        self,
        database: Database,
        leases: WorkLeases,
        sink: Sink,
        *,
        with_text: bool = False,
        hide: Callable[[str], str] = str,
        batch: int = 200,
        poll_seconds: float = 1.0,
        first_pause_seconds: float = 1.0,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._leases = leases
        self._sink = sink
        self._with_text = with_text
        self.hide = hide
        self._batch = batch
        self._poll_seconds = poll_seconds
        self._first_pause_seconds = first_pause_seconds
        self._now = now
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin after what has arrived before, or with the first entry there is."""
        self._task = asyncio.create_task(
            self._leases.keep_at(f"export {self._sink.target}", self._go_on, self._poll_seconds), name="export"
        )

    async def stop(self) -> None:
        """Stop; what is on its way is sent again by whoever goes on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        with contextlib.suppress(Exception):
            await self._sink.close()

    async def _go_on(self) -> None:
        async with self._database.read() as connection:
            after = await ExportStore(connection).position(self._sink.target)
        log.info("export_begins", target=self._sink.target, after=after)
        while True:
            last, events = await self.next_batch(after)
            if last == after:
                await asyncio.sleep(self._poll_seconds)
                continue
            if events:
                await self._deliver(events)
            async with self._database.write() as connection:
                await ExportStore(connection).move_on(self._sink.target, last, self._now())
            after = last

    async def next_batch(self, after: int) -> tuple[int, list[Event]]:
        """The number up to which the next events reach, and those of them that are told; ``after`` itself: none yet."""
        async with self._database.read() as connection:
            store = ExportStore(connection)
            entries = await store.entries(after, self._batch)
            turn_ids = turn_ids_in(entries)
            turns = await store.turns(turn_ids) if turn_ids else {}
            texts = await store.texts(turn_ids) if turn_ids and self._with_text else {}
        texts = {
            turn: (self.hide(text), [self.hide(one) for one in replies]) for turn, (text, replies) in texts.items()
        }
        found = [event_of(body, turns, texts) for _, body in entries]
        return (entries[-1][0] if entries else after), [event for event in found if event is not None]

    async def _deliver(self, events: Sequence[Event]) -> None:
        """Send until it is confirmed: nothing newer is read meanwhile, so a target that is away costs no memory."""
        pause = self._first_pause_seconds
        while True:
            try:
                async with asyncio.timeout(_SEND_SECONDS):
                    await self._sink.send(events)
                return
            except Exception as error:
                reason = str(error) or type(error).__name__
                log.warning(
                    "export_waits",
                    target=self._sink.target,
                    first=events[0]["id"],
                    error=reason[:300],
                    retry_in_seconds=round(pause, 1),
                )
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311  # spreads retries, guards nothing
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2)
