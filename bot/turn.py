"""One turn: from a message to the replies and the trace, committed together or not at all."""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

from rasa.core.actions.action import Action, ActionExecutionRejection
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.lock_store import InMemoryLockStore
from rasa.core.nlg import NaturalLanguageGenerator, TemplatedNaturalLanguageGenerator
from rasa.core.policies.policy import PolicyPrediction
from rasa.shared.core.events import ActionExecutionRejected, ActiveLoop, Event, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker

from bot.action_calls import ActionEndpoint
from bot.components.gate import effective_thresholds
from bot.components.language import LANGUAGES
from bot.straight_runner import StraightProcessor
from bot.text import neutralise
from bot.trace import replies_of, trace_of
from bot.tracker_store import TurnStore

#: Slots that outlive a task; every other slot is emptied when its form is done, left or switched.
_KEPT = {
    "language", "customer_id", "identified", "order_number", "misses", "clarified", "requested_slot",
    "session_started_metadata",
}  # fmt: skip
#: A conversation that grew beyond this many events goes on in a new session, with all its slots, between two tasks.
_LONG = 240
_PAYLOAD = re.compile(r"^/([a-z_]+)\s*(\{.*\})?\s*$", re.DOTALL)


class BadTurn(Exception):
    """The turn cannot be understood; the message says what is wrong with it."""


class TurnFailed(Exception):
    """The turn ran but brought no reply."""


@dataclass(frozen=True)
class Turn:
    """What the service sends for one message."""

    turn_id: str
    conversation_id: str
    text: str
    payload: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, body: Any) -> Turn:
        """The turn of a request body; raises ``BadTurn`` if it is not as agreed."""
        if not isinstance(body, dict):
            raise BadTurn("The body must be a JSON object.")
        for name in ("turn_id", "conversation_id"):
            value = body.get(name)
            if not isinstance(value, str) or not re.fullmatch(r"[0-9A-Za-z_-]{1,64}", value):
                raise BadTurn(f"{name} must be an id of 1 to 64 letters or digits.")
        text, payload, metadata = body.get("text"), body.get("payload"), body.get("metadata", {})
        if not isinstance(text, str) or len(text) > 20_000:
            raise BadTurn("text must be a string of at most 20000 characters.")
        if payload is not None and not (isinstance(payload, str) and _PAYLOAD.match(payload)):
            raise BadTurn('payload must be null or like /intent{"slot":"value"}.')
        if not isinstance(metadata, dict):
            raise BadTurn("metadata must be an object.")
        if payload is None and not text.strip():
            raise BadTurn("text must not be empty when there is no payload.")
        return cls(body["turn_id"], body["conversation_id"], text, payload, metadata)


