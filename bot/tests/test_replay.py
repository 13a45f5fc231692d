"""Recorded turns run again: the same on the model that answered them, and otherwise on another; nothing is touched."""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from bot import action_calls, settings, without_tensorflow
from bot.bench_replay import ActionsHere, build
from bot.replay import replay, replay_conversation, summary
from bot.replay_log import Log, LogUnreadable
from bot.serve import find_model
from bot.tests.test_dry_run import STEPS

without_tensorflow.install()

#: What is said, one conversation a line; a slash begins the payload of a button.
WRITTEN: list[tuple[str, list[str]]] = [
    *(("zh" if steps[0].startswith("取") else "en", steps) for steps in STEPS),
    ("zh", ["我要退货", "KT20261234", "2468", "低语 Max", "到手就有划痕", "对"]),
    ("zh", ["改一下收货地址", "KT20261234", "1111", "2468", "浙江省杭州市西湖区文三路90号3幢402", "不对，是 KT20267777", "好的"]),
    ("en", ["I need an invoice", "KT20261234", "2468", "company", "Kite Ltd", "yes"]),
    ("en", ["change the phone number in my account", "emma@example.com", "2468", "phone", "+44 7700 900123", "yes"]),
    ("zh", ["我的工单处理得怎么样了", "TK100234", "2468", "谢谢"]),
    ("en", ["where is my order?", "actually, please cancel my order", "KT20261234", "never mind"]),
    ("zh", ["发货要几天？手表保修多久？", "查一下KT20261177到哪了。还有，现在还能改收货地址吗？", "2468", "转人工"]),
    ("en", ["how long is the warranty and do you deliver on Sunday?", "and the other one?", "not that one"]),
    ("en", ["Track it", "/order_status", "KT20261234", "2468", "/handoff"]),
    ("zh", ["您猜", "/ask_knowledge{\"question\": \"保修多久\"}", "你好", "讲个笑话", "哈哈哈", "再见"]),
    ("en", ["do you speak Chinese?", "please answer in Chinese", "什么时候发货", "thanks"]),
]  # fmt: skip
TOLD = {"told": {"order_number": "KT20260301"}}


async def talk(dialogue: Any) -> None:
    from bot.turn import Turn

    for number, (language, steps) in enumerate(WRITTEN):
        for place, text in enumerate(steps):
            payload = text if text.startswith("/") else None
            metadata = {"language_hint": language, "customer_id": None, **(TOLD if number % 3 == 0 else {})}
            await dialogue.respond(Turn(f"w{number}x{place}", f"w{number}", text, payload, metadata))


@pytest.fixture(scope="session")
def model(model_dir: Path) -> Path:
    return find_model(model_dir)


