"""Knowledge turns through the desk's own front door: what the service adds to the bot's time, its commits to disk included."""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
from sqlalchemy import select

import env_file
import settings as desk_settings
from benchmarks.turns_figures import CONCURRENT, Window
from benchmarks.turns_sides import DeskSide, spaced
from conversations.key_rotation import open_keys
from conversations.store import Database
from conversations.tables import turns

WAIT_SECONDS = 20  #: for the replies of one message
TURNS_OF_A_CONTACT = 3
WARM_UP_TURNS = 12


@dataclass(slots=True)
class ServiceSamples:
    """One client's times in ms and the part of each that the service did not wait for the bot; and rates of many."""

    whole_ms: list[float] = field(default_factory=list)
    overhead_ms: list[float] = field(default_factory=list)
    windows: dict[int, Window] = field(default_factory=dict)


async def measure_service(desk: DeskSide, questions: Sequence[str], turns: int, seconds: float) -> ServiceSamples:
    """Send messages over the REST channel, each waiting for its replies; ends the program when one is missing."""
    samples = ServiceSamples()
    limits = httpx.Limits(max_connections=max(CONCURRENT), max_keepalive_connections=max(CONCURRENT))
    async with httpx.AsyncClient(timeout=WAIT_SECONDS + 10, limits=limits, trust_env=False) as client:
        numbers = itertools.count()

        async def converse(number: int, wanted: int, deadline: float) -> list[tuple[str, float]]:
            done: list[tuple[str, float]] = []
            asked = itertools.islice(itertools.cycle(questions), number, None)
            while len(done) < wanted and time.perf_counter() < deadline:
                contact = uuid.uuid4().hex
                for question in itertools.islice(asked, min(TURNS_OF_A_CONTACT, wanted - len(done))):
                    started = time.perf_counter()
                    message_id = await _ask(client, desk, contact, spaced(question, next(numbers)))
                    done.append((message_id, (time.perf_counter() - started) * 1000))
            return done

        await converse(0, WARM_UP_TURNS, time.perf_counter() + 60)
        alone = await converse(0, turns, time.perf_counter() + 60)
        for clients in CONCURRENT:
            started = time.perf_counter()
            answered = await asyncio.gather(*(converse(n, 1_000_000, started + seconds) for n in range(clients)))
            samples.windows[clients] = Window(sum(map(len, answered)), time.perf_counter() - started)
    waited = await _waited_for_bot(desk, [message_id for message_id, _ in alone])
    for message_id, whole in alone:
        samples.whole_ms.append(whole)
        samples.overhead_ms.append(whole - waited[message_id])
    return samples


async def _ask(client: httpx.AsyncClient, desk: DeskSide, contact: str, question: str) -> str:
    answer = await client.post(
        f"{desk.service_url}/api/v1/messages",
        json={"contact": contact, "text": question, "language": "en", "wait_seconds": WAIT_SECONDS},
        headers={"Authorization": f"Bearer {desk.api_key}"},
    )
    body = answer.json()
    if answer.status_code != 200 or not body["replies"] or not body["replies"][0]["citations"]:
        raise SystemExit(f"The desk did not answer “{question}” rightly: HTTP {answer.status_code} {answer.text[:300]}")
    return str(body["message_id"])


async def _waited_for_bot(desk: DeskSide, message_ids: Sequence[str]) -> dict[str, float]:
    """How long the service waited for the bot in each turn, in ms, as it noted in the turns' traces."""
    wanted = set(message_ids)
    secrets = env_file.read_env_file(desk.data_dir / "secrets.env")
    settings = desk_settings.load({**secrets, "DATA_DIR": str(desk.data_dir)})
    database = Database.open(settings.database_url)
    try:
        await open_keys(database, settings.wrapping_keys)
        async with database.read() as connection:
            rows = (await connection.execute(select(turns.c.turn_id, turns.c.trace))).all()
    finally:
        await database.close()
    return {turn_id: trace["timings_ms"]["call"] for turn_id, trace in rows if turn_id in wanted}
