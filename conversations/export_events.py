"""Turns audit entries into the events that data teams get; the form is that of ``docs/events.schema.json``.

Every field is named here: what nobody has looked at does not leave the desk. Words are added only when asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

VERSION = 1
Event = dict[str, Any]
#: kind of audit entry -> type of event and the fields of its data that are told
_TOLD: dict[str, tuple[str, tuple[str, ...]]] = {
    "opened": ("conversation.opened", ("channel",)),
    "status": ("conversation.status", ("from", "to", "why")),
    "routed": ("conversation.routed", ("team_id", "skills")),
    "offered": ("conversation.offered", ("agent_id", "until")),
    "offer_declined": ("conversation.offer_declined", ()),
    "offer_lapsed": ("conversation.offer_lapsed", ("agent_id",)),
    "transferred": ("conversation.transferred", ("to", "to_team")),
    "agent_lost": ("conversation.agent_lost", ("agent_id",)),
    "moved": ("conversation.moved", ("from", "to")),
    "merged": ("conversation.merged", ("into", "from")),
    "merge_undone": ("conversation.separated", ("from", "of")),
    "turn_crashed": ("turn.crashed", ("turn_id", "attempts")),
    "replied": ("agent.replied", ("seq",)),
    "recalled": ("agent.recalled", ("seq", "effect")),
    "rated": ("rating", ("episode", "kind", "score", "solved", "nps")),
    "rating_corrected": ("rating.corrected", ("episode", "kind", "score", "solved", "nps")),
    "ratings_declined": ("rating.declined", ()),
    "delivery_failed": ("delivery.failed", ("seq",)),
    "contact_erased": ("contact.erased", ()),
}
_TURN = ("turn_id", "in_seq", "out_seqs", "language", "intent", "confidence", "route", "policy", "model_id")
_TIMINGS = ("understand", "act", "total", "call")


def turn_ids_in(entries: Sequence[tuple[int, str]]) -> list[str]:
    """Of which turns these entries tell."""
    parsed = (json.loads(body) for _, body in entries)
    return [entry["data"]["turn_id"] for entry in parsed if entry["kind"] == "turn"]


def event_of(body: str, turns: Mapping[str, Any], texts: Mapping[str, tuple[str, list[str]]]) -> Event | None:
    """The event that an audit entry tells of, or None for what concerns only the desk itself."""
    entry = json.loads(body)
    if entry["kind"] == "turn":
        kind, data = "turn", _turn(entry["data"], turns, texts)
    elif entry["kind"] in _TOLD:
        kind, names = _TOLD[entry["kind"]]
        data = {name: entry["data"].get(name) for name in names if name in entry["data"]}
    else:
        return None
    actor, _, agent_id = str(entry["actor"]).partition(":")
    return {
        "version": VERSION,
        "id": entry["n"],
        "type": kind,
        "at": entry["at"],
        "conversation_id": entry["conversation_id"],
        "contact_id": entry["contact_id"],
        "actor": {"kind": actor, "agent_id": agent_id or None},
        "data": data,
    }


def _turn(told: Mapping[str, Any], turns: Mapping[str, Any], texts: Mapping[str, tuple[str, list[str]]]) -> Event:
    data: Event = {name: told.get(name) for name in _TURN}
    found = turns.get(told["turn_id"])
    if found is not None:  # else its contact was erased meanwhile
        data |= _of_trace(found.trace)
        data |= {
            "received_at": _moment(found.created_at),
            "started_at": _moment(found.started_at),
            "finished_at": _moment(found.finished_at),
        }
    if told["turn_id"] in texts:
        data["text"], data["replies"] = texts[told["turn_id"]]
    return data


def _of_trace(trace: Mapping[str, Any]) -> Event:
    handoff = trace.get("handoff")
    timings = trace.get("timings_ms") or {}
    return {
        "ranking": [
            {"intent": one.get("name"), "confidence": one.get("confidence")} for one in _list(trace, "ranking")
        ],
        "retrieval": [
            {name: one.get(name) for name in ("passage_id", "version", "score")} for one in _list(trace, "retrieval")
        ],
        "thresholds": {name: (trace.get("thresholds") or {}).get(name) for name in ("answer", "clarify", "retrieval")},
        "actions": [str(name) for name in _list(trace, "actions")],
        "handoff_reason": handoff.get("reason") if isinstance(handoff, Mapping) else None,
        "missed": bool(trace.get("missed")),
        "failed": bool(trace.get("failed")),
        "timings_ms": {name: timings.get(name) for name in _TIMINGS if timings.get(name) is not None},
    }


def _list(trace: Mapping[str, Any], name: str) -> list[Any]:
    found = trace.get(name)
    return found if isinstance(found, list) else []


def _moment(at: datetime) -> str:
    return at.isoformat()
