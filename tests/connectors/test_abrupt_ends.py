"""Pages that are closed at any moment leave nothing behind in the service, and nothing that was stored goes untold."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import uuid

from sqlalchemy import select
from websockets.exceptions import WebSocketException

from conversations.change import STAFF
from conversations.hub import Subscription
from conversations.tables import messages
from tests.connectors.desk import Server

_PAGES = 150


async def _page(server: Server, moment: random.Random, number: int) -> None:
    """Say hello and write; the connection breaks off somewhere on the way."""
    with contextlib.suppress(WebSocketException, OSError):
        async with server.socket() as connection:
            await asyncio.sleep(moment.choice((0, 0.002)))
            await connection.send(json.dumps({"type": "hello", "language": "en"}))
            await asyncio.sleep(moment.choice((0, 0.001, 0.01)))
            for part in range(moment.randrange(3)):
                text = f"{number}.{part}"
                await connection.send(json.dumps({"type": "message", "client_msg_id": uuid.uuid4().hex, "text": text}))
            await asyncio.sleep(moment.random() * 0.03)
            connection.transport.abort()


async def _shown(events: Subscription) -> set[str]:
    shown = set()
    async for event in events:
        if event["type"] == "end":
            break
        if event["type"] == "message" and event["message"]["author"] == "contact":
            shown.add(event["message"]["id"])
    return shown


async def test_pages_that_break_off_anywhere_leave_nothing_behind(server: Server) -> None:
    moment = random.Random(20261130)
    async with server.hub.subscribe(STAFF) as events:
        listening = asyncio.create_task(_shown(events))
        for first in range(0, _PAGES, 10):
            await asyncio.gather(*(_page(server, moment, number) for number in range(first, first + 10)))
        async with asyncio.timeout(20):
            while [topic for topic in server.hub._topics if topic != STAFF]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            while [one for one in asyncio.all_tasks() if one.get_name() == "webchat-writer"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await server.hub.publish(STAFF, {"type": "end"})
        shown = await listening
    stored = await _stored(server)
    assert len(stored) > _PAGES // 4
    assert stored == shown


async def _stored(server: Server) -> set[str]:
    """The ids of all messages of contacts."""
    async with server.desk.database.read() as connection:
        found = await connection.execute(select(messages.c.id).where(messages.c.author == "contact"))
        return set(found.scalars())
