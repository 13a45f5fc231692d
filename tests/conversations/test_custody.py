"""Conversations change hands without a gap: queue, agents, release, the end."""

from __future__ import annotations

import asyncio

import pytest

from conversations.errors import AlreadyAssigned, FencedOut, IllegalTransition, InvalidMessage, NotAssigned, NotFound
from conversations.model import Agent, Author, Conversation, MessageKind, Status
from tests.conversations.builders import LIN, MAX, TestDesk, address, hands_off, says


async def test_a_handoff_tells_position_and_wait(desk: TestDesk) -> None:
    first = await desk.queued(contact="first")
    second = await desk.queued(contact="second")
    assert "next in line" in (await desk.said(first))[-1]
    assert "1 person ahead" in (await desk.said(second))[-1]
    assert "4 min" in (await desk.said(second))[-1]  # two places, two minutes each until the desk knows better


async def test_the_expected_wait_follows_how_quickly_agents_accepted(desk: TestDesk) -> None:
    for number in range(3):
        conversation_id = await desk.queued(contact=f"earlier {number}")
        await desk.conversations.assign(conversation_id, LIN)
        desk.clock.advance(600)
    waiting = await desk.queued(contact="now")
    assert "10 min" in (await desk.said(waiting))[-1]


async def test_out_of_hours_the_contact_gets_a_callback_ticket_once(desk: TestDesk) -> None:
    desk.open = False
    conversation_id = await desk.queued()
    assert "TK100001" in (await desk.said(conversation_id))[-1]
    assert (await desk.conversations.get_conversation(conversation_id)).callback_ticket == "TK100001"
    await desk.conversations.release(conversation_id, LIN)
    await desk.queued()
    assert desk.tickets == [conversation_id]
    assert "TK100001" in (await desk.said(conversation_id))[-1]


async def test_a_failing_callback_still_leaves_a_promise(desk: TestDesk) -> None:
    async def broken(_conversation: Conversation) -> str:
        raise RuntimeError("the ticket system is away")

    desk.open = False
    desk.conversations._open_callback = broken
    conversation_id = await desk.queued()
    assert "someone will reply" in (await desk.said(conversation_id))[-1]


async def test_while_queued_later_messages_are_collected_silently(desk: TestDesk) -> None:
    conversation_id = await desk.queued()
    before = len(await desk.said(conversation_id))
    await desk.send("my order is late")
    await desk.send("very late")
    assert (await desk.said(conversation_id))[before:] == ["my order is late", "very late"]


async def test_a_contact_may_leave_the_queue_and_the_bot_answers_again(desk: TestDesk) -> None:
    conversation_id = await desk.queued()
    [leave] = (await desk.last(conversation_id)).buttons
    await desk.send("", button_id=leave.id)
    assert (await desk.conversations.get_conversation(conversation_id)).status is Status.BOT
    await desk.send("what are your opening hours")
    [claim] = await desk.conversations.claim_turns(5)
    assert claim.message.text == "what are your opening hours"


async def test_of_two_agents_who_accept_at_once_one_wins_and_the_other_is_told_who(desk: TestDesk) -> None:
    conversation_id = await desk.queued()
    outcomes = await asyncio.gather(
        desk.conversations.assign(conversation_id, LIN),
        desk.conversations.assign(conversation_id, MAX),
        return_exceptions=True,
    )
    [won] = [outcome for outcome in outcomes if isinstance(outcome, Conversation)]
    [lost] = [outcome for outcome in outcomes if isinstance(outcome, AlreadyAssigned)]
    assert won.agent_name is not None
    assert won.agent_name in str(lost)


