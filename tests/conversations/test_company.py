"""Several agents in one conversation: one assignee, the others help, and the contact knows who is there."""

from __future__ import annotations

import json

import pytest

from conversations.audit_store import AuditStore
from conversations.errors import IllegalTransition, InvalidMessage, NotAssigned, NotFound
from conversations.model import Author, MessageKind, Status
from conversations.teams import Roster
from tests.conversations.builders import EVE, LIN, MAX, TestDesk, team


async def actors(desk: TestDesk, conversation_id: str, kind: str) -> list[str]:
    async with desk.database.read() as connection:
        bodies = [json.loads(row.body) async for row in AuditStore(connection).entries(0, conversation_id)]
    return [body["actor"] for body in bodies if body["kind"] == kind]


async def helped(desk: TestDesk) -> str:
    """Lin's conversation in which Max helps."""
    conversation_id = await desk.assigned(LIN)
    await desk.at_the_desk(MAX)
    await desk.conversations.invite(conversation_id, LIN, MAX, "knows the warranty")
    await desk.conversations.join(conversation_id, MAX)
    return conversation_id


async def test_an_invited_colleague_writes_too_and_the_conversation_stays_its_owners(desk: TestDesk) -> None:
    conversation_id = await helped(desk)
    assert "Max is here too" in (await desk.said(conversation_id))[-1]
    await desk.conversations.reply_as_agent(conversation_id, MAX, "two years, from the day of delivery")
    await desk.conversations.reply_as_agent(conversation_id, LIN, "and I send you the form")
    conversation = await desk.get(conversation_id)
    assert (conversation.agent_id, conversation.status) == (LIN.id, Status.ASSIGNED)
    assert (await desk.said(conversation_id, Author.AGENT))[-2:] == [
        "two years, from the day of delivery",
        "and I send you the form",
    ]
    for verb in (desk.conversations.resolve, desk.conversations.release, desk.conversations.requeue):
        with pytest.raises(NotAssigned, match="Lin has it"):
            await verb(conversation_id, MAX)
    mine = await desk.conversations.list_conversations("mine", MAX.id)
    assert [one.id for one in mine.items] == [conversation_id]


