"""Trainers try and test models through the staff API: nothing of a trial is kept, everything that is saved is audited."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from conversations.errors import DialogueRefused
from conversations.turn_model import Reply, ReplyButton, Said, Thresholds, TurnRequest, TurnResult
from conversations.work_leases import WorkLeases
from handoff.learning.measuring_side import CROSS, TEST, MeasuringSide
from handoff.roles import Role
from learning.bot_check import BotCheck
from learning.cross_notes import CrossNotes
from learning.example_book import ExampleBook
from learning.example_check import ExampleCheck
from learning.example_desk import ExampleDesk
from learning.job_store import Job, JobStore
from learning.jobs import Jobs
from learning.knowledge_tests import KnowledgeTesting
from learning.model_tables import metadata as model_metadata
from learning.saved_tests import SavedTests
from learning.tables import metadata
from learning.trials import Trials
from learning.version_store import Version, VersionStore
from learning.versions import Versions
from tests.handoff.desk import Browser, Desk
from tests.learning.example_shelf import make_folder
from tests.learning.test_measuring import TwoArticles, query

LIVE = "frontdesk-20260310-100000"


class Parrot:
    """A bot that says what it was asked and remembers how."""

    def __init__(self) -> None:
        self.asked: list[TurnRequest] = []

    async def respond(self, request: TurnRequest) -> TurnResult:
        self.asked.append(request)
        if request.model == "gone":
            raise DialogueRefused("no such version")
        reply = Reply(f"heard {request.text}", (ReplyButton("Yes", "/affirm"),))
        return TurnResult((reply,), {"intent": "greet", "ranking": [{"name": "greet", "confidence": 0.9}]})


class NoBots:
    """No bot takes work."""

    urls = ()

    async def models(self) -> list[dict[str, Any]]:
        return []


@pytest.fixture
def parrot() -> Parrot:
    return Parrot()


@pytest.fixture
async def lab(desk: Desk, tmp_path: Path, parrot: Parrot) -> Desk:
    """A desk with one version and a small folder."""
    async with desk.database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.run_sync(model_metadata.create_all)
    folder = make_folder(tmp_path)
    book = ExampleBook(desk.database, folder)
    desk.side.studio.examples = ExampleDesk(book, ExampleCheck(None), BotCheck(parrot, {}), tmp_path / "models")
    bots: Any = NoBots()
    jobs = Jobs(desk.conversations, bots, WorkLeases(desk.database))
    limits = {one: Thresholds(0.6, None, 0.5) for one in ("zh", "en")}
    desk.side.studio.measuring = MeasuringSide(
        desk.conversations,
        SavedTests(folder),
        Trials(parrot, lambda: limits),
        KnowledgeTesting(TwoArticles(), lambda: 0.5, lambda: [query("warranty?", "warranty")]),
        jobs,
        Versions(desk.database, bots),
    )
    desk.side.studio.examples.cross = CrossNotes(lambda: jobs.latest(CROSS, states=("done",)))
    now = desk.conversations.now()
    version = Version(LIVE, None, "0" * 64, 1, "ready", now, None, None, "", "h", {}, None, None)
    async with desk.database.write() as connection:
        await VersionStore(connection).add(version)
    return desk


@pytest.fixture
async def trainer(lab: Desk) -> Browser:
    return await lab.browser("Tina", Role.TRAINER)


def measuring(desk: Desk) -> MeasuringSide:
    assert desk.side.studio.measuring is not None
    return desk.side.studio.measuring


async def finished(desk: Desk, kind: str, model: str, result: dict[str, Any]) -> None:
    """As though a bot had done a job."""
    now = desk.conversations.now()
    job = Job(f"{kind}-{model}"[:32], kind, "done", model, {}, None, result, None, 1, None, "x", "Tina", now, now, now)
    async with desk.database.write() as connection:
        await JobStore(connection).add(job)


async def test_a_message_is_tried_with_what_was_said_before_on_two_versions(trainer: Browser, parrot: Parrot) -> None:
    body = {
        "language": "zh",
        "messages": [{"text": "取消订单"}, {"text": "是", "payload": "/affirm"}],
        "models": [None, LIVE],
        "thresholds": {"answer": 0.9},
    }
    tried = await trainer.post("trials", body)
    assert tried.status_code == 200, tried.text
    first, second = tried.json()["answers"]
    assert (first["model"], second["model"]) == (None, LIVE)
    assert first["replies"][0]["buttons"] == [{"title": "Yes", "payload": "/affirm"}]
    assert first["trace"]["ranking"] == [{"name": "greet", "confidence": 0.9}]
    asked = parrot.asked[-1]
    assert asked.dry_run
    assert asked.sample_shop
    assert asked.earlier == (Said("取消订单"),)
    assert (asked.text, asked.payload, asked.customer_id) == ("是", "/affirm", None)
    assert asked.thresholds["zh"] == Thresholds(0.9, None, None)


async def test_a_version_that_cannot_answer_says_so_beside_one_that_can(trainer: Browser) -> None:
    answers = (
        await trainer.post("trials", {"language": "en", "messages": [{"text": "hi"}], "models": [None, "gone"]})
    ).json()
    assert "problem" not in answers["answers"][0]
    assert answers["answers"][1] == {"model": "gone", "problem": "refused"}


@pytest.mark.parametrize("body", [
    {"language": "en", "messages": []},
    {"language": "en", "messages": [{"text": "  "}]},
    {"language": "fr", "messages": [{"text": "x"}]},
    {"language": "en", "messages": [{"text": "x", "payload": "not a payload"}]},
    {"language": "en", "messages": [{"text": "x"}], "models": ["../../etc"]},
    {"language": "en", "messages": [{"text": "x"}], "models": [None, None, None]},
    {"language": "en", "messages": [{"text": "x"}] * 41},
    {"language": "en", "messages": [{"text": "x"}], "thresholds": {"answer": 2}},
])  # fmt: skip
async def test_what_is_no_chat_is_refused(trainer: Browser, parrot: Parrot, body: dict[str, Any]) -> None:
    assert (await trainer.post("trials", body)).status_code == 400
    assert parrot.asked == []


STORY = {
    "title": "A greeting",
    "language": "en",
    "messages": [{"text": "hi", "expect": {"intent": "greet", "handoff": None, "route": None}}],
    "why": "from a trial",
}


async def test_a_chat_is_saved_as_a_test_shown_and_deleted(lab: Desk, trainer: Browser) -> None:
    made = await trainer.post("model-tests/stories", STORY)
    assert made.status_code == 201, made.text
    story = made.json()["story"]
    assert story["messages"] == [{"text": "hi", "payload": None, "expect": {"intent": "greet", "handoff": None}}]
    assert (await trainer.get("model-tests")).json()["stories"] == [story]
    (entry,) = await lab.audited("model_test_saved")
    assert entry["data"] == {"what": "story", "name": story["name"], "why": "from a trial"}
    assert (await trainer.post(f"model-tests/stories/{story['name']}/delete", {"why": "old"})).status_code == 200
    assert (await trainer.post(f"model-tests/stories/{story['name']}/delete")).status_code == 404
    assert (await trainer.get("model-tests")).json()["stories"] == []


async def test_lines_and_questions_are_saved_and_deleted(lab: Desk, trainer: Browser) -> None:
    line = {"language": "en", "intent": "greet", "text": "well met"}
    question = {"language": "en", "text": "How long is the warranty?", "articles": ["warranty"]}
    assert (await trainer.post("model-tests/lines", line)).status_code == 201
    assert (await trainer.post("model-tests/questions", question)).status_code == 201
    assert (await trainer.post("model-tests/questions", question)).status_code == 409
    refused = await trainer.post("model-tests/lines", line | {"text": "hello"})
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "example_exists"
    shown = (await trainer.get("model-tests")).json()
    assert shown["lines"] == [line]
    assert shown["questions"] == [question]
    assert (await trainer.post("model-tests/lines/delete", line)).status_code == 200
    assert (await trainer.post("model-tests/questions/delete", question)).status_code == 200
    assert len(await lab.audited("model_test_deleted")) == 2


async def test_a_version_is_queued_for_testing_on_the_terms_in_force(lab: Desk, trainer: Browser) -> None:
    asked = await trainer.post("model-tests/run", {"kind": "test", "model": LIVE})
    assert asked.status_code == 202, asked.text
    crossed = await trainer.post("model-tests/run", {"kind": "cross_validate", "model": LIVE, "folds": 2})
    assert crossed.status_code == 202
    cross, test = await measuring(lab).jobs.recent(5)
    limits = {"answer": 0.6, "retrieval": 0.5}
    turn = {"thresholds": {"zh": limits, "en": limits}, "misses": 2, "sample_shop": True}
    assert (test.kind, test.model, test.options) == (TEST, LIVE, {"model": LIVE, "turn": turn})
    assert (cross.kind, cross.options) == (CROSS, {"model": LIVE, "folds": 2})
    shown = (await trainer.get("model-tests")).json()
    assert [one["kind"] for one in shown["jobs"]] == [CROSS, TEST]
    assert [one["name"] for one in shown["versions"]] == [LIVE]
    assert (await trainer.post("model-tests/run", {"kind": "test", "model": "frontdesk-gone"})).status_code == 404


def section(accuracy: float) -> dict[str, Any]:
    return {"figures": {"accuracy": accuracy}, "intents": [{"name": "greet", "f1": accuracy}]}


async def test_results_are_shown_and_compared(lab: Desk, trainer: Browser) -> None:
    assert (await trainer.get(f"model-tests/results/{LIVE}")).json() == {"job": None, "result": None}
    assert (await trainer.get("model-tests/compare", one=LIVE, other="b")).status_code == 404
    for model, accuracy in ((LIVE, 0.9), ("b", 0.8)):
        whole = {"set": "s", "sections": {"all": section(accuracy)}, "wrong": [], "stories": []}
        await finished(lab, TEST, model, whole)
    shown = (await trainer.get(f"model-tests/results/{LIVE}")).json()
    assert shown["result"]["sections"]["all"]["figures"] == {"accuracy": 0.9}
    found = (await trainer.get("model-tests/compare", one=LIVE, other="b")).json()
    assert found["sections"]["all"]["figures"]["accuracy"] == {"one": 0.9, "other": 0.8, "more_is_better": True}


async def test_what_a_bot_measured_is_kept_with_its_version(lab: Desk) -> None:
    whole = {"sections": {"all": section(0.9)}, "stories": [{"passed": True}, {"passed": False}]}
    await finished(lab, TEST, LIVE, whole)
    job = await measuring(lab).jobs.latest(TEST)
    assert job is not None
    assert await measuring(lab).note_tested(job) == LIVE
    version = await measuring(lab).versions.find(LIVE)
    assert version is not None
    assert version.metrics is not None
    assert version.metrics["tested"]["accuracy"] == {"all": 0.9}
    assert (version.metrics["tested"]["stories"], version.metrics["tested"]["stories_passed"]) == (2, 1)


async def test_cross_validation_is_noted_at_the_examples(lab: Desk, trainer: Browser) -> None:
    taken = {"language": "en", "intent": "greet", "text": "hello", "predicted": "thanks", "confidence": 0.7}
    await finished(lab, CROSS, LIVE, {"sections": {}, "wrong": [taken]})
    listed = (await trainer.get("examples", kind="crossed")).json()
    assert [(one["text"], one["notes"]) for one in listed["examples"]] == [
        ("hello", [{"kind": "crossed", "score": 0.7, "intent": "thanks"}])
    ]
    assert (await trainer.get("examples/overview")).json()["notes"]["crossed"] == 1


async def test_the_knowledge_base_is_tested_in_the_background(lab: Desk, trainer: Browser) -> None:
    assert (await trainer.post("model-tests/knowledge/run-questions")).status_code == 202
    run = measuring(lab).knowledge._task
    assert run is not None
    await asyncio.wait_for(run, 10)
    found = (await trainer.get("model-tests/knowledge")).json()
    assert found["result"]["sections"]["all"]["recall@1"] == 1.0
    assert found["job"]["by"] == "Tina"


async def test_who_only_looks_neither_saves_nor_runs(lab: Desk) -> None:
    supervisor = await lab.browser("Sue", Role.SUPERVISOR)
    auditor = await lab.browser("Ann", Role.AUDITOR)
    agent = await lab.browser("Al", Role.AGENT)
    trial = {"language": "en", "messages": [{"text": "hi"}]}
    assert [(await one.get("model-tests")).status_code for one in (supervisor, auditor, agent)] == [200, 200, 403]
    assert [(await one.post("trials", trial)).status_code for one in (supervisor, auditor, agent)] == [200, 403, 403]
    assert (await supervisor.post("model-tests/stories", STORY)).status_code == 403
    assert (await supervisor.post("model-tests/run", {"kind": "test", "model": LIVE})).status_code == 403
