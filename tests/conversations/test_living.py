"""A process that was killed is noticed by the others; one that only stood still does no harm."""

from __future__ import annotations

import pytest

from conversations.errors import FencedOut
from conversations.lease_store import LeaseStore
from conversations.living import Living
from tests.conversations.builders import Clock, TestDesk, says


class Watch:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def living(desk: TestDesk, process: str, watch: Watch) -> Living:
    return Living(LeaseStore(desk.database), process, desk.conversations.free_turns_of, dead_seconds=10, clock=watch)


async def test_the_turns_of_a_killed_process_are_taken_long_before_their_lease_ends(
    desk: TestDesk, clock: Clock
) -> None:
    """F18: the other process needs ten seconds instead of 45."""
    watch, dying = Watch(), TestDesk(desk.database, clock, process="dying")
    one, other = living(dying, "dying", watch), living(desk, "other", watch)
    await desk.send()
    [claim] = await dying.conversations.claim_turns(5)
    for _ in range(3):
        await one.look()
        await other.look()
        watch.seconds += 4
    assert await desk.conversations.claim_turns(5) == [], "its process lives"
    for _ in range(3):  # and is killed
        await other.look()
        watch.seconds += 4
    await other.look()
    [again] = await desk.conversations.claim_turns(5)
    assert (again.message.id, again.attempts) == (claim.message.id, 2)
    assert [one.name for one in await LeaseStore(desk.database).all_below("process/")] == ["process/other"]


async def test_a_process_that_only_stood_still_writes_nothing_late(desk: TestDesk, clock: Clock) -> None:
    """F18: SIGSTOP, SIGCONT, and somebody else has begun."""
    watch, stopped = Watch(), TestDesk(desk.database, clock, process="stopped")
    one, other = living(stopped, "stopped", watch), living(desk, "other", watch)
    receipt = await desk.send()
    [late] = await stopped.conversations.claim_turns(5)
    await one.look()
    await other.look()
    watch.seconds += 11
    await other.look()
    [claim] = await desk.conversations.claim_turns(5)
    await desk.conversations.commit_turn(claim, says("in time"), clock())
    with pytest.raises(FencedOut):
        await stopped.conversations.commit_turn(late, says("late"), clock())
    assert await desk.said(receipt.conversation_id) == ["hello", "in time"]
    await one.look()
    names = [one.name for one in await LeaseStore(desk.database).all_below("process/")]
    assert sorted(names) == ["process/other", "process/stopped"], "it is one of them again"


async def test_who_stops_in_order_is_not_taken_for_dead(desk: TestDesk) -> None:
    watch = Watch()
    one, other = living(desk, "one", watch), living(desk, "other", watch)
    await one.look()
    await other.look()
    await one.stop()
    assert [found.owner for found in await LeaseStore(desk.database).all_below("process/")] == ["other"]
    watch.seconds += 60
    await other.look()


async def test_only_the_turns_of_the_dead_are_freed(desk: TestDesk, clock: Clock) -> None:
    alive, dead = (TestDesk(desk.database, clock, process=name) for name in ("alive", "dead"))
    await desk.send(contact="a")
    [kept] = await alive.conversations.claim_turns(5)
    await desk.send(contact="b")
    [freed] = await dead.conversations.claim_turns(5)
    assert await desk.conversations.free_turns_of("dead") == 1
    [claim] = await desk.conversations.claim_turns(5)
    assert claim.message.id == freed.message.id != kept.message.id
