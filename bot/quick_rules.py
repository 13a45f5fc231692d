"""Rasa's rule policy with the same decisions in a fraction of the time, whatever the length of the conversation.

Rasa replays the whole conversation on a copy of the tracker, twice for each action, and then compares it with every
rule. A rule looks back a few steps only, and most rules differ in their last step already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from copy import copy
from types import SimpleNamespace
from typing import Any

from rasa.core.policies.policy import PolicyPrediction
from rasa.core.policies.rule_policy import RULES, RULES_FOR_LOOP_UNHAPPY_PATH, RulePolicy
from rasa.shared.core.constants import ACTIVE_LOOP, LOOP_NAME, PREVIOUS_ACTION, SHOULD_NOT_BE_SET, SLOTS, USER
from rasa.shared.core.domain import Domain, State
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    BotUttered,
    DefinePrevUserUtteredFeaturization,
    Event,
    LoopInterrupted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import ACTION_NAME, INTENT

_NOTHING: dict[str, Any] = {}
RULE = "rule"  #: in an action's metadata: the name of the rule that decided on it
#: Events after which the steps are known without Rasa's replay; any other event is left to it.
_FOLLOWED = (
    UserUttered, BotUttered, SlotSet, ActionExecuted, ActiveLoop, ActionExecutionRejected, LoopInterrupted,
    DefinePrevUserUtteredFeaturization,
)  # fmt: skip
_Candidates = dict[tuple[Any, Any], list[str]]


class QuickRules(RulePolicy):  # type: ignore[misc]  # rasa is not installed where types are checked
    """Takes over a trained ``RulePolicy`` (``take_over``)."""

    @classmethod
    def take_over(cls, policy: RulePolicy, names: Mapping[str, str] | None = None) -> None:
        """Make a loaded policy one of these; ``names`` are what its rules are called, by their keys."""
        policy.__class__ = cls
        policy._names = {key: {RULE: name} for key, name in (names or {}).items()}
        policy._candidates = {
            id(policy.lookup[part]): _by_last_step(policy.lookup[part]) for part in (RULES, RULES_FOR_LOOP_UNHAPPY_PATH)
        }
        rules = [*policy.lookup[RULES], *policy.lookup[RULES_FOR_LOOP_UNHAPPY_PATH]]
        policy._longest = max((len(cls._rule_key_to_state(rule)) for rule in rules), default=1)

    @staticmethod
    def format_tracker_states(states: list[dict[str, Any]]) -> str:
        """Nothing: it would only be logged, at a level nobody reads."""
        return ""

    def _rule_prediction(
        self, probabilities: list[float], prediction_source: str, *arguments: Any, **named: Any
    ) -> PolicyPrediction:
        """As in Rasa; the action that is decided on keeps which rule decided."""
        prediction = super()._rule_prediction(probabilities, prediction_source, *arguments, **named)
        prediction.action_metadata = self._names.get(prediction_source)
        return prediction

    def _prediction_states(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        use_text_for_last_user_input: bool = False,
        rule_only_data: dict[str, Any] | None = None,
    ) -> list[State]:
        states = last_states(tracker, domain, self._longest)
        if states is None:
            whole: list[State] = super()._prediction_states(
                tracker, domain, use_text_for_last_user_input, rule_only_data
            )
            return whole
        self.featurizer._choose_last_user_input([states], use_text_for_last_user_input)
        return states

    def _get_possible_keys(self, lookup: dict[str, str], states: list[State]) -> set[str]:
        last = states[-1]
        action, intent = last.get(PREVIOUS_ACTION, _NOTHING).get(ACTION_NAME), last.get(USER, _NOTHING).get(INTENT)
        candidates = self._candidates.get(id(lookup))
        if candidates is None or action is None:
            keys: set[str] = super()._get_possible_keys(lookup, states)
            return keys
        possible = [*candidates[action, None], *candidates[action, intent]] if intent else candidates[action, None]
        chosen = dict.fromkeys(possible)
        return super()._get_possible_keys(chosen, states) if chosen else set()


QuickRules.__name__ = RulePolicy.__name__  # predictions and traces name it


def _by_last_step(lookup: dict[str, str]) -> _Candidates:
    """The rules by what their last step demands of the previous action and the intent."""
    found: _Candidates = defaultdict(list)
    for rule in lookup:
        last = RulePolicy._rule_key_to_state(rule)[-1]
        intent = last.get(USER, _NOTHING).get(INTENT)
        found[
            last.get(PREVIOUS_ACTION, _NOTHING).get(ACTION_NAME), None if intent == SHOULD_NOT_BE_SET else intent
        ].append(rule)
    return found


def last_states(tracker: DialogueStateTracker, domain: Domain, most: int) -> list[State] | None:
    """The last states that Rasa's replay would give, before each action and now; None where only the replay knows."""
    events: list[Event] = tracker.applied_events()
    if not all(isinstance(event, _FOLLOWED) for event in events):
        return None
    begins = [place for place, event in enumerate(events) if isinstance(event, ActionExecuted)]
    first = begins[-most + 1] if 1 < most <= len(begins) else 0 if most > 1 else len(events)
    seen = _Steps(tracker, domain)
    states = []
    for place, event in enumerate(events):
        if place >= first and isinstance(event, ActionExecuted):
            states.append(seen.state())
        seen.follow(event)
    return [*states, seen.state()]


class _Steps:
    """What of a conversation shows in its states: the latest message, action and loop, and slots that influence it."""

    def __init__(self, tracker: DialogueStateTracker, domain: Domain) -> None:
        self._domain = domain
        slots = {name: copy(slot) for name, slot in tracker.slots.items() if slot.has_features()}
        for slot in slots.values():
            slot.reset()
        #: Stands for the tracker where the domain makes a part of a state.
        self._shown = SimpleNamespace(latest_message=None, slots=slots)
        self._action: dict[str, Any] | None = None
        self._loop: str | None = None

    def follow(self, event: Event) -> None:
        """Take in the next event."""
        if isinstance(event, UserUttered):
            self._shown.latest_message = event
        elif isinstance(event, ActionExecuted):
            self._action = event.as_sub_state()
        elif isinstance(event, ActiveLoop):
            self._loop = event.name
        elif isinstance(event, SlotSet) and event.key in self._shown.slots:
            self._shown.slots[event.key].value = event.value

    def state(self) -> State:
        """The state now; the caller may change it."""
        state = {
            USER: self._domain._get_user_sub_state(self._shown),
            SLOTS: self._domain._get_slots_sub_state(self._shown) if self._shown.slots else None,
            PREVIOUS_ACTION: self._action,
            ACTIVE_LOOP: {LOOP_NAME: self._loop} if self._loop else None,
        }
        return {part: shown for part, shown in state.items() if shown}
