"""The console's views and saved filters: what belongs where, honest counts, and pages that stay right under changes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, update

from conversations.json_form import moment
from conversations.model import PRIORITIES
from conversations.organising_tables import conversation_labels, labels
from conversations.sealing_store import sealed_contact
from conversations.store import Database
from conversations.tables import contacts, conversations
from conversations.teams import Roster
from handoff.organising.organise_bodies import SORTS, Conditions
from handoff.organising.view_store import Reader, ViewStore, available_conditions, filter_condition, view_condition
from handoff.roles import Role
from handoff.store import StaffStore
from handoff.tables import seen_marks
from tests.handoff.desk import Browser, Desk

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
ME, OTHER = "a" * 32, "b" * 32


async def put(database: Database, number: int, **values: Any) -> str:
    """A conversation exactly as given."""
    conversation_id, contact_id = f"{number:032x}", f"{number + 10_000:032x}"
    at = START + timedelta(minutes=number)
    row = {
        "id": conversation_id, "channel": "webchat", "account": "default", "contact": f"c{number}", "contact_id": contact_id,
        "status": "queued", "language": "en", "opened_at": at, "updated_at": at, "last_seq": 3, "queued_at": at,
    }  # fmt: skip
    async with database.write() as connection:
        customer_id = values.pop("customer_id", None)
        contact = {"id": contact_id, "name": f"Contact {number}", "customer_id": customer_id, "created_at": at}
        await connection.execute(insert(contacts).values(await sealed_contact(connection, contact_id, contact)))
        await connection.execute(insert(conversations).values(**row | values))
    return conversation_id


def reader(*teams: str, minutes: int = 600) -> Reader:
    return Reader(ME, teams, START + timedelta(minutes=minutes))


async def ids(database: Database, condition: Any, sort: str = "newest") -> list[str]:
    page = await ViewStore(database).page(condition, sort, reader(), None, 100)
    return [one.id for one in page.items]


async def test_consoles_that_open_at_once_all_see_the_channels(database: Database, store: StaffStore) -> None:
    views = ViewStore(database)
    assert await views.channels() == []
    await put(database, 1, channel="email")
    assert await asyncio.gather(*(views.channels() for _ in range(3))) == [["email"]] * 3


async def test_each_view_holds_what_its_name_says(database: Database, store: StaffStore) -> None:
    later = START + timedelta(days=1)
    made = {
        "mine": await put(database, 1, status="assigned", agent_id=ME),
        "others": await put(database, 2, status="assigned", agent_id=OTHER),
        "queued": await put(database, 3),
        "bot": await put(database, 4, status="bot"),
        "resolved": await put(database, 5, status="resolved", agent_id=ME),
        "asleep": await put(database, 6, status="assigned", agent_id=ME, snoozed_until=later),
        "asleep_queued": await put(database, 7, snoozed_until=later),
        "team": await put(database, 8, team_id="t1"),
    }
    expected = {
        "mine": {"mine"},
        "queued": {"queued", "team"},
        "bot": {"bot"},
        "resolved": {"resolved"},
        "snoozed": {"asleep", "asleep_queued"},
        "all": set(made) - {"resolved"},
        "team": {"team"},
        "mentions": set(),
    }
    for view, names in expected.items():
        found = await ids(database, view_condition(view, reader("t1", "t2")))
        assert set(found) == {made[name] for name in names}, view
    assert await ids(database, view_condition("team", reader())) == []
    counts = await ViewStore(database).count_views(reader("t1"))
    assert counts == {name: len(names) for name, names in expected.items() if name != "resolved"}


async def test_every_condition_lets_through_what_it_names(database: Database, store: StaffStore) -> None:
    label_a, label_b = "1" * 32, "2" * 32
    plain = await put(database, 1, updated_at=START)
    special = await put(
        database, 2, status="assigned", channel="email", language="zh", manual_priority="urgent", team_id="c" * 32,
        agent_id=ME, handoff_reason="two_misses", waiting_since=START, opened_at=START + timedelta(days=3),
        updated_at=START + timedelta(days=4), last_seq=9, snoozed_until=START + timedelta(days=9),
    )  # fmt: skip
    async with database.write() as connection:
        for label_id in (label_a, label_b):
            values = {"id": label_id, "title": label_id, "key": label_id, "colour": "red"}
            await connection.execute(insert(labels).values(**values, created_by=ME, created_at=START))
        await connection.execute(
            insert(conversation_labels).values(conversation_id=special, label_id=label_a, at=START)
        )
    member = await store.add("me@kite.example", "Me", Role.AGENT, "hash", ("en",), START)
    async with database.write() as connection:
        await connection.execute(insert(seen_marks).values(staff_id=member.id, conversation_id=plain, seq=3))
        await connection.execute(insert(seen_marks).values(staff_id=member.id, conversation_id=special, seq=8))
    me = Reader(member.id, (), START + timedelta(days=5))
    day3 = START + timedelta(days=2)
    cases: list[dict[str, Any]] = [
        {"status": ["assigned"]}, {"channel": ["email", "sms"]}, {"language": ["zh"]}, {"priority": ["high", "urgent"]},
        {"team": ["c" * 32]}, {"agent": [ME]}, {"handoff_reason": ["two_misses"]}, {"waiting_longer_minutes": 60},
        {"label": [label_a]}, {"label": [label_a, label_b]}, {"created_after": day3}, {"updated_after": day3},
        {"created_within_days": 3}, {"updated_within_days": 2}, {"unread": True}, {"snoozed": True},
    ]  # fmt: skip
    for given_conditions in cases:
        condition = filter_condition(Conditions.model_validate(given_conditions), me)
        assert await ids(database, condition) == [special], given_conditions
    for others in ({"created_before": day3}, {"snoozed": False}, {"team": ["none"]}, {"agent": ["none"]}):
        assert await ids(database, filter_condition(Conditions.model_validate(others), me)) == [plain], others
    both = Conditions.model_validate({"label": [label_a, label_b], "every_label": True})
    assert await ids(database, filter_condition(both, me)) == []
    assert await ids(database, filter_condition(Conditions(status=("queued",), unread=True), me)) == []


async def test_a_tier_is_the_customers(database: Database, store: StaffStore) -> None:
    from crm.tables import customers

    row: dict[str, Any] = {
        "name": "N",
        "language": "en",
        "country": "GB",
        "points": 1,
        "created_at": START,
        "level": "gold",
    }
    async with database.write() as connection:
        await connection.execute(insert(customers).values(id="k1", tier="gold", **row))
    gold = await put(database, 1, customer_id="k1")
    await put(database, 2)
    assert await ids(database, filter_condition(Conditions(tier=("gold",)), reader())) == [gold]
    assert await ids(database, filter_condition(Conditions(tier=("silver",)), reader())) == []


def test_sentiment_is_offered_only_where_it_is_measured() -> None:
    assert ("sentiment" in available_conditions()) == ("sentiment" in conversations.c)


@pytest.mark.parametrize("sort", SORTS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_pages_show_what_nobody_touched_exactly_once(
    database: Database, store: StaffStore, sort: str, data: st.DataObject
) -> None:
    """Whatever changes between the pages, nothing that stayed as it was is missed or comes twice."""
    async with database.write() as connection:
        await connection.execute(delete(conversations))
        await connection.execute(delete(contacts))
    total = data.draw(st.integers(1, 12))
    minutes = st.integers(0, 4)
    made = []
    for number in range(total):
        at = START + timedelta(minutes=data.draw(minutes))  # many at the same moment
        since = data.draw(st.one_of(st.none(), minutes.map(lambda m: START + timedelta(minutes=m))))
        level = data.draw(st.sampled_from(PRIORITIES))
        made.append(
            await put(database, number, updated_at=at, opened_at=at, waiting_since=since, manual_priority=level)
        )
    views, asked = ViewStore(database), reader(minutes=10)
    condition = view_condition("queued", asked)
    seen: list[str] = []
    touched: set[str] = set()
    cursor: str | None = None
    clock = 10
    while True:
        page = await views.page(condition, sort, asked, cursor, data.draw(st.integers(1, 4)))
        seen += [one.id for one in page.items]
        if page.cursor is None:
            break
        cursor = page.cursor
        for _ in range(data.draw(st.integers(0, 2))):
            clock += 1
            one = data.draw(st.sampled_from(made))
            touched.add(one)
            change = data.draw(
                st.sampled_from([{"status": "resolved"}, {"manual_priority": "urgent"}, {"waiting_since": None}, {}])
            )
            at = START + timedelta(minutes=clock)
            async with database.write() as connection:
                await connection.execute(
                    update(conversations).where(conversations.c.id == one).values(updated_at=at, **change)
                )
    untouched = [one for one in made if one not in touched]
    assert [one for one in seen if one in untouched] == list(dict.fromkeys(one for one in seen if one in untouched))
    assert set(untouched) <= set(seen)
    if sort in ("newest", "oldest", "opened"):
        assert len(seen) == len(set(seen))


async def test_a_cursor_of_another_sort_or_of_nonsense_begins_anew(database: Database, store: StaffStore) -> None:
    for number in range(3):
        await put(database, number)
    views, condition = ViewStore(database), view_condition("queued", reader())
    first = await views.page(condition, "newest", reader(), None, 2)
    for cursor in ("x", "AAAA", "!!", first.cursor):
        page = await views.page(condition, "oldest", reader(), cursor, 2)
        assert [one.id for one in page.items] == [f"{0:032x}", f"{1:032x}"]


# through the API


async def views_of(browser: Browser) -> dict[str, Any]:
    response = await browser.get("views")
    assert response.status_code == 200
    return dict(response.json())


async def test_views_and_counts_follow_what_happens(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    mine = await desk.assigned_to(chen, "ann")
    assert (await views_of(chen))["waiting_since"] is None
    waiting = await desk.queued(contact="bo")
    read = await views_of(chen)
    assert read["waiting_since"] == moment((await desk.conversations.get_conversation(waiting)).queued_at)
    counts = read["counts"]
    assert (counts["mine"], counts["queued"], counts["all"], counts["snoozed"]) == (1, 1, 2, 0)
    until = (desk.clock() + timedelta(hours=3)).isoformat()
    response = await chen.post(f"conversations/{mine}/snooze", {"until": until, "reason": "courier"})
    assert response.json()["conversation"]["snooze_reason"] == "courier"
    counts = (await views_of(chen))["counts"]
    assert (counts["mine"], counts["snoozed"]) == (0, 1)
    (row,) = (await chen.get("conversations", view="snoozed")).json()["conversations"]
    assert row["id"] == mine
    desk.clock.forward(hours=3, seconds=1)
    await desk.conversations.wake_due()
    chen = await desk.sign_in(chen.member)  # nobody's session lasts three idle hours
    (row,) = (await chen.get("conversations", view="mine")).json()["conversations"]
    assert row["unseen"] == {"woke": 1}


async def test_mentions_are_counted_until_they_are_seen(desk: Desk) -> None:
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    conversation_id = await desk.assigned_to(chen)
    async with sam.live() as live:
        await live.next("ready")
        note = await chen.post(
            f"conversations/{conversation_id}/note", {"text": f"@[Sam]({sam.member.id}) can you look?"}
        )
        event = await live.next("mention")
        assert (event["staff_id"], event["by_name"]) == (sam.member.id, "Chen Yu")
    assert (await views_of(sam))["counts"]["mentions"] == 1
    (row,) = (await sam.get("conversations", view="mentions")).json()["conversations"]
    assert (row["id"], row["unseen"]) == (conversation_id, {"mention": 1})
    await sam.post(f"conversations/{conversation_id}/seen", {"seq": note.json()["message"]["seq"]})
    assert (await views_of(sam))["counts"]["mentions"] == 0
    (row,) = (await sam.get("conversations", view="mentions")).json()["conversations"]
    assert row["unseen"] == {}
    assert (await views_of(chen))["counts"]["mentions"] == 0


async def test_a_filter_is_saved_listed_used_changed_and_deleted(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    await desk.queued(contact="ann")
    urgent = await desk.queued(contact="bo")
    await chen.post(f"conversations/{urgent}/priority", {"level": "urgent"})
    body = {"name": "急单", "conditions": {"priority": ["urgent"], "status": ["queued"]}, "sort": "waiting"}
    saved = (await chen.post("filters", body)).json()["filter"]
    assert (saved["name"], saved["count"], saved["mine"], saved["sort"]) == ("急单", 1, True, "waiting")
    (row,) = (await chen.get("conversations", view=f"filter:{saved['id']}")).json()["conversations"]
    assert row["id"] == urgent
    (listed,) = (await views_of(chen))["filters"]
    assert listed == saved
    changed = await chen.post(f"filters/{saved['id']}", body | {"name": "all", "conditions": {"status": ["queued"]}})
    assert changed.json()["filter"]["count"] == 2
    await chen.post(f"filters/{saved['id']}/delete")
    assert (await views_of(chen))["filters"] == []
    assert (await chen.get("conversations", view=f"filter:{saved['id']}")).status_code == 404


async def test_private_filters_are_their_owners_and_shared_ones_everybodys(desk: Desk) -> None:
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    grace = await desk.browser("Grace", Role.SUPERVISOR)
    body = {"name": "mine", "conditions": {"unread": True}}
    private = (await chen.post("filters", body)).json()["filter"]["id"]
    assert (await chen.post("filters", body | {"shared": True})).status_code == 403
    shared = (await grace.post("filters", body | {"name": "ours", "shared": True})).json()["filter"]["id"]
    assert [one["id"] for one in (await views_of(sam))["filters"]] == [shared]
    assert {one["id"] for one in (await views_of(chen))["filters"]} == {private, shared}
    for route in (f"filters/{private}", f"filters/{private}/delete"):
        assert (await sam.post(route, body)).status_code == 404
        assert (await grace.post(route, body)).status_code == 404
    assert (await sam.post(f"filters/{shared}/delete")).status_code == 403
    assert (await sam.get("conversations", view=f"filter:{private}")).status_code == 404
    assert (await chen.post(f"filters/{private}", body | {"shared": True})).status_code == 403


async def test_filters_keep_the_order_they_are_given(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    made = [
        (await chen.post("filters", {"name": name, "conditions": {"unread": True}})).json()["filter"]["id"]
        for name in "abc"
    ]
    await chen.post("filters/order", {"ids": [made[2], made[0], "f" * 32]})
    assert [one["name"] for one in (await views_of(chen))["filters"]] == ["c", "a", "b"]


@pytest.mark.parametrize(
    "conditions",
    [
        {}, {"status": []}, {"status": ["queued", "gone"]}, {"sql": "1=1"}, {"waiting_longer_minutes": 0}, {"agent": ["x"]},
        {"channel": ["a'; DROP TABLE staff; --"]}, {"label": ["nope"]}, {"created_after": "2026-01-01"},
        {"created_after": "2026-02-01T00:00:00Z", "created_before": "2026-01-01T00:00:00Z"}, {"priority": ["asap"]},
        {"tier": ["GOLD'"]}, {"unread": "perhaps"}, {"channel": ["c"] * 21},
    ],
)  # fmt: skip
async def test_conditions_that_mean_nothing_are_refused(desk: Desk, conditions: dict[str, Any]) -> None:
    chen = await desk.browser("Chen Yu")
    for route, body in (
        ("filters", {"name": "x", "conditions": conditions}),
        ("filters/count", {"conditions": conditions}),
    ):
        response = await chen.post(route, body)
        assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_request")


async def test_a_filter_of_a_newer_desk_can_be_seen_and_mended(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    made = await desk.side.filters.add(chen.member.id, "odd", False, {"mood": ["blue"]}, "newest", desk.clock())
    (listed,) = (await views_of(chen))["filters"]
    assert (listed["id"], listed["count"]) == (made, None)
    response = await chen.get("conversations", view=f"filter:{made}")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "filter_outdated")


async def test_conditions_can_be_counted_before_they_are_saved(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    await desk.queued()
    assert (await chen.post("filters/count", {"conditions": {"status": ["queued"]}})).json() == {"count": 1}


async def test_team_view_follows_the_members_teams(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    assert (await views_of(chen))["in_teams"] is False
    conversation_id = await desk.queued()
    async with desk.database.write() as connection:
        await connection.execute(update(conversations).values(team_id="t1"))
    plain = Roster.plain().teams
    desk.side.teams._roster = Roster((*plain, replace(plain[0], id="t1", members=frozenset({chen.member.id}))))
    shown = await views_of(chen)
    assert (shown["in_teams"], shown["counts"]["team"]) == (True, 1)
    (row,) = (await chen.get("conversations", view="team")).json()["conversations"]
    assert row["id"] == conversation_id


async def test_lists_can_be_sorted(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    first, second = await desk.queued(contact="ann"), await desk.queued(contact="bo")
    await chen.post(f"conversations/{second}/priority", {"level": "low"})

    async def order(**query: str) -> list[str]:
        return [one["id"] for one in (await chen.get("conversations", view="all", **query)).json()["conversations"]]

    assert await order() == [second, first]
    assert await order(sort="oldest") == [first, second]
    assert await order(sort="waiting") == [first, second]
    assert await order(sort="priority") == [second, first]
    assert (await chen.get("conversations", sort="sideways")).status_code == 400
