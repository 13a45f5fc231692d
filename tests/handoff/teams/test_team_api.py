"""Supervisors set up teams, rules and abilities; the routing follows at once, and every change is on record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conversations.model import HandoffReason
from conversations.turn_model import Reply
from handoff.demo import ensure_demo_staff
from handoff.roles import POLICY, Role
from handoff.teams.demo_teams import ensure_demo_teams
from handoff.teams.team_book import TeamBook
from handoff.teams.team_store import TeamStore
from tests.handoff.desk import PASSWORD, Browser, Desk

AFTER_SALES: dict[str, Any] = {
    "name_zh": "售后服务",
    "name_en": "After-sales",
    "intents": ["handoff"],
    "hours": "Mon-Fri 09:00-18:00",
    "time_zone": "Europe/London",
    "holidays": [{"first": "2026-12-25", "last": "2026-12-28", "name": "Christmas"}],
    "first_response_seconds": 120,
}


@pytest.fixture
async def boss(desk: Desk) -> Browser:
    return await desk.browser("Grace", Role.SUPERVISOR)


async def error_of(browser: Browser, path: str, body: Any) -> tuple[int, str, str]:
    response = await browser.post(path, body)
    error = response.json()["error"]
    return response.status_code, error["code"], error["message"]


async def test_a_fresh_desk_has_one_team_of_everybody(desk: Desk, boss: Browser) -> None:
    chen = await desk.browser("Chen Yu")
    page = (await chen.get("teams")).json()
    (team,) = page["teams"]
    assert (team["id"], team["members"], team["mode"], team["problems"]) == ("default", [], "pull", [])
    assert {person["name"] for person in page["people"]} == {"Chen Yu", "Grace"}
    conversation_id = await desk.queued()
    assert (await desk.conversations.get_conversation(conversation_id)).team_id == "default"


async def test_a_team_is_added_serves_at_once_is_changed_and_deleted_and_all_of_it_is_on_record(
    desk: Desk, boss: Browser
) -> None:
    chen = await desk.browser("Chen Yu")
    added = await boss.post("teams", AFTER_SALES | {"members": [chen.member.id]})
    assert added.status_code == 201, added.text
    team = added.json()["team"]
    assert team["updated_by"] == "Grace"
    conversation = await desk.conversations.get_conversation(await desk.queued())
    assert conversation.team_id == team["id"]
    changed = await boss.post(f"teams/{team['id']}", AFTER_SALES | {"mode": "offer", "hours": "always"})
    assert changed.json()["team"]["mode"] == "offer"
    assert (await boss.post(f"teams/{team['id']}/delete")).status_code == 200
    assert [one["id"] for one in (await boss.get("teams")).json()["teams"]] == ["default"]
    assert (await boss.post(f"teams/{team['id']}/delete")).status_code == 404
    (was_changed,) = await desk.audited("team_changed")
    assert was_changed["actor"] == f"agent:{boss.member.id}"
    assert was_changed["data"]["before"]["mode"] == "pull"
    assert len(await desk.audited("team_added")) == len(await desk.audited("team_deleted")) == 1


async def test_what_waited_for_a_deleted_team_is_still_found_and_served(desk: Desk, boss: Browser) -> None:
    team = (await boss.post("teams", AFTER_SALES | {"hours": ""} | {"holidays": []})).json()["team"]
    conversation_id = await desk.queued()
    await boss.post(f"teams/{team['id']}/delete")
    await desk.conversations.tell_waits()
    await desk.conversations.route_queue()
    accepted = await boss.post(f"conversations/{conversation_id}/accept")
    assert accepted.status_code == 200


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name_zh": " ", "name_en": ""}, "give the team a name"),
        ({"hours": "nine to five"}, "cannot read business hours"),
        ({"time_zone": "London"}, "time zone"),
        ({"holidays": [{"first": "tomorrow"}]}, "not a date"),
        ({"hours": ""}, "holidays need the team's own hours"),
        ({"offer_seconds": 5}, "offer_seconds"),
        ({"capacity": 0}, "capacity"),
        ({"channels": ["Web Chat"]}, "not a name such as"),
        ({"mode": "random"}, "mode"),
        ({"languages": ["fr"]}, "languages"),
    ],
)
async def test_a_mistake_is_explained_and_changes_nothing(
    desk: Desk, boss: Browser, change: dict[str, Any], told: str
) -> None:
    status, code, message = await error_of(boss, "teams", AFTER_SALES | change)
    assert (status, code) == (400, "bad_request")
    assert told in message
    assert len((await boss.get("teams")).json()["teams"]) == 1


async def test_names_are_not_given_twice_and_members_must_be_there(desk: Desk, boss: Browser) -> None:
    await boss.post("teams", AFTER_SALES)
    assert (await error_of(boss, "teams", AFTER_SALES))[:2] == (409, "team_exists")
    stranger = AFTER_SALES | {"name_zh": "别的", "name_en": "Other", "members": ["0" * 32]}
    assert (await error_of(boss, "teams", stranger))[:2] == (400, "unknown_member")


async def test_the_default_team_is_changed_but_neither_deleted_nor_switched_off(desk: Desk, boss: Browser) -> None:
    body = {"name_zh": "总台", "name_en": "Front office", "mode": "offer"}
    assert (await boss.post("teams/default", body)).json()["team"]["name_en"] == "Front office"
    assert (await error_of(boss, "teams/default/delete", {}))[:2] == (400, "default_team")
    assert (await error_of(boss, "teams/default", body | {"active": False}))[:2] == (400, "default_team")


async def test_rules_are_tried_in_order_and_send_what_fits(desk: Desk, boss: Browser) -> None:
    await desk.browser("Chen Yu")
    first = (await boss.post("teams", {"name_en": "Chinese"})).json()["team"]["id"]
    rules = [
        {"team_id": first, "languages": ["en"]},
        {"team_id": first, "languages": ["zh"], "topics": ["handoff"], "skills": ["Refunds "]},
        {"team_id": "default"},
    ]
    saved = await boss.post("teams/rules", {"rules": rules})
    assert saved.status_code == 200, saved.text
    assert [rule["team_id"] for rule in saved.json()["rules"]] == [first, first, "default"]
    conversation = await desk.conversations.get_conversation(await desk.queued())
    assert (conversation.team_id, conversation.required_skills) == (first, ("refunds",))
    listed = (await boss.get("teams")).json()["teams"]
    problems = {team["id"]: team["problems"] for team in listed}
    assert problems[first] == [{"code": "skill", "detail": "refunds"}]
    assert (await error_of(boss, "teams/rules", {"rules": [{"team_id": "f" * 32}]}))[:2] == (400, "unknown_team")
    (entry,) = await desk.audited("routing_rules_changed")
    assert len(entry["data"]["rules"]) == 3


async def test_what_people_can_do_decides_what_they_are_offered(desk: Desk, boss: Browser) -> None:
    chen = await desk.browser("Chen Yu")
    await boss.post("teams/default", {"name_en": "All", "mode": "offer"})
    abilities = {"languages": ["zh"], "skills": ["refunds"], "capacity": 1}
    said = await boss.post(f"teams/people/{chen.member.id}", abilities)
    assert said.json()["person"]["capacity"] == 1
    async with chen.live() as live:
        await live.next("ready")
        ids = [await desk.queued(contact=f"visitor {number}") for number in range(2)]
        assert await desk.conversations.route_queue() == 1
        offer = await live.next("offer", agent_id=chen.member.id)
        assert offer["conversation_id"] == ids[0]
        assert (await chen.post(f"conversations/{ids[0]}/accept")).status_code == 200
        assert await desk.conversations.route_queue() == 0
        (me,) = [one for one in (await chen.get("agents")).json()["agents"] if one["id"] == chen.member.id]
        assert (me["state"], me["at_capacity"], me["capacity"]) == ("online", True, 1)
    assert (await error_of(boss, f"teams/people/{'0' * 32}", abilities))[0] == 404


async def test_agents_take_up_to_their_capacity_and_supervisors_what_they_want(desk: Desk, boss: Browser) -> None:
    chen = await desk.browser("Chen Yu")
    await boss.post("teams/default", {"name_en": "All", "capacity": 1})
    await boss.post(f"teams/people/{boss.member.id}", {"languages": [], "skills": [], "capacity": 1})
    ids = [await desk.queued(contact=f"visitor {number}") for number in range(4)]
    assert (await chen.post(f"conversations/{ids[0]}/accept")).status_code == 200
    refused = await chen.post(f"conversations/{ids[1]}/accept")
    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error["detail"]) == (409, "at_capacity", "1/1")
    assert error["message"].startswith("you hold 1 of 1 conversations")
    bulk = await chen.post("conversations/bulk", {"ids": ids[1:2], "action": "assign_me"})
    assert bulk.json()["results"][0]["error"]["detail"] == "1/1"
    for conversation_id in ids[1:3]:
        assert (await boss.post(f"conversations/{conversation_id}/accept")).status_code == 200
    saved = await boss.post("teams/default", {"name_en": "All", "capacity": 1, "pull_over_capacity": True})
    assert saved.json()["team"]["pull_over_capacity"] is True
    assert (await chen.post(f"conversations/{ids[3]}/accept")).status_code == 200


async def test_passing_on_to_somebody_at_capacity_warns_and_goes_through_when_confirmed(
    desk: Desk, boss: Browser
) -> None:
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    await boss.post("teams/default", {"name_en": "All", "capacity": 1})
    mine = await desk.assigned_to(chen, "ann")
    await desk.assigned_to(sam, "bo")
    async with sam.live() as live:
        await live.next("ready")
        asked = {"to_agent_id": sam.member.id, "note": "please"}
        warned = await chen.post(f"conversations/{mine}/transfer", asked)
        assert (warned.status_code, warned.json()["error"]["code"]) == (409, "at_capacity")
        assert (await desk.conversations.get_conversation(mine)).agent_id == chen.member.id
        moved = await chen.post(f"conversations/{mine}/transfer", asked | {"over_capacity": True})
        assert moved.json()["conversation"]["agent_id"] == sam.member.id
        waiting = await desk.queued(contact="cai")
        given = await boss.post(f"conversations/{waiting}/transfer", {"to_agent_id": sam.member.id})
        assert given.json()["error"]["code"] == "at_capacity"
        given = await boss.post(
            f"conversations/{waiting}/transfer", {"to_agent_id": sam.member.id, "over_capacity": True}
        )
        assert given.json()["conversation"]["agent_id"] == sam.member.id


async def test_another_process_takes_a_change_over(desk: Desk, boss: Browser) -> None:
    other = TeamBook(TeamStore(desk.database))
    await other.refresh()
    team = (await boss.post("teams", AFTER_SALES)).json()["team"]
    assert other.roster().find(team["id"]) is None
    await other.refresh()
    assert other.roster().find(team["id"]) is not None


async def test_a_vip_of_the_demo_shop_gets_to_the_vip_desk_and_the_demo_is_set_up_once(desk: Desk) -> None:
    await ensure_demo_staff(desk.store, desk.side.sign_in.passwords, PASSWORD)
    await ensure_demo_teams(desk.side.teams, desk.store)
    await ensure_demo_teams(desk.side.teams, desk.store)
    teams = {team.settings["name_en"]: team for team in desk.side.teams.teams}
    assert set(teams) == {"Pre-sales", "After-sales", "VIP desk", "Support"}
    await desk.contact_writes("转人工", "vip", language="zh")
    desk.conversations._tiers["C9"] = "vip"

    async def tier_of(_customer_id: str) -> str:
        return "vip"

    desk.conversations.surroundings = replace(desk.conversations.surroundings, tier_of=tier_of)
    await desk.bot_answers(Reply("好的", handoff=HandoffReason.ASKED_FOR_PERSON.value, customer_id="C9"))
    (row,) = (await desk.conversations.list_conversations("queued")).items
    assert row.team_id == teams["VIP desk"].id


async def test_the_report_of_waits_names_teams_and_days(desk: Desk, boss: Browser) -> None:
    conversation_id = await desk.queued()
    desk.clock.forward(seconds=90)
    await boss.post(f"conversations/{conversation_id}/accept")
    (row,) = (await boss.get("reports/waits", days=7)).json()["rows"]
    assert (row["team_en"], row["waits"], row["accepted"], row["told"]) == ("Support", 1, 1, 1)
    assert row["expected_seconds"] == 120
    assert 89 <= row["actual_seconds"] <= 100
    assert (await boss.get("reports/waits", days=1000)).status_code == 400


def test_only_supervisors_and_admins_change_teams_and_everybody_reads_them() -> None:
    for (method, route), roles in POLICY.items():
        if route.startswith("teams"):
            expected = set(Role) if method == "GET" else {Role.SUPERVISOR, Role.ADMIN}
            assert roles == expected, route
