"""What was said is delivered in order, with patience, and never silently lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from conversations.delivery_store import Delivery, DeliveryStore
from conversations.errors import (
    ChannelUnavailable,
    ContactUnreachable,
    DeliveryUnknown,
    MessageRejected,
    RateLimited,
)
from conversations.model import Address, OutboundMessage
from conversations.outbox import MAX_ATTEMPTS, Outbox
from conversations.tables import outbox as table
from tests.conversations.builders import TestDesk, address, says, until


@dataclass
class Channel:
    """A channel that does what the test says for each attempt, and keeps what arrived."""

    arrived: list[tuple[str, str]] = field(default_factory=list)
    attempts: int = 0
    trouble: Callable[[Address, OutboundMessage, int], Exception | None] = lambda _to, _message, _attempt: None
    gate: asyncio.Event | None = None

    async def deliver(self, to: Address, message: OutboundMessage) -> str:
        self.attempts += 1
        if self.gate is not None:
            await self.gate.wait()
        trouble = self.trouble(to, message, self.attempts)
        if trouble is not None:
            raise trouble
        self.arrived.append((to.contact, message.text))
        return f"sent-{self.attempts}"


@pytest.fixture
def channel() -> Channel:
    return Channel()


@pytest.fixture
async def outbox(desk: TestDesk, channel: Channel) -> AsyncIterator[Outbox]:
    outbox = Outbox(desk.conversations, channel.deliver, poll_seconds=0.02, jitter=lambda: 1.0, drain_seconds=0.2)
    await outbox.start()
    yield outbox
    await outbox.stop()


async def states(desk: TestDesk) -> list[str]:
    async with desk.database.read() as connection:
        return list((await connection.execute(select(table.c.state).order_by(table.c.ordinal))).scalars())


async def settled(desk: TestDesk, expected: list[str], *, advance: float = 0.0) -> None:
    async def there() -> bool:
        desk.clock.advance(advance)
        return await states(desk) == expected

    await until(there)


async def bot_says(desk: TestDesk, *texts: str, contact: str = "visitor-1") -> str:
    conversation_id = ""
    for text in texts:
        conversation_id = (await desk.send("?", contact)).conversation_id
        await desk.answer(says(text))
    return conversation_id


async def test_replies_arrive_in_order(desk: TestDesk, outbox: Outbox, channel: Channel) -> None:
    await bot_says(desk, "one", "two", "three")
    await settled(desk, ["sent"] * 3)
    assert channel.arrived == [("visitor-1", "one"), ("visitor-1", "two"), ("visitor-1", "three")]


async def test_channels_that_read_for_themselves_have_no_outbox(desk: TestDesk, clock: object) -> None:
    quiet = TestDesk(desk.database, desk.clock, pushes=lambda to: to.channel != "telegram")
    await bot_says(quiet, "one")
    assert await states(quiet) == []


async def test_an_unavailable_channel_is_tried_again_without_overtaking(
    desk: TestDesk, outbox: Outbox, channel: Channel
) -> None:
    channel.trouble = lambda _to, _message, attempt: ChannelUnavailable("502") if attempt <= 3 else None
    await bot_says(desk, "one", "two")
    await settled(desk, ["sent", "sent"], advance=2)
    assert [text for _, text in channel.arrived] == ["one", "two"]


async def test_one_contacts_trouble_does_not_delay_another(desk: TestDesk, outbox: Outbox, channel: Channel) -> None:
    channel.trouble = lambda to, _message, _attempt: ChannelUnavailable("502") if to.contact == "blocked" else None
    await bot_says(desk, "to the blocked", contact="blocked")
    await bot_says(desk, "to the other", contact="other")
    await settled(desk, ["pending", "sent"])
    assert channel.arrived == [("other", "to the other")]


async def test_a_rate_limit_waits_as_long_as_the_channel_asks_and_is_no_failure(
    desk: TestDesk, outbox: Outbox, channel: Channel
) -> None:
    channel.trouble = lambda _to, _message, attempt: RateLimited(40) if attempt <= MAX_ATTEMPTS + 2 else None
    await bot_says(desk, "one")

    async def limited() -> bool:
        return channel.attempts == 1 and await states(desk) == ["pending"]

    await until(limited)
    desk.clock.advance(30)
    await asyncio.sleep(0.1)
    assert channel.attempts == 1
    await settled(desk, ["sent"], advance=41)


@pytest.mark.parametrize("error", [MessageRejected("too long"), ContactUnreachable("blocked us")])
async def test_a_permanent_failure_is_dead_at_once_and_shown_in_the_transcript(
    desk: TestDesk, outbox: Outbox, channel: Channel, error: Exception
) -> None:
    channel.trouble = lambda _to, message, _attempt: error if message.text == "bad" else None
    conversation_id = await bot_says(desk, "bad", "good")
    await settled(desk, ["dead", "sent"])
    failed = {m.text: m.delivery_failed for m in await desk.conversations.messages(conversation_id)}
    assert (failed["bad"], failed["good"]) == (True, False)


async def test_after_ten_attempts_it_is_dead_and_can_be_replayed(
    desk: TestDesk, outbox: Outbox, channel: Channel
) -> None:
    channel.trouble = lambda _to, _message, attempt: ChannelUnavailable("502") if attempt <= MAX_ATTEMPTS else None
    conversation_id = await bot_says(desk, "one")
    await settled(desk, ["dead"], advance=400)
    assert channel.attempts == MAX_ATTEMPTS
    [(outbox_id, state, to, error)] = await outbox.dead_letters()
    assert (state, to, error) == ("dead", str(address()), "502")
    assert await outbox.replay(outbox_id)
    await settled(desk, ["sent"])
    assert not (await desk.last(conversation_id)).delivery_failed
    assert not await outbox.replay(outbox_id)


async def test_after_a_day_it_is_dead(desk: TestDesk, outbox: Outbox, channel: Channel) -> None:
    channel.trouble = lambda _to, _message, _attempt: ChannelUnavailable("502")
    await bot_says(desk, "one")
    await settled(desk, ["dead"], advance=90_000)
    assert channel.attempts < MAX_ATTEMPTS


async def test_an_unknown_outcome_is_tried_once_more_only(desk: TestDesk, outbox: Outbox, channel: Channel) -> None:
    """F24: what may have arrived is marked as such, tried once more, and then shown as ``unknown``."""
    channel.trouble = lambda _to, _message, _attempt: DeliveryUnknown("no answer")
    await bot_says(desk, "one")

    async def marked() -> bool:
        async with desk.database.read() as connection:
            row = (await connection.execute(select(table.c.state, table.c.attempts, table.c.doubts))).one()
        return tuple(row) == ("pending", 1, 1)

    await until(marked)
    await settled(desk, ["unknown"], advance=5)
    assert channel.attempts == 2
    assert [(state, error) for _, state, _, error in await outbox.dead_letters()] == [("unknown", "no answer")]


async def test_a_sender_that_died_counts_as_an_unknown_outcome(desk: TestDesk, channel: Channel) -> None:
    await bot_says(desk, "one", "two")
    for _ in range(2):  # two processes die while sending
        channel.gate = asyncio.Event()
        dying = Outbox(desk.conversations, channel.deliver, poll_seconds=0.02, drain_seconds=0.0)
        await dying.start()

        async def sending() -> bool:
            return await states(desk) == ["sending", "pending"]

        await until(sending)
        before = channel.attempts

        async def tried(before: int = before) -> bool:
            return channel.attempts >= max(before, 1)

        await until(tried)
        await dying.stop()
        desk.clock.advance(61)
    channel.gate = None
    alive = Outbox(desk.conversations, channel.deliver, poll_seconds=0.02)
    await alive.start()
    await settled(desk, ["unknown", "sent"])
    assert [text for _, text in channel.arrived] == ["two"]
    await alive.stop()


async def test_two_processes_send_each_message_once(desk: TestDesk, outbox: Outbox, channel: Channel) -> None:
    second = Outbox(desk.conversations, channel.deliver, poll_seconds=0.02)
    await second.start()
    for number in range(8):
        await bot_says(desk, "one", "two", contact=f"visitor {number}")
    await settled(desk, ["sent"] * 16)
    await second.stop()
    assert len(channel.arrived) == len(set(channel.arrived)) == 16


async def test_what_was_sent_while_the_database_went_away_is_noted_and_not_sent_again(
    desk: TestDesk, outbox: Outbox, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F22: the channel has it, and the database is not there to hear so."""
    really, away = DeliveryStore.settle_delivery, [True]

    async def settle(self: DeliveryStore, delivery: Delivery, state: str, **values: Any) -> bool:
        if away:
            away.pop()
            raise OperationalError("", {}, Exception("the database is away"))
        return await really(self, delivery, state, **values)

    monkeypatch.setattr(DeliveryStore, "settle_delivery", settle)
    await bot_says(desk, "hello")
    await settled(desk, ["sent"])
    assert channel.arrived == [("visitor-1", "hello")]
