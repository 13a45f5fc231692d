"""Questions to the reports over the staff API: who may ask, what is refused, and whose names they may use."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from conversations.sight import Scope
from handoff.roles import REPORTED_TO, Role
from handoff.supervising.intent_titles import INTENT_TITLES
from tests.handoff.access.test_sight import narrow, team_of
from tests.handoff.desk import Browser, Desk

WEB = Path(__file__).parents[3] / "handoff" / "web" / "src" / "i18n"


async def answered(browser: Browser, text: str, **more: Any) -> dict[str, Any]:
    response = await browser.post("reports/ask", {"text": text} | more)
    assert response.status_code == 200, response.text
    return dict(response.json())


@pytest.mark.parametrize("role", Role)
async def test_whoever_is_reported_to_may_ask(desk: Desk, role: Role) -> None:
    response = await (await desk.browser("Grace", role)).post("reports/ask", {"text": "csat last week"})
    assert response.status_code == (200 if role in REPORTED_TO else 403)


async def test_a_question_becomes_the_query_that_the_figures_are_asked_with(desk: Desk) -> None:
    boss = await desk.browser("Grace", Role.SUPERVISOR)
    found = await answered(boss, "上周转人工最多的三个原因")
    assert (found["query"]["metric"], found["query"]["by"], found["query"]["top"]) == ("handoffs", "reason", 3)
    assert {one["kind"] for one in found["explained"]} == {"metric", "period", "by", "top", "end"}
    assert (found["unknown"], found["possible"], found["code"]) == ([], [], None)
    assert (await boss.post("reports/figures", {"queries": [found["query"]]})).status_code == 200


async def test_what_is_not_understood_comes_back_with_the_words_and_with_questions_that_are(desk: Desk) -> None:
    boss = await desk.browser("Grace", Role.SUPERVISOR)
    found = await answered(boss, "revenue last week", language="zh")
    assert (found["query"], found["code"], found["unknown"]) == (None, "no_metric", ["revenue"])
    for one in found["possible"]:
        assert (await answered(boss, one))["query"] is not None


async def test_the_names_of_a_trainers_and_the_products_intents_are_known(desk: Desk) -> None:
    boss = await desk.browser("Grace", Role.SUPERVISOR)
    found = await answered(boss, "CSAT of refund conversations on WeChat last month")
    assert found["query"]["filters"] == {"channel": ["wechat"], "intent": ["return_refund"]}


async def test_who_sees_only_their_team_cannot_ask_by_the_names_of_others(desk: Desk) -> None:
    wu, chen = await desk.browser("Wu"), await desk.browser("Chen Yu")
    await team_of(desk, "After-sales", wu.member.id)
    boss = await desk.browser("Grace", Role.SUPERVISOR)
    mine = await team_of(desk, "Pre-sales", chen.member.id, boss.member.id)
    assert (await answered(boss, "Wu's csat"))["query"]["filters"] == {"agent": [wu.member.id]}
    await narrow(desk, boss.member.id, Scope.TEAM)
    for hidden in ("Wu's csat", "wait of After-sales"):
        found = await answered(boss, hidden)
        assert (found["query"], found["code"]) == (None, "unknown_part")
    assert (await answered(boss, "Chen Yu's csat"))["query"]["filters"] == {"agent": [chen.member.id]}
    assert (await answered(boss, "wait of Pre-sales"))["query"]["filters"] == {"team": [mine]}


@pytest.mark.parametrize(
    "body", [{}, {"text": ""}, {"text": "  "}, {"text": 5}, {"text": "x" * 501}, {"text": "csat", "language": "fr"}]
)
async def test_what_is_no_question_is_refused(desk: Desk, body: dict[str, Any]) -> None:
    response = await (await desk.browser("Grace", Role.SUPERVISOR)).post("reports/ask", body)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_request")


@pytest.mark.parametrize(("language", "at"), [("zh", 0), ("en", 1)])
def test_intents_are_called_as_the_console_calls_them(language: str, at: int) -> None:
    page = (WEB / f"{language}.ts").read_text(encoding="utf-8").rpartition("  intent: {")[2].partition("\n  },")[0]
    assert dict(re.findall(r"(\w+): '([^']*)'", page)) == {key: titles[at] for key, titles in INTENT_TITLES.items()}
