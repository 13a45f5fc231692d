"""What waiting contacts are told is true, stays true, and is compared with what came of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from conversations.dispatch import Outlook
from conversations.hours import BusinessHours
from conversations.model import Agent, Author, HandoffReason
from conversations.queue_store import Stay
from conversations.tables import conversations
from conversations.teams import Roster, Rule
from conversations.wait_report import wait_rows
from tests.conversations.builders import LIN, MAX, TestDesk, address, says, team


async def told(desk: TestDesk, conversation_id: str) -> str:
    return (await desk.said(conversation_id, Author.SYSTEM))[-1]


async def test_position_and_wait_are_those_of_the_own_team(desk: TestDesk) -> None:
    desk.roster = Roster((team(), team("vip")), rules=(Rule("vip", tiers=("vip",)),))
    desk.tiers["C1"] = "vip"
    for number in range(3):
        await desk.queued(contact=f"many {number}")
    receipt = await desk.send("a person please", "important")
    await desk.answer(says("One moment.", handoff=HandoffReason.ASKED_FOR_PERSON.value, customer_id="C1"))
    conversation = await desk.get(receipt.conversation_id)
    assert (conversation.team_id, conversation.tier) == ("vip", "vip")
    assert "next in line" in await told(desk, receipt.conversation_id)
    places = await desk.conversations.publish_positions({})
    assert places[receipt.conversation_id][0] == 1
    assert sorted(place for place, _ in places.values()) == [1, 1, 2, 3]


async def test_a_valuable_customer_waits_ahead_of_others_of_the_same_team(desk: TestDesk) -> None:
    desk.tiers["C1"] = "gold"
    first = await desk.queued(contact="first")
    desk.clock.advance(120)
    receipt = await desk.send("a person please", "gold")
    await desk.answer(says("One moment.", handoff=HandoffReason.ASKED_FOR_PERSON.value, customer_id="C1"))
    queue = [one.id for one in (await desk.conversations.list_conversations("queued")).items]
    assert queue == [receipt.conversation_id, first]
    assert "next in line" in await told(desk, receipt.conversation_id)


async def test_rules_look_at_the_tier_an_agent_set_before_the_accounts(desk: TestDesk) -> None:
    desk.roster = Roster((team(), team("vip")), rules=(Rule("vip", tiers=("vip",)),))
    desk.tiers |= {"C1": "vip", "C2": "standard"}

    async def asks(contact: str, own: str, customer_id: str | None) -> str | None:
        receipt = await desk.send("hello", contact)
        conversation = await desk.get(receipt.conversation_id)
        profile = await desk.conversations.contact_profile(conversation.contact_id)
        await desk.conversations.edit_contact(profile.id, LIN, profile.revision, {"tier": own})
        result = says("One moment.", handoff=HandoffReason.ASKED_FOR_PERSON.value, customer_id=customer_id)
        await desk.answer(result)
        return (await desk.get(receipt.conversation_id)).team_id

    assert await asks("stranger", "vip", None) == "vip"
    assert await asks("raised", "vip", "C2") == "vip"
    assert await asks("lowered", "standard", "C1") != "vip"


async def test_the_promise_out_of_hours_is_that_of_the_team_the_own_tier_leads_to(desk: TestDesk) -> None:
    away = team("vip", hours=BusinessHours.of("Mon-Fri 09:00-17:00", "UTC"))
    desk.roster = Roster((team(), away), rules=(Rule("vip", tiers=("vip",)),))
    desk.clock.advance(12 * 3600)  # to ten at night
    receipt = await desk.send("hello")
    contact_id = (await desk.get(receipt.conversation_id)).contact_id
    profile = await desk.conversations.contact_profile(contact_id)
    await desk.conversations.edit_contact(contact_id, LIN, profile.revision, {"tier": "vip"})
    await desk.answer(says("One moment.", handoff=HandoffReason.ASKED_FOR_PERSON.value))
    conversation = await desk.get(receipt.conversation_id)
    assert (conversation.team_id, conversation.callback_ticket) == ("vip", "TK100001")


async def test_pages_of_the_queue_go_on_where_they_ended_whoever_comes_and_goes(desk: TestDesk) -> None:
    waiting = []
    for number in range(7):
        waiting.append(await desk.queued(contact=f"contact {number}"))
        desk.clock.advance(1)
    first = await desk.conversations.list_conversations("queued", limit=3)
    assert [one.id for one in first.items] == waiting[:3]
    await desk.conversations.assign(waiting[0], LIN)  # shown already, and gone
    await desk.conversations.assign(waiting[2], LIN)  # the one at which the page ended
    await desk.conversations.set_priority(waiting[6], LIN, "urgent")  # to the head
    newcomer = await desk.queued(contact="newcomer")
    second = await desk.conversations.list_conversations("queued", cursor=first.cursor, limit=3)
    assert [one.id for one in second.items] == waiting[3:6]
    third = await desk.conversations.list_conversations("queued", cursor=second.cursor, limit=3)
    assert ([one.id for one in third.items], third.cursor) == ([newcomer], None)


async def test_people_who_came_at_the_same_moment_are_on_one_page_each(desk: TestDesk) -> None:
    waiting = [await desk.queued(contact=f"contact {number}") for number in range(5)]
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    async with desk.database.write() as connection:
        await connection.execute(update(conversations).values(rank_at=at, queued_at=at))
    seen: list[str] = []
    cursor = None
    while True:
        page = await desk.conversations.list_conversations("queued", cursor=cursor, limit=2)
        seen += [one.id for one in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == sorted(waiting)


@pytest.mark.parametrize("cursor", ["50", "x", "|||", "2026-03-02T12:00:00|2026-03-02T12:00:00|a"])
async def test_a_place_in_the_queue_that_means_nothing_is_its_head(desk: TestDesk, cursor: str) -> None:
    waiting = await desk.queued()
    assert [one.id for one in (await desk.conversations.list_conversations("queued", cursor=cursor)).items] == [waiting]


async def test_an_unknown_tier_never_keeps_anybody_from_the_queue(desk: TestDesk) -> None:
    receipt = await desk.send("a person please")
    await desk.answer(says("One moment.", handoff=HandoffReason.ASKED_FOR_PERSON.value, customer_id="nobody"))
    assert (await desk.get(receipt.conversation_id)).tier == "standard"


async def test_the_forecast_learns_from_how_long_people_waited(desk: TestDesk) -> None:
    for number in range(6):
        conversation_id = await desk.queued(contact=f"earlier {number}")
        desk.clock.advance(900)
        await desk.conversations.assign(conversation_id, LIN, over_capacity=True)
    waiting = await desk.queued(contact="now")
    assert "15 min" in await told(desk, waiting)
    await desk.at_the_desk(MAX, Agent("agent-zoe", "Zoe"), LIN)
    soon = await desk.queued(contact="soon")
    assert "10 min" in await told(desk, soon)  # two places, three agents


async def test_a_waiting_contact_hears_again_when_it_is_their_turn_soon_and_not_before(desk: TestDesk) -> None:
    ids = [await desk.queued(contact=f"visitor {number}") for number in range(3)]
    assert await desk.conversations.tell_waits() == 0
    desk.clock.advance(125)
    assert await desk.conversations.tell_waits() == 0  # nothing has changed
    for one in ids[:2]:
        await desk.conversations.assign(one, LIN)
    assert await desk.conversations.tell_waits() == 1
    assert "next in line" in await told(desk, ids[2])
    assert await desk.conversations.tell_waits() == 0


async def test_a_contact_who_waits_longer_than_promised_is_not_left_with_the_old_promise(desk: TestDesk) -> None:
    conversation_id = await desk.queued()
    desk.clock.advance(310)
    assert await desk.conversations.tell_waits() == 1
    assert "Thanks for your patience" in await told(desk, conversation_id)
    desk.clock.advance(100)
    assert await desk.conversations.tell_waits() == 0


async def test_the_way_out_of_the_queue_stays_open_after_such_news(desk: TestDesk) -> None:
    conversation_id = await desk.queued()
    desk.clock.advance(310)
    await desk.conversations.tell_waits()
    await desk.send("Ask the bot instead")  # typed, on a channel without buttons
    assert (await desk.get(conversation_id)).status.value == "bot"


async def test_two_processes_tell_once(desk: TestDesk) -> None:
    conversation_id = await desk.queued()
    desk.clock.advance(310)
    one = await desk.get(conversation_id)
    outlook = Outlook(desk.roster.fallback, 1, 120.0)
    assert await desk.conversations._tell_again(one, outlook)
    assert not await desk.conversations._tell_again(one, outlook)


async def test_a_page_shows_no_place_in_line_while_the_team_is_away(desk: TestDesk) -> None:
    desk.open = False
    await desk.queued(contact="night")
    news = desk.hub.subscribe(f"contact:{address('night')}")
    shown = await desk.conversations.publish_positions({})
    assert list(shown.values()) == [(1, None)]
    event = await anext(news)
    assert (event["position"], event["wait_minutes"], event["closed"]) == (None, None, True)
    desk.open = True
    await desk.conversations.publish_positions(shown)
    assert (await anext(news))["position"] == 1


async def test_the_report_compares_what_was_told_with_what_came(desk: TestDesk) -> None:
    for wait in (60, 300):
        conversation_id = await desk.queued(contact=f"waits {wait}")
        desk.clock.advance(wait)
        await desk.conversations.assign(conversation_id, LIN)
    leaves = await desk.queued(contact="leaves")
    [button] = (await desk.last(leaves)).buttons
    await desk.send("", "leaves", button_id=button.id)
    desk.open = False
    await desk.queued(contact="night")
    [row] = await desk.conversations.wait_report(1)
    assert (row.team_id, row.waits, row.accepted, row.left, row.told) == ("default", 4, 2, 1, 2)
    assert row.expected_seconds is not None
    assert 178 <= (row.actual_seconds or 0) <= 182
    assert row.late_share == 0.5


def test_a_day_is_a_day_of_the_teams_own_zone() -> None:
    late = datetime(2026, 12, 31, 17, tzinfo=UTC)  # 1 January in Shanghai
    stays = [
        Stay("shanghai", late, 60, late + timedelta(seconds=90), "accepted"),
        Stay("anywhere", late, None, None, None),
    ]
    rows = wait_rows(stays, {"shanghai": ZoneInfo("Asia/Shanghai")})
    assert [(row.team_id, row.day) for row in rows] == [
        ("shanghai", date(2027, 1, 1)),
        ("anywhere", date(2026, 12, 31)),
    ]
    assert (rows[0].error_seconds, rows[0].late_share) == (30, 1)
    assert rows[1].error_seconds is None


async def test_the_first_answer_ends_what_was_promised_about_it(desk: TestDesk) -> None:
    conversation_id = await desk.queued()
    queued = await desk.get(conversation_id)
    assert queued.sla_due_at is not None
    assert queued.queued_at is not None
    assert queued.sla_due_at - queued.queued_at == timedelta(seconds=300)
    await desk.conversations.assign(conversation_id, LIN)
    assert (await desk.get(conversation_id)).sla_due_at == queued.sla_due_at
    await desk.conversations.reply_as_agent(conversation_id, LIN, "hello")
    assert (await desk.get(conversation_id)).sla_due_at is None


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        (
            datetime(2026, 3, 6, 8, 0, tzinfo=UTC),
            datetime(2026, 3, 9, 3, 0, tzinfo=UTC),
        ),  # two hours before the weekend
        (datetime(2026, 3, 6, 2, 0, tzinfo=UTC), datetime(2026, 3, 6, 6, 0, tzinfo=UTC)),  # all of it the same day
        (datetime(2026, 3, 6, 12, 0, tzinfo=UTC), datetime(2026, 3, 9, 5, 0, tzinfo=UTC)),  # when nobody is there
    ],
)
async def test_a_promise_counts_the_time_in_which_people_are_there(
    desk: TestDesk, asked: datetime, due: datetime
) -> None:
    hours = BusinessHours.of("Mon-Fri 09:00-18:00", "Asia/Shanghai")
    desk.roster = Roster((team(hours=hours, first_response_seconds=4 * 3600),))
    desk.clock.advance((asked - desk.clock()).total_seconds())
    promised = (await desk.get(await desk.queued())).sla_due_at
    assert promised is not None
    assert abs(promised - due) < timedelta(seconds=1)


async def test_a_promise_of_a_team_that_never_opens_again_still_has_an_end(desk: TestDesk) -> None:
    desk.open = False
    desk.conversations._desk = replace(desk.conversations.desk, opens_at=lambda _now: None)
    conversation_id = await desk.queued()
    waits = await desk.get(conversation_id)
    assert waits.sla_due_at is not None
    assert waits.queued_at is not None
    assert waits.sla_due_at - waits.queued_at == timedelta(seconds=300)
