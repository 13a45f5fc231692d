"""What nobody asked for is part of the conversation, and is forgotten with it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from conversations.model import Address, Author, InboundMessage, MessageKind, Status
from tests.conversations.builders import LIN, TestDesk, until
from tests.conversations.telling import SHIPPED, Telling, known

DAY = timedelta(hours=24)
TEXT = "Your order KT20260301 is on its way. It's travelling with SF. Tracking number: SF100200300."


@pytest.fixture
def telling(desk: TestDesk) -> Telling:
    return Telling(desk)


class TestConversation:
    async def test_a_conversation_is_opened_that_nobody_is_asked_to_rate(self, telling: Telling) -> None:
        told, _ = await telling.proactive.tell("shop", "k", "order_shipped", {"email": "ann@example.com"}, SHIPPED)
        await telling.go_on()
        conversation_id = (await telling.find(told)).conversation_id
        assert conversation_id is not None
        assert (await telling.desk.get(conversation_id)).status is Status.BOT
        telling.desk.clock.advance(4000)
        assert await telling.conversations.resolve_idle(3600) == 1
        kinds = [one.kind for one in await telling.conversations.messages(conversation_id)]
        assert kinds == [MessageKind.TEXT]

    async def test_the_bot_knows_what_was_told_in_the_next_turn_and_only_then(self, telling: Telling) -> None:
        await telling.proves(await known(telling), "C-1")
        await telling.shipped(customer="C-1")
        await telling.go_on()
        engine = telling.desk.engine()
        await engine.start()
        try:
            for text in ("where is it?", "thanks"):
                await telling.desk.send(text)

                async def answered(text: str = text) -> bool:
                    return any(one.text == text for one in telling.desk.bot.requests)

                await until(answered)
                await until(lambda: _idle(telling.desk))
        finally:
            await engine.stop()
        asked = {one.text: one.told for one in telling.desk.bot.requests}
        assert asked == {"where is it?": {"order_number": "KT20260301"}, "thanks": None}

    async def test_an_agents_conversation_goes_on(self, telling: Telling) -> None:
        conversation_id = await telling.desk.assigned()
        await telling.proves(conversation_id, "C-1")
        await telling.shipped(customer="C-1")
        await telling.go_on()
        conversation = await telling.desk.get(conversation_id)
        assert (conversation.status, conversation.agent_id) == (Status.ASSIGNED, LIN.id)
        assert (await telling.desk.last(conversation_id)).author is Author.SYSTEM
        assert len(telling.channels.told) == 1

    async def test_who_is_asked_for_a_rating_is_told_after_it(self, telling: Telling) -> None:
        conversation_id = await telling.desk.assigned()
        await telling.proves(conversation_id, "C-1")
        await telling.conversations.resolve(conversation_id, LIN)
        told = await telling.shipped(customer="C-1")
        await telling.go_on()
        assert await telling.state(told) == ("waiting", "rating")
        telling.desk.clock.advance(601)
        await telling.go_on()
        assert (await telling.state(told))[0] == "sent"

    async def test_web_chat_keeps_it_for_the_next_visit(self, telling: Telling, desk: TestDesk) -> None:
        await telling.proves(await known(telling, "v-1", "webchat"), "C-1")
        object.__setattr__(telling.conversations._desk, "pushes", lambda address: address.channel != "webchat")
        told = await telling.shipped(customer="C-1")
        await telling.go_on()
        assert await telling.state(told) == ("sent", None)
        shown = await telling.conversations.transcript(Address("webchat", "default", "v-1"), None, 10)
        assert shown[-1].text.startswith(TEXT)

    async def test_a_linked_contact_is_told_where_they_wrote_last(self, telling: Telling) -> None:
        conversation_id = await known(telling)
        await telling.proves(conversation_id, "C-1")
        await telling.desk.send("/link")
        shown = (await telling.desk.last(conversation_id)).text
        code = "".join(re.search(r"/link (\d{4}) (\d{4})", shown).groups())  # type: ignore[union-attr]
        away = Address("slack", "default", "U1")
        await telling.conversations.receive(InboundMessage(away, "e-1", f"/link {code}", language="en"))
        conversation = await telling.desk.get(conversation_id)
        assert conversation.reached_at == away
        await telling.shipped(customer="C-1")
        await telling.go_on()
        assert [one[0] for one in telling.channels.told] == ["slack:default:U1"]
        assert (await telling.desk.last(conversation_id)).text.startswith(TEXT)

    async def test_a_linked_contact_whose_last_place_is_closed_is_told_at_the_other_and_stays_where_they_are(
        self, telling: Telling
    ) -> None:
        conversation_id = await known(telling)
        await telling.proves(conversation_id, "C-1")
        await telling.desk.send("/link")
        shown = (await telling.desk.last(conversation_id)).text
        code = "".join(re.search(r"/link (\d{4}) (\d{4})", shown).groups())  # type: ignore[union-attr]
        away = Address("whatsapp", "default", "861380000")
        telling.channels.windows["whatsapp"] = DAY
        await telling.conversations.receive(InboundMessage(away, "e-1", f"/link {code}", language="en"))
        telling.desk.clock.advance(25 * 3600)
        await telling.shipped(customer="C-1")
        await telling.go_on()
        assert [one[0] for one in telling.channels.told] == ["telegram:default:visitor-1"]
        assert (await telling.desk.get(conversation_id)).reached_at == away

    async def test_a_merged_contact_is_told_at_the_proved_address_only(self, telling: Telling) -> None:
        proved, other = await known(telling, "proved"), await known(telling, "other", "slack")
        await telling.proves(proved, "C-1")
        await telling.conversations.merge_contacts(
            await telling.contact_of(other), await telling.contact_of(proved), LIN
        )
        telling.channels.blocked = {"proved"}
        told = await telling.shipped(customer="C-1")
        await telling.go_on()
        assert telling.channels.told == []
        assert (await telling.state(told))[0] == "not_sent"


async def _idle(desk: TestDesk) -> bool:
    conversation = await desk.conversations.find_current(Address("telegram", "default", "visitor-1"))
    assert conversation is not None
    return (await desk.last(conversation.id)).author is Author.BOT


class TestErasure:
    async def test_who_is_erased_is_told_nothing_and_nothing_of_them_is_kept(self, telling: Telling) -> None:
        conversation_id = await known(telling)
        contact_id = await telling.contact_of(conversation_id)
        await telling.proves(conversation_id, "C-1")
        before = await telling.shipped("a", customer="C-1")
        await telling.go_on()
        waits, _ = await telling.proactive.tell("desk", "b", "order_shipped", {"contact_id": contact_id}, SHIPPED)
        await telling.conversations.erase_contact(contact_id, LIN)
        later = await telling.shipped("c", customer="C-1")
        await telling.go_on()
        assert await telling.state(waits) == ("not_sent", "erased")
        assert await telling.state(later) == ("not_sent", "no_address")
        assert len(telling.channels.told) == 1
        for one in (before, waits):
            found = await telling.find(one)
            assert (found.recipient, found.facts, found.tried) == ({}, {}, ())

    async def test_what_waits_for_an_address_that_is_erased_does_not_bring_it_back(self, telling: Telling) -> None:
        conversation_id = await known(telling)
        telling.open = False
        waits = await telling.shipped("a", address="telegram:default:visitor-1")
        others = await telling.shipped("b", address="telegram:default:visitor-2")
        await telling.go_on(1)
        await telling.conversations.erase_contact(await telling.contact_of(conversation_id), LIN)
        telling.open = True
        telling.desk.clock.advance(9 * 3600 + 10)
        await telling.go_on()
        assert await telling.state(waits) == ("not_sent", "erased")
        assert (await telling.find(waits)).recipient == {}
        assert (await telling.state(others))[0] == "sent"

    async def test_what_is_under_way_is_not_sent_after_erasure(self, telling: Telling) -> None:
        conversation_id = await known(telling)
        await telling.proves(conversation_id, "C-1")
        await telling.shipped(customer="C-1")
        await telling.sender.work()
        await telling.conversations.erase_contact(await telling.contact_of(conversation_id), LIN)
        await telling.go_on()
        assert telling.channels.told == []
