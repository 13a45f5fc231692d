"""Training and versions through the staff API: who may begin it, what is audited, and what open consoles hear."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from conversations.bot_models import BotModels
from conversations.dialogue import RasaDialogue
from conversations.work_leases import WorkLeases
from handoff.learning.model_side import ModelSide
from handoff.roles import Role
from learning.bot_check import BotCheck
from learning.bot_work import HttpBotWork
from learning.example_book import ExampleBook
from learning.example_check import ExampleCheck
from learning.example_desk import ExampleDesk
from learning.jobs import Jobs
from learning.model_tables import metadata
from learning.tables import metadata as example_metadata
from learning.versions import Versions
from tests.handoff.desk import Browser, Desk
from tests.handoff.learning.test_example_api import Thankful, add
from tests.learning.bot_double import MADE, RESULT, SECRET, BotDouble, transport_to
from tests.learning.example_shelf import make_folder


@dataclass
class Gym:
    """A desk with one bot that trains when a test says so."""

    desk: Desk
    bot: BotDouble
    models: ModelSide


@pytest.fixture
async def gym(desk: Desk, tmp_path: Path) -> AsyncIterator[Gym]:
    async with desk.database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.run_sync(example_metadata.create_all)
    bot = BotDouble()
    dialogue = RasaDialogue([bot.url], SECRET, transport=transport_to(bot))
    jobs = Jobs(desk.side.conversations, HttpBotWork(dialogue), WorkLeases(desk.database), poll_seconds=0.02)
    versions = Versions(desk.database, BotModels(dialogue), now=desk.side.conversations.now)
    jobs.on_done["train"] = versions.note_trained
    models = ModelSide(jobs, versions)
    book = ExampleBook(desk.database, make_folder(tmp_path), now=desk.side.conversations.now)
    desk.side.studio.examples = ExampleDesk(book, ExampleCheck(None), BotCheck(Thankful(), {}), tmp_path / "models")
    desk.side.studio.models = models
    await models.start()
    yield Gym(desk, bot, models)
    desk.side.studio.models = None
    await models.close()


@pytest.fixture
async def trainer(gym: Gym) -> Browser:
    return await gym.desk.browser("Tina", Role.TRAINER)


async def test_a_trainer_trains_follows_and_finds_the_version(gym: Gym, trainer: Browser) -> None:
    async with trainer.live() as live:
        await live.next("ready")
        begun = await trainer.post("models/jobs", {"note": " gift cards ", "profile": "fast"})
        assert begun.status_code == 201
        job = begun.json()["job"]
        assert (job["state"], job["by"]) == ("queued", "Tina")
        while not gym.bot.runs():
            await live.next("learning_job")
        assert gym.bot.asked[f"{job['id']}-1"]["options"] == {"note": "gift cards", "profile": "fast", "author": "Tina"}
        gym.bot.goes(0.5, "train")
        while True:
            event = await live.next("learning_job")
            if (event["job"]["progress"] or {}).get("share") == 0.5:
                break
        gym.bot.ends(result=RESULT)
        while (await live.next("learning_job"))["job"]["state"] != "done":
            pass
    whole = (await trainer.get(f"models/jobs/{job['id']}")).json()["job"]
    assert whole["result"]["model"] == whole["model"] == RESULT["model"]
    page = (await trainer.get("models/versions")).json()
    [version] = page["versions"]
    assert (version["name"], version["by"], version["note"]) == (RESULT["model"], "Tina", "gift cards")
    assert version["metrics"] == RESULT["metrics"]
    assert version["examples"] == MADE["examples"]
    assert page["served"] is None
    assert [one["id"] for one in (await trainer.get("models/jobs", kind="train")).json()["jobs"]] == [job["id"]]
    for kind in ("learning_job_queued", "learning_job_done"):
        [entry] = await gym.desk.audited(kind)
        assert entry["data"]["job_id"] == job["id"]


async def test_a_version_says_how_many_edits_it_does_not_know(gym: Gym, trainer: Browser) -> None:
    job = (await trainer.post("models/jobs", {})).json()["job"]
    async with trainer.live() as live:
        while not gym.bot.runs():
            await live.next("learning_job")
        begun = gym.desk.side.conversations.now() - timedelta(seconds=1)
        made = MADE | {"begun_at": begun.isoformat()}
        gym.bot.ends(result=RESULT | {"made": made})
        while (await live.next("learning_job"))["job"]["state"] != "done":
            pass
    [version] = (await trainer.get("models/versions")).json()["versions"]
    assert version["edits_since"] == 0
    await trainer.post("examples", {"changes": [add("hey")]})
    await trainer.post("examples", {"changes": [add("howdy")]})
    [version] = (await trainer.get("models/versions")).json()["versions"]
    assert version["edits_since"] == 2
    assert job["id"]


async def test_work_is_cancelled_once(gym: Gym, trainer: Browser) -> None:
    job = (await trainer.post("models/jobs", {})).json()["job"]
    cancelled = await trainer.post(f"models/jobs/{job['id']}/cancel")
    assert cancelled.json()["job"]["state"] == "cancelled"
    again = await trainer.post(f"models/jobs/{job['id']}/cancel")
    assert (again.status_code, again.json()["job"]["state"]) == (200, "cancelled")
    assert (await trainer.post(f"models/jobs/{'f' * 32}/cancel")).status_code == 404
    assert len(await gym.desk.audited("learning_job_cancelled")) == 1


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.AUDITOR])
async def test_who_looks_after_the_bot_sees_versions_and_only_trainers_make_them(gym: Gym, role: Role) -> None:
    browser = await gym.desk.browser("Sue", role)
    assert (await browser.get("models/versions")).status_code == 200
    assert (await browser.get("models/jobs")).status_code == 200
    assert (await browser.post("models/jobs", {})).status_code == 403
    assert gym.bot.asked == {}


async def test_agents_see_nothing_of_it(gym: Gym) -> None:
    agent = await gym.desk.browser("Ann", Role.AGENT)
    assert (await agent.get("models/versions")).status_code == 403


@pytest.mark.parametrize("body", [{"kind": "replay"}, {"profile": "huge"}, {"note": "x" * 501}, {"note": 5}])
async def test_what_cannot_be_trained_is_refused(gym: Gym, trainer: Browser, body: dict[str, object]) -> None:
    assert (await trainer.post("models/jobs", body)).status_code == 400
    assert gym.bot.asked == {}


async def test_a_new_intent_is_made_with_its_examples_and_taken_back(gym: Gym, trainer: Browser) -> None:
    made = {"name": "gift_wrapping", "title_zh": "礼品包装", "title_en": "Gift wrapping", "does": "reply",
            "reply_zh": "可以包装。", "reply_en": "We do."}  # fmt: skip
    changes = [{"do": "new_intent", "made": made}, add("wrap it please", "gift_wrapping")]
    answer = await trainer.post("examples", {"changes": changes, "why": "asked for daily"})
    assert answer.status_code == 201, answer.text
    overview = (await trainer.get("examples/overview")).json()
    [row] = [one for one in overview["intents"] if one["name"] == "gift_wrapping"]
    assert row["made"] == made
    assert row["counts"] == {"zh": 0, "en": 1}
    again = await trainer.post("examples", {"changes": changes})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "example_intent_exists")
    used = await trainer.post("examples", {"changes": [{"do": "drop_intent", "made": made}]})
    assert (used.status_code, used.json()["error"]["code"]) == (409, "example_intent_used")
    undone = await trainer.post(f"examples/history/{answer.json()['edit']['id']}/undo", {})
    assert undone.status_code == 201
    names = [one["name"] for one in (await trainer.get("examples/overview")).json()["intents"]]
    assert "gift_wrapping" not in names
    [entry] = await gym.desk.audited("examples_edited")
    assert entry["data"]["intents"] == ["gift_wrapping"]
