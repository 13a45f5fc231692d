"""The answer of a turn as the contract describes it, read off the events that the turn added to the conversation."""

from __future__ import annotations

from typing import Any

from rasa.shared.core.events import ActionExecuted, BotUttered, Event
from rasa.shared.core.trackers import DialogueStateTracker

from bot.quick_rules import RULE
from bot.text import fold

SMALL_TALK = {
    "greet", "goodbye", "how_are_you", "are_you_a_bot", "bot_name", "capabilities", "praise", "insult", "joke",
    "weather", "apology", "speak_language", "laugh", "hold_on",
}  # fmt: skip
_PASSED_ON = ("citations", "handoff", "customer_id", "proved_by")
_SILENT_ACTIONS = {"action_listen", "action_session_start", "action_extract_slots", "action_deactivate_loop"}
_ROUTES = {
    "action_answer_question": "knowledge",
    "action_clarify": "clarify",
    "action_request_human": "handoff",
    "utter_which_one": "clarify",
    "utter_left_alone": "task",
}


def replies_of(events: list[Event]) -> list[dict[str, Any]]:
    """What the bot said, in order; data without words of its own goes with what was said before it."""
    replies: list[dict[str, Any]] = []
    for event in events:
        if not isinstance(event, BotUttered):
            continue
        data = event.data or {}
        custom = data.get("custom") or {}
        text = (event.text or "").strip()
        if text or not replies:
            replies.append({"text": text, "buttons": [], "citations": [], "handoff": None, "customer_id": None})
        reply = replies[-1]
        reply["buttons"] += [
            {"title": str(button.get("title", "")), "payload": str(button.get("payload", ""))}
            for button in data.get("buttons") or []
        ]
        for name in _PASSED_ON:
            if custom.get(name):
                reply[name] = custom[name]
    return [reply for reply in replies if reply["text"]]


def would_write(events: list[Event]) -> list[str]:
    """What the actions of a dry run would have written, by the names of the CRM's writes."""
    said = [(event.data or {}).get("custom") or {} for event in events if isinstance(event, BotUttered)]
    return [str(custom["would"]) for custom in said if custom.get("would")]


def actions_of(events: list[Event]) -> list[str]:
    """The names of the actions that ran, without the ones that every turn has."""
    names = [event.action_name for event in events if isinstance(event, ActionExecuted)]
    return [name for name in names if name and name not in _SILENT_ACTIONS]


def rules_of(events: list[Event]) -> list[str]:
    """The names of the rules that decided what was done, in the order in which they came in; a rule is named once."""
    ran = [event for event in events if isinstance(event, ActionExecuted) and event.action_name not in _SILENT_ACTIONS]
    return list(dict.fromkeys(event.metadata[RULE] for event in ran if RULE in (event.metadata or {})))


def trace_of(
    tracker: DialogueStateTracker,
    events: list[Event],
    parses: list[dict[str, Any]],
    slots_before: dict[str, Any],
    model_id: str,
) -> dict[str, Any]:
    """Why the bot answered as it did, by the first of the message's parts; ``timings_ms`` is added by who measured."""
    parse = parses[0]
    ran = [event for event in events if isinstance(event, ActionExecuted) and event.action_name not in _SILENT_ACTIONS]
    custom = [(event.data or {}).get("custom") or {} for event in events if isinstance(event, BotUttered)]
    changed = {
        name: value
        for name, value in tracker.current_slot_values().items()
        if slots_before.get(name) != value and name not in {"requested_slot", "session_started_metadata"}
    }
    trace: dict[str, Any] = {
        "language": tracker.get_slot("language"),
        "intent": parse["intent"]["name"],
        "confidence": parse["intent"]["confidence"],
        "ranking": [
            {"name": intent["name"], "confidence": round(intent["confidence"], 4)}
            for intent in parse["intent_ranking"][:5]
        ],
        "entities": [
            {name: entity.get(name) for name in ("entity", "value", "normalized", "start", "end")}
            for entity in parse["entities"]
        ],
        "thresholds": parse["thresholds"],
        "route": _route(ran, custom, parse["intent"]["name"]),
        "policy": ran[0].policy.rpartition("_")[2] if ran and ran[0].policy else "RulePolicy",
        "rules": rules_of(events),
        "actions": actions_of(events),
        "retrieval": [hit for data in custom for hit in data.get("retrieval") or []],
        "slots_changed": changed,
        "model_id": model_id,
    }
    if parse.get("reading") and parse["reading"] != fold(parse["text"]):
        trace["reading"] = parse["reading"]
    if would := would_write(events):
        trace["would"] = would
    if parse.get("refused"):
        trace["refused"] = parse["refused"]
    for mark in ("missed", "failed"):
        if any(data.get(mark) for data in custom):
            trace[mark] = True
    if len(parses) > 1:
        trace["parts"] = [
            {"text": one["text"], "intent": one["intent"]["name"], "confidence": one["intent"]["confidence"]}
            for one in parses
        ]
    for data in custom:
        # Prompt and output belong to the trace; in the conversation they would be loaded again with every turn.
        phrasing = data.pop("generation", None)
        if phrasing:
            trace["generation"] = phrasing
    return trace


def _route(ran: list[ActionExecuted], custom: list[dict[str, Any]], intent: str) -> str:
    named = next((data["route"] for data in custom if data.get("route")), None)
    if any(data.get("handoff") for data in custom):
        return "handoff"
    if named:
        return str(named)
    for event in ran:
        name = str(event.action_name)
        if name in _ROUTES:
            return _ROUTES[name]
        if name.endswith("_form") or name.startswith("action_"):
            return "task"
        if intent in SMALL_TALK or name.startswith("utter_"):
            return "smalltalk"
    return "task"
