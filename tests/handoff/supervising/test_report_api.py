"""The staff API of reports: who may ask, what narrowed supervisors count, costs, and refusals that say why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from conversations.sight import EVERYTHING, Scope, Sight
from handoff.roles import Role
from reporting.catalogue import METRICS
from reporting.query import Query
from reporting.reports import Reports
from tests.handoff.desk import Desk


def question(desk: Desk, metric: str = "conversations", **more: Any) -> dict[str, Any]:
    today = desk.clock().date()
    period = {"since": (today - timedelta(days=3)).isoformat(), "until": (today + timedelta(days=1)).isoformat()}
    return {"metric": metric, **period, **more}


async def read_everything(desk: Desk) -> Reports:
    reports = desk.side.overview.reports
    assert isinstance(reports, Reports)
    await reports.follower.catch_up()
    return reports


async def test_the_catalogue_says_what_can_be_asked(desk: Desk) -> None:
    boss = await desk.browser("Boss", Role.SUPERVISOR)
    found = (await boss.get("reports/catalogue")).json()
    assert {one["key"] for one in found["metrics"]} == set(METRICS)
    assert found["time_zone"] == "Asia/Shanghai"
    assert found["labels"]["agent"][boss.member.id] == "Boss"


async def test_figures_and_what_is_behind_them(desk: Desk) -> None:
    boss = await desk.browser("Boss", Role.SUPERVISOR)
    queued = await desk.queued()
    await read_everything(desk)
    asked = [question(desk), question(desk, "handoffs", by="reason"), question(desk, "unheard_of"), {"metric": 3}]
    response = await boss.post("reports/figures", {"queries": asked})
    assert response.status_code == 200, response.text
    opened, handoffs, unknown, unreadable = response.json()["answers"]
    assert (opened["total"]["value"], opened["change"]["previous"]["value"]) == (1, 0)
    assert [(row["key"], row["figure"]["value"]) for row in handoffs["rows"]] == [("asked_for_person", 1)]
    assert (unknown["error"]["code"], unreadable["error"]["code"]) == ("unknown_metric", "unreadable")
    listed = (await boss.post("reports/units", {"query": question(desk)})).json()
    assert listed["total"] == 1
    [unit] = listed["units"]
    assert (unit["conversation_id"], unit["status"]) == (queued, "queued")
    assert "contact_name" in unit
    assert (await boss.get(f"contacts/{unit['contact_id']}")).status_code == 200
    refused = await boss.post("reports/units", {"query": question(desk), "key": "web"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "no_such_row")


async def test_agents_and_trainers_are_refused_and_auditors_change_nothing(desk: Desk) -> None:
    for role, reads, writes in ((Role.AGENT, 403, 403), (Role.TRAINER, 403, 403), (Role.AUDITOR, 200, 403)):
        browser = await desk.browser(role.value.title(), role)
        assert (await browser.get("reports/catalogue")).status_code == reads
        assert (await browser.post("reports/figures", {"queries": [question(desk)]})).status_code == reads
        assert (await browser.post("reports/units", {"query": question(desk)})).status_code == reads
        costs = {"human_per_conversation": 20, "bot_per_conversation": 2}
        assert (await browser.post("reports/cost", costs)).status_code == writes


async def test_costs_are_kept_and_audited(desk: Desk) -> None:
    boss = await desk.browser("Boss", Role.SUPERVISOR)
    costs = {"human_per_conversation": 20.5, "bot_per_conversation": 2, "currency": "EUR"}
    assert (await boss.post("reports/cost", costs)).status_code == 200
    kept = (await boss.get("reports/cost")).json()
    assert {name: kept[name] for name in costs} == costs
    [entry] = await desk.audited("report_costs_changed")
    assert entry["data"]["human_per_conversation"] == {"before": 15.0, "after": 20.5}
    wrong = await boss.post("reports/cost", {**costs, "currency": "money"})
    assert wrong.status_code == 400


async def test_whose_sight_is_narrowed_counts_only_what_they_see(desk: Desk) -> None:
    boss = await desk.browser("Boss", Role.SUPERVISOR)
    waits = await desk.queued(contact="lin")
    other = await desk.queued(contact="max")
    reports = await read_everything(desk)
    await desk.conversations.assign(waits, boss.member.agent, anyway=True)
    team = (await desk.conversations.get_conversation(other)).team_id
    assert team is not None
    narrowed = Sight(boss.member.id, Scope.TEAM, frozenset(), frozenset({team}), takes_rest=False)
    await reports.follower.catch_up()
    for metric in ("conversations", "messages", "turns", "handoffs"):
        query = Query.of(question(desk, metric))
        everything = await reports.answer(query, EVERYTHING)
        seen, units = await reports.answer(query, narrowed), await reports.units(query, narrowed)
        assert 0 < (seen.total.whole or 0) < (everything.total.whole or 0)
        assert units.total == seen.total.whole
        assert {unit.conversation_id for unit in units.units} == {waits}
