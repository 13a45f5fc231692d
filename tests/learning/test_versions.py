"""Versions: written down when they are trained or found, gone when no bot has them, carried to MLflow once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from conversations.bot_models import BotModels
from conversations.dialogue import RasaDialogue
from conversations.model import utc_now
from conversations.store import Database
from learning.job_store import Job
from learning.model_tables import metadata
from learning.tracking import Mlflow, NotTracked
from learning.version_store import Version
from learning.versions import Track, Versions
from tests.doubles.mlflow import MlflowDouble
from tests.learning.bot_double import MADE, RESULT, SECRET, BotDouble, transport_to

JOB = Job(
    "a" * 32, "train", "running", None, {"note": "gift cards", "author": "Eva"}, None, RESULT, None, 1, "http://bot-1:5005",
    "trainer-eva", "Eva", utc_now(), utc_now(), None,
)  # fmt: skip
BY_HAND: dict[str, Any] = {"name": "frontdesk-20260214-101500.tar.gz", "sha256": "b" * 64, "bytes": 5, "loaded": True}


@pytest.fixture
async def bots() -> list[BotDouble]:
    return [BotDouble(models=[]), BotDouble("http://bot-2:5005", models=[])]


@pytest.fixture
async def opened(database: Database, bots: list[BotDouble]) -> Callable[..., Versions]:
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    work = BotModels(RasaDialogue([one.url for one in bots], SECRET, transport=transport_to(*bots)))

    def open_them(track: Track | None = None) -> Versions:
        return Versions(database, work, track=track)

    return open_them


async def test_a_training_leaves_a_version_with_all_that_is_known_of_it(opened: Callable[..., Versions]) -> None:
    versions = opened()
    assert await versions.note_trained(JOB) == RESULT["model"]
    [version] = await versions.all()
    assert (version.name, version.by_name, version.note) == (RESULT["model"], "Eva", "gift cards")
    assert version.made_at == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert version.metrics == RESULT["metrics"]
    assert version.made == MADE


async def test_a_result_that_is_taken_in_twice_is_one_version(opened: Callable[..., Versions]) -> None:
    versions = opened()
    await versions.note_trained(JOB)
    await versions.note_metrics(RESULT["model"], {"tested": {"cases": 3}})
    await versions.note_trained(JOB)
    assert len(await versions.all()) == 1


async def test_what_the_bots_have_is_found_and_what_they_lost_is_gone(
    opened: Callable[..., Versions], bots: list[BotDouble]
) -> None:
    versions = opened()
    await versions.note_trained(JOB)
    trained = {"name": RESULT["model"], "sha256": "a" * 64, "bytes": 1, "made": MADE}
    bots[0].models, bots[1].models = [BY_HAND, trained], [trained]
    await versions.look()
    found = {one.name: one for one in await versions.all()}
    assert found["frontdesk-20260214-101500"].by_id is None
    assert found[RESULT["model"]].by_name == "Eva", "what the training said stays"
    bots[0].models = [trained]
    await versions.look()
    assert {one.name: one.state for one in await versions.all()} == {
        "frontdesk-20260214-101500": "gone",
        RESULT["model"]: "ready",
    }
    bots[0].models = [BY_HAND, trained]
    await versions.look()
    assert {one.state for one in await versions.all()} == {"ready"}


@pytest.mark.parametrize("trouble", ["away", "old"])
async def test_a_bot_that_is_away_or_too_old_makes_nothing_gone(
    opened: Callable[..., Versions], bots: list[BotDouble], trouble: str
) -> None:
    versions = opened()
    await versions.note_trained(JOB)
    bots[0].models = [BY_HAND]
    bots[1].away, bots[1].models = trouble == "away", None
    await versions.look()
    assert [one.state for one in await versions.all()] == ["ready"]


async def test_a_version_that_a_bot_listed_first_gets_what_its_training_knows(
    opened: Callable[..., Versions], bots: list[BotDouble]
) -> None:
    versions = opened()
    bots[0].models = bots[1].models = [{"name": RESULT["model"], "sha256": "a" * 64, "bytes": 1, "made": MADE}]
    await versions.look()
    await versions.note_trained(JOB)
    version = await versions.find(RESULT["model"])
    assert version is not None
    assert (version.by_id, version.metrics) == ("trainer-eva", RESULT["metrics"])


async def test_figures_are_added_to_those_that_are_there(opened: Callable[..., Versions]) -> None:
    versions = opened()
    await versions.note_trained(JOB)
    await versions.note_metrics(RESULT["model"], {"en": {"accuracy": 0.5}, "stories": 7})
    version = await versions.find(RESULT["model"])
    assert version is not None
    assert version.metrics == RESULT["metrics"] | {"en": {"accuracy": 0.5}, "stories": 7}
    await versions.note_metrics("no such version", {"en": {}})


# -- MLflow --------------------------------------------------------------------------------------------------------


def mlflow(server: MlflowDouble, token: str | None = None) -> Mlflow:
    return Mlflow("http://mlflow:5000/", token, "desk", transport=server.transport)


async def test_a_training_becomes_a_run_with_parameters_metrics_and_tags(opened: Callable[..., Versions]) -> None:
    server = MlflowDouble(token="t" * 20)
    versions = opened(mlflow(server, "t" * 20).track)
    await versions.note_trained(JOB)
    [run] = server.runs.values()
    assert (run["status"], run["name"]) == ("FINISHED", RESULT["model"])
    assert run["end_time"] - run["start_time"] == 61_000
    assert run["params"] == {"profile": "fast", "intents": "30", "examples_en": "700", "examples_zh": "720"}
    assert (run["metrics"]["en_accuracy"], run["metrics"]["zh_macro_f1"]) == (0.9, 0.93)
    assert run["tags"]["frontdesk.version"] == RESULT["model"]
    assert run["tags"]["frontdesk.data_hash"] == "d" * 64
    assert run["tags"]["mlflow.user"] == "Eva"
    version = await versions.find(RESULT["model"])
    assert version is not None
    assert version.tracked_as == run["run_id"]


async def test_a_server_that_is_away_stops_no_training_and_hears_of_it_the_next_time(
    opened: Callable[..., Versions],
) -> None:
    server = MlflowDouble(down=True)
    versions = opened(mlflow(server).track)
    assert await versions.note_trained(JOB) == RESULT["model"]
    version = await versions.find(RESULT["model"])
    assert version is not None
    assert version.tracked_as is None
    server.down = False
    await versions.track_missing()
    assert len(server.runs) == 1
    await versions.track_missing()
    assert len(server.runs) == 1


@pytest.mark.parametrize("calls", range(6))
async def test_a_run_that_was_cut_off_is_made_whole_by_another_one(opened: Callable[..., Versions], calls: int) -> None:
    server = MlflowDouble(breaks_after=calls)
    versions = opened(mlflow(server).track)
    await versions.note_trained(JOB)
    server.breaks_after = None
    await versions.track_missing()
    assert len([run for run in server.runs.values() if run["status"] == "FINISHED"]) == 1


async def test_two_desks_share_an_experiment() -> None:
    server = MlflowDouble()
    await mlflow(server).track(version_of())
    await mlflow(server).track(version_of("frontdesk-20260401-000000"))
    assert list(server.experiments) == ["desk"]
    assert len(server.runs) == 2


async def test_a_refusal_says_what_the_server_said() -> None:
    version = version_of()
    with pytest.raises(NotTracked, match="answered 401"):
        await mlflow(MlflowDouble(token="right"), "wrong").track(version)


def version_of(name: str = RESULT["model"]) -> Version:
    made = Version(
        RESULT["model"], "m", "a" * 64, 5, "ready", datetime(2026, 3, 1, 8, tzinfo=UTC), "e", "Eva", "", "d" * 64,
        MADE, RESULT["metrics"], None,
    )  # fmt: skip
    return replace(made, name=name)
