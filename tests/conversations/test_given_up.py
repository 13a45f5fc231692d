"""The server cancels a request whose client has gone, wherever it is; what was stored is told to everybody all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from conversations.change import STAFF
from conversations.store import Database
from conversations.turns import Claim
from tests.conversations.builders import LIN, TestDesk, address

_STEPS = 400


class Taker:
    """An engine with one free place, which notes what became of it."""

    pressed = False

    def __init__(self) -> None:
        self.taken: list[Claim | None] = []

    def reserve(self) -> bool:
        return True

    def take(self, claim: Claim | None) -> None:
        self.taken.append(claim)

    def stored(self, seconds: float) -> None:
        pass


async def given_up(work: Awaitable[Any], steps: int) -> bool:
    """Cancel work after some steps; False when it was done by then."""
    running = asyncio.ensure_future(work)
    for _ in range(steps):
        if running.done():
            break
        await asyncio.sleep(0 if steps < _STEPS // 4 else 0.0001)
    early = running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return early


async def each_step(desk: TestDesk, once: Callable[[int], Awaitable[bool]]) -> int:
    """Give up after no step, after one, and so on until nothing is left to give up; how many steps that took."""
    for steps in range(_STEPS):
        if not await once(steps):
            return steps
    pytest.fail("the work never ends")


async def told(desk: TestDesk, work: Callable[[], Awaitable[Any]], steps: int) -> tuple[bool, list[str]]:
    """Whether the work was given up, and the texts that consoles were shown."""
    async with desk.hub.subscribe(STAFF) as events:
        early = await given_up(work(), steps)
        await desk.database.close()  # which waits for what is carried out in the background
        await desk.hub.publish(STAFF, {"type": "end"})
        texts = []
        async for event in events:
            if event["type"] == "end":
                return early, texts
            if event["type"] == "message":
                texts.append(event["message"]["text"])
    raise AssertionError


async def test_whoever_hangs_up_while_their_message_is_stored_is_heard_and_answered(desk: TestDesk) -> None:
    stored = unheard = 0

    async def once(steps: int) -> bool:
        nonlocal stored, unheard
        taker = desk.conversations.turn_taker = Taker()
        contact, text = f"visitor-{steps}", f"bye {steps}"
        early, texts = await told(desk, lambda: desk.send(text, contact), steps)
        assert len(taker.taken) == (1 if steps else len(taker.taken)), "the place is used once, or given back once"
        desk.conversations.turn_taker = None
        conversation = await desk.conversations.find_current(address(contact))
        if conversation is None:
            assert texts == []
            assert taker.taken in ([], [None])
            unheard += 1
            return early
        stored += early
        assert texts == [text], f"stored, and not told, after {steps} steps"
        assert [claim.message.text for claim in taker.taken if claim is not None] == [text]
        return early

    assert await each_step(desk, once) > 5
    assert unheard, "none was given up before it was stored"
    if desk.database.is_sqlite:  # elsewhere the moment of the commit is short; see below
        assert stored, "none was given up after it was stored"


async def test_a_reply_whose_agent_goes_during_the_commit_is_shown_and_sent(
    desk: TestDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation_id = await desk.assigned(LIN)
    woken: list[None] = []
    desk.conversations.on_outbound = lambda: woken.append(None)
    name = "_close" if desk.database.is_sqlite else "_commit"
    committing = getattr(desk.database, name)

    async def reply() -> None:
        running = asyncio.current_task()
        assert running is not None

        async def commit(*of: Any) -> None:
            running.cancel()
            await committing(*of)

        monkeypatch.setattr(desk.database, name, commit)
        await desk.conversations.reply_as_agent(conversation_id, LIN, "on its way")

    early, texts = await told(desk, reply, 10_000)
    assert not early
    assert (await desk.said(conversation_id))[-1] == "on its way"
    assert texts == ["on its way"]
    assert woken, "it is sent at once"


async def test_nothing_is_told_of_what_a_full_disk_undid(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL refuses the commit itself")
    news: list[str] = []

    async def tell() -> None:
        news.append("told")

    def broken(_connection: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("conversations.store._check_open", broken)

    async def write() -> None:
        async with database.write(news=tell):
            pass

    for steps in range(30):
        await given_up(write(), steps)
    with pytest.raises(OSError, match="no space"):
        await write()
    assert news == []
