"""Replays as the console sees them: who may do what, what is refused, and whose words are masked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from conversations.tables import turns
from conversations.turn_model import Reply, TurnResult
from handoff.roles import Role
from tests.handoff.desk import Desk, open_desk
from tests.learning.builders import trace
from tests.learning.replay_bot import ReplayBot, add_model, change

BASE = "learning/replays"
MODEL = "frontdesk-20261129-120000"


class Studio:
    """A desk whose bot replays."""

    def __init__(self, desk: Desk, bot: ReplayBot) -> None:
        self.desk, self.bot = desk, bot

    async def said(self, text: str, contact: str, language: str = "en") -> None:
        """A contact writes, the bot answers, and the candidate would do something else."""
        conversation_id = await self.desk.contact_writes(text, contact, language=language)
        for claim in await self.desk.conversations.claim_turns(5):
            result = TurnResult((Reply("I see, call me on 13800138000"),), trace())
            await self.desk.conversations.commit_turn(claim, result, self.desk.clock(), go_on=False)
        async with self.desk.database.read() as connection:
            query = select(turns.c.turn_id).where(turns.c.conversation_id == conversation_id)
            turn_id = str((await connection.execute(query)).scalars().first())
        self.bot.finds.append(change(turn_id, conversation_id))


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    bot = ReplayBot()
    async with open_desk(tmp_path, replay_bot=bot) as desk:
        await add_model(desk.database, MODEL, desk.clock() - timedelta(hours=1))
        yield Studio(desk, bot)


async def replayed(studio: Studio, browser: Any) -> str:
    response = await browser.post(BASE, {"model": MODEL, "turns": 100})
    assert response.status_code == 201, response.text
    await studio.bot.step()
    return str(response.json()["replay"]["id"])


async def test_a_trainer_replays_judges_and_sees_the_gate(studio: Studio) -> None:
    await studio.said("where is my parcel", "ann")
    await studio.said("send it back", "ben")
    trainer = await studio.desk.browser("Eva", Role.TRAINER)
    replay_id = await replayed(studio, trainer)
    opened = (await trainer.get(f"{BASE}/{replay_id}")).json()
    assert opened["replay"]["state"] == "done"
    assert opened["replay"]["figures"]["changed"] == 2
    assert opened["replay"]["hash"] == "d" * 64
    assert opened["gate"]["reason"] == "judge_more"
    for _ in range(2):
        found = (await trainer.post(f"{BASE}/{replay_id}/next")).json()["change"]
        route = f"{BASE}/{replay_id}/changes/{found['turn_id']}"
        assert (await trainer.get(route)).json()["change"]["text"] == found["text"]
        judged = await trainer.post(f"{route}/judge", {"verdict": "better"})
        assert judged.status_code == 200, judged.text
        assert (await trainer.post(f"{route}/judge", {"verdict": "worse"})).status_code == 409
    assert judged.json()["gate"]["passed"]
    assert (await trainer.post(f"{BASE}/{replay_id}/next")).json()["change"] is None
    assert (await trainer.post(f"{route}/undo")).json()["replay"]["estimate"]["judged"] == 1
    listed = (await trainer.get(f"{BASE}/{replay_id}/changes", verdict="better")).json()
    assert listed["total"] == 1
    kinds = [len(await studio.desk.audited(kind)) for kind in ("replay_started", "replay_judged", "replay_unjudged")]
    assert kinds == [1, 2, 1]


async def test_words_leave_masked_and_the_model_s_name_does_not(studio: Studio) -> None:
    await studio.said("my number is 13912345678", "ann")
    trainer = await studio.desk.browser("Eva", Role.TRAINER)
    replay_id = await replayed(studio, trainer)
    page = (await trainer.get(f"{BASE}/{replay_id}/changes")).json()
    assert "13912345678" not in str(page)
    assert "13800138000" not in str(page)
    assert page["changes"][0]["hidden"]["text"]
    overview = (await trainer.get(BASE)).json()
    assert overview["replays"][0]["model"] == MODEL
    assert overview["models"] == [
        {"model": MODEL, "made_at": overview["models"][0]["made_at"], "note": "", "live": False}
    ]
    assert overview["gates"][MODEL]["reason"] == "judge_more"


async def test_supervisors_see_figures_auditors_changes_and_agents_nothing(studio: Studio) -> None:
    await studio.said("where is my parcel", "ann")
    trainer = await studio.desk.browser("Eva", Role.TRAINER)
    replay_id = await replayed(studio, trainer)
    for role, reads, looks in ((Role.SUPERVISOR, 200, 403), (Role.AUDITOR, 200, 200), (Role.AGENT, 403, 403)):
        browser = await studio.desk.browser(role.value, role)
        assert (await browser.get(BASE)).status_code == reads
        assert (await browser.get(f"{BASE}/{replay_id}")).status_code == reads
        assert (await browser.get(f"{BASE}/{replay_id}/changes")).status_code == looks
        assert (await browser.post(BASE, {"model": MODEL})).status_code == 403
        assert (await browser.post(f"{BASE}/{replay_id}/next")).status_code == 403


async def test_the_budget_is_set_as_it_was_seen(studio: Studio) -> None:
    trainer = await studio.desk.browser("Eva", Role.TRAINER)
    wanted = {"worse_percent": 2.5, "least_judged": 10, "least_turns": 50, "most_days": 7, "revision": 0}
    assert (await trainer.post(f"{BASE}/budget", wanted)).json()["budget"]["revision"] == 1
    refused = await trainer.post(f"{BASE}/budget", wanted | {"worse_percent": 3})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "replay_changed")
    assert (await trainer.post(f"{BASE}/budget", wanted | {"worse_percent": 101})).status_code == 400
    assert (await trainer.get(BASE)).json()["budget"]["worse_percent"] == 2.5
    entry = (await studio.desk.audited("replay_budget_changed"))[0]
    assert entry["data"]["after"]["worse_percent"] == 2.5


async def test_what_is_not_there_is_refused(studio: Studio) -> None:
    trainer = await studio.desk.browser("Eva", Role.TRAINER)
    assert (await trainer.post(BASE, {"model": "none"})).json()["error"]["code"] == "replay_unknown_model"
    assert (await trainer.post(BASE, {"model": MODEL})).json()["error"]["code"] == "replay_no_turns"
    assert (await trainer.get(f"{BASE}/{'0' * 32}")).status_code == 404
    assert (await trainer.get(f"{BASE}/{'0' * 32}/changes/{'1' * 32}")).status_code == 404
