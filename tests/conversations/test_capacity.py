"""An agent takes as many conversations by hand as they can hold, unless their team or a supervisor says otherwise."""

from __future__ import annotations

import asyncio

import pytest

from conversations.errors import AtCapacity, OfferedToColleague
from conversations.model import Status
from conversations.teams import Roster
from tests.conversations.builders import LIN, MAX, TestDesk, team


@pytest.fixture
def small(desk: TestDesk) -> TestDesk:
    """A desk whose agents hold two conversations at once."""
    desk.roster = Roster((team(capacity=2),))
    return desk


async def busy(desk: TestDesk) -> list[str]:
    return [await desk.assigned(LIN, contact=f"held {number}") for number in range(2)]


async def test_one_more_than_an_agent_holds_is_refused_and_stays_where_it_was(small: TestDesk) -> None:
    await busy(small)
    waiting = await small.queued(contact="one more")
    before = await small.get(waiting)
    with pytest.raises(AtCapacity, match="you hold 2 of 2 conversations") as refusal:
        await small.conversations.assign(waiting, LIN)
    assert refusal.value.detail == "2/2"
    assert await small.get(waiting) == before
    await small.conversations.assign(waiting, MAX)
    assert (await small.get(waiting)).agent_id == MAX.id


async def test_finishing_one_makes_room(small: TestDesk) -> None:
    held = await busy(small)
    waiting = await small.queued(contact="one more")
    await small.conversations.resolve(held[0], LIN)
    assert (await small.conversations.assign(waiting, LIN)).agent_id == LIN.id


async def test_what_the_bot_has_counts_as_well(small: TestDesk) -> None:
    await busy(small)
    receipt = await small.send("hello", "with the bot")
    with pytest.raises(AtCapacity):
        await small.conversations.assign(receipt.conversation_id, LIN)
    assert (await small.get(receipt.conversation_id)).status is Status.BOT


async def test_a_team_may_let_its_agents_take_more(small: TestDesk) -> None:
    await busy(small)
    small.roster = Roster((team(capacity=2, pull_over_capacity=True),))
    waiting = await small.queued(contact="one more")
    assert (await small.conversations.assign(waiting, LIN)).agent_id == LIN.id


async def test_a_supervisor_takes_what_they_want(small: TestDesk) -> None:
    await busy(small)
    waiting = await small.queued(contact="one more")
    assert (await small.conversations.assign(waiting, LIN, over_capacity=True)).agent_id == LIN.id


async def test_accepting_again_what_one_holds_is_no_more(small: TestDesk) -> None:
    held = await busy(small)
    assert (await small.conversations.assign(held[0], LIN)).agent_id == LIN.id


async def test_what_was_offered_is_counted_before_and_theirs_to_take(desk: TestDesk) -> None:
    desk.roster = Roster((team(capacity=2, mode="offer"),))
    await desk.at_the_desk(LIN)
    await desk.assigned(LIN, contact="held")
    offered = await desk.queued(contact="offered")
    assert await desk.conversations.route_queue() == 1
    other = await desk.queued(contact="other")
    with pytest.raises(AtCapacity, match="1 more are being offered"):
        await desk.conversations.assign(other, LIN)
    with pytest.raises(OfferedToColleague):
        await desk.conversations.assign(offered, MAX)
    assert (await desk.conversations.assign(offered, LIN)).agent_id == LIN.id


async def test_two_at_once_do_not_slip_through(small: TestDesk) -> None:
    await small.assigned(LIN, contact="held")
    waiting = [await small.queued(contact=f"waiting {number}") for number in range(3)]
    outcomes = await asyncio.gather(*(small.conversations.assign(one, LIN) for one in waiting), return_exceptions=True)
    assert [type(one) for one in outcomes].count(AtCapacity) == 2


async def test_passing_one_on_to_somebody_who_holds_enough_is_worth_a_question(small: TestDesk) -> None:
    await busy(small)
    with pytest.raises(AtCapacity, match="Lin holds 2 of 2"):
        await small.conversations.check_room(LIN)
    await small.conversations.check_room(MAX)
    mine = await small.assigned(MAX, contact="passed on")
    assert (await small.conversations.transfer(mine, MAX, LIN)).agent_id == LIN.id  # whoever insists
