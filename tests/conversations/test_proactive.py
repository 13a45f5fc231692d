"""What nobody asked for is told once, while it is of use, and not more than anybody wants."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from conversations.delivery_store import DeliveryStore
from conversations.errors import (
    ChannelUnavailable,
    DeliveryUnknown,
    IdempotencyConflict,
    InvalidMessage,
    NotFound,
)
from conversations.model import Author, MessageKind
from conversations.outbox import _outbound
from conversations.proactive_aiming import Account
from tests.conversations.builders import LIN, TestDesk
from tests.conversations.telling import SHIPPED, Telling, known

DAY = timedelta(hours=24)
TEXT = "Your order KT20260301 is on its way. It's travelling with SF. Tracking number: SF100200300."


@pytest.fixture
def telling(desk: TestDesk) -> Telling:
    return Telling(desk)


async def test_an_order_is_told_where_its_customer_proved_who_they_are(telling: Telling) -> None:
    conversation_id = await known(telling)
    await telling.proves(conversation_id, "C-1")
    told = await telling.shipped(customer="C-1")
    await telling.go_on()
    assert await telling.state(told) == ("sent", None)
    [(address, way, text)] = telling.channels.told
    assert (address, way) == ("telegram:default:visitor-1", "free")
    assert text.startswith(TEXT)
    last = await telling.desk.last(conversation_id)
    assert (last.author, last.kind, last.text) == (Author.SYSTEM, MessageKind.TEXT, text)


async def test_an_order_is_not_told_where_an_agent_only_thinks_who_it_is(telling: Telling) -> None:
    conversation_id = await known(telling)
    await telling.conversations.link_customer(await telling.contact_of(conversation_id), LIN, "C-1")
    told = await telling.shipped(customer="C-1")
    await telling.go_on()
    assert await telling.state(told) == ("not_sent", "no_address")
    assert telling.channels.told == []


async def test_an_orders_customer_is_asked_of_the_shop(telling: Telling) -> None:
    await telling.proves(await known(telling), "C-1")
    telling.accounts["C-1"], telling.orders["KT20260301"] = Account("C-1", None, "en"), "C-1"
    told, _ = await telling.proactive.tell("shop", "k", "order_shipped", {"order": "KT20260301"}, {})
    stranger, _ = await telling.proactive.tell("shop", "l", "order_shipped", {"order": "KT1"}, {})
    await telling.go_on()
    assert await telling.state(told) == ("sent", None)
    assert await telling.state(stranger) == ("not_sent", "unknown_order")


async def test_a_shop_that_does_not_answer_is_asked_again(telling: Telling) -> None:
    await telling.proves(await known(telling), "C-1")
    telling.accounts["C-1"] = Account("C-1", None, "en")
    telling.shop_answers = False
    told = await telling.shipped(customer="C-1")
    await telling.go_on()
    assert await telling.state(told) == ("waiting", "shop_silent")
    telling.shop_answers = True
    telling.desk.clock.advance(130)
    await telling.go_on()
    assert await telling.state(told) == ("sent", None)


async def test_the_same_event_twice_is_told_once_and_another_with_its_key_is_refused(telling: Telling) -> None:
    await telling.proves(await known(telling), "C-1")
    first = await telling.shipped(customer="C-1")
    await telling.go_on()
    again, duplicate = await telling.proactive.tell("shop", "ship-1", "order_shipped", {"customer": "C-1"}, SHIPPED)
    await telling.go_on()
    assert (again.id, duplicate, again.state) == (first.id, True, "sent")
    assert len(telling.channels.told) == 1
    with pytest.raises(IdempotencyConflict):
        await telling.proactive.tell("shop", "ship-1", "order_shipped", {"customer": "C-2"}, SHIPPED)
    _, duplicate = await telling.proactive.tell("other", "ship-1", "order_shipped", {"customer": "C-2"}, SHIPPED)
    assert not duplicate, "another program may choose the same key"


async def test_twenty_equal_events_at_once_and_three_processes_tell_once(telling: Telling) -> None:
    await telling.proves(await known(telling), "C-1")
    others = [Telling(telling.desk) for _ in range(2)]
    for one in others:
        one.channels = telling.channels
        one.sender._ways = telling.channels
    told = await asyncio.gather(*(telling.shipped(customer="C-1") for _ in range(20)))
    assert len({one.id for one in told}) == 1
    await asyncio.gather(*(one.sender.work() for one in (telling, *others)))
    await telling.go_on()
    assert len(telling.channels.told) == 1


async def test_what_is_too_old_is_not_told(telling: Telling) -> None:
    await telling.proves(await known(telling), "C-1")
    telling.open = False
    told = await telling.shipped(customer="C-1")
    await telling.go_on()
    assert await telling.state(told) == ("waiting", "quiet_hours")
    telling.desk.clock.advance(73 * 3600)
    telling.open = True
    await telling.go_on()
    assert await telling.state(told) == ("not_sent", "expired")
    assert telling.channels.told == []


async def test_what_waits_in_the_outbox_until_it_is_too_old_does_not_go_out(telling: Telling) -> None:
    await telling.proves(await known(telling), "C-1")
    told, _ = await telling.proactive.tell(
        "shop", "k", "order_shipped", {"customer": "C-1"}, SHIPPED, timedelta(hours=1)
    )
    telling.channels.fails = [ChannelUnavailable("down")]
    await telling.go_on(1)
    telling.desk.clock.advance(3700)
    await telling.go_on()
    assert await telling.state(told) == ("not_sent", "expired")
    assert telling.channels.told == []


async def test_nobody_is_disturbed_out_of_hours(telling: Telling) -> None:
    await telling.proves(await known(telling), "C-1")
    telling.open = False
    told = await telling.shipped(customer="C-1")
    await telling.go_on()
    assert telling.channels.told == []
    telling.open = True
    telling.desk.clock.advance(9 * 3600 + 10)
    await telling.go_on()
    assert await telling.state(told) == ("sent", None)


async def test_a_contact_is_told_so_much_a_day_and_the_rest_when_there_is_room(
    telling: Telling, desk: TestDesk
) -> None:
    telling = Telling(desk, per_day=2)
    await telling.proves(await known(telling), "C-1")
    events = [await telling.shipped(f"ship-{n}", customer="C-1") for n in range(4)]
    await telling.go_on()
    assert [await telling.state(one) for one in events] == [("sent", None)] * 2 + [("waiting", "too_many")] * 2
    telling.desk.clock.advance(24 * 3600 + 60)
    await telling.go_on()
    assert [(await telling.state(one))[0] for one in events] == ["sent"] * 4


class TestOnce:
    async def test_a_send_whose_end_nobody_saw_is_not_repeated(self, telling: Telling) -> None:
        await telling.proves(await known(telling, "old", "slack"), "C-1")
        await telling.proves(await known(telling), "C-1")
        await telling.go_on(1)
        telling.channels.fails = [DeliveryUnknown("cut off")]
        told = await telling.shipped(customer="C-1")
        await telling.go_on()
        telling.desk.clock.advance(60)
        await telling.go_on()
        assert await telling.state(told) == ("unknown", None)
        assert telling.channels.told == []

    async def test_a_process_that_dies_while_sending_does_not_send_twice(self, telling: Telling) -> None:
        await telling.proves(await known(telling), "C-1")
        told = await telling.shipped(customer="C-1")
        await telling.sender.work()
        now = telling.desk.clock()
        await telling.send_out()  # the greeting before it
        async with telling.desk.database.write() as connection:
            [delivery] = await DeliveryStore(connection).claim_deliveries(now, now + timedelta(seconds=60), 5)
        await telling.delivery.deliver(delivery.address, _outbound(delivery))  # and then the process dies
        telling.desk.clock.advance(120)
        await telling.go_on()
        assert len(telling.channels.told) == 1
        assert (await telling.state(told))[0] == "unknown"

    async def test_where_a_repeat_is_recognised_it_is_repeated(self, telling: Telling) -> None:
        telling.channels.fails = [DeliveryUnknown("no answer")]
        told, _ = await telling.proactive.tell("shop", "k", "order_shipped", {"email": "ann@example.com"}, SHIPPED)
        await telling.go_on(1)
        telling.desk.clock.advance(60)
        await telling.go_on()
        assert await telling.state(told) == ("sent", None)

    async def test_a_channel_that_is_down_is_tried_again(self, telling: Telling) -> None:
        await telling.proves(await known(telling), "C-1")
        await telling.go_on(1)
        telling.channels.fails = [ChannelUnavailable("503")]
        told = await telling.shipped(customer="C-1")
        await telling.go_on(1)
        telling.desk.clock.advance(60)
        await telling.go_on()
        assert await telling.state(told) == ("sent", None)
        assert len(telling.channels.told) == 1


class TestBadEvents:
    @pytest.mark.parametrize(
        ("kind", "to", "data", "named"),
        [
            ("order_lost", {"customer": "C-1"}, {}, "order_shipped"),
            ("order_shipped", {}, SHIPPED, "who is to be told"),
            ("order_shipped", {"customer": "C-1"}, {}, "data.order is missing"),
            ("order_shipped", {"customer": "C-1"}, {"order": "1", "colour": "red"}, "data.colour"),
            ("order_shipped", {"customer": "C-1"}, {"order": "x" * 501}, "longer than 500"),
            ("order_shipped", {"planet": "Mars"}, SHIPPED, "to.planet"),
        ],
    )
    async def test_say_what_to_do(
        self, telling: Telling, kind: str, to: dict[str, str], data: dict[str, str], named: str
    ) -> None:
        with pytest.raises(InvalidMessage, match=named):
            await telling.proactive.tell("shop", "k", kind, to, data)

    async def test_others_do_not_see_an_event(self, telling: Telling) -> None:
        told = await telling.shipped(customer="C-1")
        assert (await telling.proactive.find("shop", told.id)).id == told.id
        with pytest.raises(NotFound):
            await telling.proactive.find("other", told.id)
