"""One recorded turn on another model: what would have been understood, done and said, and where that differs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rasa.core.actions.action import Action
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.nlg import TemplatedNaturalLanguageGenerator
from rasa.core.nlg.generator import ResponseVariationFilter
from rasa.core.policies.policy import PolicyPrediction
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, Event
from rasa.shared.core.trackers import DialogueStateTracker

from bot.entities.times import TIME_TYPES
from bot.replay_log import Form, Recorded, as_events
from bot.replay_stub import LoggedActions, NotLogged
from bot.reply_language import Speech
from bot.trace import replies_of, trace_of
from bot.turn import Dialogue, Turn
from bot.turn_log import CALLS
from bot.understanding import Part

#: What may differ, in the order in which it is told; the conversation is left at the first that a contact would notice.
KINDS = (
    "failed",
    "intent",
    "entities",
    "route",
    "handoff",
    "actions",
    "passages",
    "asked",
    "slots",
    "replies",
    "language",
)
_UNNOTICED = {"intent", "entities"}
_MOST_PARSES = 50_000
_NOT_TOLD = {"waiting_tasks", "session_started_metadata", "requested_slot"}
Side = dict[str, Any]


class _FirstVariation(TemplatedNaturalLanguageGenerator):  # type: ignore[misc]  # rasa is not installed where types are checked
    """Says the first variation that fits, where the bot draws one."""

    def _random_response_for(
        self, utter_action: str, output_channel: str, filled_slots: dict[str, Any]
    ) -> dict[str, Any] | None:
        fitting: list[dict[str, Any]] = ResponseVariationFilter(self.responses).responses_for_utter_action(
            utter_action, output_channel, filled_slots
        )
        return fitting[0] if fitting else None


class _NoStore:
    """Where ``Dialogue`` would keep conversations; a replay keeps none."""

    domain: Domain | None = None


class Replayer(Dialogue):
    """A model's dialogue over recorded turns: it stores nothing, calls nobody, and draws nothing by lot."""

    def __init__(self, model_path: str) -> None:
        """Loads the model, which takes seconds."""
        self._logged = LoggedActions()
        super().__init__(model_path, _NoStore(), self._logged)  # type: ignore[arg-type]
        self.nlg = _FirstVariation(self.domain.responses)
        self._slots = {slot.name for slot in self.domain.slots}
        self._parses: dict[str, dict[str, Any]] = {}
        self._recorded: Recorded | None = None
        self._parts: list[Part] = []

    async def replay(self, recorded: Recorded, thresholds: Mapping[str, Any] | None = None) -> Side:
        """What this model makes of a turn whose conversation went as recorded until then."""
        turn = recorded.turn
        if thresholds is not None:
            turn = Turn(
                turn.turn_id, turn.conversation_id, turn.text, turn.payload, {**turn.metadata, "thresholds": thresholds}
            )
        tracker = DialogueStateTracker.from_events(
            turn.conversation_id, as_events(self._known(recorded.before)), self.domain.slots, domain=self.domain
        )
        slots, before = dict(tracker.current_slot_values()), len(tracker.events)
        self._logged.begin(recorded)
        self._recorded, self._parts = recorded, []
        CALLS.set([])
        asked: NotLogged | None = None
        try:
            answer = await self._run(turn, tracker)
            trace, replies = answer["trace"], answer["replies"]
        except NotLogged as unknown:
            asked = unknown
            events = [*list(tracker.events)[before:], ActionExecuted(unknown.action.removeprefix("validate_"))]
            trace = trace_of(tracker, events, [part.parse for part in self._parts], slots, self.model_id)
            replies = replies_of(events)
        except Exception as failure:  # such as a turn that brought no reply, or an intent that the model does not know
            return {"failed": type(failure).__name__}
        told = list(tracker.events)[before:]
        side = side_of(trace, replies, _names_of(told))
        if asked is not None:
            side["asked"] = {"action": asked.action, "otherwise": asked.otherwise}
            if asked.otherwise:  # it would say something, nobody knows what
                side["route"] = None
        return side

    def _known(self, events: Sequence[Form]) -> list[Form]:
        """The events without slots that this model does not have."""
        return [event for event in events if event["event"] != "slot" or event["name"] in self._slots]

    async def _start_session(self, tracker: DialogueStateTracker, channel: OutputChannel) -> None:
        # Whether one begins depends on how long the conversation was in memory; it is to be as it was.
        if self._recorded is not None and self._recorded.started_session:
            name = "action_session_start"
            action: Action = self._get_action(name)
            prediction = PolicyPrediction.for_action_name(self.domain, name)
            await self._run_action(action, tracker, channel, self.nlg, prediction)

    async def _understand(self, turn: Turn, tracker: DialogueStateTracker) -> tuple[list[Part], Speech]:
        parts, speech = await super()._understand(turn, tracker)
        self._parts = parts
        assert self._recorded is not None
        heard = [_meaning(message["parse_data"], self.domain) for message in self._recorded.messages]
        meant = [_meaning(part.parse, self.domain) for part in parts]
        # What is heard after that waited from an earlier message.
        if sorted(map(str, heard[: len(meant)])) != sorted(map(str, meant)):
            self._logged.unlike()
        return parts, speech

    async def parse_message(
        self, message: UserMessage, tracker: DialogueStateTracker | None = None, only_output_properties: bool = True
    ) -> dict[str, Any]:
        """As the model parses it, each message once."""
        metadata = message.metadata or {}
        decides = [
            message.text,
            metadata.get("language_hint"),
            metadata.get("requested_slot"),
            metadata.get("thresholds"),
        ]
        key = json.dumps(decides, sort_keys=True)
        when = json.dumps([metadata.get("sent_at"), metadata.get("time_zone")])
        known = self._parses.get(key) or self._parses.get(key + when)
        if known is None:
            known = await super().parse_message(message, tracker, only_output_properties)
            timed = any(entity["entity"] in TIME_TYPES for entity in known["entities"])
            if len(self._parses) < _MOST_PARSES:
                self._parses[key + when if timed else key] = known
        # A turn may change its parse, and gives it to the conversation.
        return {**known, "entities": [dict(entity) for entity in known["entities"]]}


