"""What the rules of a loaded model are called: Rasa keeps how a rule decides and drops its name.

``rules.yml`` is read into the keys that training made of it. A key is named where the model decides by it what the file says,
so a model of other rules has decisions without a name, never with a wrong one.
"""

from __future__ import annotations

import logging
from pathlib import Path

from rasa.core.policies.rule_policy import RULES, RulePolicy
from rasa.shared.core.constants import USER
from rasa.shared.core.domain import Domain
from rasa.shared.core.generator import TrainingDataGenerator
from rasa.shared.core.training_data.loading import load_data_from_files
from rasa.shared.core.training_data.structures import StoryGraph
from rasa.shared.nlu.constants import INTENT

from bot import settings
from bot.made_intents import titles_in

_LOG = logging.getLogger(__name__)
FILE = settings.BOT / "rules.yml"
MADE = "Made: "  #: before the intent, in the names of rules of intents that trainers made


def rule_names(policy: RulePolicy, domain: Domain, file: Path = FILE) -> dict[str, str]:
    """The names by the keys of the model's rules."""
    decided: dict[str, str] = policy.lookup[RULES]
    made = set(titles_in(domain.responses))
    names = {key: f"{MADE}{intent}" for key in decided if (intent := _only_intent(key)) in made}
    try:
        names |= _in_file(policy, domain, file)
    except Exception:  # rules that an old domain does not know fail deep in Rasa; turns do not need the names
        _LOG.warning("The rules of this model have no names: rules.yml does not fit it.", exc_info=True)
    return names


def _in_file(policy: RulePolicy, domain: Domain, file: Path) -> dict[str, str]:
    graph = StoryGraph(load_data_from_files([str(file)], domain))
    rules = TrainingDataGenerator(graph, domain, augmentation_factor=0, use_story_concatenation=False).generate()
    names: dict[str, str] = {}
    for rule in rules:
        states, actions = policy.featurizer.training_states_and_labels([rule], domain, omit_unset_slots=True)
        for key, action in policy._create_lookup_from_states(states, actions).items():
            if policy.lookup[RULES].get(key) == action:
                names[key] = rule.sender_id
    return names


def _only_intent(key: str) -> str | None:
    intents = {state[USER][INTENT] for state in RulePolicy._rule_key_to_state(key) if INTENT in state.get(USER, {})}
    return intents.pop() if len(intents) == 1 else None
