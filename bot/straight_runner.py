"""Runs the model's graph one node after the other, and Rasa's steps between them without what costs more than they do.

Rasa's general scheduler, its copies of everything for a log line that is not written, and actions that are made anew
each time take longer than the few nodes of a turn.
"""

from __future__ import annotations

import tempfile
from copy import copy
from pathlib import Path
from typing import Any

from rasa.core.actions.action import Action, ActionBotResponse, ActionExtractSlots, ActionListen, RemoteAction
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.policies.rule_policy import RulePolicy
from rasa.core.processor import MessageProcessor
from rasa.engine.graph import GraphNode
from rasa.engine.loader import load_predict_graph_runner
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.storage import ModelMetadata
from rasa.shared.core.constants import ACTION_EXTRACT_SLOTS
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event
from rasa.shared.core.trackers import DialogueStateTracker

from bot.quick_rules import QuickRules
from bot.rule_names import rule_names

#: They hold nothing of a conversation, so one of each serves all.
_SHARED = (RemoteAction, ActionBotResponse, ActionListen, ActionExtractSlots)


class StraightRunner(DaskGraphRunner):  # type: ignore[misc]  # rasa is not installed where types are checked
    """Works out the order of the nodes once per set of targets."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """As the runner it replaces."""
        super().__init__(*arguments, **named)
        self._plans: dict[tuple[str, ...], list[tuple[str, GraphNode, list[str]]]] = {}

    def run(self, inputs: dict[str, Any] | None = None, targets: list[str] | None = None) -> dict[str, Any]:
        """The outputs of the targets."""
        wanted = tuple(targets or self._graph_schema.target_names)
        if wanted not in self._plans:
            self._plans[wanted] = self._plan(wanted)
        outputs = {name: (name, value) for name, value in (inputs or {}).items()}
        for name, node, needs in self._plans[wanted]:
            outputs[name] = node(*[outputs[need] for need in needs])
        return {name: outputs[name][1] for name in wanted}

    def _plan(self, wanted: tuple[str, ...]) -> list[tuple[str, GraphNode, list[str]]]:
        ordered: dict[str, tuple[str, GraphNode, list[str]]] = {}

        def visit(name: str) -> None:
            if name in ordered or name not in self._graph_schema.nodes:
                return  # done already, or one of the inputs
            needs = list(self._graph_schema.nodes[name].needs.values())
            for need in needs:
                visit(need)
            ordered[name] = (name, self._instantiated_nodes[name], needs)

        for name in wanted:
            visit(name)
        return list(ordered.values())

    def components(self) -> list[Any]:
        """What the nodes run."""
        return [node._component for node in self._instantiated_nodes.values()]


class StraightProcessor(MessageProcessor):  # type: ignore[misc]
    """Rasa's message processor with that runner."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """As the processor it replaces."""
        super().__init__(*arguments, **named)
        self._actions: dict[str, Action] = {}
        self._extracting = _with_slots_to_extract(self.domain)

    @staticmethod
    def _load_model(model_path: str) -> tuple[str, ModelMetadata, StraightRunner]:
        with tempfile.TemporaryDirectory() as folder:
            metadata, runner = load_predict_graph_runner(
                Path(folder), Path(model_path), LocalModelStorage, StraightRunner
            )
        for component in runner.components():
            if type(component) is RulePolicy:
                QuickRules.take_over(component, rule_names(component, metadata.domain))
        return Path(model_path).name, metadata, runner

    async def parse_message(
        self, message: UserMessage, tracker: DialogueStateTracker | None = None, only_output_properties: bool = True
    ) -> dict[str, Any]:
        """What the model makes of a message; unlike Rasa, it does not warn of entities that no rule needs."""
        tracker = tracker or DialogueStateTracker.from_events(message.sender_id, [])
        parsed: dict[str, Any] = self._parse_message_with_graph(message, tracker, only_output_properties)
        self._update_full_retrieval_intent(parsed)
        return parsed

    def _get_action(self, action_name: str) -> Action:
        action = self._actions.get(action_name)
        if action is None:
            action = super()._get_action(action_name)
            if type(action) in _SHARED:
                self._actions[action_name] = action
        return action

    async def run_action_extract_slots(
        self, output_channel: OutputChannel, tracker: DialogueStateTracker
    ) -> DialogueStateTracker:
        """Fill the slots that the latest message fills by their mappings."""
        extract = self._get_action(ACTION_EXTRACT_SLOTS)
        events = await extract.run(output_channel, self.nlg, tracker, self._extracting)
        tracker.update_with_events(events, self.domain)
        return tracker

    def _log_action_on_tracker(
        self, tracker: DialogueStateTracker, action: Action, events: list[Event] | None, prediction: PolicyPrediction
    ) -> None:
        tracker.update_with_events(prediction.events, self.domain)
        tracker.update(action.event_for_successful_execution(prediction))
        tracker.update_with_events(events or [], self.domain)


def _with_slots_to_extract(domain: Domain) -> Domain:
    """The domain with those slots only that a message can fill; most are set by actions."""
    extracting = copy(domain)
    extracting.slots = [
        slot
        for slot in domain.slots
        if any(mapping["type"] != "custom" or "action" in mapping for mapping in slot.mappings)
    ]
    return extracting
