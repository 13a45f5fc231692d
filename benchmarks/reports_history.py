"""Fills an empty database with the history of a desk: conversations as they are stored, written many at once.

    python -m benchmarks.reports_history sqlite+aiosqlite:///desk.db --conversations 100000

Words, names and traces are sealed as the desk seals them, each with the key of its contact. The same seed makes the same
history, but for the keys and what they sealed. One day's conversations are in memory at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy import text as sql

from benchmarks.reports_stories import AGENTS, TEAMS, Batch, Stories
from conversations.audit import GENESIS, canonical, chain_hash
from conversations.episode_tables import episodes, ratings
from conversations.sealing import Keyring
from conversations.store import Database
from conversations.tables import (
    addresses,
    audit_entries,
    audit_head,
    contact_keys,
    contacts,
    conversations,
    messages,
    queue_stays,
    turns,
)
from handoff.store import StaffStore
from handoff.tables import staff
from handoff.teams.team_tables import team_members, teams
from learning.inbox_store import create_tables as create_inbox_tables
from learning.inbox_tables import learning_positions
from learning.limit_store import create_tables as create_limit_tables
from learning.limit_tables import limit_cases
from reporting.tables import create_tables as create_fact_tables

#: In the order in which they may be written.
TABLES = {
    "contact_keys": contact_keys,
    "contacts": contacts,
    "addresses": addresses,
    "conversations": conversations,
    "messages": messages,
    "turns": turns,
    "episodes": episodes,
    "ratings": ratings,
    "queue_stays": queue_stays,
    "limit_cases": limit_cases,
}
DAYS = 90
_BATCH = 400
_TELL_EVERY = 10_000
_WEEKDAYS = (1.2, 1.1, 1.05, 1.0, 1.1, 0.8, 0.7)
_HOURS = (1, 1, 1, 1, 1, 2, 4, 9, 20, 34, 38, 34, 26, 28, 36, 36, 32, 28, 24, 28, 30, 24, 12, 4)


async def create_everything(database: Database) -> None:
    """The tables of the rooms whose rows the reports read."""
    await database.create_tables()
    await StaffStore(database).create_tables()
    await create_inbox_tables(database)
    await create_limit_tables(database)
    await create_fact_tables(database)


async def fill(
    database: Database,
    count: int,
    until: datetime,
    *,
    seed: int = 1,
    days: int = DAYS,
    tell: Callable[[int, float], None] = lambda _done, _seconds: None,
) -> dict[str, int]:
    """Write so many conversations that ended up to a moment, and who served them; returns the rows by table."""
    stories = Stories(seed, database)
    begun, done, counted = time.perf_counter(), 0, Counter[str]()
    await _people(database, until - timedelta(days=days + 30))
    async with database.read() as connection:
        head = (await connection.execute(select(audit_head.c.n, audit_head.c.hash))).first()
    n, previous = (head.n, head.hash) if head is not None else (0, GENESIS)
    if head is None:
        async with database.write() as connection:
            await connection.execute(insert(audit_head).values(id=1, n=0, hash=GENESIS))
    for moments in _batches(stories, count, until, days):
        batch = stories.batch(moments, until)
        entries = []
        for at, place, body in sorted(batch.entries, key=lambda one: one[:2]):
            n += 1
            written = canonical(body | {"n": n, "at": at.isoformat()})
            previous = chain_hash(previous, written)
            entries.append({"n": n, "conversation_id": place, "body": written, "hash": previous})
        await _write(database, batch, entries)
        counted.update({name: len(rows) for name, rows in batch.rows.items()} | {"audit_entries": len(entries)})
        if (done + len(moments)) // _TELL_EVERY > done // _TELL_EVERY:
            tell(done + len(moments), time.perf_counter() - begun)
        done += len(moments)
    async with database.write() as connection:
        values = {"name": "limits", "n": n, "updated_at": until}  # the learning loop has read everything
        await connection.execute(insert(learning_positions).values(values))
        if not database.is_sqlite:
            await connection.execute(sql("ANALYZE"))
    return dict(counted)


def _batches(stories: Stories, count: int, until: datetime, days: int) -> Iterator[list[datetime]]:
    """When conversations are opened, in order, as many as fit into memory."""
    first = (until - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
    weights = [_WEEKDAYS[(first + timedelta(days=day)).weekday()] for day in range(days)]
    made = 0
    for day in range(days):
        wanted = round(count * sum(weights[: day + 1]) / sum(weights)) - made
        made += wanted
        midnight = first + timedelta(days=day)
        hours = stories.dice.choices(range(24), _HOURS, k=wanted)
        moments = sorted(midnight + timedelta(hours=hour, seconds=stories.dice.randrange(3600)) for hour in hours)
        for start in range(0, wanted, _BATCH):
            yield moments[start : start + _BATCH]


async def _write(database: Database, batch: Batch, entries: list[dict[str, Any]]) -> None:
    async with database.write() as connection:
        for name, table in TABLES.items():
            if batch.rows[name]:
                await connection.execute(insert(table), batch.rows[name])
        if entries:
            await connection.execute(insert(audit_entries), entries)
            last = {"n": entries[-1]["n"], "hash": entries[-1]["hash"]}
            await connection.execute(audit_head.update().values(last))


async def _people(database: Database, at: datetime) -> None:
    """Teams and agents, so that rows have names; nobody can sign in as one of them."""
    async with database.write() as connection:
        person = {"role": "agent", "password_hash": "!", "active": True, "languages": ["zh", "en"], "created_at": at}
        rows = [person | {"id": one.id, "name": one.name, "email": f"{one.id}@kite.example"} for one in AGENTS]
        await connection.execute(insert(staff), rows)
        rows = [
            {"id": one.id, "position": place, "updated_at": at, "updated_by": "", "settings": one.settings}
            for place, one in enumerate(TEAMS)
        ]
        await connection.execute(insert(teams), rows)
        rows = [{"team_id": one.team, "staff_id": one.id} for one in AGENTS]
        await connection.execute(insert(team_members), rows)


def tell_on_screen(done: int, seconds: float) -> None:
    """A line of progress."""
    print(f"  {done:>9,} conversations, {done / max(seconds, 0.001):,.0f}/s", file=sys.stderr, flush=True)


async def main(arguments: Sequence[str] | None = None) -> None:
    """The command: fills one database and prints what is in it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reports_history")
    parser.add_argument("url", help="an empty database")
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    database = Database.open(options.url)
    database.lend_keys(Keyring(os.urandom(32)))
    await create_everything(database)
    now = datetime.now(UTC)
    print(await fill(database, options.conversations, now, seed=options.seed, tell=tell_on_screen))
    await database.close()


if __name__ == "__main__":
    asyncio.run(main())
