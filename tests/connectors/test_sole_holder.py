"""A connection that may be open only once moves to another process, and is never open twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.sole_holder import HeldElsewhere, SoleHolder
from conversations.errors import ChannelUnavailable
from conversations.lease_store import Lease, LeaseStore
from conversations.store import Database
from tests.connectors.mqtt_desk import account
from tests.connectors.test_telegram import connector as telegram

SECONDS = 0.8


class Store(LeaseStore):
    """The real one, from which a process can be cut off."""

    cut_off = False

    async def beat(self, mine: Lease) -> bool:
        if self.cut_off:
            raise OSError("no route to host")
        return await super().beat(mine)


class Mailbox:
    """What must not be open twice."""

    def __init__(self) -> None:
        self.open = 0
        self.opened_by: list[str] = []
        self.troubles: list[Exception] = []

    async def read(self, who: str) -> None:
        assert self.open == 0, "the mailbox was open twice"
        self.open += 1
        self.opened_by.append(who)
        try:
            if self.troubles:
                raise self.troubles.pop()
            await asyncio.Event().wait()
        finally:
            self.open -= 1

    async def until_opened(self, *by: str) -> None:
        async with asyncio.timeout(20):
            while self.opened_by != list(by):  # noqa: ASYNC110  # the other side is no asyncio
                await asyncio.sleep(0.01)


class Process:
    """A process that wants the mailbox."""

    def __init__(self, name: str, database: Database, mailbox: Mailbox) -> None:
        self.store = Store(database)
        self.holder = SoleHolder(self.store, "email/default", name, seconds=SECONDS)
        self.let_go = 0
        self.task = asyncio.create_task(self.holder.run(lambda: mailbox.read(name), self._let_go))

    async def _let_go(self) -> None:
        self.let_go += 1

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.holder.release()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database.open(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}")
    await database.create_tables()
    yield database
    await database.close()


async def test_the_second_process_waits_and_follows_when_the_first_one_stops(database: Database) -> None:
    mailbox = Mailbox()
    first = Process("first", database, mailbox)
    await mailbox.until_opened("first")
    second = Process("second", database, mailbox)
    await asyncio.sleep(2 * SECONDS)  # longer than a lease: the first one's signs of life keep the place
    assert mailbox.opened_by == ["first"]
    assert not second.holder.holds
    await first.stop()
    await mailbox.until_opened("first", "second")
    with pytest.raises(HeldElsewhere):
        first.holder.check()
    await second.stop()


async def test_a_process_that_cannot_reach_the_database_stops_before_another_one_begins(database: Database) -> None:
    mailbox = Mailbox()
    first = Process("first", database, mailbox)
    await mailbox.until_opened("first")
    second = Process("second", database, mailbox)
    first.store.cut_off = True
    await mailbox.until_opened("first", "second")  # the mailbox itself notices if it is opened twice
    with pytest.raises(HeldElsewhere):
        await first.task
    assert first.let_go == 1
    await second.stop()


async def test_a_connection_that_breaks_is_free_for_others_at_once(database: Database) -> None:
    mailbox = Mailbox()
    mailbox.troubles = [ChannelUnavailable("the network of this machine is down")]
    first = Process("first", database, mailbox)
    with pytest.raises(ChannelUnavailable):
        await first.task
    second = Process("second", database, mailbox)
    await mailbox.until_opened("first", "second")
    await second.stop()


async def test_a_stopping_process_keeps_the_place_until_it_has_said_everything(database: Database) -> None:
    mailbox = Mailbox()
    first = Process("first", database, mailbox)
    await mailbox.until_opened("first")
    first.task.cancel()
    await asyncio.gather(first.task, return_exceptions=True)
    second = Process("second", database, mailbox)
    await asyncio.sleep(1.5 * SECONDS)
    assert first.holder.holds
    assert mailbox.opened_by == ["first"]
    await first.holder.release()
    await mailbox.until_opened("first", "second")
    await second.stop()


def test_only_what_a_channel_allows_once_is_held_by_one_process() -> None:
    assert account().one_connection
    assert telegram(polling=True, secret=None).one_connection
    assert not telegram().one_connection
