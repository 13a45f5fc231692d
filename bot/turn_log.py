"""What is kept of a turn beside its events and its answer, so that it can be run again on another model.

The events hold what was understood and said. They do not hold a message of several questions as it was written, which
button was pressed, where a turn begins, nor what an action was asked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, UserUttered

#: The calls of the turn that runs: the action's name and the digest of what it was asked.
CALLS: ContextVar[list[list[str]] | None] = ContextVar("calls", default=None)
#: Slots that no action reads; what waits holds the confidence with which it was understood.
_UNREAD = {"waiting_tasks", "session_started_metadata"}
#: What actions read beside the entities of the domain.
_READ = {"address"}
_CLARIFY = "action_clarify"


def note_call(call: Mapping[str, Any], domain: Domain) -> None:
    """Remember a call of an action, where a turn collects them."""
    calls = CALLS.get()
    if calls is not None:
        calls.append([str(call["next_action"]), digest_of(call, domain)])


def digest_of(call: Mapping[str, Any], domain: Domain) -> str:
    """Stands for all that an action's answer can depend on, apart from shop, customer and time."""
    tracker, message = call["tracker"], call["tracker"]["latest_message"]
    intent = (message.get("intent") or {}).get("name")
    known = {*domain.entities, *_READ}
    asked = {
        "slots": {name: value for name, value in tracker["slots"].items() if value is not None and name not in _UNREAD},
        "given": _given(tracker["events"]),
        "text": message.get("text"),
        "entities": sorted(
            json.dumps([one["entity"], one["value"]], ensure_ascii=False, default=str)
            for one in message.get("entities") or []
            if one["entity"] in known
        ),
        "task": intent if f"{intent}_form" in domain.forms else None,
    }
    if call["next_action"] == _CLARIFY:  # it offers the likeliest tasks
        asked["ranking"] = [
            one["name"] for one in message.get("intent_ranking") or [] if f"{one['name']}_form" in domain.forms
        ][:3]
    written = json.dumps(asked, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _given(events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The slots set since the latest event that is none: what a form is to check."""
    found: dict[str, Any] = {}
    for event in reversed(events):
        if event["event"] != "slot":
            break
        found.setdefault(event["name"], event["value"])
    return found


def log_of(text: str, payload: str | None, events: Sequence[Event]) -> dict[str, Any]:
    """What is kept of a turn; its words only where the events do not hold them."""
    heard = [event.text for event in events if isinstance(event, UserUttered)]
    log: dict[str, Any] = {"events": len(events), "calls": CALLS.get() or []}
    if payload is not None:
        log["payload"] = payload
    if payload is not None or heard != [text]:
        log["text"] = text
    return log
