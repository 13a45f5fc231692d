"""The desk invites one agent after the other, in every process of the service at once, and never two of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from types import MappingProxyType
from typing import Any

import pytest

from conversations.audit_store import AuditStore
from conversations.errors import AlreadyAssigned, NotOffered, OfferedToColleague
from conversations.model import Agent, Conversation, Status
from conversations.store import Database
from conversations.teams import Member, Roster
from tests.conversations.builders import EVE, LIN, MAX, Clock, TestDesk, team
from tests.conversations.conftest import connect_again


def offering(*members: Member, **more: Any) -> Roster:
    known = MappingProxyType({one.agent_id: one for one in members})
    return Roster((team(mode="offer", offer_seconds=30, **more),), known)


@pytest.fixture
async def desk(database: Database, clock: Clock) -> TestDesk:
    desk = TestDesk(database, clock)
    desk.roster = offering()
    return desk


@pytest.fixture
async def other_process(place: str, desk: TestDesk, clock: Clock) -> AsyncIterator[TestDesk]:
    """A second process of the service on the same database."""
    database = connect_again(place)
    other = TestDesk(database, clock)
    other.roster = desk.roster
    yield other
    await database.close()


async def offered_to(desk: TestDesk, conversation_id: str) -> str | None:
    return (await desk.get(conversation_id)).offered(desk.clock())


async def go_on(desk: TestDesk, seconds: int) -> None:
    """Time passes with both agents at the desk."""
    for _ in range(seconds):
        desk.clock.advance(1)
        await desk.at_the_desk(LIN, MAX)


async def kinds(desk: TestDesk, conversation_id: str) -> list[str]:
    async with desk.database.read() as connection:
        return [json.loads(row.body)["kind"] async for row in AuditStore(connection).entries(0, conversation_id)]


async def test_one_agent_is_invited_and_consoles_are_told_until_when(desk: TestDesk) -> None:
    await desk.at_the_desk(LIN, MAX)
    events = desk.hub.subscribe("staff")
    conversation_id = await desk.queued()
    assert await desk.conversations.route_queue() == 1
    assert await desk.conversations.route_queue() == 0  # it stands
    conversation = await desk.get(conversation_id)
    assert conversation.offered(desk.clock()) == LIN.id  # at the desk longest
    assert conversation.status is Status.QUEUED
    seen = []
    while not seen or seen[-1]["type"] != "offer":
        seen.append(await anext(events))
    assert seen[-1]["agent_id"] == LIN.id
    assert seen[-1]["until"] > "2026-03-02T10:00:30"


async def test_accepting_an_offer_ends_it_and_a_colleague_may_not_take_it_meanwhile(desk: TestDesk) -> None:
    await desk.at_the_desk(LIN, MAX)
    conversation_id = await desk.queued()
    await desk.conversations.route_queue()
    with pytest.raises(OfferedToColleague, match="Lin is being asked"):
        await desk.conversations.assign(conversation_id, MAX)
    accepted = await desk.conversations.assign(conversation_id, LIN)
    assert (accepted.agent_id, accepted.offered_to, accepted.offered_until) == (LIN.id, None, None)


async def test_a_supervisor_may_take_what_is_being_offered(desk: TestDesk) -> None:
    await desk.at_the_desk(LIN)
    conversation_id = await desk.queued()
    await desk.conversations.route_queue()
    taken = await desk.conversations.assign(conversation_id, EVE, anyway=True)
    assert taken.agent_id == EVE.id
    with pytest.raises(NotOffered):
        await desk.conversations.decline_offer(conversation_id, LIN)


async def test_after_a_no_or_silence_the_next_one_is_asked_then_it_is_for_everybody(desk: TestDesk) -> None:
    await desk.at_the_desk(LIN, MAX)
    conversation_id = await desk.queued()
    await desk.conversations.route_queue()
    await desk.conversations.decline_offer(conversation_id, LIN)
    await desk.conversations.route_queue()
    assert await offered_to(desk, conversation_id) == MAX.id
    await go_on(desk, 31)
    assert await offered_to(desk, conversation_id) is None  # the time is up, whoever has noticed it
    assert await desk.conversations.route_queue() == 0  # all have been asked
    assert (await kinds(desk, conversation_id))[-4:] == ["offered", "offer_declined", "offered", "offer_lapsed"]
    accepted = await desk.conversations.assign(conversation_id, LIN)
    assert accepted.agent_id == LIN.id


async def test_it_is_offered_again_when_somebody_becomes_free(desk: TestDesk) -> None:
    busy = await desk.assigned(LIN, contact="earlier")
    conversation_id = await desk.queued(contact="now")
    await desk.conversations.route_queue()
    await desk.conversations.decline_offer(conversation_id, LIN)
    assert await desk.conversations.route_queue() == 0
    await desk.conversations.resolve(busy, LIN)
    assert await desk.conversations.route_queue() == 1
    assert await offered_to(desk, conversation_id) == LIN.id


async def test_coming_to_the_desk_brings_an_offer_and_going_away_brings_none(desk: TestDesk) -> None:
    conversation_id = await desk.queued()
    assert await desk.conversations.route_queue() == 0
    await desk.conversations.agent_seen(LIN.id, LIN.name, "away")
    assert await desk.conversations.route_queue() == 0
    desk.conversations.routing_wanted.clear()
    await desk.conversations.agent_seen(LIN.id, LIN.name, "online")
    assert desk.conversations.routing_wanted.is_set()
    assert await desk.conversations.route_queue() == 1
    assert await offered_to(desk, conversation_id) == LIN.id


async def test_an_agent_without_heartbeats_is_asked_nothing(desk: TestDesk) -> None:
    await desk.at_the_desk(LIN)
    desk.clock.advance(40)
    await desk.queued()
    assert await desk.conversations.route_queue() == 0


async def test_nobody_is_offered_more_than_they_can_take(desk: TestDesk) -> None:
    desk.roster = offering(Member(LIN.id, LIN.name, capacity=2))
    await desk.at_the_desk(LIN)
    ids = [await desk.queued(contact=f"visitor {number}") for number in range(4)]
    assert await desk.conversations.route_queue() == 2
    assert [await offered_to(desk, one) for one in ids] == [LIN.id, LIN.id, None, None]
    await desk.conversations.assign(ids[0], LIN)
    await desk.conversations.assign(ids[1], LIN)
    assert await desk.conversations.route_queue() == 0
    await desk.conversations.resolve(ids[0], LIN)
    assert await desk.conversations.route_queue() == 1


async def test_who_gave_it_back_is_not_asked_at_once_but_whom_the_contact_knows_is(desk: TestDesk) -> None:
    known = await desk.assigned(MAX, contact="regular")
    await desk.conversations.resolve(known, MAX)
    await desk.at_the_desk(LIN)
    conversation_id = await desk.queued(contact="regular")
    await desk.conversations.route_queue()
    assert await offered_to(desk, conversation_id) == MAX.id
    await desk.conversations.assign(conversation_id, MAX)
    await desk.conversations.requeue(conversation_id, MAX, "not my field")
    await desk.conversations.route_queue()
    assert await offered_to(desk, conversation_id) == LIN.id


async def test_leaving_the_queue_withdraws_the_offer(desk: TestDesk) -> None:
    await desk.at_the_desk(LIN)
    conversation_id = await desk.queued()
    [leave] = (await desk.last(conversation_id)).buttons
    await desk.conversations.route_queue()
    await desk.send("", button_id=leave.id)
    conversation = await desk.get(conversation_id)
    assert (conversation.status, conversation.offered_to, conversation.asked) == (Status.BOT, None, {})


async def test_nothing_is_offered_while_the_team_is_closed(desk: TestDesk) -> None:
    await desk.at_the_desk(LIN)
    desk.open = False
    conversation_id = await desk.queued()
    assert await desk.conversations.route_queue() == 0
    desk.open = True
    assert await desk.conversations.route_queue() == 1
    assert await offered_to(desk, conversation_id) == LIN.id


async def test_two_processes_that_route_at_once_make_one_offer(desk: TestDesk, other_process: TestDesk) -> None:
    await desk.at_the_desk(LIN, MAX)
    for number in range(4):
        conversation_id = await desk.queued(contact=f"visitor {number}")
        made = await asyncio.gather(desk.conversations.route_queue(), other_process.conversations.route_queue())
        assert sum(made) == 1
        assert (await kinds(desk, conversation_id)).count("offered") == 1


async def test_two_processes_together_keep_to_what_an_agent_can_take(desk: TestDesk, other_process: TestDesk) -> None:
    desk.roster = other_process.roster = offering(Member(LIN.id, LIN.name, capacity=1))
    await desk.at_the_desk(LIN)
    ids = [await desk.queued(contact=f"visitor {number}") for number in range(3)]
    await asyncio.gather(desk.conversations.route_queue(), other_process.conversations.route_queue())
    assert [await offered_to(desk, one) for one in ids].count(LIN.id) == 1


async def test_an_offer_outlives_the_process_that_made_it(desk: TestDesk, other_process: TestDesk) -> None:
    await desk.at_the_desk(LIN, MAX)
    conversation_id = await desk.queued()
    await desk.conversations.route_queue()
    assert await other_process.conversations.route_queue() == 0
    await go_on(other_process, 31)
    assert await other_process.conversations.route_queue() == 1
    assert await offered_to(other_process, conversation_id) == MAX.id


async def test_of_agents_who_accept_in_two_processes_at_once_one_wins(desk: TestDesk, other_process: TestDesk) -> None:
    desk.roster = other_process.roster = Roster((team(),))
    for number in range(5):
        conversation_id = await desk.queued(contact=f"visitor {number}")
        outcomes = await asyncio.gather(
            desk.conversations.assign(conversation_id, LIN),
            other_process.conversations.assign(conversation_id, MAX),
            return_exceptions=True,
        )
        [won] = [outcome for outcome in outcomes if isinstance(outcome, Conversation)]
        [lost] = [outcome for outcome in outcomes if not isinstance(outcome, Conversation)]
        assert isinstance(lost, AlreadyAssigned)
        assert str(won.agent_name) in str(lost)


async def test_of_two_who_are_offered_it_one_after_the_other_only_the_current_one_may_accept(desk: TestDesk) -> None:
    await desk.at_the_desk(LIN, MAX)
    conversation_id = await desk.queued()
    await desk.conversations.route_queue()
    await desk.conversations.decline_offer(conversation_id, LIN)
    await desk.conversations.route_queue()
    with pytest.raises(OfferedToColleague):
        await desk.conversations.assign(conversation_id, LIN)
    with pytest.raises(NotOffered):
        await desk.conversations.decline_offer(conversation_id, LIN)
    assert (await desk.conversations.assign(conversation_id, MAX)).agent_id == MAX.id


async def test_an_agent_who_needs_a_skill_is_found_by_it(desk: TestDesk) -> None:
    desk.roster = offering(Member(MAX.id, MAX.name, (), ("refunds",)), skills=("refunds",))
    await desk.at_the_desk(LIN, MAX, Agent("agent-zoe", "Zoe"))
    conversation_id = await desk.queued()
    await desk.conversations.route_queue()
    assert await offered_to(desk, conversation_id) == MAX.id
