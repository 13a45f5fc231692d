"""Whose turn is due is found without looking through everything that waits."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import event

from conversations.due_store import DueStore
from conversations.store import Database
from tests.conversations.builders import TestDesk, inbound


async def due(desk: TestDesk, limit: int) -> list[str]:
    async with desk.database.read() as connection:
        return await DueStore(connection).find(desk.clock(), limit)


async def test_who_waits_longest_comes_first(desk: TestDesk) -> None:
    sent = [await desk.conversations.receive(inbound(contact=f"visitor-{n}")) for n in range(5)]
    assert await due(desk, 3) == [one.conversation_id for one in sent[:3]]


async def test_somebody_who_writes_a_hundred_messages_hides_nobody(desk: TestDesk) -> None:
    for _ in range(40):
        talkative = await desk.conversations.receive(inbound(contact="talkative"))
    quiet = [await desk.conversations.receive(inbound(contact=f"visitor-{n}")) for n in range(2)]
    assert await due(desk, 3) == [talkative.conversation_id, *(one.conversation_id for one in quiet)]


async def test_what_is_worked_on_or_pauses_is_not_due(desk: TestDesk) -> None:
    worked_on, pausing, free = [
        await desk.conversations.receive(inbound(contact=name)) for name in ("worked on", "pausing", "free")
    ]
    claims = await desk.conversations.claim_turns(2)
    assert [claim.conversation.id for claim in claims] == [worked_on.conversation_id, pausing.conversation_id]
    await desk.conversations.give_back(claims[1], delay_seconds=30, crashed="Error")
    assert await due(desk, 5) == [free.conversation_id]
    desk.clock.advance(31)
    assert set(await due(desk, 5)) == {free.conversation_id, pausing.conversation_id}


async def test_the_backlog_counts_conversations_up_to_its_limit(desk: TestDesk) -> None:
    for n in range(4):
        for _ in range(3):
            await desk.conversations.receive(inbound(contact=f"visitor-{n}"))
    async with desk.database.read() as connection:
        store, now = DueStore(connection), desk.clock()
        assert [await store.count(now, limit) for limit in (100, 2)] == [4, 2]


async def test_sqlite_walks_along_the_index_and_sorts_nothing(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL plans by what the table holds")
    seen: list[tuple[str, tuple[object, ...]]] = []
    async with database.read() as connection:
        event.listen(
            connection.sync_engine,
            "before_cursor_execute",
            lambda _c, _cursor, statement, parameters, _context, _many: seen.append((statement, parameters)),
        )
        await DueStore(connection).find(datetime.now(UTC), 4)
        query, parameters = seen[0]
        raw = f"EXPLAIN QUERY PLAN {query}"
        plan = (await connection.exec_driver_sql(raw, parameters)).all()
    steps = " | ".join(row[3] for row in plan)
    assert "ix_inbox_unfinished" in steps
    assert "TEMP B-TREE" not in steps
