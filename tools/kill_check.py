"""People write to the scaled desk while one service and one bot are killed: it may cost them time, and nothing else."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import redis

from benchmarks.load_contacts import PostBox, Way, live, new_secret
from benchmarks.load_counts import desk_counts
from benchmarks.load_desk import ACCOUNT, channels_file
from benchmarks.load_record import Record, spread
from connectors.standard_webhooks import Signatures, key_of
from tools.run import Process
from tools.scaled_desk import EVENTS, ScaledDesk, free_port, scaled_desk

USERS = 16
THINK_SECONDS = 3.0
SECONDS = 45.0
_KEY = "kill-check-rest-key-of-one-run"
#: A killed service's turns belong to it until its leases run out, and its half-done REST requests for a minute.
PATIENCE_SECONDS = 120.0
_SETTLE_SECONDS = 120.0


def check(folder: Path, started: Callable[[ScaledDesk], None]) -> bool:
    """Whether nothing was lost and nothing came out of order; prints what happened and a JSON object."""
    incoming, outgoing, answers_port = new_secret(), new_secret(), free_port()
    channels = channels_file(folder, answers_port, incoming, outgoing)
    with scaled_desk(folder, free_port(), {"REST_API_KEYS": _KEY, "CHANNELS_FILE": str(channels)}) as desk:
        started(desk)
        figures = asyncio.run(_kill_and_count(desk, answers_port, incoming))
    print(json.dumps(figures, ensure_ascii=False), flush=True)
    return not figures["errors"]


async def _kill_and_count(desk: ScaledDesk, answers_port: int, incoming: str) -> dict[str, Any]:
    post_box, record = PostBox(), Record()
    await post_box.start(answers_port)
    way = Way(desk.url, _KEY, Signatures([key_of(incoming)]), ACCOUNT, record, post_box, PATIENCE_SECONDS)
    before = await desk_counts(desk.database_url)
    begin, draw = time.perf_counter() + 1.0, random.Random(7)  # noqa: S311  # the same people in every run
    chairs = [
        live(way, random.Random(number), THINK_SECONDS, begin + draw.uniform(0, THINK_SECONDS), begin + SECONDS)  # noqa: S311
        for number in range(USERS)
    ]
    talking = asyncio.gather(*chairs)
    killed = []
    for after, victim in ((8.0, desk.services[0]), (24.0, desk.bots[0])):
        await asyncio.sleep(max(0.0, begin + after - time.perf_counter()))
        killed.append(await asyncio.to_thread(_kill, desk, victim, record))
    await talking
    now = await desk_counts(desk.database_url)
    deadline = time.perf_counter() + _SETTLE_SECONDS
    while now.unfinished and time.perf_counter() < deadline:
        await asyncio.sleep(1)
        now = await desk_counts(desk.database_url)
    await way.http.aclose()
    await post_box.close()
    told = await asyncio.to_thread(_told_of_turns, desk, now.turns)
    in_order = list(dict.fromkeys(told.ids))
    not_exported = now.turns - len(told.turns) + (in_order != sorted(in_order))
    lost = max(0, record.acknowledged - (now.messages - before.messages)) + now.unfinished + now.gaps - before.gaps
    overtaken = now.out_of_order - before.out_of_order
    return {
        "killed": killed,
        "messages": len(record.due),
        "acknowledged": record.acknowledged,
        "stored": now.messages - before.messages,
        "turns": now.turns - before.turns,
        "lost": lost,
        "out_of_order": overtaken,
        "exported_turns": len(told.turns),
        "exported_again": len(told.ids) - len(in_order),
        "errors": record.errors + lost + overtaken + not_exported,
        "by_error": dict(record.wrong),
        "examples": record.examples,
        "ack": spread(record.acks),
        "reply": spread(record.replies),
        "longest_reply_s": round(max(record.replies, default=0.0), 1),
        "connections": desk.balancer.handed,
        "after": asdict(now),
    }


@dataclass(frozen=True, slots=True)
class Told:
    """What data teams got."""

    ids: list[int]
    turns: set[str]


def _told_of_turns(desk: ScaledDesk, turns: int) -> Told:
    """The exported events, once all turns are among them or nothing more can be hoped for."""
    stream: Any = redis.Redis.from_url(desk.redis_url)
    deadline = time.monotonic() + _SETTLE_SECONDS
    while True:
        events = [json.loads(fields[b"event"]) for _, fields in stream.xrange(EVENTS)]
        found = {event["data"]["turn_id"] for event in events if event["type"] == "turn"}
        if len(found) >= turns or time.monotonic() > deadline:
            stream.close()
            return Told([event["id"] for event in events], found)
        time.sleep(1.0)


def _kill(desk: ScaledDesk, process: Process, record: Record) -> str:
    desk.kill(process)
    print(f"   {process.name} was killed with {len(record.due)} messages sent, {record.replied} answered", flush=True)
    time.sleep(2.0)
    desk.start_again(process)
    print(f"   {process.name} is back with {len(record.due)} messages sent, {record.replied} answered", flush=True)
    return process.name
