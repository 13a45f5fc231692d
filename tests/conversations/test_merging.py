"""Duplicate conversations of one contact become one thread; nothing is lost, and it can be taken back for a while."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from conversations.audit_check import verify
from conversations.errors import AlreadyMerged, ConversationError, InvalidMessage, NotAssigned
from conversations.model import Address, Agent, InboundMessage, MessageKind, Status, new_id
from tests.conversations.builders import LIN, MAX, TestDesk, address, last_rating

BOSS = Agent("agent-boss", "Boss")


async def pair(desk: TestDesk, agent: Agent = LIN) -> tuple[str, str]:
    """A waiting conversation of "bo" and one of "ann" that the agent has."""
    return await desk.queued(contact="bo"), await desk.assigned(agent, contact="ann")


async def test_the_source_goes_on_in_the_target_and_the_contact_is_told_once(desk: TestDesk) -> None:
    source, target = await pair(desk)
    merged = await desk.conversations.merge(source, target, LIN)
    assert merged.id == target
    now = await desk.conversations.get_conversation(source)
    assert (now.status, now.resolved_by, now.merged_into) == (Status.RESOLVED, "merged", target)
    last = await desk.last(source)
    assert "the other one you have with us" in last.text
    kinds = [message.kind for message in await desk.conversations.messages(source)]
    assert MessageKind.RATING_REQUEST not in kinds  # the episode is not over
    (thread,) = await desk.conversations.merged_threads(target)
    assert (thread.conversation.id, thread.merge.by_name) == (source, "Lin")
    assert (await verify(desk.database, [])).exit_code == 0


async def test_the_contact_is_told_which_channel_the_answer_comes_on(desk: TestDesk) -> None:
    target = await desk.assigned(LIN)
    elsewhere = InboundMessage(Address("whatsapp", "default", "+8613812345678"), new_id(), "您好", language="zh")
    source = (await desk.conversations.receive(elsewhere)).conversation_id
    await desk.conversations.merge(source, target, LIN)
    assert "Telegram" in (await desk.last(source)).text


async def test_what_is_still_written_at_the_merged_address_goes_on_in_the_thread(desk: TestDesk) -> None:
    source, target = await pair(desk)
    await desk.conversations.merge(source, target, LIN)
    told = len(await desk.said(source))
    receipt = await desk.send("one more thing", "bo")
    assert receipt.conversation_id == source  # no new conversation, and the bot stays silent
    assert await desk.conversations.claim_turns(10) == []
    shown = await desk.conversations.get_conversation(target)
    assert (shown.preview, shown.preview_author) == ("one more thing", "contact")
    assert shown.waiting_since is not None
    assert len(await desk.said(source)) == told + 1  # told a moment ago where to go on
    desk.clock.advance(3700)
    await desk.send("hello?", "bo")
    assert len(await desk.said(source)) == told + 3  # told again


async def test_a_digit_at_a_merged_address_is_no_rating(desk: TestDesk) -> None:
    source, target = await pair(desk)
    await desk.conversations.merge(source, target, LIN)
    await desk.send("2", "bo")
    assert await last_rating(desk.conversations, source) is None
    assert (await desk.conversations.get_conversation(target)).preview == "2"


@pytest.mark.parametrize("end", ["resolve", "release"])
async def test_when_people_are_done_the_merged_address_starts_anew(desk: TestDesk, end: str) -> None:
    source, target = await pair(desk)
    await desk.conversations.merge(source, target, LIN)
    await getattr(desk.conversations, end)(target, LIN)
    receipt = await desk.send("new question", "bo")
    assert receipt.conversation_id not in (source, target)
    assert (await desk.conversations.get_conversation(receipt.conversation_id)).status is Status.BOT


async def test_the_channel_delivering_twice_stores_once(desk: TestDesk) -> None:
    source, target = await pair(desk)
    await desk.conversations.merge(source, target, LIN)
    message = InboundMessage(address("bo"), "same-id", "again and again")
    first, second = [await desk.conversations.receive(message) for _ in range(2)]
    assert (first.seq, second.duplicate) == (second.seq, True)


async def test_a_message_wakes_a_snoozed_target(desk: TestDesk) -> None:
    source, target = await pair(desk)
    await desk.conversations.merge(source, target, LIN)
    await desk.conversations.snooze(target, LIN, desk.clock() + timedelta(hours=5))
    await desk.send("now it is urgent", "bo")
    assert (await desk.conversations.get_conversation(target)).snoozed_until is None


async def test_merges_of_merges_lead_to_the_last(desk: TestDesk) -> None:
    first, second = await pair(desk)
    third = await desk.assigned(LIN, contact="cy")
    await desk.conversations.merge(first, second, LIN)
    await desk.conversations.merge(second, third, LIN)
    await desk.send("where do I end up?", "bo")
    assert (await desk.conversations.get_conversation(third)).preview == "where do I end up?"
    threads = await desk.conversations.merged_threads(third)
    assert {thread.conversation.id for thread in threads} == {first, second}


async def test_an_old_conversation_joins_the_new_one_without_a_word_to_the_contact(desk: TestDesk) -> None:
    old = await desk.assigned(LIN)
    await desk.conversations.resolve(old, LIN)
    before = await desk.said(old)
    new = await desk.assigned(LIN)
    await desk.conversations.merge(old, new, LIN)
    assert await desk.said(old) == before
    await desk.send("hello again")
    assert (await desk.last(new)).text == "hello again"
    undone = await desk.conversations.undo_merge(old, LIN)
    assert (undone.status, undone.merged_into, undone.resolved_by) == (Status.RESOLVED, None, "agent")


@pytest.mark.parametrize("held_by", ["bot", "queue", "agent"])
async def test_undoing_puts_the_source_back_where_it_was(desk: TestDesk, held_by: str) -> None:
    target = await desk.assigned(LIN, contact="ann")
    if held_by == "bot":
        source = (await desk.send("hello", "bo")).conversation_id
        await desk.answer()
    elif held_by == "queue":
        source = await desk.queued(contact="bo")
    else:
        source = await desk.assigned(LIN, contact="bo")
    await desk.conversations.merge(source, target, LIN)
    await desk.send("said meanwhile", "bo")
    undone = await desk.conversations.undo_merge(source, LIN)
    expected = {"bot": (Status.BOT, None), "queue": (Status.QUEUED, None), "agent": (Status.ASSIGNED, LIN.id)}
    assert (undone.status, undone.agent_id) == expected[held_by]
    assert undone.merged_into is None
    assert "said meanwhile" in await desk.said(source)
    assert any("carry on here" in text for text in await desk.said(source))
    if held_by == "queue":
        assert "next in line" in (await desk.last(source)).text  # and where they stand
    assert await desk.conversations.merged_threads(target) == []
    assert (await desk.send("and on", "bo")).conversation_id == source
    assert (await verify(desk.database, [])).exit_code == 0


async def test_undoing_does_not_reopen_beside_a_newer_conversation(desk: TestDesk) -> None:
    source, target = await pair(desk)
    await desk.conversations.merge(source, target, LIN)
    await desk.conversations.resolve(target, LIN)
    newer = (await desk.send("new question", "bo")).conversation_id
    undone = await desk.conversations.undo_merge(source, LIN)
    assert (undone.status, undone.merged_into) == (Status.RESOLVED, None)
    assert (await desk.conversations.find_current(address("bo"))).id == newer  # type: ignore[union-attr]


async def test_it_can_be_undone_only_in_time_and_by_whom_it_concerns(desk: TestDesk) -> None:
    source, target = await pair(desk)
    await desk.conversations.merge(source, target, LIN)
    with pytest.raises(NotAssigned):
        await desk.conversations.undo_merge(source, MAX)
    desk.clock.advance(31 * 60)
    with pytest.raises(InvalidMessage):
        await desk.conversations.undo_merge(source, LIN)


async def test_an_overseer_may_merge_and_undo_what_others_hold(desk: TestDesk) -> None:
    source, target = await desk.assigned(MAX, contact="bo"), await desk.assigned(LIN, contact="ann")
    for agent in (LIN, MAX):
        with pytest.raises(NotAssigned):
            await desk.conversations.merge(source, target, agent)
    await desk.conversations.merge(source, target, BOSS, oversees=True)
    undone = await desk.conversations.undo_merge(source, BOSS, oversees=True)
    assert (undone.status, undone.agent_id) == (Status.ASSIGNED, MAX.id)


async def test_impossible_merges_say_why_and_change_nothing(desk: TestDesk) -> None:
    source, target = await pair(desk)
    with_bot = (await desk.send("hi", "cy")).conversation_id
    for wrong in ((source, source), (source, with_bot)):
        with pytest.raises(InvalidMessage):
            await desk.conversations.merge(*wrong, LIN)
    await desk.conversations.merge(source, target, LIN)
    other = await desk.queued(contact="dee")
    for wrong in ((source, target), (source, other), (other, source)):
        with pytest.raises(AlreadyMerged):
            await desk.conversations.merge(*wrong, LIN)
    with pytest.raises(AlreadyMerged):
        await desk.conversations.undo_merge(other, LIN)
    assert (await desk.conversations.get_conversation(other)).status is Status.QUEUED


@pytest.mark.parametrize("crosswise", [True, False])
async def test_two_agents_who_merge_at_once_get_one_merge(desk: TestDesk, crosswise: bool) -> None:
    a, b = await desk.queued(contact="ann"), await desk.queued(contact="bo")
    second = (b, a) if crosswise else (a, b)
    race = (desk.conversations.merge(a, b, LIN), desk.conversations.merge(*second, MAX))
    outcomes = await asyncio.gather(*race, return_exceptions=True)
    assert sum(isinstance(outcome, AlreadyMerged) for outcome in outcomes) == 1
    merged = [one for one in (a, b) if (await desk.conversations.get_conversation(one)).merged_into]
    assert len(merged) == 1


async def test_merging_accepting_and_writing_at_once_lose_nothing(desk: TestDesk) -> None:
    for round_ in range(6):
        a = await desk.queued(contact=f"ann-{round_}")
        b = await desk.queued(contact=f"bo-{round_}")
        outcomes = await asyncio.gather(
            desk.conversations.merge(a, b, LIN),
            desk.conversations.assign(a, MAX, over_capacity=True),
            desk.send("meanwhile", f"ann-{round_}"),
            desk.conversations.assign(b, LIN, over_capacity=True),
            return_exceptions=True,
        )
        assert all(isinstance(one, ConversationError) for one in outcomes if isinstance(one, BaseException)), outcomes
        source, target = [await desk.conversations.get_conversation(one) for one in (a, b)]
        assert (source.merged_into == b) != (source.agent_id == MAX.id and source.status is Status.ASSIGNED)
        assert (target.status, target.agent_id) == (Status.ASSIGNED, LIN.id)
        received = outcomes[2]
        assert not isinstance(received, BaseException)
        assert "meanwhile" in await desk.said(received.conversation_id)
    assert (await verify(desk.database, [])).exit_code == 0


async def test_likely_duplicates_are_named_with_the_reason(desk: TestDesk) -> None:
    async def writes(channel: str, contact: str, name: str | None = None) -> str:
        message = InboundMessage(Address(channel, "default", contact), new_id(), "hi", contact_name=name, language="en")
        return (await desk.conversations.receive(message)).conversation_id

    mine = await writes("whatsapp", "+8613812345678", "Li Ting")
    by_phone = await writes("sms", "+8613812345678")
    by_name = await writes("web", "v-1", "li ting")
    by_email = await writes("email", "li@kite.example")
    await writes("web", "v-2", "Somebody Else")
    likely = await desk.conversations.likely_duplicates(mine, ("li@kite.example",))
    assert {one.conversation.id: one.why for one in likely} == {
        by_phone: "address",
        by_email: "address",
        by_name: "name",
    }
    assert likely[-1].why == "name"
