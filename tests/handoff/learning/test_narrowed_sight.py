"""Whoever does not see a conversation reads none of its words where the bot is taught, and nothing counts it for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import update

from conversations.sight import EVERYTHING, Scope
from conversations.tables import conversations
from handoff.roles import POLICY, Role
from learning.inbox_list_store import SORTS, STATES, Filters, Group
from tests.handoff.access.test_sight import NOBODY, narrow, path_of, team_of
from tests.handoff.desk import Browser
from tests.handoff.learning.test_gap_api import WRAP, Shop, shop

__all__ = ["shop"]
INBOX, GAPS = "learning/inbox", "learning/gaps"
#: Words that only customers and agents of the hidden conversations use.
SECRET = ("zebra", "giraffe")


@dataclass
class Two:
    """A group with one message that Grace sees and one she does not, and a group of which she sees nothing."""

    shop: Shop
    grace: Browser  #: a supervisor of one team
    boss: Browser  #: a supervisor who sees everything
    eva: Browser  #: a trainer
    hidden: list[str]  #: conversations

    async def group(self, browser: Browser, secret: bool = False) -> dict[str, Any]:
        """The group of gift wrapping, or the hidden one."""
        found = (await browser.get(INBOX)).json()["groups"]
        return next(dict(one) for one in found if ("giraffe" in one["text"]) is secret)


async def hide(shop: Shop, conversation_id: str, team_id: str) -> None:
    async with shop.desk.database.write() as connection:
        chosen = update(conversations).where(conversations.c.id == conversation_id)
        await connection.execute(chosen.values(team_id=team_id, status="assigned"))


@pytest.fixture
async def two(shop: Shop) -> Two:
    wu, grace = await shop.desk.browser("Wu"), await shop.desk.browser("Grace", Role.SUPERVISOR)
    theirs = await team_of(shop.desk, "After-sales", wu.member.id)
    await team_of(shop.desk, "Pre-sales", grace.member.id)
    await narrow(shop.desk, grace.member.id, Scope.TEAM)
    await shop.asked(WRAP, "ann", "You can gift wrap every order in the basket for CNY 10.")
    hidden = [
        await shop.asked(
            "can you gift wrap my zebra order please", "ben", "We gift wrap every zebra order in the basket for CNY 77."
        ),
        await shop.asked("do you sell giraffe lamps", "cat"),
    ]
    for one in hidden:
        await hide(shop, one, theirs)
    boss = await shop.desk.browser("Boss", Role.SUPERVISOR)
    return Two(shop, grace, boss, await shop.desk.browser("Eva", Role.TRAINER), hidden)


async def test_messages_beyond_ones_sight_are_left_out_of_the_inbox(two: Two) -> None:
    page = (await two.grace.get(INBOX)).json()
    [group] = page["groups"]
    assert (group["text"], group["messages"], group["contacts"], group["handoffs"]) == (WRAP, 1, 1, 1)
    assert (page["total"], page["counts"]["new"]) == (1, 1)
    seen = (await two.grace.get(f"{INBOX}/groups/{group['id']}")).json()
    assert [one["text"] for one in seen["messages"]] == [WRAP]
    suggested = await two.grace.get(f"{INBOX}/groups/{group['id']}/suggestions")
    assert suggested.json()["message_id"] == seen["messages"][0]["message_id"]


@pytest.mark.parametrize("who", ["boss", "eva"])
async def test_who_sees_everything_has_them_as_before(two: Two, who: str) -> None:
    browser: Browser = getattr(two, who)
    group = await two.group(browser)
    assert (group["messages"], group["contacts"], group["handoffs"]) == (2, 2, 2)
    assert (await browser.get(INBOX)).json()["counts"]["new"] == 2
    seen = (await browser.get(f"{INBOX}/groups/{group['id']}")).json()
    assert {one["text"] for one in seen["messages"]} == {WRAP, "can you gift wrap my zebra order please"}
    assert "zebra" in (await browser.get(f"{GAPS}/{group['id']}")).text


async def test_a_group_of_which_nothing_is_seen_is_answered_like_one_that_there_is_not(two: Two) -> None:
    secret = (await two.group(two.eva, secret=True))["id"]
    for path in (f"{INBOX}/groups/%s", f"{INBOX}/groups/%s/suggestions", f"{GAPS}/%s"):
        theirs, nobodys = await two.grace.get(path % secret), await two.grace.get(path % NOBODY)
        assert (theirs.status_code, theirs.json()) == (nobodys.status_code, nobodys.json()), path
        assert theirs.status_code == 404
        assert (await two.eva.get(path % secret)).status_code == 200


async def test_gaps_are_drafted_from_what_is_seen(two: Two) -> None:
    page = (await two.grace.get(GAPS)).json()
    [gap] = page["gaps"]
    assert (gap["text"], gap["contacts"], gap["messages"], page["counts"]["open"]) == (WRAP, 1, 1, 1)
    seen = (await two.grace.get(f"{GAPS}/{gap['id']}")).json()
    assert [one["text"] for one in seen["asked"]] == [WRAP]
    assert seen["agents_said"] == 1
    assert "CNY 10" in seen["drafts"][0]["answer"]
    assert "CNY 77" not in str(seen)


async def test_what_was_decided_counts_only_the_messages_that_are_seen(two: Two) -> None:
    group = await two.group(two.eva)
    body = {"revision": group["revision"], "upto": group["upto"], "kind": "gap"}
    assert (await two.eva.post(f"{INBOX}/groups/{group['id']}/decide", body)).status_code == 200
    secret = await two.group(two.eva, secret=True)
    body = {"revision": secret["revision"], "upto": secret["upto"], "kind": "gap"}
    assert (await two.eva.post(f"{INBOX}/groups/{secret['id']}/decide", body)).status_code == 200
    assert (await two.eva.post(f"{GAPS}/{group['id']}/reject", {})).status_code == 200
    [one] = (await two.grace.get(f"{INBOX}/gaps")).json()["gaps"]
    assert (one["texts"], one["messages"], one["contacts"]) == ([WRAP], 1, 1)
    seen = (await two.grace.get(f"{INBOX}/groups/{group['id']}")).json()
    assert [one["messages"] for one in seen["decisions"]] == [1]
    counts = (await two.grace.get(INBOX)).json()["counts"]
    assert (counts["done"], counts["gaps"]) == (1, 1)
    [gap] = (await two.grace.get(GAPS, state="rejected")).json()["gaps"]
    assert [one["contacts"] for one in gap["decisions"]] == [1]
    assert len((await two.eva.get(f"{INBOX}/gaps")).json()["gaps"]) == 2
    sheet = (await two.grace.get(f"{INBOX}/gaps/export")).text
    assert "gift wrap" in sheet
    assert not any(word in sheet for word in SECRET)


async def test_no_route_that_reads_gives_away_a_word_or_an_id(two: Two) -> None:
    """Every page that a supervisor may open, with the ids of both groups."""
    ids = [(await two.group(two.eva, secret=secret))["id"] for secret in (False, True)]
    hidden = [await two.shop.desk.conversations.get_conversation(one) for one in two.hidden]
    never = (*SECRET, "CNY 77", *two.hidden, *(one.contact_id for one in hidden))
    tried = 0
    for (method, route), roles in sorted(POLICY.items()):
        if method != "GET" or Role.SUPERVISOR not in roles:
            continue
        for group in ids if "<group_id>" in route else ids[:1]:
            path = path_of(route, {"group_id": group})
            text = (await two.grace.get(path, q="zebra giraffe")).text
            assert not [word for word in never if word in text], path
            tried += 1
    assert tried > 60
    assert "zebra" in (await two.boss.get(f"{INBOX}/groups/{ids[0]}")).text


async def test_a_search_finds_a_group_only_for_who_sees_some_of_it(two: Two) -> None:
    for words, narrowed, everything in (("giraffe lamps", 0, 1), ("gift wrap order", 1, 1)):
        assert (await two.grace.get(INBOX, q=words)).json()["total"] == narrowed
        assert (await two.boss.get(INBOX, q=words)).json()["total"] == everything


async def test_who_had_to_do_with_a_conversation_reads_its_words(two: Two) -> None:
    from conversations.sight_store import SightStore

    async with two.shop.desk.database.write() as connection:
        await SightStore(connection).note(two.hidden[0], [two.grace.member.id])
    assert (await two.group(two.grace))["messages"] == 2


async def test_a_narrow_sight_that_covers_everything_lists_what_a_wide_one_does(two: Two) -> None:
    """The two ways to count are one: every state, order and filter, with messages that were decided about between them."""
    shop = two.shop
    inbox = shop.desk.side.studio.inbox
    assert inbox is not None
    for number in range(6):
        await shop.asked(f"where is parcel number {'x' * number} {number}", f"more-{number}", *["Here."] * (number % 2))
    await shop.asked("gift wrap it please", "dan", language="zh")
    for kind, place in (("done", 0), ("ignored", 1)):
        group = (await two.eva.get(INBOX)).json()["groups"][place]
        body = {"revision": group["revision"], "upto": group["upto"], "kind": kind}
        assert (await two.eva.post(f"{INBOX}/groups/{group['id']}/decide", body)).status_code == 200
    everyone = await shop.desk.store.find(two.grace.member.id)
    assert everyone is not None
    for one in two.hidden:
        async with shop.desk.database.write() as connection:
            await connection.execute(update(conversations).where(conversations.c.id == one).values(team_id=None))
    sight = shop.desk.side.sight.of(everyone)
    assert sight.scope is Scope.TEAM
    filled = 0
    for state in STATES:
        for sort in SORTS:
            for more in ({}, {"language": "zh"}, {"channel": "web"}, {"since": shop.desk.clock()}):
                filters = Filters(state=state, **more)
                pages: list[tuple[list[Group], int]] = []
                for seen in (EVERYTHING, sight):
                    listed, total = await inbox.inbox.groups(filters, sort, 3, 0, seen)
                    pages.append(([group for group, _ in listed], total))
                assert pages[0] == pages[1], (state, sort, more)
                filled += bool(pages[0][0])
    assert filled >= 12
    assert await inbox.inbox.counts() == await inbox.inbox.counts(sight)
    assert await inbox.inbox.channels() == await inbox.inbox.channels(sight)
