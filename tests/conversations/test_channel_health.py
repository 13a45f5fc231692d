"""How channel accounts do is known at once in the process itself, soon in all others, and after a restart."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from conversations.channel_health import ChannelHealth
from conversations.channel_signs import Health, Sign, together
from conversations.channel_tables import channel_health
from conversations.store import Database
from tests.conversations.builders import LIN, Clock, TestDesk, inbound, until

SHOP = ("telegram", "shop")
MAIL = ("email", "support")
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SIGNS: tuple[Sign, ...] = ("received", "sent", "fine", "failed", "refused", "connecting", "connected", "broken")


def quick(database: Database, clock: Clock) -> ChannelHealth:
    return ChannelHealth(database, now=clock, write_every_seconds=0.05, shortest_pause_seconds=0.01)


async def rows(database: Database) -> int:
    async with database.read() as connection:
        return len((await connection.execute(select(channel_health.c.process))).all())


async def test_a_sign_is_known_at_once_in_the_process_that_saw_it(database: Database, clock: Clock) -> None:
    health = quick(database, clock)
    health.note(*SHOP, "failed", "rejected", "error 40164: not in the white list")
    known = (await health.read())[SHOP]
    assert (known.error_code, known.error) == ("rejected", "error 40164: not in the white list")
    assert known.errors_within_the_hour(clock()) == 1
    assert await rows(database) == 0  # nobody waited for a disk


async def test_other_processes_read_it_soon_and_add_up_what_all_of_them_saw(database: Database, clock: Clock) -> None:
    one, other = quick(database, clock), quick(database, clock)
    for health in (one, other):
        await health.start([SHOP])
        health.note(*SHOP, "refused", "", "the secret token is not the one of this bot's webhook")
        health.note(*SHOP, "refused", "", "again")

    async def four() -> bool:
        known = (await other.read()).get(SHOP, Health())
        return known.refusals_within_the_hour(clock()) == 4 and known.refusal == "again"

    await until(four)
    for health in (one, other):
        await health.stop()


async def test_a_restart_forgets_neither_when_something_came_nor_what_went_wrong(
    database: Database, clock: Clock
) -> None:
    before = quick(database, clock)
    await before.start([SHOP])
    before.note(*SHOP, "received")
    before.note(*SHOP, "broken", "unavailable", "no connection")
    await before.stop()
    known = (await before.read())[SHOP]
    for _ in range(3):  # each of them long after the one before, so that its row is dropped
        clock.advance(26 * 3600)
        after = quick(database, clock)
        await after.start([SHOP])
        await after.stop()
    seen = (await after.read())[SHOP]
    assert (seen.received_at, seen.error, seen.error_at) == (known.received_at, known.error, known.error_at)
    assert seen.errors_within_the_hour(clock()) == 0
    assert await rows(database) == 1


async def test_a_process_that_died_leaves_no_connection_behind(database: Database, clock: Clock) -> None:
    dead, alive = quick(database, clock), quick(database, clock)
    await dead.start([MAIL])
    dead.note(*MAIL, "connected")

    async def seen() -> bool:
        return (await alive.read()).get(MAIL, Health()).connection == "connected"

    await until(seen)
    clock.advance(200)  # it was killed: nothing was written at the end
    assert (await alive.read())[MAIL].connection is None
    assert (await alive.read())[MAIL].fine_at is not None
    await dead.stop()


async def test_a_desk_on_which_nothing_happens_writes_nothing(database: Database, clock: Clock) -> None:
    health = quick(database, clock)
    await health.start([SHOP])
    await asyncio.sleep(0.2)
    assert await rows(database) == 0
    await health.stop()


async def test_the_last_writers_of_an_account_are_offered_without_those_who_were_erased(desk: TestDesk) -> None:
    for contact, name in (("ann", "Ann"), ("bob", "Bob"), ("eve", "Eve")):
        await desk.conversations.receive(inbound("hello", contact, contact_name=name))
        desk.clock.advance(60)
    erased = await desk.send("hello", "gone")
    await desk.conversations.erase_contact((await desk.get(erased.conversation_id)).contact_id, LIN)
    health = ChannelHealth(desk.database)
    writers = await health.last_writers("telegram", "default")
    assert [(one.contact, one.name) for one in writers] == [("eve", "Eve"), ("bob", "Bob"), ("ann", "Ann")]
    assert await health.last_writers("telegram", "other") == []


@pytest.mark.parametrize("worst", ["broken", "connecting", "connected"])
def test_of_several_connections_the_worst_counts(worst: str) -> None:
    order = ["connected", "connecting", "broken"]
    better = order[: order.index(worst) + 1]
    assert together(Health(connection=state) for state in [*better, None]).connection == worst


@given(st.lists(st.tuples(st.sampled_from(SIGNS), st.integers(0, 7200), st.booleans()), max_size=40))
def test_what_two_processes_saw_together_is_what_one_would_have_seen(seen: list[tuple[Sign, int, bool]]) -> None:
    seen.sort(key=lambda one: one[1])
    alone, parts = Health(), [Health(), Health()]
    for number, (sign, seconds, first) in enumerate(seen):
        at = NOON + timedelta(seconds=seconds)
        alone = alone.after(sign, at, "rejected", f"{number}")
        parts[first] = parts[first].after(sign, at, "rejected", f"{number}")
    both, now = together(parts), NOON + timedelta(seconds=7200)
    for name in ("received_at", "sent_at", "fine_at", "error_at", "refused_at"):
        assert getattr(both, name) == getattr(alone, name)
    assert both.errors_within_the_hour(now) == alone.errors_within_the_hour(now)
    assert both.refusals_within_the_hour(now) == alone.refusals_within_the_hour(now)


def test_what_a_channel_says_is_kept_short_and_fit_for_every_database() -> None:
    known = Health().after("failed", NOON, "rejected", "a\x00b\ud800" + "x" * 5000)
    assert known.error is not None
    assert len(known.error) == 500
    assert known.error.startswith("ab?")
