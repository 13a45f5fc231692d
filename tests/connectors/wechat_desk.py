"""What the tests of WeChat and WeCom share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import text

from connectors.base import Connector, Means
from connectors.wechat import WechatConnector, WechatSettings
from connectors.wecom import WecomSettings
from conversations.errors import NotFound
from conversations.model import Attachment, Author, MessageKind, OutboundMessage, utc_now
from conversations.turn_model import TurnRequest, TurnResult
from tests.connectors.desk import Server, running_server
from tests.connectors.shop_bot import ShopBot
from tests.doubles.wechat import AES_KEY, APP_ID, SECRET, TOKEN, WechatDouble
from tests.doubles.wechat_vendor import Clock
from tests.doubles.wecom import AGENT_ID, CORP_ID, WecomDouble

ANN = "o-ann"


class Shelf:
    """Files by their id."""

    def __init__(self, **files: tuple[Attachment, bytes]) -> None:
        self.files = files

    async def content(self, attachment_id: str) -> tuple[Attachment, bytes]:
        if attachment_id not in self.files:
            raise NotFound("there is no such file")
        return self.files[attachment_id]

    async def save(self, owner: str, name: str, content: bytes) -> Attachment:
        raise AssertionError


def outbound(words: str = "hello", outbox_id: str = "outbox-1", **more: Any) -> OutboundMessage:
    kind, author = more.pop("kind", MessageKind.TEXT), more.pop("author", Author.BOT)
    return OutboundMessage(outbox_id, "c" * 32, 1, author, kind, words, utc_now(), **more)


async def until(happened: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait for what must happen."""
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110  # what is waited for happens in another program
            await asyncio.sleep(0.01)


async def rows(server: Server, query: str) -> list[Any]:
    async with server.desk.database.read() as connection:
        return [row[0] for row in await connection.execute(text(query))]


async def states(server: Server) -> list[str]:
    """How far each message of the outbox is."""
    return await rows(server, "select state from outbox order by ordinal")


async def until_settled(server: Server, count: int, seconds: float = 10.0) -> list[str]:
    """The states once so many messages are settled."""
    async with asyncio.timeout(seconds):
        while True:
            now = await states(server)
            if len(now) >= count and not {"pending", "sending"} & set(now):
                return now
            await asyncio.sleep(0.02)


def settings(double: WechatDouble, **more: Any) -> WechatSettings:
    given = {
        "channel": "wechat",
        "token": TOKEN,
        "app_id": APP_ID,
        "app_secret": SECRET,
        "encoding_aes_key": AES_KEY if double.crypto is not None else None,
        "insecure_plaintext": double.crypto is None,
        "passive_seconds": 3.0,  # long enough for a busy machine; tests of late replies shorten it
        "api_url": double.url,
        **more,
    }
    return WechatSettings.model_validate(given)


@asynccontextmanager
async def account(
    folder: Path,
    *,
    encrypted: bool = True,
    bot: ShopBot | None = None,
    made: list[Connector] | None = None,
    **more: Any,
) -> AsyncIterator[tuple[WechatDouble, Server]]:
    double = WechatDouble(Clock(), encrypted=encrypted)

    def make(means: Means) -> list[Connector]:
        connectors: list[Connector] = [] if made is None else made
        connectors.append(WechatConnector(settings(double, **more), replace(means, now=double.clock)))
        return connectors

    async with double.running(), running_server(folder, make, bot=bot or ShopBot()) as server:
        double.webhook = f"{server.url}/webhooks/wechat/default"
        yield double, server


class PatientBot(ShopBot):
    """Answers when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    async def respond(self, request: TurnRequest) -> TurnResult:
        await self.gate.wait()
        return await super().respond(request)


def wecom_settings(double: WecomDouble, **more: Any) -> WecomSettings:
    given = {
        "channel": "wecom",
        "corp_id": CORP_ID,
        "agent_id": AGENT_ID,
        "secret": SECRET,
        "token": TOKEN,
        "encoding_aes_key": AES_KEY,
        "api_url": double.url,
    }
    return WecomSettings.model_validate({**given, **more})
