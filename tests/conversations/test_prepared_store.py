"""Statements that go straight to SQLite do what they do everywhere else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.prepared_store import Prepared, direct
from conversations.sealing_store import SealingStore, sealed_contact
from conversations.store import Database
from conversations.tables import contacts, turns
from tests.conversations.builders import TestDesk, inbound

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ADD = Prepared(insert(contacts))
FIND = Prepared(select(contacts).where(contacts.c.id == bindparam("id")))
MOVE = Prepared(update(contacts).where(contacts.c.tier == bindparam("old")).returning(contacts.c.id, contacts.c.tier))
MOVE_ALL = Prepared(update(contacts).where(contacts.c.language == bindparam("spoken")))


async def sealed(connection: AsyncConnection, row: dict[str, Any]) -> dict[str, Any]:
    return await sealed_contact(connection, row["id"], row)


async def test_what_goes_in_comes_out_as_it_does_without(database: Database) -> None:
    east = NOON.astimezone(timezone(timedelta(hours=8)))
    async with database.write() as connection:
        assert (direct(connection) is not None) is database.is_sqlite
        assert await ADD.run(connection, await sealed(connection, {"id": "c1", "name": "林", "created_at": east})) == 1
        quick = await FIND.first(connection, {"id": "c1"})
        usual = (await connection.execute(select(contacts).where(contacts.c.id == "c1"))).one()
        assert dict(quick._mapping) == dict(usual._mapping)
        assert (quick.name, quick.created_at, quick.shared, quick.note) == ("林", NOON, False, None)
        assert await FIND.first(connection, {"id": "nobody"}) is None


async def test_json_and_the_lack_of_it_are_read_by_both(desk: TestDesk) -> None:
    receipt = await desk.conversations.receive(inbound())
    add = Prepared(insert(turns))
    row = {"conversation_id": receipt.conversation_id, "in_seq": 1, "started_at": NOON, "finished_at": NOON}
    async with desk.database.write() as connection:
        store = SealingStore(connection)
        given = [row | {"turn_id": str(n), "out_seqs": [n], "trace": {"said": "你好"}} for n in range(2)]
        rows = [await store.sealed(turns, one["turn_id"], receipt.conversation_id, one) for one in given]
        await add.run_each(connection, rows)
        found = (await connection.execute(select(turns).order_by(turns.c.turn_id))).all()
    assert [(one.out_seqs, one.trace) for one in found] == [([0], {"said": "你好"}), ([1], {"said": "你好"})]


async def test_a_change_tells_how_much_it_changed_and_what(database: Database) -> None:
    async with database.write() as connection:
        for n in range(3):
            await ADD.run(connection, {"id": f"c{n}", "tier": "standard", "language": "zh", "created_at": NOON})
        assert await MOVE_ALL.run(connection, {"spoken": "zh", "tier": "vip"}) == 3
        assert await MOVE_ALL.run(connection, {"spoken": "en", "tier": "plus"}) == 0
        changed = await MOVE.first(connection, {"old": "vip", "tier": "plus"})
        assert changed.tier == "plus"


async def test_what_the_database_refuses_is_raised_as_usual_and_names_no_values(database: Database) -> None:
    row = {"id": "c1", "linked_customer_id": "a private name", "created_at": NOON}

    async def twice() -> None:
        async with database.write() as connection:
            await ADD.run(connection, row)
            await ADD.run(connection, row)

    with pytest.raises(IntegrityError) as caught:
        await twice()
    if database.is_sqlite:  # PostgreSQL's own engine is opened without this by the tests
        assert "a private name" not in str(caught.value)


async def test_a_transaction_that_sqlite_undid_is_told_to_every_writer_of_it(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL refuses to commit what failed")
    lost: list[None] = []
    database.on_lost = lambda: lost.append(None)

    async def undone() -> None:
        async with database.write() as connection:
            await ADD.run(connection, {"id": "c1", "created_at": NOON})
            raw = direct(connection)
            assert raw is not None
            raw.rollback()  # as SQLite does by itself when the disk is full

    with pytest.raises(OperationalError, match="undone before its commit"):
        await undone()
    assert lost
    async with database.read() as connection:
        assert (await connection.execute(select(contacts.c.id))).first() is None
