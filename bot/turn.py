"""One turn: from a message to the replies and the trace, committed together or not at all."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
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
from bot.made_intents import titles_in
from bot.memory import memory_of, speech_of, speech_slots, told_slots
from bot.metrics import METRICS
from bot.model_names import ENDING, NAME
from bot.reply_language import Speech, next_speech, wished_language
from bot.serving import Serving
from bot.straight_runner import StraightProcessor
from bot.text import fold, neutralise
from bot.trace import replies_of, trace_of, would_write
from bot.tracker_store import TurnStore
from bot.turn_log import CALLS, log_of
from bot.understanding import Parse, Part, Understanding

#: A message of these intents that wishes for a language wishes for nothing else.
_ABOUT_LANGUAGE = {"speak_language", "clarify", "out_of_scope"}
#: A conversation that grew beyond this many events goes on in a new session, with all its slots, between two tasks.
_LONG = 240
_MARK: dict[bool, dict[str, bool]] = {True: {"dry_run": True}, False: {}}
MOST_EARLIER = 60  #: messages of a rehearsed chat before the one that is answered
#: The lock of each conversation whose turn runs.
Running = WeakValueDictionary[str, asyncio.Lock]
_PAYLOAD = re.compile(r"^/([a-z_]+)\s*(\{.*\})?\s*$", re.DOTALL)


class BadTurn(Exception):
    """The turn cannot be understood; the message says what is wrong with it."""


def with_taught_products(
    entities: list[dict[str, Any]], text: str, taught: Any, message: str | None = None
) -> list[dict[str, Any]]:
    """The entities with the product names that trainers taught since the training; the longer of two that overlap stays.

    The places in ``taught`` are those in the ``message`` as it was written; ``text`` is all of it or one of its parts,
    in which the same names are looked for.
    """
    kept = list(entities)
    written = text if message is None else message
    for name in taught if isinstance(taught, list) else []:
        if not isinstance(name, dict):
            continue
        product, start, end = name.get("product"), name.get("start"), name.get("end")
        if not (isinstance(product, str) and isinstance(start, int) and isinstance(end, int)):
            continue
        if not 0 <= start < end <= len(written):
            continue
        for place in re.finditer(re.escape(fold(written[start:end])), fold(text), re.IGNORECASE):
            kept = _with_product(kept, product, *place.span())
    return sorted(kept, key=lambda one: one["start"])


def _with_product(entities: list[dict[str, Any]], product: str, start: int, end: int) -> list[dict[str, Any]]:
    rivals = [one for one in entities if one["entity"] == "product" and one["start"] < end and start < one["end"]]
    if any(one["end"] - one["start"] >= end - start for one in rivals):
        return entities
    kept = [one for one in entities if one not in rivals]
    return [*kept, {"entity": "product", "value": product, "start": start, "end": end, "extractor": "taught"}]


class _WouldWrite(Exception):
    """A dry run has come to where something would be written."""


class TurnFailed(Exception):
    """The turn ran but brought no reply."""


@dataclass(frozen=True)
class Said:
    """A message of a rehearsed chat, typed or pressed."""

    text: str
    payload: str | None = None

    @classmethod
    def from_json(cls, body: dict[str, Any], place: str = "") -> Said:
        """The words of a request body; raises ``BadTurn``, naming the ``place`` where it has one."""
        text, payload = body.get("text"), body.get("payload")
        if not isinstance(text, str) or len(text) > 20_000:
            raise BadTurn(f"{place}text must be a string of at most 20000 characters.")
        if payload is not None and not (isinstance(payload, str) and _PAYLOAD.match(payload)):
            raise BadTurn(f'{place}payload must be null or like /intent{{"slot":"value"}}.')
        if payload is None and not text.strip():
            raise BadTurn(f"{place}text must not be empty when there is no payload.")
        return cls(text, payload)


@dataclass(frozen=True)
class Turn:
    """What the service sends for one message."""

    turn_id: str
    conversation_id: str
    text: str
    payload: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    dry_run: bool = False  #: say what would be answered and change nothing
    model: str | None = None  #: the version that answers; None: the one served by default
    earlier: tuple[Said, ...] | None = None  #: of a dry run: what was said before it, instead of a stored conversation

    @classmethod
    def from_json(cls, body: Any) -> Turn:
        """The turn of a request body; raises ``BadTurn`` if it is not as agreed."""
        if not isinstance(body, dict):
            raise BadTurn("The body must be a JSON object.")
        for name in ("turn_id", "conversation_id"):
            value = body.get(name)
            if not isinstance(value, str) or not re.fullmatch(r"[0-9A-Za-z_-]{1,64}", value):
                raise BadTurn(f"{name} must be an id of 1 to 64 letters or digits.")
        said, metadata = Said.from_json(body), body.get("metadata", {})
        if not isinstance(metadata, dict):
            raise BadTurn("metadata must be an object.")
        model = body.get("model")
        if model is not None and not (isinstance(model, str) and NAME.fullmatch(model)):
            raise BadTurn("model must be null or the name of a version.")
        dry_run = body.get("dry_run", False)
        if not isinstance(dry_run, bool):
            raise BadTurn("dry_run must be true or false.")
        # The actions read it off the message, and only the field decides what they read.
        metadata = {**{name: value for name, value in metadata.items() if name != "dry_run"}, **_MARK[dry_run]}
        earlier = _earlier_of(body.get("earlier"), dry_run)
        return cls(body["turn_id"], body["conversation_id"], said.text, said.payload, metadata, dry_run, model, earlier)


def _earlier_of(listed: Any, dry_run: bool) -> tuple[Said, ...] | None:
    if listed is None:
        return None
    if not dry_run:
        raise BadTurn("earlier belongs to dry runs only.")
    if not isinstance(listed, list) or len(listed) > MOST_EARLIER or not all(isinstance(one, dict) for one in listed):
        raise BadTurn(f"earlier must be a list of at most {MOST_EARLIER} objects.")
    return tuple(Said.from_json(one, f"earlier {number}: ") for number, one in enumerate(listed, 1))


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

    def __init__(
        self, model_path: str, store: TurnStore, action_endpoint: ActionEndpoint, running: Running | None = None
    ) -> None:
        """Loads the model, which takes seconds; ``running`` is shared by the versions that share the store."""
        generator = TemplatedNaturalLanguageGenerator({})
        super().__init__(model_path, store, InMemoryLockStore(), generator, action_endpoint)
        generator.responses = self.domain.responses
        titles = titles_in(self.domain.responses)
        self._titles = {"titles": titles} if titles else {}  # for who asks back which of them is meant
        self._tasks = {form[: -len("_form")]: form for form in self.domain.forms}
        self._understanding = Understanding(self._tasks)
        self._running: Running = WeakValueDictionary() if running is None else running

    @property
    def name(self) -> str:
        """The version: the archive's name without its ending."""
        return str(self.model_filename).removesuffix(ENDING)

    def empty(self) -> None:
        """Drop what the version holds; nobody may use it any more."""
        for component in self.graph_runner.components():
            vars(component).clear()
        vars(self.graph_runner).clear()
        vars(self).clear()

    @property
    def model_id(self) -> str:
        """Names the trained model in traces."""
        return str(self.model_metadata.model_id)

    async def respond(self, turn: Turn) -> dict[str, Any]:
        """The answer to a turn; one seen before is answered from the store and not run again. A dry run is never stored."""
        if turn.earlier is not None:
            return await self._rehearsed_last(turn, turn.earlier)
        if turn.dry_run:
            tried = await self._run(turn, self.tracker_store.load(turn.conversation_id, self.domain))
            METRICS.answered(tried, dry=True)
            return tried
        lock = self._running.setdefault(turn.conversation_id, asyncio.Lock())
        async with lock:
            opened = self.tracker_store.open_turn(turn.conversation_id, turn.turn_id, self.domain)
            if opened.answer is not None:
                METRICS.turns.add("repeated")
                return dict(opened.answer)
            CALLS.set([])  # of this request's task, and nobody else's
            before = len(opened.tracker.events)
            answer = await self._run(turn, opened.tracker)
            log = log_of(turn.text, turn.payload, list(opened.tracker.events)[before:])
            self.tracker_store.save_turn(opened.tracker, turn.turn_id, answer, log)
            METRICS.answered(answer, dry=False)
            return answer

    async def _rehearsed_last(self, turn: Turn, earlier: Sequence[Said]) -> dict[str, Any]:
        tried = (await self.rehearse(turn, [*earlier, Said(turn.text, turn.payload)]))[-1]
        if tried is None:
            raise TurnFailed("the rehearsed message brought no reply")
        METRICS.answered(tried, dry=True)
        return tried

    async def rehearse(self, turn: Turn, chat: Sequence[Said]) -> list[dict[str, Any] | None]:
        """The answers to a chat that begins with its first message and is never stored; None where none came.

        ``turn`` says how it is tried. Where something would be written the trace says so and the chat goes on as if it had
        not been asked for.
        """
        if not turn.dry_run:
            raise TurnFailed("only dry runs are rehearsed")
        tracker = DialogueStateTracker(turn.conversation_id, self.domain.slots)
        answers: list[dict[str, Any] | None] = []
        for number, said in enumerate(chat, 1):
            known = turn.metadata if number == len(chat) else {**turn.metadata, "products": []}
            one = replace(
                turn, text=said.text, payload=said.payload, metadata=known, turn_id=f"{turn.turn_id[:56]}-{number}"
            )
            try:
                answer = await self._run(one, tracker)
                answer["trace"]["slots"] = _filled(tracker)
                answer["trace"]["form"] = tracker.active_loop_name
                answers.append(answer)
            except TurnFailed:
                answers.append(None)
            if answers[-1] is None or "would" in answers[-1]["trace"]:
                Serving(self, self._tasks, tracker, _Nowhere(), one.turn_id, {}).break_off()
        return answers

    async def _run(self, turn: Turn, tracker: DialogueStateTracker) -> dict[str, Any]:
        started = time.perf_counter()
        channel = _Nowhere()
        tracker.model_id = self.model_id
        tracker.assistant_id = self.model_metadata.assistant_id
        if tracker.active_loop_name and tracker.active_loop_name not in self.domain.forms:
            tracker.update(ActiveLoop(None), self.domain)  # a task of the version it began on
        await self._start_session(tracker, channel)
        slots_before = tracker.current_slot_values()
        before = len(tracker.events)

        for slot, value in told_slots(tracker, turn.metadata.get("told")).items():
            tracker.update(SlotSet(slot, value), self.domain)
        parts, speech = await self._understand(turn, tracker)
        understood = time.perf_counter()
        facts = {**speech_slots(speech), **self._customer_of(turn, tracker)}
        try:
            await Serving(self, self._tasks, tracker, channel, turn.turn_id, facts).serve(parts)
        except _WouldWrite:
            if not turn.dry_run:
                raise TurnFailed("an action that only tries things out answered a real turn") from None

        events = list(tracker.events)[before:]
        replies = replies_of(events)
        if not replies and not would_write(events):
            raise TurnFailed(f"Intent {parts[0].intent} brought no reply.")
        trace = trace_of(tracker, events, [part.parse for part in parts], slots_before, self.model_id)
        trace["model"] = self.name
        ended = time.perf_counter()
        trace["timings_ms"] = {
            "understand": round((understood - started) * 1000, 2),
            "act": round((ended - understood) * 1000, 2),
            "total": round((ended - started) * 1000, 2),
        }
        return {"replies": replies, "trace": trace}

    async def _start_session(self, tracker: DialogueStateTracker, channel: OutputChannel) -> None:
        long = len(tracker.events) > _LONG and not tracker.active_loop_name
        if long or not tracker.events:
            name = "action_session_start"
            await self._run_action(
                self._get_action(name), tracker, channel, self.nlg, PolicyPrediction.for_action_name(self.domain, name)
            )

    async def _understand(self, turn: Turn, tracker: DialogueStateTracker) -> tuple[list[Part], Speech]:
        """What the message asks for, and how the replies speak."""
        sent = turn.metadata.get("language_hint")
        hint = sent if sent in LANGUAGES else None
        speech, memory = speech_of(tracker, hint), memory_of(tracker)
        metadata = {
            **turn.metadata,
            "turn_id": turn.turn_id,
            "language_hint": hint or tracker.get_slot("language"),
            "requested_slot": memory.slot,
            **self._titles,
        }
        if turn.payload is not None:
            parts = [Part(self._chosen(turn, speech.language))]
        else:

            async def parse(text: str) -> Parse:
                harmless = neutralise(text) or "…"  # also where a clause begins with a slash
                found = dict(await self.parse_message(UserMessage(harmless, metadata=metadata), tracker))
                taught = turn.metadata.get("products")
                return {**found, "entities": with_taught_products(found["entities"], harmless, taught, turn.text)}

            text = neutralise(turn.text) or "…"
            understood = await self._understanding.understood(text, memory, parse)
            parts, speech = understood.parts, next_speech(speech, understood.reading)
            if wished_language(understood.reading) and parts[0].intent in _ABOUT_LANGUAGE:
                parts = [Part(parts[0].parse, say="utter_language_switched")]
        for part in parts:
            part.parse["metadata"] = {**metadata, "language": speech.language}
        return parts, speech

    @staticmethod
    def _customer_of(turn: Turn, tracker: DialogueStateTracker) -> dict[str, Any]:
        customer_id = turn.metadata.get("customer_id")
        known = tracker.get_slot("customer_id") or not isinstance(customer_id, str) or not customer_id
        return {} if known else {"customer_id": customer_id, "identified": True}

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
        stop = next((place for place, event in enumerate(events) if would_write([event])), None)
        if stop is not None:
            # What comes after the write depends on it, so it is not said.
            self._log_action_on_tracker(tracker, action, events[: stop + 1], prediction)
            raise _WouldWrite
        self._log_action_on_tracker(tracker, action, events, prediction)
        # Only what no rule served is unsure; nothing follows it, so the policy would choose it again and again.
        served = prediction.max_confidence >= 1.0
        return served and bool(self.should_predict_another_action(action.name()))


def _filled(tracker: DialogueStateTracker) -> dict[str, Any]:
    return {name: value for name, value in tracker.current_slot_values().items() if value is not None}
