"""The live board: who may look, what they see of whom, and how a console follows it."""

from __future__ import annotations

from typing import Any

import pytest

from conversations.sight import Scope
from handoff.roles import POLICY, REPORTED_TO, Role
from tests.handoff.access.test_sight import narrow, team_of
from tests.handoff.desk import Browser, Desk


async def board(browser: Browser, **query: Any) -> dict[str, Any]:
    response = await browser.get("live/board", **query)
    assert response.status_code == 200, response.text
    return dict(response.json())


@pytest.fixture
async def grace(desk: Desk) -> Browser:
    return await desk.browser("Grace", Role.SUPERVISOR)


def test_it_is_for_those_whose_reports_show_everybodys_work() -> None:
    assert POLICY["GET", "live/board"] == REPORTED_TO


async def test_a_supervisor_sees_who_waits_and_who_could_answer(desk: Desk, grace: Browser) -> None:
    chen = await desk.browser("Chen Yu")
    held, waits = await desk.assigned_to(chen, "ann"), await desk.queued()
    seen = await board(grace)
    assert [one["id"] for one in seen["conversations"]] == [waits, held]
    assert {name: seen["totals"][name] for name in ("all", "bot", "queued", "assigned")} == {
        "all": 2, "bot": 0, "queued": 1, "assigned": 1,
    }  # fmt: skip
    first = seen["conversations"][0]
    assert (first["contact_name"], first["intent"], first["confidence"]) == ("Lin Mei", "handoff", 0.97)
    assert first["waits_since"] == first["queued_at"] <= seen["now"]
    assert first["risk_at"] < first["promise_at"]
    (queue,) = seen["queues"]
    assert (queue["team_id"], queue["waiting"], queue["oldest_since"]) == ("default", 1, first["queued_at"])
    people = {one["agent_name"]: one for one in seen["agents"]}
    assert (people["Chen Yu"]["assigned"], people["Chen Yu"]["unanswered_since"] is None) == (1, False)


async def test_what_is_asked_for_is_listed_and_everything_is_counted(desk: Desk, grace: Browser) -> None:
    chen = await desk.browser("Chen Yu")
    held, waits = await desk.assigned_to(chen, "ann"), await desk.queued()
    for query, expected in (
        ({"state": "queued"}, [waits]),
        ({"agent": chen.member.id}, [held]),
        ({"channel": "telegram"}, []),
        ({"team": "default", "limit": 1}, [waits]),
        ({"ids": f"{held},{'f' * 32}", "state": "bot"}, [held]),
    ):
        seen = await board(grace, **query)
        assert [one["id"] for one in seen["conversations"]] == expected, query
        assert seen["totals"]["all"] == 2
    assert (await board(grace, team="default", limit=1))["matching"] == 2


async def test_the_wallboard_is_sent_nobodys_data(desk: Desk, grace: Browser) -> None:
    await desk.queued("my name is Kanarie Vogel", name="Kanarie Vogel")
    response = await grace.get("live/board", limit=0)
    assert response.json()["totals"]["queued"] == 1
    assert "Kanarie" not in response.text
    assert "Kanarie" in (await grace.get("live/board")).text


async def test_auditors_look_on_without_names(desk: Desk) -> None:
    await desk.queued("call me on 13800138000, says Kanarie Vogel", name="Kanarie Vogel")
    auditor = await desk.browser("Ines", Role.AUDITOR)
    response = await auditor.get("live/board")
    (row,) = response.json()["conversations"]
    assert row["hidden"]["contact_name"]
    assert "Kanarie" not in response.text
    assert "13800138000" not in response.text


async def test_a_narrowed_supervisor_sees_their_teams_part(desk: Desk, grace: Browser) -> None:
    wu = await desk.browser("Wu")
    after = await team_of(desk, "After-sales", wu.member.id, intents=("handoff",))
    hidden = await desk.queued("the zebra parcel never came")
    mine = await desk.contact_writes("hello", "ann")  # with the bot: everybody's
    assert (await board(grace))["totals"]["all"] == 2
    await narrow(desk, grace.member.id, Scope.TEAM)
    for query in ({}, {"ids": f"{hidden},{mine}"}, {"team": after}):
        response = await grace.get("live/board", **query)
        seen = response.json()
        assert hidden not in response.text
        assert (seen["totals"]["all"], seen["totals"]["queued"]) == (1, 0)
        assert after not in {one["team_id"] for one in seen["queues"]}


@pytest.mark.parametrize(
    "query",
    [{"limit": "501"}, {"limit": "-1"}, {"state": "resolved"}, {"ids": "x"}, {"ids": ",".join(["f" * 32] * 101)}],
)
async def test_what_makes_no_sense_is_refused(grace: Browser, query: dict[str, str]) -> None:
    response = await grace.get("live/board", **query)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_request")
