"""The database keeps aware times, lets several processes write, and survives whoever gives up in the middle."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import StatementError

from conversations.store import Database
from conversations.tables import contacts, inbox
from tests.conversations.builders import Clock, TestDesk, inbound


async def add_contact(database: Database, contact_id: str, at: datetime) -> None:
    async with database.write() as connection:
        await connection.execute(contacts.insert(), {"id": contact_id, "created_at": at})


async def test_times_come_back_aware_and_equal(database: Database) -> None:
    at = datetime(2026, 3, 2, 18, 30, tzinfo=timezone(timedelta(hours=8)))
    await add_contact(database, "c1", at)
    async with database.read() as connection:
        found = (await connection.execute(select(contacts.c.created_at))).scalar_one()
    assert found == at
    assert found.tzinfo is UTC


async def test_naive_times_are_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="aware"):
        await add_contact(database, "c1", datetime(2026, 3, 2))  # noqa: DTZ001  # that is the point


async def test_several_processes_write_to_one_sqlite_file(sqlite_template: Path, tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    shutil.copy(sqlite_template, path)
    databases = [Database.open(f"sqlite+aiosqlite:///{path}") for _ in range(3)]
    desks = [TestDesk(database, Clock()) for database in databases]
    receipts = await asyncio.gather(*(desks[n % 3].conversations.receive(inbound(f"message {n}")) for n in range(24)))
    assert sorted(receipt.seq for receipt in receipts) == list(range(1, 25))
    for database in databases:
        await database.close()


async def test_work_that_is_cancelled_anywhere_is_stored_whole_or_not_at_all(desk: TestDesk) -> None:
    for step in range(40):
        task = asyncio.create_task(desk.send(f"message {step}"))
        for _ in range(step):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    receipt = await desk.send("the last one")
    async with desk.database.read() as connection:
        stored = (await connection.execute(select(func.count()).select_from(inbox))).scalar_one()
    said = await desk.said(receipt.conversation_id)
    assert len(said) == stored == receipt.seq


def test_a_database_in_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a file"):
        Database.open("sqlite+aiosqlite:///:memory:")
