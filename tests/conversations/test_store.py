"""The database keeps aware times, lets several processes write, and survives whoever gives up in the middle."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError

from conversations.sqlite_store import DirectConnection
from conversations.store import MOST_TOGETHER, Database, is_outage
from conversations.tables import contacts, inbox
from tests.conversations.builders import Clock, TestDesk, inbound


class FromServer(Exception):
    """What the driver of PostgreSQL raises."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__("from the server")
        self.sqlstate = sqlstate


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


async def count_contacts(database: Database) -> int:
    async with database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(contacts))).scalar_one())


def commits_of(database: Database) -> list[None]:
    """One item for each commit from now on."""
    seen: list[None] = []
    event.listen(database.engine.sync_engine, "commit", lambda _: seen.append(None))
    return seen


@pytest.fixture
def sqlite_database(database: Database) -> Database:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL groups commits itself")
    return database


async def test_writers_that_wait_together_share_a_commit(sqlite_database: Database) -> None:
    commits = commits_of(sqlite_database)
    await asyncio.gather(*(add_contact(sqlite_database, f"c{n}", datetime.now(UTC)) for n in range(20)))
    assert await count_contacts(sqlite_database) == 20
    assert len(commits) < 5


async def test_a_group_does_not_grow_without_end(sqlite_database: Database) -> None:
    commits = commits_of(sqlite_database)
    await asyncio.gather(*(add_contact(sqlite_database, f"c{n}", datetime.now(UTC)) for n in range(3 * MOST_TOGETHER)))
    assert len(commits) >= 3


async def test_a_writer_that_fails_takes_nothing_of_the_others_with_it(sqlite_database: Database) -> None:
    async def fail(contact_id: str) -> None:
        async with sqlite_database.write() as connection:
            await connection.execute(contacts.insert(), {"id": contact_id, "created_at": datetime.now(UTC)})
            raise LookupError(contact_id)

    now = datetime.now(UTC)
    tried = [fail(f"f{n}") if n % 3 == 0 else add_contact(sqlite_database, f"c{n}", now) for n in range(12)]
    results = await asyncio.gather(*tried, return_exceptions=True)
    assert [isinstance(result, LookupError) for result in results] == [n % 3 == 0 for n in range(12)]
    async with sqlite_database.read() as connection:
        stored = set((await connection.execute(select(contacts.c.id))).scalars())
    assert stored == {f"c{n}" for n in range(12) if n % 3}


async def test_a_writer_that_is_alone_and_fails_leaves_nothing(sqlite_database: Database) -> None:
    async def fail() -> None:
        async with sqlite_database.write() as connection:
            await connection.execute(contacts.insert(), {"id": "c1", "created_at": datetime.now(UTC)})
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await count_contacts(sqlite_database) == 0
    await add_contact(sqlite_database, "c2", datetime.now(UTC))
    assert await count_contacts(sqlite_database) == 1


async def test_nobody_goes_on_before_the_commit(sqlite_database: Database) -> None:
    done: list[int] = []

    async def write(number: int) -> None:
        await add_contact(sqlite_database, f"c{number}", datetime.now(UTC))
        async with sqlite_database.read() as connection:
            found = await connection.execute(select(contacts.c.id).where(contacts.c.id == f"c{number}"))
            assert found.scalar() is not None
        done.append(number)

    await asyncio.gather(*(write(number) for number in range(10)))
    assert sorted(done) == list(range(10))


async def test_a_commit_that_fails_fails_every_writer_of_it(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_: DirectConnection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    lost: list[None] = []
    sqlite_database.on_lost = lambda: lost.append(None)
    with monkeypatch.context() as patch:
        patch.setattr(DirectConnection, "commit", full)
        tried = [add_contact(sqlite_database, f"c{n}", datetime.now(UTC)) for n in range(5)]
        results = await asyncio.gather(*tried, return_exceptions=True)
    assert all(isinstance(result, OperationalError) for result in results)
    assert lost
    assert await count_contacts(sqlite_database) == 0
    await add_contact(sqlite_database, "later", datetime.now(UTC))
    assert await count_contacts(sqlite_database) == 1


async def test_writers_that_are_cancelled_in_line_leave_no_group_open(sqlite_database: Database) -> None:
    first = asyncio.create_task(add_contact(sqlite_database, "first", datetime.now(UTC)))
    others = [asyncio.create_task(add_contact(sqlite_database, f"c{n}", datetime.now(UTC))) for n in range(3)]
    for _ in range(30):
        await asyncio.sleep(0)
        for task in others:
            task.cancel()
    await asyncio.wait_for(first, 5)
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.wait_for(add_contact(sqlite_database, "last", datetime.now(UTC)), 5)
    assert await count_contacts(sqlite_database) >= 2


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (ConnectionRefusedError(), True),
        (TimeoutError(), True),
        (OperationalError("", {}, sqlite3.OperationalError("database or disk is full")), True),
        (DBAPIError("", {}, FromServer("57P03")), True),  # the database system is starting up
        (DBAPIError("", {}, FromServer("40P01")), True),  # a deadlock
        (DBAPIError("", {}, FromServer("53100")), True),  # the server's disk is full
        (DBAPIError("", {}, FromServer("23505")), False),  # something is there twice
        (IntegrityError("", {}, sqlite3.IntegrityError()), False),
        (KeyError("x"), False),
    ],
)
def test_an_outage_is_told_from_a_mistake(error: BaseException, away: bool) -> None:
    """F14, F22: only an outage is worth asking to come back for."""
    assert is_outage(error) is away
