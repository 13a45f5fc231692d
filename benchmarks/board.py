"""Measures the live board: how long a snapshot of a busy desk takes, in the parts it is made of.

    python -m benchmarks.board                        # 2 000 open conversations
    python -m benchmarks.board --open 5000 --closed 50000
    python -m benchmarks.board --url postgresql+asyncpg://…

Nothing is compared with a limit. The last line is one JSON object: milliseconds of the median and of the slowest in twenty.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from conversations.audit import AuditLog
from conversations.board import Board
from conversations.board_store import Wanted
from conversations.conversations import Conversations
from conversations.hub import LocalHub
from conversations.model import new_id, utc_now
from conversations.sealing import Keyring
from conversations.sealing_store import SealingStore, sealed_contact
from conversations.sight import EVERYTHING
from conversations.store import Database
from conversations.tables import contacts, conversations, presence, turns
from handoff.supervising.live_routes import row_json

WORDS = (
    "Where is my order KT20260001? It should have been here on Monday.",
    "我上周买的耳机左边没有声音，可以换一个吗？",
)
AGENTS, TURNS_EACH, ROUNDS = 40, 3, 21


async def fill(database: Database, number: int, state: str | None) -> None:
    """So many conversations, in one state or in all that are open, each with its own contact and sealed words."""
    dice, now = random.Random(number), utc_now()  # the same every time is what is wanted
    async with database.write() as connection:
        store = SealingStore(connection)
        for _ in range(number):
            contact_id, conversation_id = new_id(), new_id()
            status = state or dice.choice(("bot", "queued", "assigned"))
            began = now - timedelta(seconds=dice.randrange(3600))
            person = {"id": contact_id, "name": f"Name {contact_id[:6]}", "language": "zh", "created_at": began}
            await connection.execute(insert(contacts).values(**await sealed_contact(connection, contact_id, person)))
            row = _conversation(conversation_id, contact_id, status, began, dice)
            await connection.execute(
                insert(conversations).values(**await store.sealed(conversations, conversation_id, contact_id, row))
            )
            for seq in range(1, TURNS_EACH + 1) if state is None else ():
                turn_id = new_id()
                trace = {"intent": "order_status", "confidence": dice.random(), "route": "task", "ranking": [{"name": f"i{n}", "confidence": 0.1} for n in range(5)]}  # fmt: skip
                turn = {"turn_id": turn_id, "conversation_id": conversation_id, "in_seq": seq, "out_seqs": [], "started_at": began, "finished_at": began, "trace": trace}  # fmt: skip
                await connection.execute(insert(turns).values(**await store.sealed(turns, turn_id, contact_id, turn)))


def _conversation(
    conversation_id: str, contact_id: str, status: str, began: datetime, dice: random.Random
) -> dict[str, Any]:
    agent = f"agent-{dice.randrange(AGENTS)}" if status == "assigned" else None
    waits = status in ("queued", "assigned")
    return {
        "id": conversation_id, "channel": "webchat", "account": "default", "contact": conversation_id, "contact_id": contact_id,
        "status": status, "language": "zh", "opened_at": began, "updated_at": began, "agent_id": agent, "agent_name": agent,
        "queued_at": began if waits else None, "rank_at": began if waits else None, "waiting_since": began if waits else None,
        "sla_due_at": began + timedelta(minutes=50) if waits else None, "team_id": "default" if waits else None,
        "preview": dice.choice(WORDS), "preview_author": "contact",
    }  # fmt: skip


async def timed(work: Callable[[], Awaitable[Any]]) -> dict[str, float]:
    """Milliseconds of the first time, the median and the slowest but one in twenty, and processor time of each."""
    took = []
    spent = time.process_time()
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await work()
        took.append((time.perf_counter() - began) * 1000)
    spent = (time.process_time() - spent) * 1000 / ROUNDS
    rest = sorted(took[1:])
    return {
        "first": round(took[0], 1),
        "p50": round(statistics.median(rest), 1),
        "p95": round(rest[18], 1),
        "cpu": round(spent, 1),
    }


async def measure(url: str, number: int, closed: int) -> dict[str, Any]:
    """Fill a database and look at its board in the ways the console does."""
    database = Database.open(url)
    await database.create_tables()
    database.lend_keys(Keyring(b"k" * 32))
    desk = Conversations(database, LocalHub(), AuditLog(b"k" * 32))
    await fill(database, number, None)
    await fill(database, closed, "resolved")
    async with database.write() as connection:
        rows = [{"agent_id": f"agent-{n}", "name": f"Agent {n}", "state": "online", "last_seen_at": utc_now()} for n in range(AGENTS)]  # fmt: skip
        await connection.execute(insert(presence), rows)
    board = Board(database, desk.desk, desk.now)
    seen = await board.snapshot(EVERYTHING, Wanted(limit=100))
    ids = tuple(str(row.values["id"]) for row in seen.rows[:10])
    board = Board(database, desk.desk, desk.now)  # one that has opened no trace yet

    async def page(limit: int) -> None:
        json.dumps([row_json(row) for row in (await board.snapshot(EVERYTHING, Wanted(limit=limit))).rows])

    took = {
        "page_of_300": await timed(lambda: page(300)),
        "page_of_500": await timed(lambda: page(500)),
        "ten_that_changed": await timed(lambda: board.snapshot(EVERYTHING, Wanted(ids=ids))),
        "figures_only": await timed(lambda: board.snapshot(EVERYTHING, Wanted(limit=0))),
    }
    await database.close()
    for name, one in took.items():
        print(
            f"{name:20} first {one['first']:8.1f} ms   p50 {one['p50']:8.1f} ms   p95 {one['p95']:8.1f} ms   processor {one['cpu']:8.1f} ms"
        )
    return {"open": number, "closed": closed, **took}


def main() -> None:
    """Print the figures, then one JSON object."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--open", type=int, default=2000)
    reader.add_argument("--closed", type=int, default=5000)
    reader.add_argument("--url", help="a database that is empty; without it SQLite in a folder of its own")
    asked = reader.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = asked.url or f"sqlite+aiosqlite:///{Path(folder) / 'board.db'}"
        print(json.dumps(asyncio.run(measure(url, asked.open, asked.closed))))


if __name__ == "__main__":
    main()
