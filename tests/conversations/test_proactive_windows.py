"""What nobody asked for goes where a channel lets it through: windows, templates, refusals, the next address."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from conversations.errors import (
    MessageRejected,
    WindowClosed,
)
from conversations.model import Address, InboundMessage, new_id
from conversations.proactive_aiming import Account
from conversations.tables import outbox
from tests.conversations.builders import TestDesk
from tests.conversations.telling import Telling, entries, known

DAY = timedelta(hours=24)
TEXT = "Your order KT20260301 is on its way. It's travelling with SF. Tracking number: SF100200300."


@pytest.fixture
def telling(desk: TestDesk) -> Telling:
    return Telling(desk)


class TestWindows:
    async def test_the_next_address_is_taken_where_the_window_of_the_first_is_closed(self, telling: Telling) -> None:
        telling.channels.windows["whatsapp"] = DAY
        await telling.proves(await known(telling, "old", "telegram"), "C-1")
        await telling.proves(await known(telling, "861380000", "whatsapp"), "C-1")
        first = await telling.shipped("a", customer="C-1")
        await telling.go_on()
        telling.desk.clock.advance(25 * 3600)
        second = await telling.shipped("b", customer="C-1")
        await telling.go_on()
        assert [one[:2] for one in telling.channels.told] == [
            ("whatsapp:default:861380000", "free"),
            ("telegram:default:old", "free"),
        ]
        assert [(await telling.state(one))[0] for one in (first, second)] == ["sent", "sent"]

    async def test_a_template_goes_before_another_address(self, telling: Telling) -> None:
        telling.channels.windows["whatsapp"], telling.channels.templates = DAY, {"whatsapp"}
        await telling.proves(await known(telling, "old", "telegram"), "C-1")
        await telling.proves(await known(telling, "861380000", "whatsapp"), "C-1")
        telling.desk.clock.advance(25 * 3600)
        told = await telling.shipped(customer="C-1")
        await telling.go_on()
        assert [one[:2] for one in telling.channels.told] == [("whatsapp:default:861380000", "template")]
        assert (await telling.find(told)).how == "template"

    async def test_stop_at_one_address_holds_back_what_waits_for_another_one(self, telling: Telling) -> None:
        telling.channels.windows["whatsapp"], telling.channels.templates = DAY, {"whatsapp"}
        telegram = await known(telling, "ann", "telegram")
        await telling.proves(telegram, "C-1")
        await telling.proves(await known(telling, "861380000", "whatsapp"), "C-1")
        told = await telling.shipped(customer="C-1")
        await telling.sender.work()  # it waits in the outbox now
        stop = InboundMessage(Address("telegram", "default", "ann"), new_id(), "STOP", language="en")
        await telling.conversations.receive(stop)
        await telling.go_on()
        assert telling.channels.told == []
        assert (await telling.find(told)).reason == "opted_out"

    async def test_the_shops_mail_address_comes_last(self, telling: Telling) -> None:
        telling.channels.windows["whatsapp"] = DAY
        await telling.proves(await known(telling, "861380000", "whatsapp"), "C-1")
        telling.accounts["C-1"] = Account("C-1", "ann@example.com", "en")
        telling.desk.clock.advance(25 * 3600)
        told = await telling.shipped(customer="C-1")
        await telling.go_on()
        assert [one[0] for one in telling.channels.told] == ["email:default:ann@example.com"]
        assert telling.channels.last_form["subject"] == "Your order KT20260301 is on its way"
        assert telling.channels.last_form["stop_url"].startswith("https://desk.example/unsubscribe/")
        assert await telling.state(told) == ("sent", None)

    async def test_with_no_way_open_the_reason_is_kept_for_staff(self, telling: Telling) -> None:
        telling.channels.windows["whatsapp"] = DAY
        conversation_id = await known(telling, "861380000", "whatsapp")
        await telling.proves(conversation_id, "C-1")
        telling.desk.clock.advance(25 * 3600)
        told = await telling.shipped(customer="C-1")
        await telling.go_on()
        assert await telling.state(told) == ("not_sent", "window_closed")
        found = await telling.proactive.preferences(await telling.contact_of(conversation_id))
        assert [(one.id, one.reason) for one in found.latest] == [(told.id, "window_closed")]
        [entry] = await entries(telling.desk, "proactive_not_sent")
        assert entry["data"]["reason"] == "window_closed"

    async def test_a_refusal_leads_to_the_next_address(self, telling: Telling) -> None:
        await telling.proves(await known(telling, "old", "telegram"), "C-1")
        await telling.proves(await known(telling, "new", "slack"), "C-1")
        telling.channels.fails = [MessageRejected("no")]
        told = await telling.shipped(customer="C-1")
        await telling.go_on()
        assert [one[0] for one in telling.channels.told] == ["telegram:default:old"]
        found = await telling.find(told)
        assert [(one["address"], one["reason"]) for one in found.tried] == [("slack:default:new", "refused")]

    async def test_a_window_that_was_closed_all_the_same_leads_to_the_template(self, telling: Telling) -> None:
        telling.channels.windows["whatsapp"], telling.channels.templates = DAY, {"whatsapp"}
        await telling.proves(await known(telling, "861380000", "whatsapp"), "C-1")
        telling.channels.fails = [WindowClosed("131047")]
        told = await telling.shipped(customer="C-1")
        await telling.go_on()
        assert [one[:2] for one in telling.channels.told] == [("whatsapp:default:861380000", "template")]
        assert (await telling.state(told))[0] == "sent"

    async def test_what_a_channel_takes_back_later_is_told_elsewhere(self, telling: Telling) -> None:
        await telling.proves(await known(telling, "old", "telegram"), "C-1")
        await telling.proves(await known(telling, "new", "whatsapp"), "C-1")
        told = await telling.shipped(customer="C-1")
        await telling.go_on()
        assert [one[0] for one in telling.channels.told] == ["whatsapp:default:new"]
        async with telling.desk.database.read() as connection:
            row = (
                await connection.execute(
                    select(outbox).where(outbox.c.channel == "whatsapp").order_by(outbox.c.ordinal.desc())
                )
            ).first()
        assert row is not None
        await telling.outbox.undelivered("whatsapp", "default", row.id, "131047")
        await telling.go_on()
        assert [one[0] for one in telling.channels.told] == ["whatsapp:default:new", "telegram:default:old"]
        assert (await telling.state(told))[0] == "sent"

    async def test_who_blocked_us_is_left_alone_there_until_they_write_again(self, telling: Telling) -> None:
        conversation_id = await known(telling)
        await telling.proves(conversation_id, "C-1")
        telling.channels.blocked = {"visitor-1"}
        first = await telling.shipped("a", customer="C-1")
        await telling.go_on()
        second = await telling.shipped("b", customer="C-1")
        await telling.go_on()
        assert (await telling.state(first))[0] == "not_sent"
        assert await telling.state(second) == ("not_sent", "unreachable")
        contact_id = await telling.contact_of(conversation_id)
        found = await telling.proactive.preferences(contact_id)
        assert found.unreachable == (Address("telegram", "default", "visitor-1"),)
        telling.channels.blocked = set()
        await telling.desk.send("back again")
        assert (await telling.proactive.preferences(contact_id)).unreachable == ()
        third = await telling.shipped("c", customer="C-1")
        await telling.go_on()
        assert (await telling.state(third))[0] == "sent"

    async def test_an_ordinary_answer_to_who_blocked_us_notes_it_too(self, telling: Telling) -> None:
        telling.channels.blocked = {"visitor-1"}
        conversation_id = await known(telling)
        await telling.go_on(1)
        found = await telling.proactive.preferences(await telling.contact_of(conversation_id))
        assert found.unreachable == (Address("telegram", "default", "visitor-1"),)
