"""How fast the desk finds things: full-text search over many messages, and the counts of the console's views.

``python -m benchmarks.search_desk [--messages 100000] [--database URL]`` fills an empty database with bilingual
conversations, asks questions of one to four Chinese characters, English words, numbers and names, and prints one JSON
object last. Without a URL the database is an SQLite file that is deleted afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import statistics
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import create_async_engine

from conversations.audit import AuditLog
from conversations.conversations import Conversations
from conversations.hub import LocalHub
from conversations.model import Author, Message, MessageKind
from conversations.organising_tables import search_documents
from conversations.sealing import Keyring
from conversations.sealing_store import SealingStore, sealed_contact
from conversations.search_store import SearchFilter, SearchStore
from conversations.store import Database
from conversations.tables import contacts, conversations, messages
from handoff.organising.view_store import Reader, ViewStore
from handoff.store import StaffStore

ROOT = Path(__file__).resolve().parent.parent
PER_CONVERSATION = 10
START = datetime(2026, 1, 1, tzinfo=UTC)


def lines() -> list[str]:
    """Things customers say, from the training examples."""
    found = []
    for file in sorted((ROOT / "nlu_data").rglob("*.yml")):
        for line in file.read_text(encoding="utf-8").splitlines():
            match = re.match(r"\s+- (.{4,90})$", line)
            if match:
                found.append(re.sub(r"\[([^\]]*)\](\([^)]*\)|\{[^}]*\})", r"\1", match[1]))
    return found


def texts(count: int, randomness: random.Random) -> list[str]:
    """Messages of one to three lines, every fiftieth with an order number."""
    source = lines()
    made = []
    for number in range(count):
        said = " ".join(randomness.choices(source, k=randomness.choice((1, 1, 2, 3))))
        made.append(said + (f" KT{20260000 + number % 9999}" if number % 50 == 0 else ""))
    return made


async def fill(database: Database, said: list[str]) -> float:
    """Store the messages and index each as it would be when it arrives; returns processor seconds per message indexed."""
    indexing = 0.0
    async with database.write() as connection:
        store = SearchStore(connection)
        for number in range(0, len(said), PER_CONVERSATION):
            at = START + timedelta(minutes=number)
            conversation_id, contact_id = uuid.uuid4().hex, uuid.uuid4().hex
            contact = {"id": contact_id, "name": f"王小{chr(0x4E00 + number % 2000)}", "created_at": at}
            await connection.execute(insert(contacts).values(await sealed_contact(connection, contact_id, contact)))
            status = random.choice(("resolved",) * 18 + ("bot", "queued"))
            row: dict[str, Any] = {"id": conversation_id, "channel": "webchat", "account": "default"}
            row |= {"contact": conversation_id, "contact_id": contact_id, "status": status, "language": "zh"}
            row |= {"opened_at": at, "updated_at": at, "queued_at": at, "last_seq": PER_CONVERSATION}
            await connection.execute(insert(conversations).values(**row))
            batch = [
                Message(
                    uuid.uuid4().hex,
                    conversation_id,
                    seq,
                    Author.CONTACT,
                    MessageKind.TEXT,
                    text,
                    at + timedelta(0, seq),
                )
                for seq, text in enumerate(said[number : number + PER_CONVERSATION], start=1)
            ]
            rows = [
                {"id": one.id, "conversation_id": one.conversation_id, "seq": one.seq, "author": one.author.value,
                 "kind": one.kind.value, "text": one.text, "created_at": one.created_at}
                for one in batch
            ]  # fmt: skip
            sealing = SealingStore(connection)
            rows = [await sealing.sealed(messages, str(row["id"]), contact_id, row) for row in rows]
            await connection.execute(insert(messages), rows)
            started = time.process_time()
            await store.add_messages(batch)
            indexing += time.process_time() - started
    return indexing / len(said)


def questions(said: list[str], randomness: random.Random) -> dict[str, list[str]]:
    """Forty questions of each kind, cut from what was said."""
    chinese = [run for text in said for run in re.findall("[\u4e00-\u9fff]{4,}", text)]
    english = [word for text in said for word in re.findall("[a-z]{4,}", text)]
    numbers = [number for text in said for number in re.findall(r"KT\d{8}", text)]
    kinds: dict[str, list[str]] = {}
    for length in (1, 2, 3, 4):
        kinds[f"{length}_chinese"] = [_cut(randomness.choice(chinese), length, randomness) for _ in range(40)]
    kinds["english_word"] = [randomness.choice(english) for _ in range(40)]
    kinds["english_beginning"] = [randomness.choice(english)[:3] for _ in range(40)]
    kinds["two_words"] = [" ".join(randomness.sample(english, 2)) for _ in range(40)]
    kinds["order_number"] = [randomness.choice(numbers) for _ in range(40)]
    kinds["nothing"] = [uuid.uuid4().hex[:9] for _ in range(40)]
    return kinds


def _cut(text: str, length: int, randomness: random.Random) -> str:
    start = randomness.randrange(len(text) - length + 1)
    return text[start : start + length]


async def timed(work: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    """Milliseconds of one call, by the clock and of this process's processor time."""
    started, used = time.perf_counter(), time.process_time()
    await work()
    return (time.perf_counter() - started) * 1000, (time.process_time() - used) * 1000


