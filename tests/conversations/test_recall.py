"""An agent takes back what they said: one outcome for everybody, whatever the outbox is doing."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from conversations.audit_check import verify
from conversations.dead_letter_store import DeadLetterStore
from conversations.delivery_store import Delivery, DeliveryStore
from conversations.errors import AnsweredMeanwhile, NotFound, NotYours, TooLate
from conversations.json_form import message_json
from conversations.model import Cursor, MessageKind
from conversations.recall import Recall
from conversations.tables import outbox
from tests.conversations.builders import LIN, MAX, TestDesk, address


async def said_to_web_page(database: object, clock: object) -> tuple[TestDesk, str, int]:
    desk = TestDesk(database, clock, pushes=lambda _address: False)  # type: ignore[arg-type]
    conversation_id = await desk.assigned()
    message = await desk.conversations.reply_as_agent(conversation_id, LIN, "your password is hunter2")
    return desk, conversation_id, message.seq


async def claim(desk: TestDesk) -> list[Delivery]:
    now = desk.clock()
    async with desk.database.write() as connection:
        return await DeliveryStore(connection).claim_deliveries(now, now, 50)


async def deliver_everything(desk: TestDesk) -> list[int]:
    sent = []
    while claimed := await claim(desk):
        for delivery in claimed:
            sent.append(delivery.message.seq)
            async with desk.database.write() as connection:
                await DeliveryStore(connection).settle_delivery(delivery, "sent")
    return sent


async def state_of(desk: TestDesk, message_id: str) -> str | None:
    async with desk.database.read() as connection:
        return (await connection.execute(select(outbox.c.state).where(outbox.c.message_id == message_id))).scalar()


async def test_on_a_web_page_it_disappears_for_the_contact_and_staff_still_read_it(
    database: object, clock: object
) -> None:
    desk, conversation_id, seq = await said_to_web_page(database, clock)
    taken = await desk.conversations.recall(conversation_id, LIN, seq)
    assert (taken.effect, taken.message.recalled_by) == ("hidden", "Lin")
    shown = next(m for m in await desk.conversations.transcript(address()) if m.seq == seq)
    form = message_json(shown, for_contact=True)
    assert (form["text"], form["recalled"]) == ("", True)
    kept = next(m for m in await desk.conversations.messages(conversation_id) if m.seq == seq)
    assert kept.text == "your password is hunter2"
    assert message_json(kept)["recalled_at"] is not None
    assert await desk.conversations.recalled_since(address(), None) == [Cursor(conversation_id, seq)]
    assert await desk.conversations.recalled_since(address(), desk.clock()) == []


async def test_both_sides_are_told_and_the_list_shows_what_was_said_before(database: object, clock: object) -> None:
    desk, conversation_id, seq = await said_to_web_page(database, clock)
    async with desk.hub.subscribe("staff") as staff, desk.hub.subscribe(f"contact:{address()}") as contact:
        await desk.conversations.recall(conversation_id, LIN, seq)
        told = await anext(aiter(contact))
        assert told == {"type": "recalled", "conversation_id": conversation_id, "seq": seq}
        assert (await anext(aiter(staff)))["name"] == "Lin"
    conversation = await desk.conversations.get_conversation(conversation_id)
    assert conversation.preview == "I'll get someone."
    assert "hunter2" not in json.dumps(message_json(await desk.last(conversation_id), for_contact=True))


async def test_what_was_not_sent_yet_is_never_sent(desk: TestDesk) -> None:
    conversation_id = await desk.assigned()
    await deliver_everything(desk)
    message = await desk.conversations.reply_as_agent(conversation_id, LIN, "oops")
    taken = await desk.conversations.recall(conversation_id, LIN, message.seq)
    assert taken.effect == "cancelled"
    assert await state_of(desk, message.id) == "recalled"
    assert message.seq not in await deliver_everything(desk)


@pytest.mark.parametrize("how", ["sent", "sending", "unknown"])
async def test_what_the_channel_may_have_delivered_cannot_be_taken_back_and_the_agent_is_told(
    desk: TestDesk, how: str
) -> None:
    conversation_id = await desk.assigned()
    await deliver_everything(desk)
    message = await desk.conversations.reply_as_agent(conversation_id, LIN, "too late")
    (delivery,) = await claim(desk)
    if how != "sending":
        async with desk.database.write() as connection:
            await DeliveryStore(connection).settle_delivery(delivery, how, doubts=int(how == "unknown"))
    with pytest.raises(TooLate, match="correction"):
        await desk.conversations.recall(conversation_id, LIN, message.seq)
    assert (await desk.last(conversation_id)).recalled_at is None


async def test_a_dead_letter_that_was_taken_back_is_not_replayed(desk: TestDesk) -> None:
    conversation_id = await desk.assigned()
    await deliver_everything(desk)
    message = await desk.conversations.reply_as_agent(conversation_id, LIN, "never mind")
    (delivery,) = await claim(desk)
    async with desk.database.write() as connection:
        await DeliveryStore(connection).settle_delivery(delivery, "dead", error="blocked")
    await desk.conversations.recall(conversation_id, LIN, message.seq)
    async with desk.database.write() as connection:
        assert await DeadLetterStore(connection).replay([delivery.id], desk.clock()) == []
    assert await deliver_everything(desk) == []


async def test_only_ones_own_replies_and_only_for_a_while(database: object, clock: object) -> None:
    desk, conversation_id, seq = await said_to_web_page(database, clock)
    note = await desk.conversations.add_note(conversation_id, LIN, "for us")
    for agent, place in ((MAX, seq), (LIN, 1), (LIN, note.seq)):
        with pytest.raises(NotYours):
            await desk.conversations.recall(conversation_id, agent, place)
    with pytest.raises(NotFound):
        await desk.conversations.recall(conversation_id, LIN, 999)
    desk.clock.advance(121)
    with pytest.raises(TooLate, match="2 minutes"):
        await desk.conversations.recall(conversation_id, LIN, seq)


async def test_taking_back_twice_changes_nothing_more(database: object, clock: object) -> None:
    desk, conversation_id, seq = await said_to_web_page(database, clock)
    first = await desk.conversations.recall(conversation_id, LIN, seq)
    desk.clock.advance(500)
    again = await desk.conversations.recall(conversation_id, LIN, seq)
    assert again == Recall(first.message, "repeated")


async def test_the_words_stay_in_the_audit_chain_and_the_bot_does_not_learn_them(
    database: object, clock: object
) -> None:
    desk, conversation_id, seq = await said_to_web_page(database, clock)
    await desk.conversations.reply_as_agent(conversation_id, LIN, "it is on its way")
    await desk.conversations.recall(conversation_id, LIN, seq)
    async with desk.database.read() as connection:
        bodies = list((await connection.execute(text("SELECT body FROM audit_entries"))).scalars())
    entry = next(json.loads(body) for body in bodies if json.loads(body)["kind"] == "recalled")
    assert (entry["data"], entry["actor"]) == ({"seq": seq, "effect": "hidden"}, "agent:agent-lin")
    assert entry["sealed"]
    assert "hunter2" not in json.dumps(entry)
    assert (await verify(desk.database, [])).exit_code == 0
    await desk.conversations.release(conversation_id, LIN)
    await desk.send("and now?")
    (turn,) = await desk.conversations.claim_turns(1)
    assert turn.agent_said == ("it is on its way",)


async def test_a_colleagues_answer_since_one_last_looked_stops_a_reply_once(desk: TestDesk) -> None:
    conversation_id = await desk.assigned()
    await desk.conversations.agent_seen(MAX.id, MAX.name)
    read = (await desk.conversations.get_conversation(conversation_id)).last_seq
    await desk.conversations.transfer(conversation_id, LIN, MAX)
    await desk.conversations.reply_as_agent(conversation_id, MAX, "it was sent today")
    await desk.conversations.agent_seen(LIN.id, LIN.name)
    await desk.conversations.transfer(conversation_id, MAX, LIN)
    with pytest.raises(AnsweredMeanwhile, match="Max"):
        await desk.conversations.reply_as_agent(conversation_id, LIN, "I will check", read_seq=read)
    now = (await desk.conversations.get_conversation(conversation_id)).last_seq
    await desk.conversations.reply_as_agent(conversation_id, LIN, "thanks, Max", read_seq=now)
    said = [m.text for m in await desk.conversations.messages(conversation_id) if m.author_id == LIN.id]
    assert "I will check" not in said
    assert [m.kind for m in await desk.conversations.messages(conversation_id)].count(MessageKind.NOTE) == 0


@given(order=st.lists(st.sampled_from(["recall", "claim", "settle"]), min_size=2, max_size=4), together=st.booleans())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_taking_back_and_sending_at_once_have_one_outcome(
    place: str, order: list[str], together: bool, request: pytest.FixtureRequest
) -> None:
    """However the two interleave, the contact has the message exactly when it was not taken back."""
    from conversations.store import Database
    from tests.conversations.builders import Clock
    from tests.conversations.conftest import clean_postgres

    async def race() -> None:
        database = Database.open(place) if place.startswith("sqlite") else await clean_postgres(place)
        desk = TestDesk(database, Clock())
        conversation_id = await desk.assigned(contact=f"visitor-{desk.clock().timestamp()}-{id(desk)}")
        await deliver_everything(desk)
        message = await desk.conversations.reply_as_agent(conversation_id, LIN, "wait")
        claimed: list[Delivery] = []
        outcome: list[str] = []

        async def step(name: str) -> None:
            if name == "recall":
                try:
                    outcome.append((await desk.conversations.recall(conversation_id, LIN, message.seq)).effect)
                except TooLate:
                    outcome.append("too late")
            elif name == "claim":
                claimed.extend(await claim(desk))
            else:
                for delivery in list(claimed):
                    async with database.write() as connection:
                        await DeliveryStore(connection).settle_delivery(delivery, "sent")

        if together:
            await asyncio.gather(*(step(name) for name in order))
        else:
            for name in order:
                await step(name)
        await deliver_everything(desk)
        kept = next(m for m in await desk.conversations.messages(conversation_id) if m.seq == message.seq)
        sending = await state_of(desk, message.id)
        assert sending in ("sent", "sending", "recalled")
        assert (kept.recalled_at is not None) == (sending == "recalled")
        if claimed:
            assert kept.recalled_at is None
        if "cancelled" in outcome:
            assert "too late" not in outcome
            assert not claimed
        await database.close()

    asyncio.run(race())
