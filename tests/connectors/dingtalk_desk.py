"""A DingTalk robot of the tests: its settings, a connector without a desk, and a desk with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from connectors.base import Means
from connectors.dingtalk import DingTalkConnector, DingTalkSettings
from conversations.errors import NotFound
from conversations.model import Attachment, Author, Button, Citation, MessageKind, OutboundMessage, utc_now
from tests.connectors.desk import Server, running_server
from tests.connectors.shop_bot import ShopBot
from tests.doubles.dingtalk import DingTalk
from tests.doubles.dingtalk_api import CLIENT_ID, CLIENT_SECRET


class Shelf:
    """The files of a desk that has none but those put here."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[Attachment, bytes]] = {}

    def put(self, name: str, media_type: str, content: bytes) -> Attachment:
        file = Attachment(f"file{len(self.kept)}", name, media_type, len(content))
        self.kept[file.id] = (file, content)
        return file

    async def content(self, attachment_id: str) -> tuple[Attachment, bytes]:
        if attachment_id not in self.kept:
            raise NotFound("there is no such file")
        return self.kept[attachment_id]

    async def save(self, owner: str, name: str, content: bytes) -> Attachment:
        return self.put(name, "image/png", content)


def settings(double: DingTalk, **more: Any) -> DingTalkSettings:
    values = {
        "channel": "dingtalk",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "api_base": double.api or "http://127.0.0.1:9",
        "media_base": double.api or "http://127.0.0.1:9",
    }
    return DingTalkSettings.model_validate(values | more)


def robot(double: DingTalk, shelf: Shelf | None = None, **more: Any) -> DingTalkConnector:
    means = Means("https://desk.example", shelf or Shelf(), lambda: double.now)
    return DingTalkConnector(settings(double, **more), means)


@asynccontextmanager
async def desk_with_robot(folder: Path, double: DingTalk, **more: Any) -> AsyncIterator[Server]:
    """The desk with one robot that is connected."""

    def made(means: Means) -> list[DingTalkConnector]:
        here = replace(means, now=lambda: double.now)
        return [DingTalkConnector(settings(double, **more), here)]

    async with running_server(folder, made, bot=ShopBot()) as server:
        if more.get("mode") != "http":
            await double.until(lambda: len(double.connections) == more.get("connections", 2))
        yield server


def outbound(text: str = "hello", *, author: Author = Author.BOT, **more: Any) -> OutboundMessage:
    values: dict[str, Any] = {"kind": MessageKind.TEXT, "outbox_id": "outbox-1"} | more
    return OutboundMessage(conversation_id="c" * 32, seq=1, author=author, text=text, created_at=utc_now(), **values)


def buttons(*titles: str) -> tuple[Button, ...]:
    return tuple(Button(f"b{place}", title) for place, title in enumerate(titles))


def citation(title: str = "Returns", url: str = "/articles/returns") -> Citation:
    return Citation("p", "a", title, "quote", url)