async def test_the_contact_hears_nothing_of_an_invitation_until_somebody_comes(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    await desk.at_the_desk(MAX)
    before = len(await desk.conversations.transcript((await desk.get(conversation_id)).address))
    events = desk.hub.subscribe("staff")
    await desk.conversations.invite(conversation_id, LIN, MAX, "please look")
    assert len(await desk.conversations.transcript((await desk.get(conversation_id)).address)) == before
    assert (await desk.last(conversation_id)).kind is MessageKind.NOTE
    seen = [await anext(events) for _ in range(3)]
    assert {"type": "invited", "conversation_id": conversation_id, "agent_id": MAX.id, "by": "Lin"} in seen
    await desk.conversations.reply_as_agent(conversation_id, MAX, "hello")  # writing is coming
    assert (await desk.said(conversation_id))[-2:] == ["Max is here too, to help with this.", "hello"]


async def test_who_leaves_is_missed_and_can_write_no_more(desk: TestDesk) -> None:
    conversation_id = await helped(desk)
    await desk.conversations.leave(conversation_id, MAX)
    assert (await desk.said(conversation_id))[-1] == "Max has left; Lin is still with you."
    with pytest.raises(NotAssigned):
        await desk.conversations.reply_as_agent(conversation_id, MAX, "one more thing")
    with pytest.raises(NotAssigned):
        await desk.conversations.leave(conversation_id, MAX)


async def test_the_owner_may_send_a_guest_away_but_not_a_supervisor(desk: TestDesk) -> None:
    conversation_id = await helped(desk)
    with pytest.raises(NotAssigned):
        await desk.conversations.remove(conversation_id, MAX, MAX.id)
    await desk.conversations.remove(conversation_id, LIN, MAX.id)
    assert (await desk.get(conversation_id)).participants == ()
    await desk.conversations.barge_in(conversation_id, EVE)
    with pytest.raises(NotAssigned, match="supervisor"):
        await desk.conversations.remove(conversation_id, LIN, EVE.id)


async def test_only_the_owner_invites_and_only_somebody_at_the_desk(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    with pytest.raises(NotAssigned):
        await desk.conversations.invite(conversation_id, MAX, LIN)
    with pytest.raises(InvalidMessage, match="not at the desk"):
        await desk.conversations.invite(conversation_id, LIN, MAX)
    with pytest.raises(InvalidMessage, match="already"):
        await desk.conversations.invite(conversation_id, LIN, LIN)
    await desk.at_the_desk(MAX)
    await desk.conversations.invite(conversation_id, LIN, MAX)
    with pytest.raises(InvalidMessage, match="invited already"):
        await desk.conversations.invite(conversation_id, LIN, MAX)
    with pytest.raises(NotAssigned, match="not invited"):
        await desk.conversations.join(conversation_id, EVE)


async def test_an_invitation_nobody_follows_lapses_in_silence(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    await desk.at_the_desk(MAX)
    await desk.conversations.invite(conversation_id, LIN, MAX)
    before = await desk.said(conversation_id)
    assert await desk.conversations.tidy_company() == 0
    desk.clock.advance(91)
    await desk.at_the_desk(LIN, MAX)
    assert await desk.conversations.tidy_company() == 1
    assert (await desk.get(conversation_id)).participants == ()
    assert await desk.said(conversation_id) == before


async def test_a_guest_who_vanishes_is_taken_off_and_the_contact_is_told(desk: TestDesk) -> None:
    conversation_id = await helped(desk)
    for _ in range(4):
        desk.clock.advance(20)
        await desk.at_the_desk(LIN)
    assert await desk.conversations.tidy_company() == 1
    assert "Max has left" in (await desk.said(conversation_id))[-1]


async def test_a_supervisor_joins_and_speaks_without_taking_over(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    await desk.conversations.barge_in(conversation_id, EVE)
    await desk.conversations.barge_in(conversation_id, EVE)  # a second click changes nothing
    await desk.conversations.reply_as_agent(conversation_id, EVE, "let me help here")
    await desk.conversations.reply_as_agent(conversation_id, LIN, "thanks")
    conversation = await desk.get(conversation_id)
    assert conversation.agent_id == LIN.id
    assert [(one.agent_id, one.role) for one in conversation.participants] == [(EVE.id, "supervisor")]
    assert (await desk.said(conversation_id)).count("Eve is here too, to help with this.") == 1
    assert await actors(desk, conversation_id, "barged_in") == [f"agent:{EVE.id}"]
    assert await actors(desk, conversation_id, "taken_over") == []


async def test_a_supervisor_takes_over_and_both_the_agent_and_the_contact_are_told(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    await desk.conversations.barge_in(conversation_id, EVE)
    events = desk.hub.subscribe("staff")
    conversation = await desk.conversations.take_over(conversation_id, EVE)
    assert (conversation.agent_id, conversation.participants) == (EVE.id, ())
    assert "Eve is now looking after you" in (await desk.said(conversation_id))[-1]
    told = [await anext(events) for _ in range(3)]
    assert {"type": "taken_over", "conversation_id": conversation_id, "agent_id": LIN.id, "by": "Eve"} in told
    with pytest.raises(NotAssigned, match="Eve has it"):
        await desk.conversations.reply_as_agent(conversation_id, LIN, "still me")
    assert await actors(desk, conversation_id, "taken_over") == [f"agent:{EVE.id}"]


async def test_what_nobody_holds_is_accepted_not_joined_or_taken_over(desk: TestDesk) -> None:
    conversation_id = await desk.queued()
    for verb in (desk.conversations.barge_in, desk.conversations.take_over):
        with pytest.raises(InvalidMessage, match="accept"):
            await verb(conversation_id, EVE)
    await desk.conversations.assign(conversation_id, LIN)
    await desk.conversations.resolve(conversation_id, LIN)
    with pytest.raises(IllegalTransition):
        await desk.conversations.take_over(conversation_id, EVE)


async def test_participants_go_when_the_conversation_changes_hands(desk: TestDesk) -> None:
    conversation_id = await helped(desk)
    await desk.conversations.transfer(conversation_id, LIN, MAX)
    conversation = await desk.get(conversation_id)
    assert (conversation.agent_id, conversation.participants) == (MAX.id, ())
    await desk.conversations.barge_in(conversation_id, EVE)
    await desk.conversations.requeue(conversation_id, MAX)
    assert (await desk.get(conversation_id)).participants == ()
    with pytest.raises(NotAssigned):
        await desk.conversations.reply_as_agent(conversation_id, EVE, "hello?")


async def test_a_conversation_is_passed_to_the_head_of_another_teams_queue_with_a_note(desk: TestDesk) -> None:
    desk.roster = Roster((team(), team("repairs"), team("closed", active=False)))
    conversation_id = await desk.assigned(LIN, contact="first")
    for number in range(2):
        desk.roster = Roster((team("repairs"),))
        await desk.queued(contact=f"waiting {number}")
    desk.roster = Roster((team(), team("repairs"), team("closed", active=False)))
    with pytest.raises(NotFound, match="no such team"):
        await desk.conversations.transfer_to_team(conversation_id, LIN, "closed")
    conversation = await desk.conversations.transfer_to_team(conversation_id, LIN, "repairs", "screen is broken")
    assert (conversation.status, conversation.team_id, conversation.agent_id) == (Status.QUEUED, "repairs", None)
    assert conversation.handoff_reason == "transferred"
    assert "team “repairs”. You're next in line" in (await desk.said(conversation_id))[-1]
    notes = [m.text for m in await desk.conversations.messages(conversation_id) if m.kind is MessageKind.NOTE]
    assert notes == ["screen is broken"]
    assert (await desk.conversations.list_conversations("queued")).items[0].id == conversation_id


async def test_chinese_contacts_are_told_in_chinese_who_comes_and_goes(desk: TestDesk) -> None:
    receipt = await desk.send("转人工", language="zh")
    await desk.conversations.assign(receipt.conversation_id, LIN)
    await desk.conversations.barge_in(receipt.conversation_id, EVE)
    await desk.conversations.leave(receipt.conversation_id, EVE)
    await desk.conversations.take_over(receipt.conversation_id, EVE)
    assert (await desk.said(receipt.conversation_id, Author.SYSTEM))[-3:] == [
        "客服 Eve 也加入了会话，一起为您服务。",
        "客服 Eve 已离开会话，Lin 继续为您服务。",
        "现在由客服 Eve 接手为您服务，之前的内容对方都能看到。",
    ]
