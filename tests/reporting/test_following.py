"""The follower of the audit chain: dies anywhere, begins anew, and what it keeps of people who were erased."""

from __future__ import annotations

from typing import Any

import pytest

from conversations.store import Database
from reporting.fact_store import FactStore
from reporting.following import FactFollower
from tests.conversations.builders import LIN, MAX
from tests.reporting.builders import SHANGHAI, Shop


class ProcessDied(BaseException):
    """The process dies here: nothing after it is done."""


async def test_reading_in_small_steps_or_again_gives_the_same_facts(shop: Shop) -> None:
    await shop.week()
    await shop.read_everything()
    facts = await shop.facts()
    assert len(facts["fact_conversations"]) == 6
    await shop.follower.rebuild()
    assert (await shop.reports.progress()).read == 0
    small = FactFollower(shop.database, shop.leases, SHANGHAI, batch=3, now=shop.clock)
    await small.catch_up()
    assert await shop.facts() == facts
    assert (await shop.reports.progress()).behind == 0


async def test_following_along_gives_the_same_facts_as_reading_afterwards(shop: Shop) -> None:
    shop.clock.at(1, 10)
    await shop.asks("gus")
    await shop.read_everything()
    await shop.week()
    await shop.read_everything()
    facts = await shop.facts()
    await shop.follower.rebuild()
    await shop.read_everything()
    assert await shop.facts() == facts


async def test_how_far_the_facts_are_behind_is_told_in_entries_and_in_seconds(shop: Shop) -> None:
    assert await shop.reports.lag() == (0, 0)
    shop.clock.at(2, 10)
    await shop.asks("ann")
    shop.clock.advance(90)
    await shop.asks("bob")
    entries, seconds = await shop.reports.lag()
    assert entries > 1
    assert 90 <= seconds < 100  # of the oldest
    await shop.read_everything()
    assert await shop.reports.lag() == (0, 0)


async def test_what_failed_is_kept_of_turns_whose_traces_are_erased(shop: Shop) -> None:
    ids = await shop.week()
    await shop.read_everything()
    conversation = await shop.desk.get(ids["cat again"])
    await shop.desk.conversations.erase_contact(conversation.contact_id, MAX)
    await shop.follower.rebuild()
    await shop.read_everything()
    assert await shop.number("failed_actions") == 1


@pytest.mark.parametrize("method", ["stories", "put", "move_on"])
async def test_a_follower_that_dies_anywhere_ends_with_the_same_facts(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    await shop.week()
    await shop.limits.catch_up()
    follower = FactFollower(shop.database, shop.leases, SHANGHAI, batch=10, now=shop.clock)
    whole, calls = getattr(FactStore, method), 0

    async def dies_now_and_then(self: FactStore, *given: Any) -> Any:
        nonlocal calls
        calls += 1
        found = await whole(self, *given)
        if calls in (1, 3, 6, 10, 15):
            raise ProcessDied
        return found

    monkeypatch.setattr(FactStore, method, dies_now_and_then)
    deaths = 0
    while True:
        try:
            await follower.catch_up()
            break
        except ProcessDied:
            deaths += 1
    assert deaths > 2
    monkeypatch.undo()
    facts = await shop.facts()
    await shop.follower.rebuild()
    await shop.read_everything()
    assert await shop.facts() == facts


async def test_erasing_a_contact_changes_no_figure(shop: Shop) -> None:
    ids = await shop.week()
    await shop.read_everything()
    facts = await shop.facts()
    for contact in ("ann", "bob", "dan"):
        conversation = await shop.desk.get(ids[contact])
        await shop.desk.conversations.erase_contact(conversation.contact_id, MAX)
    await shop.read_everything()
    assert await shop.facts() == facts
    await shop.follower.rebuild()
    await shop.read_everything()
    assert await shop.facts() == facts


async def test_facts_name_no_contact_and_hold_none_of_their_words(shop: Shop) -> None:
    ids = await shop.week()
    await shop.read_everything()
    conversation = await shop.desk.get(ids["bob"])
    written = repr(await shop.facts())
    for personal in (conversation.contact_id, "how long is the warranty", "'bob'", "visitor"):
        assert personal not in written


async def test_what_is_merged_into_another_is_not_counted_twice(shop: Shop) -> None:
    one = await shop.asks("ann")
    other = await shop.asks("ann", channel="webchat", handoff="asked_for_person")
    await shop.desk.conversations.assign(other, LIN)
    await shop.read_everything()
    assert len((await shop.facts())["fact_conversations"]) == 2
    async with shop.database.write() as connection:  # a merge needs one person behind both addresses
        await _same_contact(connection, one, other)
    await shop.desk.conversations.merge(one, other, LIN)
    await shop.read_everything()
    assert [row["conversation_id"] for row in (await shop.facts())["fact_conversations"]] == [other]


async def _same_contact(connection: Any, one: str, other: str) -> None:
    from sqlalchemy import select, update

    from conversations.tables import conversations

    owner = select(conversations.c.contact_id).where(conversations.c.id == other).scalar_subquery()
    await connection.execute(update(conversations).where(conversations.c.id == one).values(contact_id=owner))


async def test_a_rating_that_comes_days_later_changes_what_is_known(shop: Shop) -> None:
    ids = await shop.week()
    await shop.read_everything()
    shop.clock.at(5, 17)
    await shop.rated("cat", ids["cat"], 2, channel="webchat", solved=False)
    await shop.read_everything()
    assert await shop.share("refuted") == (2, 4)


async def test_what_the_learning_loop_says_later_is_taken_over(shop: Shop) -> None:
    await shop.week()
    await shop.follower.catch_up()  # the loop has not read anything yet
    assert (await shop.ask("accuracy")).total.whole == 0
    await shop.limits.catch_up()
    await shop.follower.catch_up()
    assert await shop.share("accuracy") == (1, 1)


async def test_another_time_zone_makes_every_fact_anew(database: Database) -> None:
    from zoneinfo import ZoneInfo

    shop = Shop(database)
    await shop.week()
    await shop.read_everything()
    moved = Shop(database, ZoneInfo("Europe/Berlin"))
    moved.clock = shop.clock
    assert (await moved.reports.progress()).read == 0
    await moved.follower.catch_up()
    assert (await moved.rows("conversations", "day"))["2026-03-03"] == 1  # cat, who came on Tuesday there
