"""What contacts send is stored once, in order, in the right conversation."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from conversations.errors import AlreadyRated, InvalidMessage, NotFound
from conversations.model import Attachment, Author, Cursor, MessageKind, Status
from tests.conversations.builders import LIN, TestDesk, address, inbound, last_rating, says


async def test_a_first_message_opens_a_conversation_with_the_bot(desk: TestDesk) -> None:
    receipt = await desk.send("hello")
    conversation = await desk.conversations.get_conversation(receipt.conversation_id)
    assert (receipt.seq, receipt.duplicate, conversation.status) == (1, False, Status.BOT)


async def test_a_duplicate_is_acknowledged_with_the_first_receipt_and_stored_once(desk: TestDesk) -> None:
    message = inbound("hello")
    first = await desk.conversations.receive(message)
    again = await desk.conversations.receive(message)
    assert again == replace(first, duplicate=True)
    assert await desk.said(first.conversation_id) == ["hello"]


async def test_duplicates_that_arrive_at_the_same_time_are_stored_once(desk: TestDesk) -> None:
    message = inbound("hello")
    receipts = await asyncio.gather(*(desk.conversations.receive(message) for _ in range(6)))
    assert sorted(receipt.duplicate for receipt in receipts) == [False] + [True] * 5
    assert len({receipt.message_id for receipt in receipts}) == 1


async def test_messages_sent_together_get_gap_free_numbers_in_one_conversation(desk: TestDesk) -> None:
    receipts = await asyncio.gather(*(desk.send(f"message {n}") for n in range(12)))
    assert sorted(receipt.seq for receipt in receipts) == list(range(1, 13))
    assert len({receipt.conversation_id for receipt in receipts}) == 1


async def test_a_message_id_of_another_contact_is_refused_and_tells_nothing(desk: TestDesk) -> None:
    message = inbound("mine")
    await desk.conversations.receive(message)
    with pytest.raises(InvalidMessage):
        await desk.conversations.receive(replace(message, address=address("stranger")))


@pytest.mark.parametrize("button", ["", "a\x00b", "\ud800", "x" * 129, "ü"])
async def test_what_cannot_be_a_button_is_refused_before_it_meets_the_database(desk: TestDesk, button: str) -> None:
    with pytest.raises(InvalidMessage, match="no such button"):
        await desk.send("pressed", button_id=button)


@pytest.mark.parametrize("text", ["", "   ", "\x00", "x" * 20_001])
async def test_empty_and_endless_messages_are_refused(desk: TestDesk, text: str) -> None:
    with pytest.raises(InvalidMessage):
        await desk.send(text)


async def test_text_no_database_stores_is_cleaned(desk: TestDesk) -> None:
    receipt = await desk.send("a\x00b\ud800c")
    assert await desk.said(receipt.conversation_id) == ["ab?c"]


async def test_a_message_after_the_end_opens_a_new_conversation_that_knows_the_contact(desk: TestDesk) -> None:
    first = await desk.send("hello", contact_name="Mei")
    await desk.answer(says("proved", customer_id="C-7"))
    await desk.conversations.resolve(first.conversation_id, LIN)
    second = await desk.send("one more thing")
    old = await desk.conversations.get_conversation(first.conversation_id)
    new = await desk.conversations.get_conversation(second.conversation_id)
    assert new.id != old.id
    assert (new.contact_id, new.customer_id, new.language, new.contact_name) == (old.contact_id, "C-7", "en", "Mei")


async def test_a_button_brings_its_payload_and_stays_opaque(desk: TestDesk) -> None:
    from conversations.turn_model import ReplyButton

    receipt = await desk.send("where is my parcel")
    await desk.answer(says("which one?", buttons=(ReplyButton("The watch", '/inform{"item": "watch"}'),)))
    [button] = (await desk.last(receipt.conversation_id)).buttons
    assert "/inform" not in button.id + button.title
    await desk.send("", button_id=button.id)
    [claim] = await desk.conversations.claim_turns(1)
    assert (claim.message.text, claim.payload) == ("The watch", '/inform{"item": "watch"}')


@pytest.mark.parametrize("typed", ["1", "the WATCH"])
async def test_a_button_may_be_typed_as_its_number_or_title(desk: TestDesk, typed: str) -> None:
    from conversations.turn_model import ReplyButton

    await desk.send("where is my parcel")
    await desk.answer(says("which one?", buttons=(ReplyButton("The watch", "/affirm"), ReplyButton("Other", "/deny"))))
    await desk.send(typed)
    [claim] = await desk.conversations.claim_turns(1)
    assert claim.payload == "/affirm"


async def test_a_button_of_another_contact_is_no_button(desk: TestDesk) -> None:
    from conversations.turn_model import ReplyButton

    receipt = await desk.send("hello")
    await desk.answer(says("well?", buttons=(ReplyButton("Yes", "/affirm"),)))
    [button] = (await desk.last(receipt.conversation_id)).buttons
    with pytest.raises(InvalidMessage):
        await desk.send("", contact="stranger", button_id=button.id)


async def test_the_transcript_continues_after_a_cursor_across_conversations_without_notes(desk: TestDesk) -> None:
    first = await desk.send("one")
    await desk.conversations.add_note(first.conversation_id, LIN, "grumpy today")
    await desk.conversations.resolve(first.conversation_id, LIN)
    await desk.send("two")
    shown = await desk.conversations.transcript(address())
    assert "grumpy today" not in [message.text for message in shown]
    after = await desk.conversations.transcript(address(), Cursor(first.conversation_id, 1))
    assert after == shown[1:]
    assert await desk.conversations.transcript(address(), limit=1) == shown[-1:]
    assert await desk.conversations.transcript(address("stranger"), Cursor(first.conversation_id, 1)) == []


async def test_what_was_said_before_a_message_leaves_out_notes_and_the_desk_itself(desk: TestDesk) -> None:
    conversation_id = await desk.assigned()
    await desk.conversations.add_note(conversation_id, LIN, "grumpy today")
    await desk.conversations.reply_as_agent(conversation_id, LIN, "I am Lin.", "r1")
    await desk.send("thank you")
    asked = await desk.send("how long is the warranty?")
    await desk.send("and later")
    said = await desk.conversations.said_before(conversation_id, asked.message_id, 3)
    assert [(one.author.value, one.text) for one in said][-2:] == [("agent", "I am Lin."), ("contact", "thank you")]
    assert len(said) == 3
    everything = await desk.conversations.said_before(conversation_id, asked.message_id, 100)
    assert {one.author for one in everything} == {Author.CONTACT, Author.BOT, Author.AGENT}
    assert "grumpy today" not in [one.text for one in everything]
    assert await desk.conversations.said_before(conversation_id, "0" * 32, 3) == []


async def test_a_message_to_an_agent_is_shown_and_never_reaches_the_bot(desk: TestDesk) -> None:
    conversation_id = await desk.assigned()
    await desk.send("are you there?")
    assert await desk.conversations.claim_turns(10) == []
    assert (await desk.said(conversation_id))[-1] == "are you there?"


async def test_a_rating_is_stored_once_and_opens_nothing(desk: TestDesk) -> None:
    receipt = await desk.send("hello")
    await desk.answer()
    with pytest.raises(NotFound):
        await desk.conversations.rate(address(), receipt.conversation_id, 5, "early")
    await desk.conversations.resolve(receipt.conversation_id, LIN)
    await desk.conversations.rate(address(), receipt.conversation_id, 5, "quick")
    with pytest.raises(NotFound):
        await desk.conversations.rate(address("stranger"), receipt.conversation_id, 1, "")
    desk.clock.advance(601)  # until then it is a correction
    with pytest.raises(AlreadyRated):
        await desk.conversations.rate(address(), receipt.conversation_id, 1, "")
    rating = await last_rating(desk.conversations, receipt.conversation_id)
    assert rating is not None
    assert (rating.score, rating.comment) == (5, "quick")
    current = await desk.conversations.find_current(address())
    assert current is not None
    assert current.id == receipt.conversation_id


@pytest.mark.parametrize("typed", [True, False], ids=["typed", "pressed"])
async def test_a_rating_through_a_messaging_app_opens_nothing(desk: TestDesk, typed: bool) -> None:
    receipt = await desk.send("hello")
    await desk.answer()
    await desk.conversations.resolve(receipt.conversation_id, LIN)
    request = await desk.last(receipt.conversation_id)
    assert request.kind is MessageKind.RATING_REQUEST
    rated = await desk.send("4") if typed else await desk.send("", button_id=request.buttons[1].id)
    rating = await last_rating(desk.conversations, receipt.conversation_id)
    assert rated.conversation_id == receipt.conversation_id
    assert rating is not None
    assert rating.score == 4
    desk.clock.advance(601)
    later = await desk.send("4")
    assert later.conversation_id != receipt.conversation_id


async def test_a_file_is_kept_with_its_message(desk: TestDesk) -> None:
    file = Attachment("f" * 32, "photo.png", "image/png", 12)
    receipt = await desk.send("", attachments=(file,))
    [message] = await desk.conversations.messages(receipt.conversation_id)
    assert (message.author, message.attachments) == (Author.CONTACT, (file,))


async def test_a_new_conversation_is_the_newest_although_the_clock_was_set_back(desk: TestDesk) -> None:
    first = await desk.assigned(LIN)
    await desk.conversations.resolve(first, LIN)
    desk.clock.advance(-3600)
    second = await desk.conversations.receive(inbound("hello again"))
    third = await desk.conversations.receive(inbound("are you there?"))
    assert first != second.conversation_id == third.conversation_id
