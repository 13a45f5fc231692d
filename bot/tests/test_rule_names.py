"""A decision names the rule of ``rules.yml`` behind it, or none where the model was made of other rules; no model needed."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from rasa.core.policies.rule_policy import RULES, RulePolicy
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, Event, UserUttered
from rasa.shared.core.generator import TrainingDataGenerator
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.core.training_data.loading import load_data_from_files
from rasa.shared.core.training_data.structures import StoryGraph

from bot import made_intents, quiet_logs, settings
from bot.made_intents import MadeIntent
from bot.quick_rules import QuickRules
from bot.rule_names import FILE, rule_names

WRITTEN: list[dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["rules"]
BOTH = {"en": "Gift cards", "zh": "礼品卡"}


def domain_with(made: list[MadeIntent], folder: Path) -> Domain:
    """The product's domain with intents that trainers made."""
    file = folder / "domain.yml"
    file.write_text(yaml.safe_dump(made_intents._domain_with(made), allow_unicode=True), encoding="utf-8")
    loaded: Domain = Domain.load([str(file), str(settings.BOT / "responses")])
    return loaded


def rules_in(folder: Path, rules: list[dict[str, Any]]) -> Path:
    file = folder / "rules.yml"
    file.write_text(yaml.safe_dump({"version": "3.1", "rules": rules}, allow_unicode=True), encoding="utf-8")
    return file


def trained(domain: Domain, files: list[Path], folder: Path) -> RulePolicy:
    """Rasa's own policy, trained on these rules and nothing else."""
    graph = StoryGraph(load_data_from_files([str(file) for file in files], domain))
    trackers = TrainingDataGenerator(graph, domain, augmentation_factor=0, use_story_concatenation=False).generate()
    folder.mkdir(exist_ok=True)
    storage, resource = LocalModelStorage(folder), Resource("rules")
    policy = RulePolicy(RulePolicy.get_default_config(), storage, resource, ExecutionContext(GraphSchema({})))
    policy.train(trackers, domain)
    return policy


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Domain:
    quiet_logs.configure()
    return domain_with([], tmp_path_factory.mktemp("domain"))


@pytest.fixture(scope="module")
def policy(domain: Domain, tmp_path_factory: pytest.TempPathFactory) -> RulePolicy:
    return trained(domain, [FILE], tmp_path_factory.mktemp("policy"))


def test_every_decision_of_the_model_has_the_name_of_a_rule_and_every_rule_decides_something(
    policy: RulePolicy, domain: Domain
) -> None:
    names = rule_names(policy, domain)
    assert names.keys() == policy.lookup[RULES].keys()
    assert set(names.values()) == {rule["rule"] for rule in WRITTEN}


def test_a_rule_that_was_renamed_after_the_training_has_its_new_name(
    policy: RulePolicy, domain: Domain, tmp_path: Path
) -> None:
    rules = deepcopy(WRITTEN)
    next(rule for rule in rules if rule["rule"] == "Greet")["rule"] = "Say hello"
    names = rule_names(policy, domain, rules_in(tmp_path, rules)).values()
    assert "Say hello" in names
    assert "Greet" not in names


def test_a_rule_that_does_something_else_now_has_no_name_where_the_model_decides_as_before(
    policy: RulePolicy, domain: Domain, tmp_path: Path
) -> None:
    rules = deepcopy(WRITTEN)
    next(rule for rule in rules if rule["rule"] == "Thanks")["steps"][1] = {"action": "utter_goodbye"}
    names = rule_names(policy, domain, rules_in(tmp_path, rules))
    asked = next(
        key for key in policy.lookup[RULES] if '"thanks"' in key and policy.lookup[RULES][key] == "utter_thanks"
    )
    assert asked not in names
    assert "Greet" in names.values()


def test_rules_that_cannot_be_read_leave_a_model_without_names(
    policy: RulePolicy, domain: Domain, tmp_path: Path
) -> None:
    broken = tmp_path / "rules.yml"
    broken.write_text("rules: [", encoding="utf-8")
    assert rule_names(policy, domain, broken) == {}
    assert rule_names(policy, domain, tmp_path / "nowhere.yml") == {}


def test_rules_of_intents_that_trainers_made_are_named_as_they_were_made(tmp_path: Path) -> None:
    quiet_logs.configure()
    made = [MadeIntent("gift_card", BOTH, "reply", BOTH), MadeIntent("complain", BOTH, "handoff", {})]
    written = [made_intents._rule(one) for one in made]
    domain = domain_with(made, tmp_path)
    policy = trained(domain, [FILE, rules_in(tmp_path, written)], tmp_path / "policy")
    names = rule_names(policy, domain)
    assert names.keys() == policy.lookup[RULES].keys()
    assert {rule["rule"] for rule in written} <= set(names.values())


@pytest.mark.parametrize(
    ("intent", "rule"), [("greet", "Greet"), ("out_of_scope", "Nothing fits, so the knowledge base is asked")]
)
def test_the_action_that_is_decided_on_keeps_which_rule_decided(
    policy: RulePolicy, domain: Domain, intent: str, rule: str
) -> None:
    quick = deepcopy(policy)
    QuickRules.take_over(quick, rule_names(policy, domain))
    said: list[Event] = [ActionExecuted("action_listen"), UserUttered("…", {"name": intent, "confidence": 1.0})]
    tracker = DialogueStateTracker.from_events("c1", said, domain.slots)
    assert quick.predict_action_probabilities(tracker, domain).action_metadata == {"rule": rule}


def test_a_policy_without_names_decides_all_the_same(policy: RulePolicy, domain: Domain) -> None:
    quick = deepcopy(policy)
    QuickRules.take_over(quick)
    said: list[Event] = [ActionExecuted("action_listen"), UserUttered("…", {"name": "greet", "confidence": 1.0})]
    prediction = quick.predict_action_probabilities(DialogueStateTracker.from_events("c1", said, domain.slots), domain)
    assert prediction.action_metadata is None
    assert max(prediction.probabilities) == 1
