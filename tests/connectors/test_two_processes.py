"""Two desks on one database: one of them holds what may be held once, and the other follows when it dies."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Means
from connectors.mail import MailConnector
from connectors.mqtt import MqttConnector
from connectors.telegram import TelegramConnector
from conversations.lease_store import LeaseStore
from conversations.model import Address, Author
from conversations.store import Database
from tests.connectors.desk import Server, free_port, running_server
from tests.connectors.desk_process import desk_process
from tests.connectors.mail_desk import settings as mail_settings
from tests.connectors.mqtt_desk import settings as mqtt_settings
from tests.connectors.shop_bot import ShopBot
from tests.doubles.dovecot import Dovecot
from tests.doubles.mail_server import DESK, MailServer, mail, mail_server
from tests.doubles.mosquitto import Device, running
from tests.doubles.telegram import TOKEN, TelegramDouble

SECONDS = 1.5
ANN = "ann@shop.example"


@pytest.fixture
async def provider(dovecot: Dovecot) -> AsyncIterator[MailServer]:
    async with mail_server(dovecot) as provider:
        provider.proven.add("shop.example")
        yield provider


async def held(folder: Path, name: str) -> None:
    """Wait until some process holds a connection."""
    database = Database.open(f"sqlite+aiosqlite:///{folder / 'desk.db'}")
    await database.create_tables()
    try:
        async with asyncio.timeout(60):
            while (lease := await LeaseStore(database).find(name)) is None or lease.owner is None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    finally:
        await database.close()


def entry_of(provider: MailServer) -> dict[str, Any]:
    """The mailbox as an entry of the channels file."""
    settings = mail_settings(provider)
    plain = settings.model_dump(mode="json", exclude={"password"}, exclude_none=True)
    return plain | {"password": settings.password.get_secret_value()}


def second_desk(folder: Path, provider: MailServer) -> Any:
    """Another desk on the same database, in this process."""
    return running_server(
        folder,
        lambda means: [MailConnector(mail_settings(provider), means)],
        bot=ShopBot(),
        lease_seconds=SECONDS,
    )


async def said_by_ann(server: Server) -> list[str]:
    transcript = await server.desk.transcript(Address("email", "default", ANN), limit=500)
    return [message.text for message in transcript if message.author is Author.CONTACT]


async def all_stored(server: Server, count: int) -> Counter[str]:
    """What Ann said, as soon as so much of it is stored."""
    async with asyncio.timeout(60):
        while len(said := await said_by_ann(server)) < count:  # noqa: ASYNC110  # another process stores it
            await asyncio.sleep(0.05)
    return Counter(said)


def freeze(process: asyncio.subprocess.Process, folder: Path) -> None:
    """Stop a process where it holds no lock of SQLite's, with which it would stop everybody."""
    for _ in range(20):
        process.send_signal(signal.SIGSTOP)
        with sqlite3.connect(folder / "desk.db", timeout=0.3, isolation_level=None) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                process.send_signal(signal.SIGCONT)
                time.sleep(0.05)
            else:
                connection.execute("ROLLBACK")
                return
    raise AssertionError("the process always holds a lock")


@pytest.mark.parametrize("dies", [True, False], ids=["killed", "frozen"])
async def test_when_the_owner_of_a_mailbox_dies_or_freezes_the_other_desk_reads_on_and_no_mail_is_doubled(
    provider: MailServer, tmp_path: Path, dies: bool
) -> None:
    numbers = [f"question {number}" for number in range(12)]
    async with desk_process(tmp_path, entry_of(provider), SECONDS) as first:
        await held(tmp_path, "email/default")
        async with second_desk(tmp_path, provider) as server:
            for text in numbers[:6]:
                await provider.write(ANN, mail(ANN, "", text))
            if dies:
                await all_stored(server, 1)
                first.kill()  # in the middle of its work
            else:
                await provider.answer_to(ANN, 6)
                freeze(first, tmp_path)
            assert not server.connectors[0].runs_here()
            for text in numbers[6:]:
                await provider.write(ANN, mail(ANN, "", text))
            await all_stored(server, 12)
            assert server.connectors[0].runs_here()
            if not dies:
                first.send_signal(signal.SIGCONT)  # it wakes up and believes for a moment that nothing happened
            await provider.write(ANN, mail(ANN, "", "the last one"))
            await all_stored(server, 13)
            await provider.until(lambda: all(flags for flags, _ in provider.dovecot.mails(DESK)))
            said = await all_stored(server, 13)
    assert said == Counter([*numbers, "the last one"])


async def test_what_only_the_holder_of_a_broker_can_send_is_left_to_it_and_follows_it(tmp_path: Path) -> None:
    """Also when the turn was taken by a process that has no connection to the broker."""
    async with running(tmp_path / "broker", free_port()) as broker, Device("ann", broker.port).online() as ann:

        def made(means: Means) -> list[MqttConnector]:
            return [MqttConnector(mqtt_settings(broker.port), means)]

        def connected(server: Server) -> bool:
            [connector] = server.connectors
            assert isinstance(connector, MqttConnector)
            assert connector.listening.is_set() <= connector.runs_here()
            return connector.listening.is_set()

        async with running_server(tmp_path, made, lease_seconds=SECONDS) as waiting:
            await broker.until(lambda: connected(waiting))
            async with running_server(tmp_path, made, lease_seconds=SECONDS) as other:
                for number in range(6):  # either process takes the turn
                    assert await ann.says(f"hello {number}") == 0
                    await ann.saying(f"you said hello {number}")
                assert connected(waiting)
                assert not connected(other)
                assert await other.outbox.dead_letters() == []
        async with running_server(tmp_path, made, lease_seconds=SECONDS):
            assert await ann.says("still there?") == 0
            await ann.saying("you said still there?")
        assert "session taken over" not in broker.log


async def test_only_one_process_asks_telegram_for_updates_and_the_next_one_follows(tmp_path: Path) -> None:
    async with TelegramDouble().running() as telegram:
        entry = {"channel": "telegram", "account": "shop", "token": TOKEN, "api_base": telegram.url, "polling": True}

        def made(means: Means) -> list[TelegramConnector]:
            return [TelegramConnector(TelegramConnector.Settings.model_validate(entry), means)]

        ann = telegram.updates.person(42)
        async with running_server(tmp_path, made, lease_seconds=SECONDS) as second:
            async with running_server(tmp_path, made, lease_seconds=SECONDS):
                for text in ("one", "two"):
                    telegram.updates.says(ann, text)
                    await telegram.saying(f"you said {text}")
                assert telegram.conflicts == 0
            telegram.updates.says(ann, "three")
            await telegram.saying("you said three")
            transcript = await second.desk.transcript(Address("telegram", "shop", "42"))
        said = [message.text for message in transcript if message.author is Author.CONTACT]
        assert said == ["one", "two", "three"]
