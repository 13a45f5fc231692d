"""Labels, priority, snoozing and mentions; none of them changes who speaks."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from conversations.errors import IllegalTransition, InvalidMessage, NotAssigned, NotFound
from conversations.model import Agent, Status
from conversations.organising_store import OrganisingStore
from tests.conversations.builders import LIN, MAX, TestDesk

ZOE = Agent("a" * 32, "Zoe")


async def listed(desk: TestDesk, view: str, agent: Agent = LIN) -> list[str]:
    return [one.id for one in (await desk.conversations.list_conversations(view, agent.id)).items]


async def told(news: Any, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(3):
        while True:
            event: dict[str, Any] = await anext(news)
            if event["type"] == kind:
                return event


async def test_labels_are_put_on_and_taken_off_and_everybody_is_told(desk: TestDesk) -> None:
    conversation_id = await desk.queued()
    vip = await desk.conversations.add_label("VIP 客户", "red", LIN)
    late = await desk.conversations.add_label("late", "blue", LIN)
    news = desk.hub.subscribe("staff")
    labelled = await desk.conversations.change_labels(conversation_id, LIN, add=[vip.id, late.id, vip.id])
    assert labelled.label_ids == (vip.id, late.id)
    assert (await told(news, "conversation"))["conversation"]["label_ids"] == [vip.id, late.id]
    left = await desk.conversations.change_labels(conversation_id, MAX, remove=[vip.id])
    assert left.label_ids == (late.id,)
    assert (await desk.conversations.get_conversation(conversation_id)).label_ids == (late.id,)
    assert left.updated_at == labelled.updated_at  # order in lists follows what was said


async def test_a_title_names_one_label_whatever_its_case(desk: TestDesk) -> None:
    made = await asyncio.gather(
        *(desk.conversations.add_label(title, "red", LIN) for title in ("Late", " late ", "ＬＡＴＥ"))
    )
    assert len({label.id for label in made}) == 1
    other = await desk.conversations.add_label("other", "grey", LIN)
    with pytest.raises(InvalidMessage):
        await desk.conversations.change_label(other.id, "LATE", "grey", False, LIN)


async def test_an_archived_label_stays_where_it_is_and_is_not_given_any_more(desk: TestDesk) -> None:
    conversation_id = await desk.queued()
    label = await desk.conversations.add_label("old", "grey", LIN)
    await desk.conversations.change_labels(conversation_id, LIN, add=[label.id])
    await desk.conversations.change_label(label.id, "old", "grey", True, LIN)
    assert (await desk.conversations.get_conversation(conversation_id)).label_ids == (label.id,)
    with pytest.raises(NotFound):
        await desk.conversations.change_labels(await desk.queued(contact="bo"), LIN, add=[label.id])
    again = await desk.conversations.add_label("OLD", "grey", LIN)
    assert (again.id, again.archived) == (label.id, False)


@pytest.mark.parametrize(("title", "colour"), [("", "red"), ("   ", "red"), ("x" * 41, "red"), ("fine", "#ff0000")])
async def test_a_label_that_cannot_be_shown_is_refused(desk: TestDesk, title: str, colour: str) -> None:
    with pytest.raises(InvalidMessage):
        await desk.conversations.add_label(title, colour, LIN)


async def test_priority_is_what_agents_say_and_counts_as_a_newer_state(desk: TestDesk) -> None:
    conversation_id = await desk.queued()
    before = await desk.conversations.get_conversation(conversation_id)
    after = await desk.conversations.set_priority(conversation_id, LIN, "urgent")
    assert (after.manual_priority, after.priority) == ("urgent", before.priority)
    assert after.revision == before.revision + 1
    with pytest.raises(InvalidMessage):
        await desk.conversations.set_priority(conversation_id, LIN, "asap")


async def test_a_snoozed_conversation_is_out_of_the_way_until_its_time(desk: TestDesk) -> None:
    mine, waiting = await desk.assigned(LIN), await desk.queued(contact="bo")
    until = desk.clock() + timedelta(hours=3)
    for conversation_id in (mine, waiting):
        await desk.conversations.snooze(conversation_id, LIN, until, "waits for the courier")
    assert await listed(desk, "mine") == await listed(desk, "queued") == []
    assert await desk.conversations.wake_due() == 0
    desk.clock.advance(3 * 3600 + 1)
    assert await desk.conversations.wake_due() == 2
    assert await desk.conversations.wake_due() == 0
    assert (await listed(desk, "mine"), await listed(desk, "queued")) == ([mine], [waiting])
    assert await desk.conversations.unseen_notices(LIN.id, [mine]) == {mine: {"woke": 1}}


async def test_a_contact_who_writes_wakes_it_and_the_one_who_snoozed_is_told(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    await desk.conversations.snooze(conversation_id, LIN, desk.clock() + timedelta(days=1))
    news = desk.hub.subscribe("staff")
    await desk.send("are you there?")
    event = await told(news, "woke")
    assert (event["staff_id"], event["conversation_id"]) == (LIN.id, conversation_id)
    conversation = await desk.conversations.get_conversation(conversation_id)
    assert (conversation.snoozed_until, conversation.status) == (None, Status.ASSIGNED)


async def test_many_processes_wake_a_conversation_once(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    await desk.conversations.snooze(conversation_id, LIN, desk.clock() + timedelta(minutes=5))
    desk.clock.advance(301)
    assert sum(await asyncio.gather(*(desk.conversations.wake_due() for _ in range(5)))) == 1
    assert await desk.conversations.unseen_notices(LIN.id, [conversation_id]) == {conversation_id: {"woke": 1}}


async def test_a_clock_that_is_set_back_wakes_nothing_early(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    await desk.conversations.snooze(conversation_id, LIN, desk.clock() + timedelta(minutes=5))
    desk.clock.advance(-3600)
    assert await desk.conversations.wake_due() == 0
    desk.clock.advance(3600 + 301)
    assert await desk.conversations.wake_due() == 1


async def test_a_snoozed_conversation_is_not_lost_when_its_agent_goes_home(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    await desk.conversations.snooze(conversation_id, LIN, desk.clock() + timedelta(hours=12))
    desk.clock.advance(3600)
    assert await desk.conversations.requeue_lost() == 0
    desk.clock.advance(12 * 3600)
    await desk.conversations.wake_due()
    assert await desk.conversations.requeue_lost() == 1  # nobody is there for it: the queue is
    assert (await desk.conversations.get_conversation(conversation_id)).status is Status.QUEUED


async def test_a_change_of_hands_ends_the_snooze(desk: TestDesk) -> None:
    conversation_id = await desk.queued()
    await desk.conversations.snooze(conversation_id, LIN, desk.clock() + timedelta(hours=1))
    await desk.conversations.assign(conversation_id, MAX)
    assert (await desk.conversations.get_conversation(conversation_id)).snoozed_until is None
    await desk.conversations.snooze(conversation_id, MAX, desk.clock() + timedelta(hours=1))
    await desk.conversations.resolve(conversation_id, MAX)
    assert (await desk.conversations.get_conversation(conversation_id)).snoozed_until is None


async def test_what_cannot_be_snoozed_says_why(desk: TestDesk) -> None:
    held, later = await desk.assigned(LIN), desk.clock() + timedelta(hours=1)
    with pytest.raises(NotAssigned):
        await desk.conversations.snooze(held, MAX, later)
    for until in (desk.clock(), desk.clock() + timedelta(days=400)):
        with pytest.raises(InvalidMessage):
            await desk.conversations.snooze(held, LIN, until)
    with pytest.raises(IllegalTransition):
        await desk.conversations.snooze((await desk.send("hi", "bo")).conversation_id, LIN, later)
    with pytest.raises(InvalidMessage):
        await desk.conversations.snooze(held, LIN, later, "x" * 201)


async def test_an_agent_takes_a_conversation_back_before_its_time(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    await desk.conversations.snooze(conversation_id, LIN, desk.clock() + timedelta(hours=1))
    await desk.conversations.unsnooze(conversation_id, LIN)
    assert await listed(desk, "mine") == [conversation_id]
    assert await desk.conversations.unseen_notices(LIN.id, [conversation_id]) == {}


async def test_a_mention_reaches_the_colleague_until_they_have_read_the_note(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    news = desk.hub.subscribe("staff")
    text = f"@[Zoe]({ZOE.id}) please look, @[Zoe]({ZOE.id})! and @[Nobody](12)"
    note = await desk.conversations.add_note(conversation_id, LIN, text)
    event = await told(news, "mention")
    assert (event["staff_id"], event["seq"], event["by_name"]) == (ZOE.id, note.seq, "Lin")
    unseen = await desk.conversations.unseen_notices(ZOE.id, [conversation_id])
    assert unseen == {conversation_id: {"mention": 1}}
    assert await desk.conversations.see_notices(ZOE.id, conversation_id, note.seq - 1) == 0
    assert await desk.conversations.see_notices(ZOE.id, conversation_id, note.seq) == 1
    assert await desk.conversations.unseen_notices(ZOE.id, [conversation_id]) == {}
    assert (await told(news, "notices_seen"))["staff_id"] == ZOE.id


async def test_nobody_is_told_of_mentioning_themselves(desk: TestDesk) -> None:
    conversation_id = await desk.queued()
    await desk.conversations.add_note(conversation_id, ZOE, f"@[Zoe]({ZOE.id}) remember")
    async with desk.database.read() as connection:
        assert await OrganisingStore(connection).unseen_notices(ZOE.id, [conversation_id]) == {}


async def test_how_long_a_contact_waits_is_known_until_somebody_answers(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    await desk.conversations.reply_as_agent(conversation_id, LIN, "hello")
    first = await desk.send("one")
    await desk.send("two")
    conversation = await desk.conversations.get_conversation(conversation_id)
    messages = {m.seq: m for m in await desk.conversations.messages(conversation_id)}
    assert conversation.waiting_since == messages[first.seq].created_at
    await desk.conversations.add_note(conversation_id, LIN, "thinking")
    assert (await desk.conversations.get_conversation(conversation_id)).waiting_since is not None
    await desk.conversations.reply_as_agent(conversation_id, LIN, "here you are")
    assert (await desk.conversations.get_conversation(conversation_id)).waiting_since is None
