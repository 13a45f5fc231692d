"""A training makes a signed version and leaves what is served alone; an intent that trainers made is understood and served."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot import model_seal, settings
from bot.made_intents import project_of, read, titles_in
from bot.nlu_data import check, count_examples
from bot.serve import find_model
from bot.tests.desk import Bot, Chat
from bot.tests.fake_actions import FakeActions
from bot.tests.small_school import small_data, teach, train_here
from bot.tests.test_model_seal import GOOD, write_archive
from bot.train import KEPT, MARK, NEWEST_KEPT, data_hash, fingerprint, forget_oldest, made_of

WRAPPING_EN = [
    "can you gift wrap my parcel", "do you offer gift wrapping", "please wrap it as a present",
    "I would like gift paper around it", "is wrapping as a gift possible", "wrap it up nicely as a gift please",
]  # fmt: skip
WRAPPING_ZH = [
    "可以帮我包装成礼物吗",
    "有礼品包装服务吗",
    "麻烦用礼品纸包一下",
    "能不能做礼盒包装",
    "送人的，请包装得好看一点",
    "礼物包装怎么收费",
]
INTENTS = """\
- {name: gift_wrapping, title: {zh: "礼品包装", en: "Gift wrapping"}, does: reply, reply: {zh: "可以免费包装成礼物。", en: "We wrap gifts for free."}}
- {name: complain_to_boss, title: {zh: 找老板, en: The boss}, does: handoff}
- {name: barely_known, title: {zh: 少, en: Few}, does: knowledge}
"""
BOSS = ["let me talk to your boss about this mess", "I will complain to your boss", "your boss will hear about this",
        "who is the boss here, I want to complain to him", "the boss of your company must know this"]  # fmt: skip


@dataclass
class School:
    """One training of a small set with made intents."""

    data: Path
    models: Path
    said: dict[str, Any]


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> School:
    place = tmp_path_factory.mktemp("school")
    data = small_data(place / "nlu_data")
    (data / "intents.yml").write_text(INTENTS, encoding="utf-8")
    teach(data, "gift_wrapping", WRAPPING_EN, WRAPPING_ZH)
    teach(data, "complain_to_boss", BOSS, [])
    teach(data, "barely_known", ["one single line of it"], [])
    models = place / "models"
    models.mkdir()
    live = write_archive(models / "frontdesk-20260101-000000.tar.gz", GOOD)
    model_seal.seal(live, models / "keys")
    (models / MARK).write_text(json.dumps({"fingerprint": "f", "model": live.name}))
    said = train_here(data, models, place / "job", note="gift wrapping", author="Mei")
    return School(data, models, said)


@pytest.fixture(scope="module")
def taught(school: School, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """A bot that serves what was trained."""
    name = f"{school.said['result']['model']}.tar.gz"
    mark = (school.models / MARK).read_text()
    (school.models / MARK).write_text(json.dumps({"fingerprint": "f", "model": name}))
    actions = FakeActions()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MODEL_KEYS", str(school.models / "keys"))
        bot = Bot(tmp_path_factory.mktemp("taught") / "bot.db", actions, school.models)
    yield bot
    bot.stop()
    actions.shutdown()
    (school.models / MARK).write_text(mark)


def test_what_is_served_is_not_changed_by_a_training(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_KEYS", str(school.models / "keys"))
    assert find_model(school.models).name == "frontdesk-20260101-000000.tar.gz"
    assert (school.models / f"{school.said['result']['model']}.tar.gz").exists()


def test_the_seal_signs_what_the_version_is_made_of(school: School) -> None:
    archive = school.models / f"{school.said['result']['model']}.tar.gz"
    model_seal.check(archive, school.models / "keys")
    made = model_seal.made_of(archive)
    assert made == school.said["result"]["made"]
    assert (made["author"], made["note"], made["profile"]) == ("Mei", "gift wrapping", "fast")
    assert made["data_hash"] == data_hash(school.data)
    assert made["examples"]["en"] == sum(count_examples(school.data)["en"].values())
    forged = json.loads(model_seal.seal_of(archive).read_text())
    forged["made"]["author"] = "somebody else"
    other = archive.with_name("forged.tar.gz")
    other.write_bytes(archive.read_bytes())
    model_seal.seal_of(other).write_text(json.dumps(forged | {"model": other.name}))
    with pytest.raises(model_seal.ModelRefused):
        model_seal.check(other, school.models / "keys")
    other.unlink()
    model_seal.seal_of(other).unlink()


def test_progress_only_grows_and_names_what_is_done(school: School) -> None:
    shares = [share for share, _, _ in school.said["steps"]]
    steps = list(dict.fromkeys(step for _, step, _ in school.said["steps"]))
    assert shares == sorted(shares)
    assert steps == ["copy", "check", "load", "train", "measure", "sign"]
    assert {"SentenceEncoder", "LinearIntentClassifier"} <= {note for _, _, note in school.said["steps"]}


def test_every_version_is_measured_in_both_languages(school: School) -> None:
    for language in ("en", "zh"):
        figures = school.said["result"]["metrics"][language]
        assert figures["test"] > 20
        assert 0.3 < figures["accuracy"] <= 1
        assert 0 < figures["macro_f1"] <= 1


@pytest.mark.parametrize(
    ("text", "language", "reply"),
    [
        ("could you gift wrap the parcel for me", "en", "We wrap gifts for free."),
        ("请问有礼品包装吗", "zh", "可以免费包装成礼物。"),
    ],
)
def test_a_made_intent_is_understood_and_says_its_reply(taught: Bot, text: str, language: str, reply: str) -> None:
    turn = Chat(taught, language).say(text)
    assert turn["intent"] == "gift_wrapping"
    assert turn["said"] == reply


def test_a_made_intent_may_hand_over(taught: Bot) -> None:
    turn = Chat(taught).say("I will complain to your boss about this mess")
    assert turn["intent"] == "complain_to_boss"
    assert "action_request_human" in turn["actions"]


def test_a_made_intent_interrupts_a_form_which_then_asks_again(taught: Bot) -> None:
    chat = Chat(taught)
    asked = chat.say("where is my order?")
    assert asked["actions"][0] == "order_status_form"
    turn = chat.say("do you offer gift wrapping")
    assert turn["said"].startswith("We wrap gifts for free.")
    assert chat.say("KT20261234")["slots_changed"]["order_number"] == "KT20261234"


def test_an_intent_with_too_few_examples_is_left_out_and_named(school: School) -> None:
    assert any("barely_known is left out" in note for note in school.said["result"]["notes"])


def test_data_that_did_not_change_is_known_by_its_hash_wherever_it_lies(school: School, tmp_path: Path) -> None:
    copy = small_data(tmp_path / "elsewhere")
    before = data_hash(copy)
    assert before == data_hash(small_data(tmp_path / "once more"))
    (copy / "test" / "en.yml").write_text("nlu: []\n")
    assert data_hash(copy) == before, "lines that only measure do not count"
    (copy / "intents.yml").write_text(INTENTS, encoding="utf-8")
    assert data_hash(copy) != before


# -- what needs no training ----------------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return small_data(tmp_path / "nlu_data")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "cannot be read"),
        ("name: x", "expected a list"),
        ("- {name: Gift, title: {zh: a, en: b}, does: knowledge}", "name must be"),
        ("- {name: gift, title: {zh: a, en: b}, does: dance}", "does must be one of"),
        ("- {name: gift, title: {zh: a}, does: knowledge}", "title.en"),
        ("- {name: gift, title: {zh: a, en: b}, does: reply}", "reply.en"),
        ("- {name: gift, title: {zh: a, en: b}, does: reply, reply: {zh: a, en: 'Dear {name}'}}", "no braces"),
        ("- {name: greet, title: {zh: a, en: b}, does: knowledge}", "already an intent greet"),
        ("- {name: restart, title: {zh: a, en: b}, does: knowledge}", "already an intent restart"),
        ("- &a {name: gift, title: {zh: a, en: b}, does: handoff}\n- *a", "twice"),
    ],
)
def test_intents_that_cannot_be_are_told_before_training(data: Path, content: str, said: str) -> None:
    (data / "intents.yml").write_text(content, encoding="utf-8")
    problems, _ = check(data, settings.BOT / "domain.yml")
    assert any(said in problem for problem in problems), problems


def test_examples_of_an_intent_that_nobody_made_stop_the_training(data: Path) -> None:
    teach(data, "gift_wrapping", WRAPPING_EN, WRAPPING_ZH)
    problems, _ = check(data, settings.BOT / "domain.yml")
    assert "unknown intent gift_wrapping" in problems[0]
    (data / "intents.yml").write_text(INTENTS, encoding="utf-8")
    assert check(data, settings.BOT / "domain.yml")[0] == []


def test_without_made_intents_the_products_own_files_are_trained_on_as_they_are(data: Path, tmp_path: Path) -> None:
    project = project_of(data, tmp_path, count_examples(data))
    assert project.domain == [settings.BOT / "domain.yml", settings.BOT / "responses"]
    assert read(data) == []


def test_the_model_keeps_what_made_intents_are_called(data: Path, tmp_path: Path) -> None:
    (data / "intents.yml").write_text(INTENTS, encoding="utf-8")
    teach(data, "gift_wrapping", WRAPPING_EN, WRAPPING_ZH)
    domain = yaml.safe_load(project_of(data, tmp_path, count_examples(data)).domain[0].read_text(encoding="utf-8"))
    assert titles_in(domain["responses"]) == {"gift_wrapping": {"zh": "礼品包装", "en": "Gift wrapping"}}
    assert titles_in(yaml.safe_load((settings.BOT / "responses" / "smalltalk.yml").read_text())["responses"]) == {}


def test_only_what_nobody_uses_is_deleted(tmp_path: Path) -> None:
    names = [f"frontdesk-2026010{day}-00000{n}" for day in range(1, 4) for n in range(5)]
    for age, name in enumerate(names):
        model = write_archive(tmp_path / f"{name}.tar.gz", GOOD)
        model_seal.seal(model, tmp_path / "keys")
        model.touch()
        stamp = 1_000_000 + age
        os.utime(model, (stamp, stamp))
    (tmp_path / MARK).write_text(json.dumps({"model": f"{names[0]}.tar.gz"}))
    (tmp_path / KEPT).write_text(json.dumps([names[1]]))
    forget_oldest(tmp_path)
    left = {path.name.removesuffix(".tar.gz") for path in tmp_path.glob("*.tar.gz")}
    assert left == {names[0], names[1], *names[-NEWEST_KEPT:]}
    (tmp_path / KEPT).write_text("{")  # what is in use is not known any more
    write_archive(tmp_path / "another.tar.gz", GOOD)
    forget_oldest(tmp_path)
    assert len(list(tmp_path.glob("*.tar.gz"))) == len(left) + 1


def test_make_run_goes_on_with_the_live_model_when_only_examples_changed(tmp_path: Path) -> None:
    data = small_data(tmp_path / "nlu_data")
    models = tmp_path / "models"
    models.mkdir()
    live = write_archive(models / "frontdesk-20260101-000000.tar.gz", GOOD)
    model_seal.seal(live, tmp_path / "model_keys", made_of(data, "fast"))
    (models / MARK).write_text(json.dumps({"fingerprint": fingerprint(data), "model": live.name}))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "train.py", "--model-dir", str(models), "--nlu-data", str(data), *arguments]
        return subprocess.run(command, cwd=settings.BOT, capture_output=True, text=True)

    assert "is up to date" in run("--live").stdout
    greet = data / "en" / "greet.yml"
    greet.write_text(greet.read_text(encoding="utf-8").rstrip() + "\n      - a brand new greeting\n", encoding="utf-8")
    said = run("--live")
    assert said.returncode == 0
    assert "It is served as before" in said.stdout
    (data / "en" / "thanks.yml").write_text("nonsense")  # without --live it goes on to the check, which stops it
    assert "must be corrected first" in run().stderr
