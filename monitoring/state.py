"""What is looked up when somebody asks for the metrics: queues, memory, disk, the bots; the database at most every ten seconds."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from conversations.audit_check import Checkpoints
from conversations.figures_store import Figures, FiguresStore
from conversations.hub import LocalHub
from conversations.model import utc_now
from conversations.store import Database
from monitoring.collectors import Collectors

FIGURES_SECONDS = 10.0
GIVEN_UP_SECONDS = 300.0  #: counting them looks at every delivery
LAG_EVERY_SECONDS = 0.5
_LONGEST_LOOK = 5.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Parts:
    """What of the service is asked how it does."""

    database: Database
    hub: LocalHub
    bots: Callable[[], Awaitable[dict[str, str]]]  #: each bot's address and "ok …", or what is wrong
    checkpoints: Checkpoints
    running: Callable[[], int]  #: turns now
    places: int  #: turns at once
    data_dir: Path
    knowledge: Callable[[], dict[str, Any]]  #: the status of the knowledge base
    #: how many audit entries the facts of the reports are behind, and for how many seconds the oldest waits
    facts_lag: Callable[[], Awaitable[tuple[int, float]]]
    now: Callable[[], datetime] = utc_now


class State(Collector):
    """Keeps the figures of the last look and hands them out; ``start`` also begins to measure the event loop."""

    def __init__(self, parts: Parts, collectors: Collectors, clock: Callable[[], float] = time.monotonic) -> None:
        self._parts = parts
        self._collectors = collectors
        self._clock = clock
        self._figures = Figures()
        self._given_up: dict[str, int] = {}
        self._facts_lag = (0, 0.0)
        self._bots: list[bool] = []
        self._fresh_until = self._given_up_until = float("-inf")
        self._readable = True
        self._looking = asyncio.Lock()
        self._loop: asyncio.Task[None] | None = None
        self._started_at = time.time()
        collectors.registry.register(self)

    async def start(self) -> None:
        """Begin to measure how late the event loop is."""
        self._loop = asyncio.create_task(self._measure(), name="event loop lag")

    async def stop(self) -> None:
        """Stop measuring."""
        if self._loop is not None:
            self._loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop

    async def look(self) -> None:
        """Read the figures anew if they are older than ten seconds; a database that is away leaves the old ones."""
        async with self._looking:
            if self._clock() < self._fresh_until:
                return
            self._fresh_until = self._clock() + FIGURES_SECONDS
            bots = asyncio.create_task(self._ask_bots())
            try:
                async with asyncio.timeout(_LONGEST_LOOK):
                    await self._read()
                self._readable = True
            except Exception as error:
                self._readable = False
                log.warning("figures_not_read", error=error)
            self._bots = await bots

    async def _read(self) -> None:
        self._facts_lag = await self._parts.facts_lag()
        async with self._parts.database.read() as connection:
            store = FiguresStore(connection)
            self._figures = await store.read(self._parts.now())
            if self._clock() >= self._given_up_until:
                self._given_up = await store.given_up()
                self._given_up_until = self._clock() + GIVEN_UP_SECONDS

    async def _ask_bots(self) -> list[bool]:
        states = await self._parts.bots()
        return [state.startswith("ok") for _, state in sorted(states.items())]

    async def _measure(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(LAG_EVERY_SECONDS)
            late = time.perf_counter() - began - LAG_EVERY_SECONDS
            self._collectors.loop_lag.observe(max(0.0, late))

    def collect(self) -> Iterator[Metric]:
        """The figures as metrics."""
        yield from self._process()
        yield from self._queues()
        parts = self._parts
        yield _gauge("hub_connected", "Whether news reaches the other service processes", float(parts.hub.connected))
        yield _gauge("hub_subscriptions", "Consoles and chats that listen here", parts.hub.subscriptions)
        up = GaugeMetricFamily("frontdesk_bot_up", "Whether a bot answers", labels=["bot"])
        for number, fine in enumerate(self._bots, 1):
            up.add_metric([str(number)], float(fine))
        yield up
        encoder = GaugeMetricFamily("frontdesk_encoder_info", "1 for the encoder that serves", labels=["encoder"])
        knowledge = parts.knowledge()
        encoder.add_metric([str(knowledge["encoder"])], 1)
        yield encoder
        yield _gauge("knowledge_articles", "Articles the bot may answer from", knowledge["articles"])
        questions = CounterMetricFamily("frontdesk_questions", "Questions to the knowledge base", labels=["how"])
        for how in ("encoded", "remembered"):
            questions.add_metric([how], knowledge["questions"][how])
        yield questions
        encoding = CounterMetricFamily("frontdesk_encoder_seconds", "Time spent on encoding questions")
        encoding.add_metric([], knowledge["questions"]["seconds"])
        yield encoding
        checkpoints = parts.checkpoints
        yield _gauge("audit_unsigned_entries", "Audit entries after the last checkpoint", checkpoints.unsigned)
        yield _gauge(
            "audit_checkpoint_age_seconds", "How long audit entries wait for a checkpoint", checkpoints.unsigned_seconds
        )

    def _process(self) -> Iterator[Metric]:
        yield _gauge("resident_memory_bytes", "Memory the process holds", _resident_bytes())
        files, sockets = _open_files()
        yield _gauge("open_files", "Open files, sockets included", files)
        yield _gauge("open_sockets", "Open sockets", sockets)
        yield _gauge("start_time_seconds", "When the process began", self._started_at)
        cpu = CounterMetricFamily("frontdesk_cpu_seconds", "Processor time the process used")
        cpu.add_metric([], time.process_time())
        yield cpu
        disk = shutil.disk_usage(self._parts.data_dir)
        yield _gauge("disk_bytes", "Size of the disk with the data", disk.total)
        yield _gauge("disk_free_bytes", "What is free of it", disk.free)

    def _queues(self) -> Iterator[Metric]:
        seen, parts = self._figures, self._parts
        yield _gauge("figures_readable", "Whether the database gave the figures of the desk", float(self._readable))
        yield _gauge("turns_running", "Turns of the bot that run here now", parts.running())
        yield _gauge("turn_places", "Turns that may run here at once", parts.places)
        yield _gauge("inbox_waiting", "Messages whose turn is not done", seen.inbox_waiting)
        yield _gauge("inbox_oldest_seconds", "How long the oldest of them waits", seen.inbox_oldest_seconds)
        letters = GaugeMetricFamily("frontdesk_outbox_messages", "Messages in the outbox", labels=["state"])
        for state, count in {"pending": seen.outbox_waiting, **self._given_up}.items():
            letters.add_metric([state], count)
        yield letters
        yield _gauge("outbox_oldest_seconds", "How long the oldest pending one waits", seen.outbox_oldest_seconds)
        open_ones = GaugeMetricFamily("frontdesk_conversations", "Open conversations by status", labels=["status"])
        for status, count in seen.by_status.items():
            open_ones.add_metric([status], count)
        yield open_ones
        yield _gauge("queue_oldest_seconds", "How long the longest waiting contact waits", seen.queue_oldest_seconds)
        yield _gauge("agents_online", "Agents at the desk", seen.agents_online)
        entries, seconds = self._facts_lag
        yield _gauge("facts_behind_entries", "Audit entries that the reports have not counted yet", entries)
        yield _gauge("facts_behind_seconds", "How long the oldest of them waits", seconds)
        yield _gauge("database_bytes", "Size of the database", seen.database_bytes)


def _gauge(name: str, says: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"frontdesk_{name}", says, value=value)


def _resident_bytes() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return float(pages * os.sysconf("SC_PAGE_SIZE"))
    except (OSError, ValueError, IndexError):
        import resource

        return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def _open_files() -> tuple[int, int]:
    """Open files, and how many of them are sockets; nothing where the system does not say."""
    folder, files, sockets = "/proc/self/fd", 0, 0
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            files += 1
            with contextlib.suppress(OSError):
                sockets += os.readlink(f"{folder}/{name}").startswith("socket:")
    return files, sockets
