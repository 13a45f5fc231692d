"""What the tests of WeChat and WeCom share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from conversations.errors import NotFound
from conversations.model import Attachment, Author, MessageKind, OutboundMessage, utc_now
from tests.connectors.desk import Server

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


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
    kind = more.pop("kind", MessageKind.TEXT)
    return OutboundMessage(outbox_id, "c" * 32, 1, Author.BOT, kind, words, utc_now(), **more)


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