def _names_of(events: Sequence[Event]) -> list[str]:
    """What the bot said, by the name of the response or of the action that said it."""
    names, action = [], ""
    for event in events:
        if isinstance(event, ActionExecuted):
            action = str(event.action_name)
        elif isinstance(event, BotUttered) and (event.text or "").strip():
            names.append(str(event.metadata.get("utter_action") or action or "action"))
    return names


def _meaning(parse: Mapping[str, Any], domain: Domain) -> tuple[str, list[str]]:
    """Of a parse, what slots are filled from."""
    known = {*domain.entities, "address"}
    named = [str((one["entity"], one["value"])) for one in parse.get("entities") or [] if one["entity"] in known]
    return str(parse["intent"]["name"]), sorted(set(named))


def recorded_side(recorded: Recorded) -> Side:
    """The turn as it was."""
    return side_of(recorded.answer["trace"], recorded.answer["replies"], _names_of(as_events(recorded.events)))


def side_of(trace: Mapping[str, Any], replies: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Side:
    """What is compared of a turn; ``_slots`` holds a contact's data and is never handed on."""
    parts = trace.get("parts") or []
    return {
        "intent": trace["intent"],
        "confidence": round(float(trace["confidence"]), 4),
        "parts": [part["intent"] for part in parts],
        "entities": sorted({str(one["entity"]) for one in trace.get("entities") or []}),
        "language": trace.get("language"),
        "route": trace["route"],
        "actions": list(trace["actions"]),
        "passages": [
            {"id": hit.get("passage_id"), "version": hit.get("version")} for hit in trace.get("retrieval") or []
        ],
        "handoff": next((reply["handoff"] for reply in replies if reply.get("handoff")), None),
        "missed": bool(trace.get("missed")),
        "replies": list(names),
        "_slots": {name: _stable(value) for name, value in trace["slots_changed"].items() if name not in _NOT_TOLD},
        "_said": sorted({(str(one["entity"]), str(one["value"])) for one in trace.get("entities") or []}),
    }


def _stable(value: Any) -> Any:
    return json.loads(json.dumps(value, sort_keys=True, default=str))


def kinds_of(before: Side, after: Side, domain: Domain) -> list[str]:
    """In what two sides of a turn differ."""
    if "failed" in after:
        return ["failed"]
    unknown = "asked" in after
    differ = {
        "intent": (before["intent"], before["parts"]) != (after["intent"], after["parts"]),
        "entities": _known(before, domain) != _known(after, domain),
        "route": after["route"] not in (before["route"], None),
        "handoff": before["handoff"] != after["handoff"] and not (unknown and after["route"] in ("handoff", None)),
        "actions": (before["actions"][: len(after["actions"])] if unknown else before["actions"]) != after["actions"],
        "passages": before["passages"] != after["passages"] and not unknown,
        "asked": unknown,
        "slots": _of(before["_slots"], domain) != _of(after["_slots"], domain) and not unknown,
        "replies": before["replies"] != after["replies"] and not unknown,
        "language": before["language"] != after["language"],
    }
    return [kind for kind in KINDS if differ.get(kind)]


def _known(side: Side, domain: Domain) -> list[tuple[str, str]]:
    return [said for said in side["_said"] if said[0] in domain.entities]


def _of(slots: Mapping[str, Any], domain: Domain) -> dict[str, Any]:
    """Those that the model has."""
    known = {slot.name for slot in domain.slots}
    return {name: value for name, value in slots.items() if name in known}


def noticed(kinds: Sequence[str]) -> bool:
    """Whether the contact would notice, or the conversation go on from another state."""
    return bool(set(kinds) - _UNNOTICED)


def shown(side: Side, other: Side) -> Side:
    """A side without a contact's data: of slots, which ones are filled, emptied or have another value."""
    if "failed" in side:
        return dict(side)
    slots, theirs = side["_slots"], other.get("_slots", {})
    told = {
        name: "emptied" if value is None else "filled" if theirs.get(name) is None else "other"
        for name, value in slots.items()
        if name not in theirs or theirs[name] != value
    }
    return {name: value for name, value in side.items() if not name.startswith("_")} | {
        "slots": dict(sorted(told.items()))
    }
