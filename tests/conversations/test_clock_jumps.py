"""F49: the clock jumps forward and back, over midnight and over a change to summer time; nothing is said or sent twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from conversations.model import Address, Author, OutboundMessage
from conversations.outbox import Outbox
from tests.conversations.builders import TestDesk, echo, until

HOUR = 3600.0
JUMPS = {
    "an hour forward": [HOUR],
    "an hour back": [-HOUR],
    "there and back": [HOUR, -HOUR, HOUR, -HOUR],
    "into the next day": [14 * HOUR],
    "a second, again and again": [1.0, -1.0] * 6,
}


@pytest.mark.parametrize("jumps", JUMPS.values(), ids=JUMPS)
async def test_a_clock_that_jumps_doubles_and_loses_nothing(desk: TestDesk, jumps: list[float]) -> None:
    delivered: Counter[str] = Counter()
    order: list[str] = []

    async def deliver(_address: Address, message: OutboundMessage) -> str:
        delivered[message.outbox_id] += 1
        order.append(message.text)
        return message.outbox_id

    desk.bot.answer = echo
    engine, outbox = desk.engine(), Outbox(desk.conversations, deliver, poll_seconds=0.02)
    await engine.start()
    await outbox.start()
    sent = 0
    receipt = await desk.send(f"number {sent}")
    for jump in [0.0, *jumps, 0.0]:
        desk.clock.advance(jump)
        for _ in range(3):
            sent += 1
            receipt = await desk.send(f"number {sent}")

    async def everything_arrived() -> bool:
        return len(order) >= sent + 1

    await until(everything_arrived)
    await engine.stop()
    await outbox.stop()
    answers = [f"you said number {number}" for number in range(sent + 1)]
    assert order == answers
    assert set(delivered.values()) == {1}
    messages = await desk.conversations.messages(receipt.conversation_id, 0, 1000)
    assert [one.text for one in messages if one.author is Author.BOT] == answers
    times = [one.created_at for one in messages]
    assert times == sorted(times), "a transcript never goes back in time"


async def test_what_is_being_sent_while_the_clock_is_set_back_is_sent_once(desk: TestDesk) -> None:
    sent: list[str] = []
    let_go = asyncio.Event()

    async def deliver(_address: Address, message: OutboundMessage) -> str:
        sent.append(message.text)
        await let_go.wait()
        return message.outbox_id

    outbox = Outbox(desk.conversations, deliver, poll_seconds=0.01)
    await outbox.start()
    await desk.send("hello")
    await desk.answer()

    async def begun() -> bool:
        return bool(sent)

    await until(begun)
    desk.clock.advance(-HOUR)  # by this clock its lease was written long after now
    await desk.send("and what about you?", contact="visitor-2")
    await desk.answer()  # the outbox looks what is due

    async def looked() -> bool:
        return len(sent) > 1

    await until(looked)
    let_go.set()
    await outbox.stop()
    assert sent == ["fine", "fine"], "one to each of them"


async def test_the_night_of_the_change_to_summer_time_has_no_twin_hour(desk: TestDesk) -> None:
    """Times are kept in UTC, in which there is no such night."""
    london = ZoneInfo("Europe/London")
    before, after = (datetime(2026, 10, 25, 1, 30, tzinfo=london, fold=fold) for fold in (0, 1))
    desk.clock.advance((before - desk.clock()).total_seconds())
    first = await desk.send("first")
    desk.clock.advance((after - before.astimezone(ZoneInfo("UTC"))).total_seconds())
    await desk.send("second")
    await desk.answer()
    messages = await desk.conversations.messages(first.conversation_id)
    assert messages[0].text == "first"
    assert messages[1].text == "second"
    assert (messages[1].created_at - messages[0].created_at).total_seconds() >= HOUR
