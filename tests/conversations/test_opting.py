"""Contacts end what nobody asked for with one word, in both languages, and take it back with another."""

from __future__ import annotations

import pytest

from conversations.errors import NotFound
from conversations.model import Address, Author, InboundMessage, Status
from conversations.opting import wish_of
from conversations.proactive_store import EVERY_KIND
from tests.conversations.builders import LIN, TestDesk, inbound, says
from tests.conversations.telling import SHIPPED, Telling, entries, known

OUT = [
    "退订",
    "TD",
    "td。",
    " 退 订 ",
    "取消订阅",
    "退訂",
    "STOP",
    "stop.",
    "Stop messages",
    "UNSUBSCRIBE",
    "opt out",
    "“stop”",
]
IN = ["订阅", "恢复订阅", "START", "start", "subscribe", "opt in"]
ABOUT_SOMETHING_ELSE = [
    "stop my order",
    "please stop the delivery",
    "停止发货",
    "我要退订单",
    "退订单 KT20260301",
    "how do I unsubscribe from the newsletter?",
    "怎么取消订阅会员",
    "/start",
    "start a return",
    "cancel",
    "when does it start",
    "TD100234",
]


@pytest.fixture
def telling(desk: TestDesk) -> Telling:
    return Telling(desk)


@pytest.mark.parametrize("text", OUT)
def test_one_word_ends_it(text: str) -> None:
    assert wish_of(inbound(text)) is False


@pytest.mark.parametrize("text", IN)
def test_one_word_takes_it_back(text: str) -> None:
    assert wish_of(inbound(text)) is True


@pytest.mark.parametrize("text", ABOUT_SOMETHING_ELSE)
def test_a_request_with_such_a_word_in_it_is_for_the_bot(text: str) -> None:
    assert wish_of(inbound(text)) is None


@pytest.mark.parametrize(
    ("word", "back", "language", "confirmed", "again"),
    [
        ("退订", "订阅", "zh", "好的，以后不再主动给您发通知", "您已经退订了"),
        ("TD", "订阅", None, "好的，以后不再主动给您发通知", "您已经退订了"),
        ("STOP", "START", "en", "Done: no more notifications", "You're already unsubscribed"),
        ("unsubscribe", "start", None, "Done: no more notifications", "You're already unsubscribed"),
    ],
)
async def test_it_is_confirmed_once_in_their_language_and_the_bot_is_not_asked(
    telling: Telling, word: str, back: str, language: str | None, confirmed: str, again: str
) -> None:
    receipt = await telling.desk.send(word, language=language)
    assert await telling.conversations.claim_turns(5) == []
    [text] = await telling.desk.said(receipt.conversation_id, Author.SYSTEM)
    assert text.startswith(confirmed)
    assert back.upper() in text.upper()
    await telling.desk.send(word, language=language)
    assert (await telling.desk.last(receipt.conversation_id)).text.startswith(again)
    assert len(await entries(telling.desk, "proactive_choice")) == 1


async def test_who_opted_out_is_told_nothing_but_still_answered(telling: Telling) -> None:
    conversation_id = await known(telling)
    await telling.proves(conversation_id, "C-1")
    await telling.desk.send("STOP")
    told = await telling.shipped(customer="C-1")
    await telling.desk.send("where is my order?")
    await telling.desk.answer(says("on its way"))
    await telling.go_on()
    assert await telling.state(told) == ("not_sent", "opted_out")
    assert telling.channels.told == []
    assert telling.channels.sent[-1][2] == "on its way"


async def test_start_takes_it_back_and_means_nothing_to_others(telling: Telling) -> None:
    await telling.proves(await known(telling), "C-1")
    await telling.desk.send("START")
    assert len(await telling.conversations.claim_turns(5)) == 1, "who never opted out speaks with the bot"
    await telling.desk.send("stop")
    receipt = await telling.desk.send("start")
    assert (await telling.desk.last(receipt.conversation_id)).text.startswith("You're back on")
    told = await telling.shipped(customer="C-1")
    await telling.go_on()
    assert (await telling.state(told))[0] == "sent"


async def test_what_waits_in_the_outbox_is_taken_out_of_it(telling: Telling) -> None:
    conversation_id = await known(telling)
    await telling.proves(conversation_id, "C-1")
    told = await telling.shipped(customer="C-1")
    await telling.sender.work()
    assert (await telling.state(told))[0] == "sending"
    await telling.desk.send("退订")
    await telling.go_on()
    assert await telling.state(told) == ("not_sent", "opted_out")
    assert telling.channels.told == []


