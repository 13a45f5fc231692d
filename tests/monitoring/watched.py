"""A small watched desk: real conversations on SQLite with the meter around them, and ``/metrics`` on a server."""

from __future__ import annotations

import io
import logging
import sys
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import structlog
from prometheus_client.parser import text_string_to_metric_families

import logs
from conversations.audit_check import Checkpoints, signing_key
from conversations.engine import Engine
from conversations.hub import LocalHub
from conversations.model import utc_now
from conversations.outbox import Outbox
from conversations.store import Database
from conversations.verbs import Surroundings
from monitoring.collectors import Collectors
from monitoring.meter import Meter
from monitoring.page import mount_metrics
from monitoring.spans import NoSpans, Spans
from monitoring.state import Parts, State
from monitoring.watchers import Watchers
from tests.connectors.desk import free_port
from tests.conversations.builders import Clock, TestDesk
from tests.web_apps import forget, new_app

KNOWLEDGE = {"encoder": "words", "articles": 3, "questions": {"encoded": 2, "remembered": 1, "seconds": 0.5}}
FACTS_LAG = (3, 42.0)


@dataclass
class Watched:
    """A desk with everything that watches it."""

    desk: TestDesk
    meter: Meter
    watchers: Watchers
    state: State
    bots: dict[str, str]

    @property
    def figures(self) -> dict[str, float]:
        """Every sample of the registry by its name and labels."""
        return samples(self.text)

    @property
    def text(self) -> str:
        from prometheus_client.exposition import generate_latest

        return generate_latest(self.meter.collectors.registry).decode()

    def engine(self, **options: Any) -> Engine:
        """An engine whose turns are watched."""
        bot = self.watchers.dialogue(self.desk.bot)
        options = {"poll_seconds": 0.02, "first_retry_seconds": 0.01, "deadline_seconds": 0.2} | options
        return Engine(self.desk.conversations, bot, dict, watch=self.watchers.turn, **options)

    def outbox(self, deliver: Any) -> Outbox:
        """An outbox whose deliveries are watched."""
        watched = self.watchers.deliver(deliver)
        return Outbox(
            self.desk.conversations, watched, settled=self.meter.settled, poll_seconds=0.02, jitter=lambda: 0.001
        )


async def watched_desk(database: Database, folder: Path, spans: Spans | None = None, **options: Any) -> Watched:
    """A desk on this database."""
    meter = Meter(Collectors())
    watchers = Watchers(meter, spans or NoSpans())
    desk = TestDesk(database, Clock(), surroundings=Surroundings(changed=meter.changed), **options)
    database.on_commit = meter.committed
    database.on_lost = meter.lost(database.on_lost)
    bots = {"http://bot-1": "ok model-1"}

    async def ask() -> dict[str, str]:
        return bots

    async def lag() -> tuple[int, float]:
        return FACTS_LAG

    checkpoints = Checkpoints(folder / "checkpoints.jsonl", signing_key(folder), utc_now)
    hub = desk.hub
    assert isinstance(hub, LocalHub)
    parts = Parts(database, hub, ask, checkpoints, lambda: 0, 8, folder, lambda: KNOWLEDGE, lag, desk.clock)
    return Watched(desk, meter, watchers, State(parts, meter.collectors), bots)


def samples(text: str) -> dict[str, float]:
    """Samples by ``name{label="value",…}`` with the labels in alphabetical order."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


@asynccontextmanager
async def metrics_server(
    watched: Watched, token: str | None = None, public_url: str = "http://127.0.0.1:8000", *blueprints: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A server with ``/metrics``, and other routes whose answers are counted."""
    web = new_app(f"metrics-{uuid.uuid4().hex}", configure_logging=False)
    web.config.TOUCHUP = False
    web.config.GRACEFUL_SHUTDOWN_TIMEOUT = 1.0
    for blueprint in blueprints:
        web.blueprint(blueprint)
    accounts = [("telegram", "default")]
    mount_metrics(web, watched.state, watched.meter.collectors, token, public_url, accounts)
    port = free_port()
    server = await web.create_server("127.0.0.1", port, return_asyncio_server=True, access_log=False)
    assert server is not None
    await server.startup()  # type: ignore[no-untyped-call]
    await server.start_serving()  # type: ignore[no-untyped-call]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as http:
        yield http
    server.close()  # type: ignore[no-untyped-call]
    forget(web)


@contextmanager
def written_log(*secrets: str, level: str = "DEBUG") -> Iterator[io.StringIO]:
    """The log as the service writes it, of everything inside, libraries and crashes included."""
    written = io.StringIO()
    root = logging.getLogger()
    before, hooks = (root.handlers[:], root.level), (sys.excepthook, threading.excepthook)
    with redirect_stdout(written), redirect_stderr(written):
        logs.as_json(level, secrets)
        try:
            yield written
        finally:
            structlog.reset_defaults()
            root.handlers[:], root.level = before[0], before[1]
            sys.excepthook, threading.excepthook = hooks
