"""The MQTT channel of the tests: an account without a desk, a desk with it, and an inbox that only stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.base import Means
from connectors.channels import Channels
from connectors.door import Door
from connectors.mqtt import MqttConnector, MqttSettings
from conversations.attachments import Attachments
from conversations.audit import AuditLog
from conversations.hub import LocalHub
from conversations.model import Address, Author, Message, utc_now
from tests.blank_database import blank_database
from tests.connectors.desk import Desk, Responds, Server, running_server
from tests.connectors.dingtalk_desk import Shelf
from tests.connectors.shop_bot import ShopBot
from tests.doubles.mosquitto import PASSWORDS


def settings(port: int = 9, **more: Any) -> MqttSettings:
    values = {
        "channel": "mqtt",
        "account": "shop",
        "host": "127.0.0.1",
        "port": port,
        "tls": False,
        "username": "frontdesk",
        "password": PASSWORDS["frontdesk"],
    }
    return MqttSettings.model_validate(values | more)


def account(port: int = 9, shelf: Shelf | None = None, **more: Any) -> MqttConnector:
    return MqttConnector(settings(port, **more), Means("https://desk.example", shelf or Shelf(), utc_now))


@asynccontextmanager
async def desk_with_broker(folder: Path, port: int, bot: Responds | None = None, **more: Any) -> AsyncIterator[Server]:
    """The desk with one broker; the connection is up."""

    def made(means: Means) -> list[MqttConnector]:
        return [MqttConnector(settings(port, **more), means)]

    async with running_server(folder, made, bot=bot or ShopBot()) as server:
        [connector] = server.connectors
        assert isinstance(connector, MqttConnector)
        await connector.listening.wait()
        yield server


@dataclass
class Shop:
    """An inbox with a connection to the broker, and nobody who answers."""

    desk: Desk
    connector: MqttConnector

    async def said(self, contact: str = "ann") -> list[Message]:
        transcript = await self.desk.transcript(Address("mqtt", "shop", contact), limit=2_000)
        return [message for message in transcript if message.author is Author.CONTACT]


@asynccontextmanager
async def inbox(folder: Path, port: int, **more: Any) -> AsyncIterator[Shop]:
    """The account with the desk's door and database; messages are stored, and that is all."""
    database = await blank_database(folder)
    hub = LocalHub()
    desk = Desk(database, hub, AuditLog(bytes(32)))
    attachments = Attachments(database, folder / "files", b"secret of the tests")
    connector = MqttConnector(settings(port, **more), Means("https://desk.example", attachments, utc_now))
    channels = Channels([connector], Door(desk, attachments), first_pause_seconds=0.05)
    await channels.start()
    try:
        yield Shop(desk, connector)
    finally:
        await channels.stop()
        await channels.close()
        await hub.close()
        await database.close()