async def test_it_counts_at_every_address_of_the_same_customer(telling: Telling) -> None:
    await telling.proves(await known(telling, "here"), "C-1")
    await telling.proves(await known(telling, "there", "slack"), "C-1")
    await telling.desk.send("STOP", "here")
    told = await telling.shipped(customer="C-1")
    await telling.go_on()
    assert await telling.state(told) == ("not_sent", "opted_out")


async def test_it_counts_for_merged_contacts_also_after_they_are_separated(telling: Telling) -> None:
    one, other = await known(telling, "one"), await known(telling, "other", "slack")
    merge = await telling.conversations.merge_contacts(
        await telling.contact_of(other), await telling.contact_of(one), LIN
    )
    await telling.desk.send("STOP", "one")
    await telling.conversations.separate_contacts(merge.id, LIN)
    for conversation_id in (one, other):
        told, _ = await telling.proactive.tell(
            "shop", conversation_id, "order_shipped", {"contact_id": await telling.contact_of(conversation_id)}, SHIPPED
        )
        await telling.go_on()
        assert await telling.state(told) == ("not_sent", "opted_out")


async def test_an_agent_hears_it_too_and_goes_on(telling: Telling) -> None:
    conversation_id = await telling.desk.assigned()
    await telling.desk.send("stop")
    conversation = await telling.desk.get(conversation_id)
    assert (conversation.status, conversation.agent_id) == (Status.ASSIGNED, LIN.id)
    found = await telling.proactive.preferences(conversation.contact_id)
    assert [(one.kind, one.off_by) for one in found.off] == [(EVERY_KIND, "contact")]


class TestAgentsChoose:
    async def test_one_kind_and_the_rest_goes_on(self, telling: Telling) -> None:
        conversation_id = await known(telling)
        await telling.proves(conversation_id, "C-1")
        contact_id = await telling.contact_of(conversation_id)
        await telling.proactive.choose(contact_id, "order_shipped", False, LIN)
        await telling.proactive.choose(contact_id, "order_shipped", False, LIN)
        shipped = await telling.shipped(customer="C-1")
        facts = {"ticket": "TK100234", "subject": "no sound"}
        ticket, _ = await telling.proactive.tell("desk", "t", "ticket_answered", {"contact_id": contact_id}, facts)
        await telling.go_on()
        assert await telling.state(shipped) == ("not_sent", "opted_out")
        assert await telling.state(ticket) == ("sent", None)
        await telling.proactive.choose(contact_id, "order_shipped", True, LIN)
        noted = [(one["actor"], one["data"]["on"]) for one in await entries(telling.desk, "proactive_choice")]
        assert noted == [(f"agent:{LIN.id}", False), (f"agent:{LIN.id}", True)]

    async def test_nothing_for_who_was_erased(self, telling: Telling) -> None:
        contact_id = await telling.contact_of(await known(telling))
        await telling.conversations.erase_contact(contact_id, LIN)
        with pytest.raises(NotFound):
            await telling.proactive.choose(contact_id, EVERY_KIND, False, LIN)


class TestLinksInMails:
    async def told_by_mail(self, telling: Telling, key: str = "k") -> str:
        told, _ = await telling.proactive.tell("shop", key, "order_shipped", {"email": "ann@example.com"}, SHIPPED)
        await telling.go_on()
        return telling.proactive.stop_url(await telling.find(told)).rpartition("/")[2]

    async def test_pressing_ends_it_and_looking_does_not(self, telling: Telling) -> None:
        token = await self.told_by_mail(telling)
        assert await telling.proactive.stopped_by(token) is not None
        await self.told_by_mail(telling, "l")
        assert len(telling.channels.told) == 2
        assert await telling.proactive.stop(token)
        assert await telling.proactive.stop(token), "twice is once"
        await self.told_by_mail(telling, "m")
        assert len(telling.channels.told) == 2
        assert len(await entries(telling.desk, "proactive_choice")) == 1

    async def test_a_link_that_is_not_ours_does_nothing(self, telling: Telling) -> None:
        token = await self.told_by_mail(telling)
        id, _, mac = token.partition(".")
        for wrong in ("", "x", id, f"{id}.", f"{id}.{mac[:-1]}", f"{'0' * 32}.{mac}", f"{id}.é", "." * 200):
            assert await telling.proactive.stopped_by(wrong) is None
            assert not await telling.proactive.stop(wrong)

    async def test_the_word_stop_in_a_mail_ends_it_too(self, telling: Telling) -> None:
        await self.told_by_mail(telling)
        address = Address("email", "default", "ann@example.com")
        await telling.conversations.receive(InboundMessage(address, "m-1", "Unsubscribe", language="en"))
        await self.told_by_mail(telling, "l")
        assert len(telling.channels.told) == 1