@pytest.fixture(scope="session")
def log(model: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    from bot.tracker_store import TurnStore
    from bot.turn import Dialogue

    action_calls.install()
    url = f"sqlite:///{tmp_path_factory.mktemp('log') / 'bot.db'}"
    asyncio.run(build(model, url, 150, seed=3))
    asyncio.run(talk(Dialogue(str(model), TurnStore(host=url), ActionsHere().endpoint)))
    return url


@pytest.fixture(scope="session")
def replayer(model: Path) -> Any:
    from bot.replay_turn import Replayer

    action_calls.install()
    return Replayer(str(model))


def all_turns(url: str) -> list[list[Any]]:
    found = Log(url)
    return [found.conversation(name) for name in sorted(found.newest(10_000))]


async def replayed(replayer: Any, url: str, thresholds: Any = None) -> list[dict[str, Any]]:
    found = []
    for turns in all_turns(url):
        found += await replay_conversation(replayer, turns, thresholds)
    return found


def without_logs(url: str, tmp_path: Path) -> str:
    """The store as it was before turns were logged."""
    path = tmp_path / "old.db"
    with sqlite3.connect(url.removeprefix("sqlite:///")) as whole, sqlite3.connect(path) as copy:
        whole.backup(copy)
        copy.execute("ALTER TABLE turns DROP COLUMN log")
    return f"sqlite:///{path}"


def test_the_same_model_answers_every_turn_of_its_log_as_it_did(replayer: Any, log: str) -> None:
    report = summary(asyncio.run(replayed(replayer, log)))
    assert report["changes"] == []
    assert report["not_replayable"] == {}
    assert report["turns"] == report["same"] >= 200


def test_a_log_from_before_is_replayed_as_far_as_it_tells(replayer: Any, log: str, tmp_path: Path) -> None:
    report = summary(asyncio.run(replayed(replayer, without_logs(log, tmp_path))))
    assert report["changes"] == []
    assert set(report["not_replayable"]) <= {"several_parts", "told"}
    assert report["same"] > 0.8 * report["turns"]


def test_two_workers_find_the_same_again_and_leave_the_store_as_it_was(model: Path, log: str) -> None:
    path = log.removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        before = list(connection.iterdump())
    chosen = Log(log).newest(60)
    shares: list[float] = []
    two = replay(model, log, chosen, workers=2, progress=shares.append)
    one = replay(model, log, chosen, workers=1)
    assert (two["digest"], two["changed"]) == (one["digest"], 0)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    with sqlite3.connect(path) as connection:
        assert list(connection.iterdump()) == before


class Confused:
    """A model that takes one intent for another."""

    def __init__(self, replayer: Any, mistaken: str, taken_for: str) -> None:
        self.replayer, self.mistaken, self.taken_for = replayer, mistaken, taken_for

    def __enter__(self) -> Any:
        kind = type(self.replayer)
        self.parse = kind.parse_message

        async def parse(dialogue: Any, *given: Any, **named: Any) -> Any:
            found = await self.parse(dialogue, *given, **named)
            if found["intent"]["name"] == self.mistaken:
                found = {**found, "intent": {**found["intent"], "name": self.taken_for}}
            return found

        kind.parse_message = parse
        return self.replayer

    def __exit__(self, *_: object) -> None:
        type(self.replayer).parse_message = self.parse


def test_a_task_taken_for_another_one_is_told_and_ends_the_replay_of_its_conversation(replayer: Any, log: str) -> None:
    with Confused(replayer, "cancel_order", "order_status") as confused:
        turns = asyncio.run(replayed(confused, log))
    report = summary(turns)
    change = next(
        one
        for one in report["changes"]
        if one["turn_id"] == "w1x0" or one["turn_id"] == "w2x0" or one["before"]["intent"] == "cancel_order"
    )
    assert (change["before"]["intent"], change["after"]["intent"]) == ("cancel_order", "order_status")
    assert {"intent", "actions"} <= set(change["kinds"])
    assert change["stops"]
    assert report["after_divergence"] > 0
    later = [one for one in turns if one["conversation_id"] == change["conversation_id"]]
    place = next(n for n, one in enumerate(later) if one["turn_id"] == change["turn_id"])
    assert all(one["outcome"] == "after" for one in later[place + 1 :])


def test_a_person_who_would_no_longer_be_fetched_is_a_change_of_route_and_handoff(replayer: Any, log: str) -> None:
    with Confused(replayer, "handoff", "greet") as confused:
        report = summary(asyncio.run(replayed(confused, log)))
    change = next(one for one in report["changes"] if one["before"]["intent"] == "handoff")
    assert (change["before"]["route"], change["after"]["route"]) == ("handoff", "smalltalk")
    assert {"route", "handoff", "actions"} <= set(change["kinds"])


def test_an_action_that_the_log_has_not_is_asked_for_and_not_answered(replayer: Any, log: str) -> None:
    with Confused(replayer, "joke", "ask_knowledge") as confused:
        report = summary(asyncio.run(replayed(confused, log)))
    change = next(one for one in report["changes"] if one["before"]["intent"] == "joke")
    assert change["after"]["asked"] == {"action": "action_answer_question", "otherwise": False}
    assert change["after"]["route"] == "knowledge"


def test_an_intent_that_changes_nothing_is_told_and_the_conversation_goes_on(replayer: Any, log: str) -> None:
    from bot.replay_turn import noticed

    assert not noticed(["intent", "entities"])
    assert noticed(["intent", "replies"])
    with Confused(replayer, "out_of_scope", "ask_knowledge") as confused:
        turns = asyncio.run(replayed(confused, log))
    changed = [one for one in turns if one["outcome"] == "changed"]
    assert changed
    assert all(one["kinds"] == ["intent"] and not one["stops"] for one in changed)


def test_other_thresholds_are_as_another_model(replayer: Any, log: str) -> None:
    never = {"answer": 1.0, "clarify": 1.0, "retrieval": 0.5}
    report = summary(asyncio.run(replayed(replayer, log, {"en": never, "zh": never})))
    assert report["changed"] > 10
    assert "route" in report["by_kind"]


def test_no_words_or_values_of_contacts_are_in_what_is_told(replayer: Any, log: str) -> None:
    with Confused(replayer, "inform", "affirm") as confused:
        report = summary(asyncio.run(replayed(confused, log)))
    told = json.dumps(report, ensure_ascii=False)
    assert report["changed"] > 5
    for word in ("KT20261234", "2468", "emma@example.com", "Canal Street", "文三路", "13800138000"):
        assert word not in told


def test_a_worker_reaches_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    from bot import replay as module

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, getattr(socket.socket, name))
    module._shut()
    with socket.socket() as probe, pytest.raises(PermissionError):
        probe.connect(("127.0.0.1", 9))


def test_the_log_cannot_be_written_to(log: str) -> None:
    import sqlalchemy as sa

    with pytest.raises(LogUnreadable):
        Log(log)._read(sa.text("DELETE FROM turns"), {})
    with pytest.raises(LogUnreadable):
        Log("sqlite:////nowhere/bot.db").newest(1)


def test_it_is_a_job_of_the_bot(model: Path, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.jobs import KINDS
    from bot.replay import run

    assert KINDS["replay"] == "bot.replay:run"
    monkeypatch.setenv("BOT_DATABASE_URL", log)
    monkeypatch.setenv("MODEL_DIR", str(model.parent))
    steps: list[tuple[float, str, str]] = []
    result = run(
        {"model": model.name.removesuffix(".tar.gz"), "conversations": ["w0", "w1", "nobody"], "thresholds": None},
        lambda *told: steps.append(told),
    )
    assert (result["changed"], result["turns"]) == (0, len(WRITTEN[0][1]) + len(WRITTEN[1][1]))
    assert steps[-1][0] == 1.0
    assert settings.model_dir() == model.parent


def test_a_model_that_is_not_there_or_not_sealed_is_refused(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.jobs import JobRefused
    from bot.replay import run

    monkeypatch.setenv("MODEL_DIR", str(tmp_path))
    (tmp_path / "strange.tar.gz").write_bytes(model.read_bytes()[:1000])
    for name in ("strange", "none", "../strange"):
        with pytest.raises(JobRefused):
            run({"model": name, "conversations": [], "thresholds": None}, lambda *_: None)
