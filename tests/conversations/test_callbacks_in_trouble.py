"""A shop that hangs or refuses callback tickets holds up neither the housekeeping nor the tickets of others."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from conversations.model import Conversation
from conversations.queue_store import QueueStore
from tests.conversations.builders import TestDesk


async def test_tickets_that_hang_are_waited_for_together(desk: TestDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.open = False
    for number in range(4):
        await desk.queued("a person please", f"visitor-{number}")
    at_once: list[int] = []
    waiting = 0

    async def hangs(*_: object) -> None:
        nonlocal waiting
        waiting += 1
        at_once.append(waiting)
        try:
            await asyncio.sleep(60)
        finally:
            waiting -= 1

    monkeypatch.setattr("conversations.callback_verbs._FILING_SECONDS", 0.3)
    desk.conversations.surroundings = replace(desk.conversations.surroundings, file_callback=hangs)
    assert await desk.conversations.file_callbacks() == 0
    assert max(at_once) == 4


async def test_twenty_tickets_that_always_fail_keep_nobody_else_from_being_filed(desk: TestDesk) -> None:
    desk.open = False
    for number in range(20):
        await desk.queued("a person please", f"visitor-{number}")
    async with desk.database.read() as connection:
        bad = {one.id for one in await QueueStore(connection).callbacks_due(100)}
    works = desk.conversations.surroundings.file_callback
    assert works is not None

    async def refuses(conversation: Conversation, ticket: str, words: str) -> None:
        if conversation.id in bad:
            raise LookupError("the shop knows no such ticket any more")
        await works(conversation, ticket, words)

    desk.conversations.surroundings = replace(desk.conversations.surroundings, file_callback=refuses)
    desk.clock.advance(60)
    await desk.queued("a person please", "newest")
    filed = 0
    for _ in range(200):  # drawn anew each time: that it is never drawn does not happen
        desk.clock.advance(60)
        filed += await desk.conversations.file_callbacks()
        if filed:
            break
    assert filed == 1
