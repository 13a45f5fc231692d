"""Several versions of the model in one bot: loaded beside the turns, each conversation on the one it is asked on."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import model_seal
from bot.model_names import archive_of
from bot.model_seal import seal_of
from bot.tests.desk import Bot, Chat
from bot.tests.fake_actions import FakeActions
from bot.tests.other_versions import Domain, add_version, folder_of_models, greets
from bot.tests.test_model_seal import GOOD, write_archive
from bot.versions import Versions

MODELS = "/webhooks/turn/models"


def without_orders(domain: Domain) -> None:
    """A version that has lost a task and what it notes."""
    greets("smaller")(domain)
    del domain["forms"]["order_status_form"]
    domain["slots"].pop("recent_orders")


@pytest.fixture(scope="module")
def models(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = folder_of_models(model_dir, tmp_path_factory.mktemp("versions"))
    for name in ("second", "third", "fourth"):
        add_version(folder, name, archive_of(folder, "first"), greets(f"hello from {name}"))
    (folder / "fingerprint.json").write_text(json.dumps({"fingerprint": "x", "model": "first.tar.gz"}))
    return folder


@pytest.fixture(scope="module")
def actions() -> Iterator[FakeActions]:
    running = FakeActions()
    yield running
    running.shutdown()


@pytest.fixture(scope="module")
def running_bot(models: Path, actions: FakeActions) -> Iterator[Bot]:
    running = Bot(models.parent / "bot.db", actions, models)
    yield running
    running.stop()


@pytest.fixture
def own_bot(running_bot: Bot) -> Bot:
    """The bot as it begins: one version loaded."""
    assert arranged(running_bot, "first")[0] == 200
    return running_bot


def greeted(bot: Bot, model: str | None, chat: Chat | None = None, text: str = "hello") -> tuple[int, dict[str, Any]]:
    body = (chat or Chat(bot)).body(text)
    return asked(bot, body if model is None else {**body, "model": model})


def asked(
    bot: Bot, body: dict[str, Any], path: str = "/webhooks/turn", method: str = "POST"
) -> tuple[int, dict[str, Any]]:
    """As the service does: again, as long as the version is being loaded."""
    while True:
        status, answer = bot.request(method, path, body)
        if (status, answer.get("error", {}).get("code")) != (503, "loading"):
            return status, answer
        time.sleep(0.5)


def said(answer: dict[str, Any]) -> str:
    return " ".join(reply["text"] for reply in answer["replies"])


def loaded(bot: Bot) -> set[str]:
    return {one["name"] for one in bot.request("GET", MODELS)[1]["models"] if one["loaded"]}


def arranged(bot: Bot, default: str, *more: str, kept: list[str] | None = None) -> tuple[int, dict[str, Any]]:
    wanted = {"default": default, "loaded": list(more), "kept": kept or []}
    return asked(bot, wanted, MODELS, "PUT")


def test_a_turn_runs_on_the_version_it_names_and_its_trace_says_so(own_bot: Bot) -> None:
    assert loaded(own_bot) == {"first"}
    status, answer = greeted(own_bot, "second")
    assert (status, said(answer)) == (200, "hello from second")
    assert (answer["trace"]["model"], answer["trace"]["model_id"]) == ("second", "second")
    assert loaded(own_bot) == {"first", "second"}
    for name in ("first", None):
        status, answer = greeted(own_bot, name)
        assert answer["trace"]["model"] == "first"
        assert "hello from" not in said(answer)
    assert own_bot.request("GET", "/webhooks/turn/health")[1]["model"] == "first"


def test_a_dry_run_takes_the_version_it_names(own_bot: Bot) -> None:
    body = {**Chat(own_bot).body("hello"), "dry_run": True, "model": "third"}
    status, answer = asked(own_bot, body, "/webhooks/turn/dry-run")
    assert (status, said(answer)) == (200, "hello from third")


def test_the_least_used_version_is_let_go_but_never_the_default(own_bot: Bot) -> None:
    for name in ("second", "third", "second", "fourth"):
        assert greeted(own_bot, name)[1]["trace"]["model"] == name
    assert loaded(own_bot) == {"first", "second", "fourth"}
    assert said(greeted(own_bot, "third")[1]) == "hello from third"
    assert loaded(own_bot) == {"first", "third", "fourth"}


def test_a_version_that_is_not_there_or_not_sealed_is_gone_and_nothing_is_done(own_bot: Bot, models: Path) -> None:
    chat = Chat(own_bot)
    add_version(models, "unsealed", archive_of(models, "first"), sealed=False)
    add_version(models, "swapped", archive_of(models, "first"))
    seal_of(archive_of(models, "swapped")).write_bytes(seal_of(archive_of(models, "first")).read_bytes())
    (models / "torn.tar.gz").write_bytes(b"no archive")
    for name in ("nowhere", "unsealed", "swapped", "torn"):
        status, answer = greeted(own_bot, name, chat)
        assert (status, answer["error"]["code"]) == (409, "model_gone")
        status, answer = arranged(own_bot, name)
        assert (status, answer["error"]["code"]) == (409, "model_gone")
        assert name in answer["error"]["message"]
    assert own_bot.request("GET", MODELS)[1]["default"] == "first"
    problems = {one["name"]: one["problem"] for one in own_bot.request("GET", MODELS)[1]["models"]}
    assert {name for name, problem in problems.items() if problem} == {"unsealed", "swapped", "torn"}
    first = chat.say("hello")
    assert first["model"] == "first"
    add_version(models, "nowhere", archive_of(models, "first"), greets("here now"))
    assert said(greeted(own_bot, "nowhere")[1]) == "here now"


@pytest.mark.parametrize("name", ["../models/first", "a/b", "", ".hidden", "x" * 81, 5, ["first"]])
def test_a_name_that_is_none_is_refused(own_bot: Bot, name: object) -> None:
    body = {**Chat(own_bot).body("hello"), "model": name}
    assert own_bot.request("POST", "/webhooks/turn", body)[0] == 400
    for arrangement in (
        {"default": name, "loaded": [], "kept": []},
        {"default": "first", "loaded": [name], "kept": []},
        {"default": "first", "loaded": [], "kept": [name]},
        {"default": "first", "loaded": []},
        [name],
    ):
        assert own_bot.request("PUT", MODELS, arrangement)[0] == 400
    assert own_bot.request("GET", MODELS, None, "wrong")[0] == 401
    assert own_bot.request("PUT", MODELS, {}, "wrong")[0] == 401


def test_a_conversation_goes_on_on_another_version_that_lacks_its_task_and_its_slots(
    own_bot: Bot, models: Path
) -> None:
    add_version(models, "smaller", archive_of(models, "first"), without_orders)
    chat = Chat(own_bot)
    asked = chat.say("where is my order?")
    assert asked["route"] == "task"
    chat.say("KT20261234")
    status, answer = greeted(own_bot, "smaller", chat)
    assert (status, said(answer)) == (200, "smaller")
    status, answer = greeted(own_bot, "first", chat, "where is my order?")
    assert (status, answer["trace"]["route"]) == (200, "task")


def test_an_answered_turn_is_answered_alike_whatever_version_it_is_asked_on_again(own_bot: Bot) -> None:
    body = Chat(own_bot).body("hello")
    _, first = asked(own_bot, {**body, "model": "second"})
    _, again = asked(own_bot, {**body, "model": "first"})
    assert again == first


def test_turns_go_on_while_a_version_is_loaded(own_bot: Bot) -> None:
    done: list[int] = []
    loading = threading.Thread(target=lambda: done.append(arranged(own_bot, "first", "second", "third")[0]))
    chats = [Chat(own_bot) for _ in range(4)]
    loading.start()
    answered = 0
    while loading.is_alive():
        assert chats[answered % 4].say("hello")["model"] == "first"
        answered += 1
        time.sleep(0.02)
    assert done == [200]
    assert answered > 5


def test_what_was_chosen_serves_again_after_a_restart_until_something_new_is_trained(
    models: Path, actions: FakeActions, tmp_path: Path
) -> None:
    folder = folder_of_models(models, tmp_path)
    for name in ("second", "third"):
        add_version(folder, name, archive_of(models, name))
    mark = folder / "fingerprint.json"
    mark.write_text(json.dumps({"fingerprint": "x", "model": "first.tar.gz"}))
    bot = Bot(tmp_path / "bot.db", actions, folder)
    try:
        listing = arranged(bot, "second", kept=["first", "second"])[1]
        assert (listing["default"], listing["default_by"]) == ("second", "choice")
        assert json.loads((folder / "kept.json").read_text()) == ["first", "second"]
    finally:
        bot.stop()
    for trained, serving, by in (("first", "second", "choice"), ("third", "third", "training")):
        mark.write_text(json.dumps({"fingerprint": "y", "model": f"{trained}.tar.gz"}))
        again = Bot(tmp_path / "bot.db", actions, folder)
        try:
            listing = again.request("GET", MODELS)[1]
            assert (listing["default"], listing["default_by"]) == (serving, by)
            assert greeted(again, None)[1]["trace"]["model"] == serving
        finally:
            again.stop()


def test_an_archive_is_hashed_again_only_when_it_its_seal_or_the_key_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, keys = tmp_path / "models", tmp_path / "keys"
    folder.mkdir()
    model_seal.seal(write_archive(folder / "good.tar.gz", GOOD), keys)
    strange = write_archive(folder / "strange.tar.gz", GOOD | {"more.json": "{}"})
    looked_at: list[str] = []

    def check(archive: Path, of: Path) -> None:
        looked_at.append(archive.name)
        checked(archive, of)

    checked = model_seal.check
    monkeypatch.setattr("bot.versions.model_seal.check", check)
    versions = Versions(folder, keys, lambda archive: pytest.fail(f"{archive} is loaded"))

    def problems() -> dict[str, bool]:
        looked_at.clear()
        return {one["name"]: one["problem"] is not None for one in asyncio.run(versions.listing())["models"]}

    assert (problems(), len(looked_at)) == ({"good": False, "strange": True}, 2)
    assert (problems(), looked_at) == ({"good": False, "strange": True}, [])
    model_seal.seal(strange, keys)
    assert (problems(), looked_at) == ({"good": False, "strange": False}, ["strange.tar.gz"])
    write_archive(strange, GOOD | {"other.json": "{}"})
    assert (problems(), looked_at) == ({"good": False, "strange": True}, ["strange.tar.gz"])
    for half in keys.iterdir():
        half.unlink()
    model_seal.seal(strange, keys)
    assert (problems(), len(looked_at)) == ({"good": True, "strange": False}, 2)