def spread(times: list[tuple[float, float]]) -> dict[str, float]:
    """Median and 95th percentile in milliseconds; ``cpu_`` is processor time, which other work on the machine does not change."""
    wall, cpu = [one[0] for one in times], [one[1] for one in times]
    return {
        "p50": round(statistics.median(wall), 2),
        "p95": round(statistics.quantiles(wall, n=20)[18], 2),
        "cpu_p50": round(statistics.median(cpu), 2),
        "cpu_p95": round(statistics.quantiles(cpu, n=20)[18], 2),
    }


async def measure(database: Database, count: int) -> dict[str, Any]:
    """Fill, ask, and sum up."""
    randomness = random.Random(7)
    said = texts(count, randomness)
    indexing = await fill(database, said)
    if not database.is_sqlite:
        async with database.write() as connection:
            await connection.execute(sql("ANALYZE"))
    desk = Conversations(database, LocalHub(), AuditLog(b"k" * 32))
    now = START + timedelta(minutes=count)
    result: dict[str, Any] = {"database": "sqlite" if database.is_sqlite else "postgresql", "messages": count}
    everything: list[tuple[float, float]] = []
    for kind, asked in questions(said, randomness).items():
        await desk.search_messages(asked[0], SearchFilter(), now)
        times = [
            await timed(lambda one=one: desk.search_messages(one, SearchFilter(), now, limit=20))  # type: ignore[misc]
            for one in asked
        ]
        result[kind] = spread(times)
        everything += times
        print(f"{kind:18} {result[kind]}", flush=True)
    result["all"] = spread(everything)
    result["quick"] = spread(
        [
            await timed(lambda one=one: desk.search_conversations(one, [], 20, now))  # type: ignore[misc]
            for one in ("退货", "王小", "refund", "KT20260050", "快递") * 8
        ]
    )
    views = ViewStore(database)
    result["view_counts"] = spread(
        [await timed(lambda: views.count_views(Reader("a" * 32, (), now))) for _ in range(40)]
    )
    result["index_cpu_us_per_message"] = round(indexing * 1e6)
    async with database.read() as connection:
        result["documents"] = (
            await connection.execute(select(func.count()).select_from(search_documents))
        ).scalar_one()
    erased = await _erase_one(desk, database)
    result["erase_ms"] = round(erased[0])
    return result


async def _erase_one(desk: Conversations, database: Database) -> tuple[float, float]:
    from conversations.model import Agent

    async with database.read() as connection:
        contact_id = (await connection.execute(select(contacts.c.id).limit(1))).scalar_one()
    return await timed(lambda: desk.erase_contact(contact_id, Agent("a", "A")))


async def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--database", default="")
    arguments = parser.parse_args()
    keyring = Keyring(b"k" * 32)
    with tempfile.TemporaryDirectory() as folder:
        if arguments.database:
            schema = f"search_{uuid.uuid4().hex[:10]}"
            admin = create_async_engine(arguments.database)
            async with admin.begin() as connection:
                await connection.execute(sql(f"CREATE SCHEMA {schema}"))
            options = {"server_settings": {"search_path": schema}}
            database = Database(create_async_engine(arguments.database, connect_args=options))
        else:
            database = Database.open(f"sqlite+aiosqlite:///{folder}/desk.db")
        await database.create_tables()
        await StaffStore(database).create_tables()
        database.lend_keys(keyring)
        try:
            result = await measure(database, arguments.messages)
        finally:
            await database.close()
            if arguments.database:
                async with admin.begin() as connection:
                    await connection.execute(sql(f"DROP SCHEMA {schema} CASCADE"))
                await admin.dispose()
    print(json.dumps(result))


if __name__ == "__main__":
    asyncio.run(main())
