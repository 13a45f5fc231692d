"""The demo's rated conversations: made once, and enough for the page of ratings to show every kind of figure."""

from __future__ import annotations

from pathlib import Path

from conversations.model import Agent, utc_now
from handoff.ratings.demo_ratings import load_rated
from handoff.roles import Role
from tests.handoff.desk import open_desk


async def test_they_are_made_once_and_fill_the_page(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        boss = await desk.browser("Grace", Role.SUPERVISOR)
        agents = [Agent("a" * 32, "Chen"), Agent("b" * 32, "Sam")]
        assert await load_rated(desk.database, desk.conversations.audit, agents, utc_now) == 170
        assert await load_rated(desk.database, desk.conversations.audit, agents, utc_now) == 0
        report = (await boss.get("reports/ratings", weeks=12)).json()
        for kind in report["kinds"]:
            figures = kind["total"]["figures"]
            assert figures["scored"] >= 20
            assert min(figures["verified"], figures["refuted"], figures["assumed"]) >= 1
            assert len([one for one in kind["weeks"] if one["figures"]]) >= 3
            assert kind["comments"]