class _Nowhere(OutputChannel):  # type: ignore[misc]  # rasa is not installed where types are checked
    """Replies are read from the events of the turn, so sending them is nothing."""

    @classmethod
    def name(cls) -> str:
        """The channel's name, which responses may refer to."""
        return "turn"

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Nothing to send."""


class Dialogue(StraightProcessor):  # type: ignore[misc]
    """Rasa's message processor, with failures that are told and one commit per turn."""

    def __init__(self, model_path: str, store: TurnStore, action_endpoint: ActionEndpoint) -> None:
        """Loads the model, which takes seconds."""
        generator = TemplatedNaturalLanguageGenerator({})
        super().__init__(model_path, store, InMemoryLockStore(), generator, action_endpoint)
        generator.responses = self.domain.responses
        store.domain = self.domain
        self._tasks = {form[: -len("_form")]: form for form in self.domain.forms}
        self._running: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def model_id(self) -> str:
        """Names the trained model in traces."""
        return str(self.model_metadata.model_id)

    async def respond(self, turn: Turn) -> dict[str, Any]:
        """The answer to a turn; one seen before is answered from the store and not run again."""
        lock = self._running.setdefault(turn.conversation_id, asyncio.Lock())
        async with lock:
            stored = self.tracker_store.find_answer(turn.conversation_id, turn.turn_id)
            if stored is not None:
                return dict(stored)
            answer, tracker = await self._run(turn)
            self.tracker_store.save_turn(tracker, turn.turn_id, answer)
            return answer

    async def _run(self, turn: Turn) -> tuple[dict[str, Any], DialogueStateTracker]:
        started = time.perf_counter()
        channel = _Nowhere()
        tracker = self.tracker_store.load(turn.conversation_id)
        tracker.model_id = self.model_id
        tracker.assistant_id = self.model_metadata.assistant_id
        await self._start_session(tracker, channel)
        slots_before = tracker.current_slot_values()
        before = len(tracker.events)

        parse = await self._understand(turn, tracker)
        understood = time.perf_counter()
        message = UserMessage(
            parse["text"], channel, turn.conversation_id, parse, "turn", turn.turn_id, parse.pop("metadata")
        )
        await self._handle_message_with_tracker(message, tracker)
        self._note_facts(tracker, parse["language"], turn.metadata.get("customer_id"))
        await self._switch_task(tracker, parse["intent"]["name"], channel)
        self._step_aside(tracker, parse["intent"]["name"])
        await self.run_action_extract_slots(channel, tracker)
        await self._run_prediction_loop(channel, tracker)
        self._forget_finished_task(tracker)

        events = list(tracker.events)[before:]
        replies = replies_of(events)
        if not replies:
            raise TurnFailed(f"Intent {parse['intent']['name']} brought no reply.")
        trace = trace_of(tracker, events, parse, slots_before, self.model_id)
        ended = time.perf_counter()
        trace["timings_ms"] = {
            "understand": round((understood - started) * 1000, 2),
            "act": round((ended - understood) * 1000, 2),
            "total": round((ended - started) * 1000, 2),
        }
        return {"replies": replies, "trace": trace}, tracker

    async def _start_session(self, tracker: DialogueStateTracker, channel: OutputChannel) -> None:
        long = len(tracker.events) > _LONG and not tracker.active_loop_name
        if long or not tracker.events:
            name = "action_session_start"
            await self._run_action(
                self._get_action(name), tracker, channel, self.nlg, PolicyPrediction.for_action_name(self.domain, name)
            )

    async def _understand(self, turn: Turn, tracker: DialogueStateTracker) -> dict[str, Any]:
        hint = turn.metadata.get("language_hint")
        hint = hint if hint in LANGUAGES else tracker.get_slot("language")
        requested = tracker.get_slot("requested_slot") if tracker.active_loop_name else None
        metadata = {**turn.metadata, "turn_id": turn.turn_id, "language_hint": hint, "requested_slot": requested}
        if turn.payload is not None:
            parse = self._chosen(turn, tracker.get_slot("language") or hint or "zh")
        else:
            text = neutralise(turn.text) or "…"
            parse = await self.parse_message(UserMessage(text, metadata=metadata), tracker)
        metadata["language"] = parse["language"]
        return {**parse, "metadata": metadata}

    def _chosen(self, turn: Turn, language: str) -> dict[str, Any]:
        """The parse of a button of ours, whose payload names the intent and its entities."""
        match = _PAYLOAD.match(turn.payload or "")
        assert match is not None, "checked when the turn was read"
        intent = match.group(1)
        try:
            values = json.loads(match.group(2) or "{}")
        except ValueError:
            raise BadTurn("payload does not hold valid JSON.") from None
        if intent not in self.domain.intents:
            raise BadTurn(f"payload names the unknown intent {intent}.")
        unknown = [name for name in values if name not in self.domain.entities]
        if unknown:
            raise BadTurn(f"payload names the unknown entity {unknown[0]}.")
        entities = [{"entity": name, "value": value, "start": 0, "end": 0} for name, value in values.items()]
        chosen = {"name": intent, "confidence": 1.0}
        limits = effective_thresholds({"any": (0.0, 0.0)}, turn.metadata.get("thresholds"), language)
        return {
            "text": neutralise(turn.text) or str(turn.payload),
            "intent": chosen,
            "intent_ranking": [dict(chosen)],
            "entities": entities,
            "language": language,
            "thresholds": limits,
        }

    def _note_facts(self, tracker: DialogueStateTracker, language: str, customer_id: Any) -> None:
        facts: dict[str, Any] = {"language": language}
        if isinstance(customer_id, str) and customer_id and not tracker.get_slot("customer_id"):
            facts |= {"customer_id": customer_id, "identified": True}
        for name, value in facts.items():
            if tracker.get_slot(name) != value:
                tracker.update(SlotSet(name, value), self.domain)

    async def _switch_task(self, tracker: DialogueStateTracker, intent: str, channel: OutputChannel) -> None:
        """Another task's intent leaves the running form, says so, and lets the rules start the other one."""
        running = tracker.active_loop_name
        if running is None or intent not in self._tasks or self._tasks[intent] == running:
            return
        utter = self._get_action("utter_switch_task")
        tracker.update_with_events(await utter.run(channel, self.nlg, tracker, self.domain), self.domain)
        tracker.update_with_events([ActiveLoop(None), SlotSet("requested_slot", None)], self.domain)
        self._forget_finished_task(tracker)

    def _step_aside(self, tracker: DialogueStateTracker, intent: str) -> None:
        """A sure interruption is not put to the form as an answer: the rules serve it, then the form asks again."""
        running = tracker.active_loop_name
        if running is not None and intent in self.domain.forms[running].get("ignored_intents", []):
            tracker.update(ActionExecutionRejected(running), self.domain)

    def _forget_finished_task(self, tracker: DialogueStateTracker) -> None:
        running = tracker.active_loop_name
        needed = set(self.domain.required_slots_for_form(running)) if running else set()
        for name, value in tracker.current_slot_values().items():
            if value is not None and name not in _KEPT and name not in needed:
                tracker.update(SlotSet(name, None), self.domain)

    async def _run_action(
        self,
        action: Action,
        tracker: DialogueStateTracker,
        output_channel: OutputChannel,
        nlg: NaturalLanguageGenerator,
        prediction: PolicyPrediction,
    ) -> bool:
        """As in Rasa, but an action that fails fails the turn, so that the service can repeat it."""
        current = tracker
        if prediction.events:
            current = tracker.copy()
            current.update_with_events(prediction.events, self.domain)
        try:
            events: list[Event] = await action.run(output_channel, nlg, current, self.domain)
        except ActionExecutionRejection:
            rejected = ActionExecutionRejected(action.name(), prediction.policy_name, prediction.max_confidence)
            tracker.update(rejected)
            return bool(self.should_predict_another_action(action.name()))
        self._log_action_on_tracker(tracker, action, events, prediction)
        return bool(self.should_predict_another_action(action.name()))