async def test_accepting_twice_changes_nothing(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    before = await desk.said(conversation_id)
    await desk.conversations.assign(conversation_id, LIN)
    assert await desk.said(conversation_id) == before


async def test_only_the_assigned_agent_may_reply(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    await desk.conversations.reply_as_agent(conversation_id, LIN, "hello, this is Lin")
    for attempt in (
        desk.conversations.reply_as_agent(conversation_id, MAX, "me too"),
        desk.conversations.transfer(conversation_id, MAX, LIN),
        desk.conversations.release(conversation_id, MAX),
        desk.conversations.resolve(conversation_id, MAX),
    ):
        with pytest.raises(NotAssigned, match="Lin has it"):
            await attempt
    assert await desk.said(conversation_id, Author.AGENT) == ["hello, this is Lin"]


async def test_a_reply_sent_again_under_its_id_is_said_once(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    first = await desk.conversations.reply_as_agent(conversation_id, LIN, "one moment", "client-1")
    again = await desk.conversations.reply_as_agent(conversation_id, LIN, "one moment", "client-1")
    assert again.id == first.id
    assert await desk.said(conversation_id, Author.AGENT) == ["one moment"]


async def test_a_note_is_for_staff_only(desk: TestDesk) -> None:
    conversation_id = await desk.queued()
    contact_side = desk.hub.subscribe(f"contact:{address()}")
    note = await desk.conversations.add_note(conversation_id, MAX, "VIP")
    assert note.kind is MessageKind.NOTE
    await desk.conversations.assign(conversation_id, LIN)
    event = await anext(contact_side)
    assert "VIP" not in str(event)
    assert "VIP" not in [message.text for message in await desk.conversations.transcript(address())]


async def test_a_transfer_tells_the_new_agent_who_passed_it_on(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    await desk.conversations.agent_seen(MAX.id, MAX.name)
    events = desk.hub.subscribe("staff")
    await desk.conversations.transfer(conversation_id, LIN, MAX)
    told = [await anext(events) for _ in range(3)]
    news = {"type": "transferred", "conversation_id": conversation_id, "agent_id": MAX.id, "by": LIN.name}
    assert told.count(news) == 1


async def test_a_transfer_names_the_new_agent_to_the_contact(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    with pytest.raises(InvalidMessage, match="not at the desk"):
        await desk.conversations.transfer(conversation_id, LIN, MAX, "speaks Cantonese")
    await desk.conversations.agent_seen(MAX.id, MAX.name)
    conversation = await desk.conversations.transfer(conversation_id, LIN, MAX, "speaks Cantonese")
    assert (conversation.agent_id, conversation.status) == (MAX.id, Status.ASSIGNED)
    assert "Max is taking over" in (await desk.said(conversation_id))[-1]
    with pytest.raises(NotAssigned):
        await desk.conversations.reply_as_agent(conversation_id, LIN, "still me")


async def test_a_colleague_is_at_the_desk_although_the_clock_was_set_back(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    desk.clock.advance(-3600)
    await desk.conversations.agent_seen(MAX.id, MAX.name)
    conversation = await desk.conversations.transfer(conversation_id, LIN, MAX)
    assert conversation.agent_id == MAX.id


async def test_release_gives_the_bot_what_the_agent_said(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    await desk.conversations.reply_as_agent(conversation_id, LIN, "I changed the address")
    await desk.conversations.add_note(conversation_id, LIN, "customer is in Hangzhou")
    await desk.conversations.reply_as_agent(conversation_id, LIN, "anything else?")
    await desk.conversations.release(conversation_id, LIN)
    await desk.send("when does it arrive")
    [claim] = await desk.conversations.claim_turns(5)
    assert claim.agent_said == ("I changed the address", "anything else?")
    await desk.conversations.commit_turn(claim, says("tomorrow"), desk.clock())
    await desk.send("thanks")
    [claim] = await desk.conversations.claim_turns(5)
    assert claim.agent_said == ()


async def test_an_agent_who_steps_in_silences_the_answer_the_bot_works_on(desk: TestDesk) -> None:
    receipt = await desk.send("I am furious")
    [claim] = await desk.conversations.claim_turns(1)
    await desk.conversations.assign(receipt.conversation_id, LIN)
    await desk.conversations.reply_as_agent(receipt.conversation_id, LIN, "let me see")
    await desk.conversations.release(receipt.conversation_id, LIN)
    with pytest.raises(FencedOut):
        await desk.conversations.commit_turn(claim, says("How can I help?"), desk.clock())
    assert await desk.said(receipt.conversation_id, Author.BOT) == []
    assert await desk.conversations.claim_turns(5) == []  # the agent has answered it


async def test_a_lost_agent_gives_the_conversation_to_the_head_of_the_queue(desk: TestDesk) -> None:
    lost = await desk.assigned(LIN, contact="lost")
    waiting = await desk.queued(contact="waiting")
    desk.clock.advance(59)
    assert await desk.conversations.requeue_lost() == 0
    desk.clock.advance(2)
    assert await desk.conversations.requeue_lost() == 1
    queue = (await desk.conversations.list_conversations("queued")).items
    assert [conversation.id for conversation in queue] == [lost, waiting]
    assert "lost" in (await desk.said(lost))[-1]
    assert "front of the line" in (await desk.said(lost))[-1]


async def test_an_agent_lost_out_of_hours_leaves_the_contact_with_a_ticket(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    desk.clock.advance(61)
    desk.open = False
    await desk.conversations.requeue_lost()
    [said] = (await desk.said(conversation_id))[-1:]
    assert "connection to our agent was lost" in said
    assert "TK100001" in said


async def test_an_agent_with_a_heartbeat_is_not_lost(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    for _ in range(5):
        desk.clock.advance(30)
        await desk.conversations.agent_seen(LIN.id, LIN.name)
        assert await desk.conversations.requeue_lost() == 0
    assert (await desk.conversations.get_conversation(conversation_id)).status is Status.ASSIGNED


async def test_requeueing_puts_the_contact_first_and_says_so(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    await desk.queued(contact="other")
    conversation = await desk.conversations.requeue(conversation_id, LIN, "needs the repair team")
    assert (conversation.status, conversation.agent_id) == (Status.QUEUED, None)
    assert (await desk.conversations.list_conversations("queued")).items[0].id == conversation_id
    assert "next in line" in (await desk.said(conversation_id))[-1]


async def test_the_end_asks_for_a_rating_once_and_stays_the_end(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    await desk.conversations.resolve(conversation_id, LIN)
    for again in (
        desk.conversations.resolve(conversation_id, LIN),
        desk.conversations.assign(conversation_id, MAX),
        desk.conversations.reply_as_agent(conversation_id, LIN, "bye"),
    ):
        with pytest.raises(IllegalTransition):
            await again
    kinds = [message.kind for message in await desk.conversations.messages(conversation_id)]
    assert kinds.count(MessageKind.RATING_REQUEST) == 1


async def test_a_quiet_contact_is_asked_for_a_rating_after_a_while(desk: TestDesk) -> None:
    receipt = await desk.send("hello")
    desk.clock.advance(4000)
    assert await desk.conversations.resolve_idle(3600) == 0  # still unanswered
    await desk.answer()
    assert await desk.conversations.resolve_idle(3600) == 0
    desk.clock.advance(4000)
    assert await desk.conversations.resolve_idle(3600) == 1
    conversation = await desk.conversations.get_conversation(receipt.conversation_id)
    assert (conversation.status, conversation.resolved_by) == (Status.RESOLVED, "idle")


async def test_chinese_contacts_are_told_in_chinese(desk: TestDesk) -> None:
    receipt = await desk.send("转人工", language="zh")
    [claim] = await desk.conversations.claim_turns(1)
    await desk.conversations.commit_turn(
        claim, type(hands_off())(hands_off().replies, {"language": "zh"}), desk.clock()
    )
    assert "排在第一位" in (await desk.said(receipt.conversation_id))[-1]


async def test_the_language_follows_the_trace(desk: TestDesk) -> None:
    receipt = await desk.send("hello", language="zh")
    await desk.answer(says("hi"))
    assert (await desk.conversations.get_conversation(receipt.conversation_id)).language == "en"


async def test_lists_come_in_pages(desk: TestDesk) -> None:
    sent = [(await desk.send("hi", contact=f"visitor {number}")).conversation_id for number in range(5)]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = await desk.conversations.list_conversations("bot", cursor=cursor, limit=2)
        seen += [conversation.id for conversation in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == sent[::-1]
    with pytest.raises(NotFound, match="mine, queued"):
        await desk.conversations.list_conversations("everything")


async def test_waiting_contacts_learn_when_their_place_changes(desk: TestDesk) -> None:
    first, second = await desk.queued(contact="first"), await desk.queued(contact="second")
    news = desk.hub.subscribe(f"contact:{address('second')}")
    places = await desk.conversations.publish_positions({})
    assert places == {first: (1, 2), second: (2, 4)}
    shown = await anext(news)
    assert (shown["position"], shown["wait_minutes"], shown["closed"]) == (2, 4, False)
    await desk.conversations.assign(first, LIN)
    await desk.conversations.publish_positions(places)
    assert (await anext(news))["position"] == 1


async def test_agents_are_listed_with_what_they_hold(desk: TestDesk) -> None:
    await desk.assigned(LIN, contact="one")
    await desk.assigned(LIN, contact="two")
    await desk.conversations.agent_seen(MAX.id, MAX.name, "away")
    agents = {agent.name: (agent.state, agent.assigned) for agent in await desk.conversations.agents()}
    assert agents == {"Lin": ("online", 2), "Max": ("away", 0)}


async def test_nobody_finds_a_conversation_that_is_not_there(desk: TestDesk) -> None:
    with pytest.raises(NotFound):
        await desk.conversations.assign("0" * 32, Agent("x", "X"))
