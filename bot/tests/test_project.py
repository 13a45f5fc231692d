"""The project's files fit together: rules, domain, data, credentials; and the checks of the data find what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bot import settings
from bot.nlu_data import check
from bot.trace import SMALL_TALK
from bot.train import fingerprint


def load(name: str) -> dict:
    return yaml.safe_load((settings.BOT / name).read_text(encoding="utf-8"))


def test_the_turn_channel_is_the_only_way_in() -> None:
    assert list(load("credentials.yml")) == ["bot.turn_channel.TurnChannel"]


def test_every_intent_has_a_rule() -> None:
    served = {step["intent"] for rule in load("rules.yml")["rules"] for step in rule["steps"] if "intent" in step}
    assert served == set(load("domain.yml")["intents"])


def test_every_reply_speaks_both_languages_and_nothing_else() -> None:
    for path in (settings.BOT / "responses").glob("*.yml"):
        for name, variations in yaml.safe_load(path.read_text(encoding="utf-8"))["responses"].items():
            languages = [one["condition"][0]["value"] for one in variations]
            assert set(languages) == {"zh", "en"}, name
            if name.removeprefix("utter_") in SMALL_TALK:
                assert min(languages.count("zh"), languages.count("en")) >= 2, name


def test_every_form_can_be_interrupted_by_everything_but_its_own_answers() -> None:
    domain = load("domain.yml")
    answers = {"affirm", "deny", "inform", "clarify", "out_of_scope"}
    for form, body in domain["forms"].items():
        own = form.removesuffix("_form")
        assert set(body["ignored_intents"]) == set(domain["intents"]) - answers - {own}
        assert set(body["required_slots"]) <= set(domain["slots"])


def data(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.with_suffix(".yml").parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".yml").write_text(content, encoding="utf-8")
    return folder


def block(intent: str, *lines: str) -> str:
    return "nlu:\n- intent: " + intent + "\n  examples: |\n" + "".join(f"    - {line}\n" for line in lines)


@pytest.mark.parametrize(("files", "problem"), [
    ({"en__greet": block("greet", "hi there"), "en__thanks": block("thanks", "Hi there!")}, "is also an example of greet"),
    ({"en__greet": block("gret", "hi")}, "unknown intent gret"),
    ({"en__greet": block("greet", "hi")}, "greet has 1 examples"),
    ({"en__x": block("out_of_scope", "moon")}, "decided by the gate"),
    ({"en__greet": block("greet", "hi"), "test__en": block("greet", "HI!")}, "is a training example too"),
    ({"en__greet": "nlu: ["}, "greet.yml: not in Rasa's NLU format"),
    ({}, "holds no examples"),
])  # fmt: skip
def test_a_mistake_in_the_data_is_named(tmp_path: Path, files: dict[str, str], problem: str) -> None:
    errors, _ = check(data(tmp_path, **files), settings.BOT / "domain.yml")
    assert any(problem in error for error in errors)


def test_the_projects_own_data_can_be_trained() -> None:
    errors, _ = check(settings.ROOT / "nlu_data", settings.BOT / "domain.yml")
    assert errors == []


def test_the_fingerprint_follows_the_examples_but_not_the_tests(tmp_path: Path) -> None:
    folder = data(tmp_path, en__greet=block("greet", "hi"), test__en=block("greet", "yo"))
    before = fingerprint(folder)
    data(tmp_path, test__en=block("greet", "hey"))
    assert fingerprint(folder) == before
    data(tmp_path, en__greet=block("greet", "hi", "hey"))
    assert fingerprint(folder) != before
