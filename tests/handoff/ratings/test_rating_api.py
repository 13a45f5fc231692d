"""The report of ratings over HTTP: who may read what, what is hidden, and files that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from conversations.model import Address, Agent, InboundMessage, new_id
from conversations.rating_report import Comment, Group, KindReport
from handoff.ratings.rating_csv import comments_csv
from handoff.roles import Role
from tests.handoff.desk import Browser, Desk


async def rated(desk: Desk, agent: Agent, score: int | None, comment: str = "", **more: Any) -> str:
    """A conversation on the page that an agent took over, resolved, and had rated."""
    here = Address("webchat", "default", new_id())
    inbound = InboundMessage(here, new_id(), "hello", language=more.pop("language", "en"))
    conversation_id = (await desk.conversations.receive(inbound)).conversation_id
    await desk.conversations.assign(conversation_id, agent)
    await desk.conversations.resolve(conversation_id, agent)
    if score is not None:
        await desk.conversations.rate(here, conversation_id, score, comment, **more)
    return conversation_id


def of(report: dict[str, Any], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in report["kinds"] if one["kind"] == kind)
    return found


async def two_agents(desk: Desk) -> tuple[Browser, Browser, Browser]:
    """Lin with six ratings, Max with five, and their supervisor."""
    lin, max_, boss = [
        await desk.browser(name, role)
        for name, role in (("Lin", Role.AGENT), ("Max", Role.AGENT), ("Grace", Role.SUPERVISOR))
    ]
    for number in range(6):
        await rated(desk, lin.member.agent, 5, f"kind {number}", solved=True, other_score=3)
    for _ in range(5):
        await rated(desk, max_.member.agent, 2)
    return lin, max_, boss


async def test_a_supervisor_reads_people_and_the_bot_apart(desk: Desk) -> None:
    _, _, boss = await two_agents(desk)
    report = (await boss.get("reports/ratings")).json()
    people, bot = of(report, "human"), of(report, "bot")
    assert (people["total"]["asked"], people["total"]["figures"]["answers"]) == (11, 11)
    assert (bot["total"]["figures"]["mean"], people["total"]["figures"]["csat"]) == (3, pytest.approx(6 / 11))
    names = {one["label"]: one["figures"]["mean"] for one in people["groups"] if one["breakdown"] == "agent"}
    assert names == {"Lin": 5, "Max": 2}
    assert {one["agent"] for one in people["comments"]} == {"Lin"}


async def test_an_agent_reads_their_own_figures_only(desk: Desk) -> None:
    lin, max_, _ = await two_agents(desk)
    for query in ({}, {"agent": max_.member.id}, {"agent": ""}):
        report = (await lin.get("reports/ratings", **query)).json()
        assert report["own"]
        [people] = report["kinds"]
        assert people["total"]["figures"]["mean"] == 5
        assert max_.member.id not in str(report)
        assert all(one["conversation_id"] is None for one in people["comments"])


async def test_a_trainer_reads_none(desk: Desk) -> None:
    trainer = await desk.browser("Wei", Role.TRAINER)
    assert (await trainer.get("reports/ratings")).status_code == 403
    assert (await trainer.get("reports/ratings/export")).status_code == 403


async def test_fewer_than_five_answers_are_not_in_the_answer_at_all(desk: Desk) -> None:
    lin, boss = await desk.browser("Lin"), await desk.browser("Grace", Role.SUPERVISOR)
    for _ in range(4):
        await rated(desk, lin.member.agent, 1, "you know who I am")
    for browser in (lin, boss):
        found = await browser.get("reports/ratings")
        assert of(found.json(), "human")["total"] == {
            "breakdown": "total", "key": "", "label": "", "asked": 4, "hidden": "few", "figures": None,
        }  # fmt: skip
        assert "you know who" not in found.text
        for part in ("figures", "comments"):
            assert "you know who" not in (await browser.get("reports/ratings/export", part=part)).text


async def test_filters_and_periods_are_checked(desk: Desk) -> None:
    _, _, boss = await two_agents(desk)
    english = (await boss.get("reports/ratings", language="en", weeks=4)).json()
    assert of(english, "human")["total"]["figures"]["answers"] == 11
    assert of((await boss.get("reports/ratings", language="zh")).json(), "human")["total"]["figures"] is None
    for bad in ({"weeks": 0}, {"weeks": 13}, {"weeks": "x"}, {"team": "t" * 200}):
        assert (await boss.get("reports/ratings", **bad)).status_code == 400


async def test_the_files_hold_the_same_figures_and_run_nothing(desk: Desk) -> None:
    lin, boss = await desk.browser("Lin"), await desk.browser("Grace", Role.SUPERVISOR)
    for comment in ("=1+1", "+1", "-1", "@sum", "fine", " =cmd"):
        await rated(desk, lin.member.agent, 4, comment)
    figures = (await boss.get("reports/ratings/export")).content.decode("utf-8-sig")
    total = next(row for row in csv.DictReader(io.StringIO(figures)) if row["served_by"] == "human")
    assert (total["answers"], total["csat"], total["mean"]) == ("6", "1.0000", "4.00")
    comments = (await boss.get("reports/ratings/export", part="comments")).content.decode("utf-8-sig")
    texts = [row["comment"] for row in csv.DictReader(io.StringIO(comments))]
    assert sorted(texts) == sorted(["'=1+1", "'+1", "'-1", "'@sum", "fine", "'=cmd"])


async def test_the_comments_are_masked_by_the_role_of_who_takes_the_file(desk: Desk) -> None:
    lin, boss = await desk.browser("Lin"), await desk.browser("Grace", Role.SUPERVISOR)
    auditor = await desk.browser("Ines", Role.AUDITOR)
    for _ in range(6):
        await rated(desk, lin.member.agent, 2, "call 13812345678, my card is 4111 1111 1111 1111")
    for reader, phone in ((boss, "13812345678"), (auditor, "138****5678"), (lin, "138****5678")):
        told = (await reader.get("reports/ratings/export", part="comments")).content.decode("utf-8-sig")
        assert f"call {phone}, my card is **** **** **** 1111" in told


def test_a_tab_or_space_before_a_formula_does_not_help_it() -> None:
    from datetime import date

    from conversations.episodes import Kind

    told = tuple(Comment(text, 5, None, date(2026, 3, 2), None, None) for text in ("\t=1", " =1", "\u3000=1", "ok = 1"))
    report = KindReport(Kind.BOT, Group("total", "", "", 0, None, None), None, (), (), told)
    rows = list(csv.DictReader(io.StringIO(comments_csv([report], str).decode("utf-8-sig"))))
    assert [row["comment"][:1] == "'" for row in rows] == [True, True, True, False]


async def test_a_conversation_lists_its_episodes_with_their_ratings(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    conversation_id = await rated(desk, lin.member.agent, 5, "kind", solved=False, other_score=2)
    detail = (await lin.get(f"conversations/{conversation_id}")).json()
    bot, human = detail["episodes"]
    assert (bot["kind"], bot["rating"]["score"], bot["resolution"]) == ("bot", 2, None)
    assert (human["kind"], human["rating"]["score"], human["resolution"]) == ("human", 5, "refuted")
    assert human["agents"] == [{"id": lin.member.id, "name": "Lin"}]
    assert detail["rating"]["score"] == 5


async def test_an_agent_resolves_without_asking(desk: Desk) -> None:
    lin = await desk.browser("Lin")
    here = Address("webchat", "default", new_id())
    inbound = InboundMessage(here, new_id(), "hello", language="en")
    conversation_id = (await desk.conversations.receive(inbound)).conversation_id
    await desk.conversations.assign(conversation_id, lin.member.agent)
    assert (await lin.post(f"conversations/{conversation_id}/resolve", {"ask": False})).status_code == 200
    assert (await desk.conversations.episodes(conversation_id))[-1].asked_at is None
