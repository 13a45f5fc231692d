"""One contact on several channels: what was begun in one place goes on in another, and nobody else gets in."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from sqlalchemy import select

from conversations import linking
from conversations.link_tables import link_codes
from conversations.model import Address, Author, Conversation, InboundMessage, MessageKind, Receipt, Status
from conversations.tables import outbox
from tests.conversations.builders import LIN, TestDesk, hands_off, inbound, says

WEB, PHONE, WORK = (
    Address("web", "default", "v-1"),
    Address("telegram", "shop", "100"),
    Address("wecom", "default", "ann@corp"),
)


async def write(desk: TestDesk, at: Address, text: str, **more: Any) -> Receipt:
    said = inbound(text, **more)
    return await desk.conversations.receive(InboundMessage(at, said.external_id, text, language="en"))


async def code_from(desk: TestDesk, at: Address) -> str:
    receipt = await write(desk, at, "/link")
    found = re.search(r"/link (\d{4} \d{4})", (await desk.last(receipt.conversation_id)).text)
    assert found is not None
    return found[1]


async def link(desk: TestDesk, at: Address, to: Address) -> Receipt:
    return await write(desk, to, f"/link {await code_from(desk, at)}")


async def conversation(desk: TestDesk, receipt: Receipt) -> Conversation:
    return await desk.get(receipt.conversation_id)


async def sent_to(desk: TestDesk, address: Address) -> list[str]:
    """What waits in the outbox for an address."""
    from conversations.tables import messages

    query = (
        select(messages.c.text)
        .join(outbox, outbox.c.message_id == messages.c.id)
        .where(outbox.c.channel == address.channel, outbox.c.contact == address.contact)
        .order_by(outbox.c.ordinal)
    )
    async with desk.database.read() as connection:
        return list((await connection.execute(query)).scalars())


async def test_a_conversation_goes_on_where_its_code_was_sent(desk: TestDesk) -> None:
    begun = await write(desk, WEB, "where is my order?")
    await desk.answer(says("Which one?"))
    receipt = await link(desk, WEB, PHONE)
    assert receipt.conversation_id == begun.conversation_id
    moved = await conversation(desk, receipt)
    assert (moved.address, moved.reached_at, moved.status) == (WEB, PHONE, Status.BOT)
    assert "right where you left off" in (await desk.last(receipt.conversation_id)).text
    on = await write(desk, PHONE, "the second one")
    assert on.conversation_id == begun.conversation_id
    await desk.answer(says("It is on its way."))
    assert (await sent_to(desk, PHONE))[-1] == "It is on its way."
    assert "It is on its way." not in await sent_to(desk, WEB)
    back = await write(desk, WEB, "thanks")
    assert back.conversation_id == begun.conversation_id
    assert (await conversation(desk, back)).reached_at == WEB


async def test_both_places_show_the_whole_thread(desk: TestDesk) -> None:
    await write(desk, WEB, "first")
    await link(desk, WEB, PHONE)
    await write(desk, PHONE, "second")
    for address in (WEB, PHONE):
        said = [one.text for one in await desk.conversations.transcript(address) if one.author is Author.CONTACT]
        assert said == ["first", "/link", "/link", "second"]
        current = await desk.conversations.find_current(address)
        assert current is not None
        assert current.reached_at == PHONE


async def test_the_code_stands_nowhere_but_where_it_was_given_out(desk: TestDesk) -> None:
    code = await code_from(desk, WEB)
    receipt = await write(desk, PHONE, f"绑定 {code.replace(' ', '')}")
    said = await desk.said(receipt.conversation_id)
    assert sum(code in text or code.replace(" ", "") in text for text in said) == 1
    async with desk.database.read() as connection:
        assert (await connection.execute(select(link_codes))).first() is None


async def test_a_code_works_once_and_for_ten_minutes(desk: TestDesk) -> None:
    code = await code_from(desk, WEB)
    await write(desk, PHONE, f"/link {code}")
    again = await write(desk, WORK, f"/link {code}")
    assert "wrong or has expired" in (await desk.last(again.conversation_id)).text
    late = await code_from(desk, WEB)
    desk.clock.advance(601)
    refused = await write(desk, WORK, f"/link {late}")
    assert "wrong or has expired" in (await desk.last(refused.conversation_id)).text
    assert (await conversation(desk, refused)).address == WORK


async def test_only_the_newest_code_of_a_place_works(desk: TestDesk) -> None:
    old = await code_from(desk, WEB)
    new = await code_from(desk, WEB)
    refused = await write(desk, PHONE, f"/link {old}")
    assert "wrong" in (await desk.last(refused.conversation_id)).text
    assert (await conversation(desk, await write(desk, PHONE, f"/link {new}"))).address == WEB


async def test_who_guesses_is_stopped_even_with_the_right_code(desk: TestDesk) -> None:
    code = await code_from(desk, WEB)
    for wrong in range(linking.MOST_WRONG):
        await write(desk, PHONE, f"/link {wrong:08d}")
    receipt = await write(desk, PHONE, f"/link {code}")
    assert "Too many wrong codes" in (await desk.last(receipt.conversation_id)).text
    assert (await conversation(desk, receipt)).address == PHONE
    desk.clock.advance(3700)
    assert (await conversation(desk, await link(desk, WEB, PHONE))).address == WEB


async def test_many_guessers_from_many_places_stop_each_other(desk: TestDesk) -> None:
    code = await code_from(desk, WEB)
    for guess in range(linking.MOST_WRONG_EVERYWHERE):
        await write(desk, Address("web", "default", f"g-{guess}"), f"/link {guess:08d}")
    receipt = await write(desk, PHONE, f"/link {code}")
    assert "Too many" in (await desk.last(receipt.conversation_id)).text


async def test_a_repeated_webhook_with_a_code_is_no_second_try(desk: TestDesk) -> None:
    code = await code_from(desk, WEB)
    message = InboundMessage(PHONE, "update-7", f"/link {code}", language="en")
    first = await desk.conversations.receive(message)
    again = await desk.conversations.receive(message)
    assert (again.duplicate, again.message_id) == (True, first.message_id)
    on = InboundMessage(PHONE, "update-8", "hello", language="en")
    one = await desk.conversations.receive(on)
    assert (await desk.conversations.receive(on)).message_id == one.message_id


async def test_the_bot_is_not_asked_about_codes(desk: TestDesk) -> None:
    receipt = await link(desk, WEB, PHONE)
    await desk.answer(says("never"))
    assert "never" not in await desk.said(receipt.conversation_id)


async def test_an_agent_keeps_the_conversation_and_the_contact_changes_place(desk: TestDesk) -> None:
    begun = await write(desk, WEB, "a person please")
    await desk.answer(hands_off())
    await desk.conversations.assign(begun.conversation_id, LIN)
    receipt = await link(desk, WEB, PHONE)
    moved = await conversation(desk, receipt)
    assert (moved.status, moved.agent_id, moved.reached_at) == (Status.ASSIGNED, LIN.id, PHONE)
    await desk.conversations.reply_as_agent(moved.id, LIN, "Hello again")
    assert "Hello again" in await sent_to(desk, PHONE)


async def test_what_the_bot_was_doing_where_the_code_was_sent_is_over(desk: TestDesk) -> None:
    begun = await write(desk, WEB, "begun here")
    stray = await write(desk, PHONE, "hi")
    receipt = await link(desk, WEB, PHONE)
    assert receipt.conversation_id == begun.conversation_id
    left = await conversation(desk, stray)
    assert (left.status, left.resolved_by) == (Status.RESOLVED, "linked")
    await desk.answer(says("late"))
    assert "late" not in await desk.said(stray.conversation_id)
    assert all(one.kind is not MessageKind.RATING_REQUEST for one in await desk.conversations.messages(left.id))


async def test_who_waits_for_a_person_keeps_waiting_there(desk: TestDesk) -> None:
    begun = await write(desk, WEB, "with the bot")
    await desk.answer(says("fine"))
    waiting = await write(desk, PHONE, "a person please")
    await desk.answer(hands_off())
    receipt = await link(desk, WEB, PHONE)
    assert receipt.conversation_id == waiting.conversation_id
    assert (await conversation(desk, receipt)).status is Status.QUEUED
    assert (await conversation(desk, begun)).status is Status.RESOLVED
    assert (await write(desk, WEB, "me again")).conversation_id == waiting.conversation_id


async def test_two_conversations_with_people_stay_apart(desk: TestDesk) -> None:
    for address in (WEB, PHONE):
        await write(desk, address, "a person please")
    await desk.answer(hands_off())
    receipt = await link(desk, WEB, PHONE)
    assert "already helping you in both places" in (await desk.last(receipt.conversation_id)).text
    assert (await conversation(desk, receipt)).address == PHONE


async def test_different_customers_are_never_linked(desk: TestDesk) -> None:
    for address, customer in ((WEB, "C0001"), (PHONE, "C0002")):
        receipt = await write(desk, address, "hello")
        await desk.answer(says("fine", customer_id=customer))
    receipt = await link(desk, WEB, PHONE)
    assert "different customer accounts" in (await desk.last(receipt.conversation_id)).text
    assert (await conversation(desk, receipt)).customer_id == "C0002"


@pytest.mark.parametrize("proved", [WEB, PHONE], ids=["where-it-began", "where-it-goes-on"])
async def test_who_was_proved_in_one_place_is_known_in_the_other(desk: TestDesk, proved: Address) -> None:
    await write(desk, WEB, "hello")
    await write(desk, PHONE, "hello")
    await desk.answer(says("fine"))
    await write(desk, proved, "it is me")
    await desk.answer(says("fine", customer_id="C0001"))
    receipt = await link(desk, WEB, PHONE)
    assert (await conversation(desk, receipt)).customer_id == "C0001"
    assert (await conversation(desk, await write(desk, WEB, "still me"))).customer_id == "C0001"


async def test_a_code_sent_where_it_came_from_links_nothing(desk: TestDesk) -> None:
    receipt = await link(desk, WEB, WEB)
    assert "That code came from here" in (await desk.last(receipt.conversation_id)).text


async def test_separating_the_contacts_parts_the_places_again(desk: TestDesk) -> None:
    begun = await write(desk, WEB, "hello")
    await link(desk, WEB, PHONE)
    profile = await desk.conversations.contact_profile((await conversation(desk, begun)).contact_id)
    [(merge, _)] = await desk.conversations.merges_of_contact(profile.id)
    assert (merge.by_id, merge.by_name) == ("contact", "/link")
    await desk.conversations.separate_contacts(merge.id, LIN, oversees=True)
    parted = await write(desk, PHONE, "who am I?")
    assert (await conversation(desk, parted)).address == PHONE
    stayed = await conversation(desk, begun)
    assert (stayed.reply_to, stayed.contact_id != (await conversation(desk, parted)).contact_id) == (None, True)


async def test_erasing_the_contact_leaves_no_trace_of_where_they_went(desk: TestDesk) -> None:
    begun = await write(desk, WEB, "hello")
    await link(desk, WEB, PHONE)
    await code_from(desk, PHONE)
    await desk.conversations.erase_contact((await conversation(desk, begun)).contact_id, LIN)
    assert (await conversation(desk, begun)).reply_to is None
    async with desk.database.read() as connection:
        assert (await connection.execute(select(link_codes))).first() is None


async def test_a_third_place_joins_the_other_two(desk: TestDesk) -> None:
    begun = await write(desk, WEB, "hello")
    await link(desk, WEB, PHONE)
    third = await link(desk, PHONE, WORK)
    assert third.conversation_id == begun.conversation_id
    for address in (WEB, PHONE, WORK, PHONE):
        assert (await write(desk, address, "here")).conversation_id == begun.conversation_id


async def test_two_hundred_changes_of_place_lose_and_repeat_nothing(desk: TestDesk) -> None:
    begun = await write(desk, WEB, "0")
    await desk.answer(says("fine"))
    await link(desk, WEB, PHONE)
    await link(desk, PHONE, WORK)
    pick, expected = random.Random(4), {WEB: 0, PHONE: 0, WORK: 0}
    for turn in range(1, 201):
        address = pick.choice((WEB, PHONE, WORK))
        receipt = await write(desk, address, str(turn))
        assert receipt.conversation_id == begun.conversation_id
        await desk.answer(says(f"answer {turn}"))
        expected[address] += 1
        assert (await sent_to(desk, address))[-1] == f"answer {turn}"
    for address, times in expected.items():
        assert sum(text.startswith("answer") for text in await sent_to(desk, address)) == times
    messages = await desk.conversations.messages(begun.conversation_id, limit=2000)
    said = [one.text for one in messages if one.author is Author.CONTACT]
    assert [text for text in said if text.isdigit()] == [str(turn) for turn in range(201)]
    assert [one.seq for one in messages] == list(range(1, len(messages) + 1))


async def test_a_new_matter_opens_at_home_and_is_answered_where_it_was_asked(desk: TestDesk) -> None:
    begun = await write(desk, WEB, "hello")
    await link(desk, WEB, PHONE)
    await write(desk, PHONE, "a person please")
    await desk.answer(hands_off())
    await desk.conversations.assign(begun.conversation_id, LIN)
    await desk.conversations.resolve(begun.conversation_id, LIN)
    rated = await write(desk, PHONE, "5")
    assert rated.conversation_id == begun.conversation_id
    new = await write(desk, PHONE, "something else entirely, please")
    opened = await conversation(desk, new)
    assert (new.conversation_id != begun.conversation_id, opened.address, opened.reached_at) == (True, WEB, PHONE)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("/link", None),
        ("绑定码", None),
        ("换个渠道继续", None),
        ("/link 4839 2057", "48392057"),
        ("LINK: 4839-2057", "48392057"),
        ("绑定 48392057", "48392057"),
    ],
)
def test_codes_are_asked_for_and_given_in_both_languages(text: str, code: str | None) -> None:
    assert linking.asked_by(inbound(text)) == linking.Asked(code)


@pytest.mark.parametrize(
    "text", ["link", "my link is broken", "/link 123", "/link 483920571", "48392057", "绑定银行卡"]
)
def test_other_words_are_messages_like_any_others(text: str) -> None:
    assert linking.asked_by(inbound(text)) is None


async def test_what_was_already_on_its_way_is_delivered_where_it_was_promised(desk: TestDesk) -> None:
    await write(desk, WEB, "hello")
    await desk.answer(says("on its way"))
    await link(desk, WEB, PHONE)
    assert await sent_to(desk, WEB) == ["on its way", (await desk.conversations.transcript(WEB))[3].text]
