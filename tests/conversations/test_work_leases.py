"""Only one service process at a time does what only one may do, and another one goes on when that one dies."""

from __future__ import annotations

import asyncio

import pytest

from conversations.presence_store import PresenceStore
from conversations.store import Database
from conversations.work_leases import LeaseLost, WorkLeases
from tests.conversations.builders import LIN, Clock, TestDesk
from tests.conversations.conftest import connect_again


async def test_a_lease_belongs_to_one_until_it_runs_out_or_is_given_back(database: Database, clock: Clock) -> None:
    one, two = (WorkLeases(database, seconds=15, clock=lambda: clock().timestamp()) for _ in range(2))
    assert await one.take("export")
    assert not await two.take("export")
    assert await two.take("another thing")
    clock.advance(10)
    assert await one.take("export"), "one's own is prolonged"
    clock.advance(10)
    assert not await two.take("export")
    clock.advance(14)
    assert not await two.take("export"), "it gave a sign of life since"
    clock.advance(2)
    assert await two.take("export"), "its holder has died"
    await one.give_back("export")
    assert not await one.take("export"), "nobody gives back what somebody else has"
    await two.give_back("export")
    assert await one.take("export")


async def test_of_two_processes_only_one_works_and_the_other_follows(database: Database, place: str) -> None:
    other = connect_again(place)
    one, two = WorkLeases(database, seconds=3), WorkLeases(other, seconds=3)
    working: list[str] = []
    turns: list[str] = []
    done = asyncio.Event()

    async def work(name: str) -> None:
        working.append(name)
        assert working == [name], "never both"
        turns.append(name)
        try:
            await (done.wait() if len(turns) > 1 else asyncio.sleep(0.2))
        finally:
            working.remove(name)

    first = asyncio.create_task(one.while_held("mailbox", lambda: work("one")))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(two.while_held("mailbox", lambda: work("two")))
    async with asyncio.timeout(20):
        await first
        while len(turns) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        done.set()
        await second
    await other.close()
    assert turns == ["one", "two"]


async def test_who_loses_the_lease_stops_working(database: Database, clock: Clock) -> None:
    frozen = WorkLeases(database, seconds=0.4)
    thief = WorkLeases(database, seconds=0.0, clock=lambda: clock().timestamp())
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    working = asyncio.create_task(frozen.while_held("mailbox", work))
    await asyncio.sleep(0.05)
    while not await thief.take("mailbox"):  # noqa: ASYNC110  # as if the process had stood still between two looks
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        with pytest.raises(LeaseLost):
            await working
        await ended.wait()
    assert not await frozen.take("mailbox"), "it is the thief's"


async def test_processes_that_start_together_take_turns(database: Database, place: str) -> None:
    other = connect_again(place)
    inside = 0
    most = 0

    async def start(leases: WorkLeases) -> None:
        nonlocal inside, most
        async with leases.turn("start-up"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.05)
            inside -= 1

    async with asyncio.timeout(20):
        await asyncio.gather(start(WorkLeases(database, seconds=5)), start(WorkLeases(other, seconds=5)))
    await other.close()
    assert (most, inside) == (1, 0)


async def test_a_heartbeat_prolongs_what_the_agent_chose_at_another_process(desk: TestDesk) -> None:
    await desk.conversations.agent_seen(LIN.id, LIN.name, "online")
    await desk.conversations.agent_seen(LIN.id, LIN.name, "away")
    await desk.conversations.agent_seen(LIN.id, LIN.name, "online")
    await desk.conversations.agent_seen(LIN.id, LIN.name, "away")
    desk.clock.advance(5)
    now = desk.clock()
    async with desk.database.write() as connection:
        assert await PresenceStore(connection).beat(LIN.id, now)
        assert not await PresenceStore(connection).beat("nobody", now)
    async with desk.database.read() as connection:
        stored = await PresenceStore(connection).find(LIN.id)
    assert stored is not None
    assert (stored.state, stored.last_seen_at) == ("away", now)


async def test_work_that_fails_begins_again_and_keeps_its_lease_from_others(database: Database) -> None:
    leases, begun = WorkLeases(database, seconds=3), 0
    again = asyncio.Event()

    async def work() -> None:
        nonlocal begun
        begun += 1
        if begun == 1:
            raise OSError("the disk was away")
        again.set()
        await asyncio.Event().wait()

    keeping = asyncio.create_task(leases.keep_at("mailbox", work, 0.01))
    async with asyncio.timeout(10):
        await again.wait()
    assert not await WorkLeases(database, seconds=3).take("mailbox")
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    assert await WorkLeases(database, seconds=3).take("mailbox"), "whoever stops gives it back"
