"""A WhatsApp number and a Messenger page of the tests: connectors without a desk, and desks with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import text

from connectors.base import Connector, Means
from connectors.messenger import MessengerConnector, MessengerSettings
from connectors.whatsapp import WhatsappConnector, WhatsappSettings
from conversations.model import Address, Author, Message
from tests.connectors.desk import Server, running_server
from tests.connectors.dingtalk_desk import Shelf
from tests.connectors.shop_bot import ShopBot
from tests.doubles.messenger import PAGE, Messenger
from tests.doubles.meta import SECRET, TOKEN, VERIFY_TOKEN, Meta
from tests.doubles.whatsapp import NUMBER, Whatsapp


def shared(double: Meta) -> dict[str, Any]:
    return {
        "app_secret": SECRET,
        "verify_token": VERIFY_TOKEN,
        "access_token": TOKEN,
        "api_base": double.url or "http://127.0.0.1:9",
        "backoff_seconds": 0.01,
    }


def whatsapp_settings(double: Meta, **more: Any) -> WhatsappSettings:
    fast = {"pair_burst": 1000, "pair_seconds": 0.001}
    entry = {"channel": "whatsapp", "phone_number_id": NUMBER} | shared(double) | fast
    return WhatsappSettings.model_validate(entry | more)


def messenger_settings(double: Meta, **more: Any) -> MessengerSettings:
    entry = {"channel": "messenger", "page_id": PAGE, "burst": 1000} | shared(double)
    return MessengerSettings.model_validate(entry | more)


def number(double: Meta, shelf: Shelf | None = None, **more: Any) -> WhatsappConnector:
    means = Means("https://desk.example", shelf or Shelf(), lambda: double.now)
    return WhatsappConnector(whatsapp_settings(double, **more), means)


def page(double: Meta, shelf: Shelf | None = None, **more: Any) -> MessengerConnector:
    means = Means("https://desk.example", shelf or Shelf(), lambda: double.now)
    return MessengerConnector(messenger_settings(double, **more), means)


@asynccontextmanager
async def desk_of(folder: Path, double: Whatsapp | Messenger, **more: Any) -> AsyncIterator[tuple[Server, str]]:
    """The desk with one number or page, and the address of its webhook."""

    def made(means: Means) -> Sequence[Connector]:
        here = Means(means.public_url, means.files, lambda: double.now)
        if isinstance(double, Whatsapp):
            return [WhatsappConnector(whatsapp_settings(double, **more), here)]
        return [MessengerConnector(messenger_settings(double, **more), here)]

    async with running_server(folder, made, bot=ShopBot()) as server:
        yield server, f"{server.url}/webhooks/{server.connectors[0].channel}/default"


async def turns_of(server: Server, count: int) -> bool:
    """Whether there are exactly so many turns, once everything is worked off."""
    async with asyncio.timeout(30):
        while True:
            async with server.desk.database.read() as connection:
                query = "select (select count(*) from turns), (select count(*) from inbox where state <> 'done')"
                turns, waiting = (await connection.execute(text(query))).one()
            if waiting == 0:
                return bool(turns == count)
            await asyncio.sleep(0.05)


async def said_by_contact(server: Server, address: Address) -> list[Message]:
    return [one for one in await server.desk.transcript(address) if one.author is Author.CONTACT]
