"""What an action hands on reaches the trace, and what is large does not stay in the conversation."""

from __future__ import annotations

from typing import Any

from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, Event, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.trace import replies_of, trace_of

DOMAIN = Domain.from_dict(
    {"intents": ["ask_knowledge"], "slots": {"language": {"type": "text", "mappings": [{"type": "custom"}]}}}
)
PARSE = {
    "intent": {"name": "ask_knowledge", "confidence": 0.9},
    "intent_ranking": [{"name": "ask_knowledge", "confidence": 0.9}],
    "entities": [],
    "thresholds": {},
}


def trace_with(custom: dict[str, Any]) -> tuple[dict[str, Any], list[Event]]:
    """The trace of a turn in which the bot said one thing with this data."""
    said = BotUttered("7 days.", {"custom": custom, "buttons": []})
    events = [UserUttered("how long?"), ActionExecuted("action_answer_question", "0_RulePolicy"), said]
    tracker = DialogueStateTracker.from_events("c1", events, DOMAIN.slots)
    return trace_of(tracker, events, [PARSE], {}, "model-1"), events


def test_how_an_answer_was_phrased_is_in_the_trace_and_not_in_the_stored_conversation() -> None:
    phrasing = {"used": "generated", "messages": [{"role": "system", "content": "x" * 9000}]}
    trace, events = trace_with({"route": "knowledge", "generation": phrasing})
    assert trace["generation"] == phrasing
    assert trace["route"] == "knowledge"
    assert all("xxx" not in str(event.as_dict()) for event in events)
    assert replies_of(events)[0]["text"] == "7 days."


def test_an_answer_that_nobody_phrased_has_no_such_entry() -> None:
    trace, _ = trace_with({"route": "knowledge"})
    assert "generation" not in trace


def test_a_miss_and_a_failure_mark_the_trace_and_nothing_else_does() -> None:
    assert trace_with({"route": "clarify", "missed": True})[0]["missed"] is True
    assert trace_with({"failed": True})[0]["failed"] is True
    plain = trace_with({"route": "knowledge"})[0]
    assert "missed" not in plain
    assert "failed" not in plain


def test_how_somebody_proved_who_they_are_is_handed_on_with_whom() -> None:
    _, events = trace_with({"customer_id": "C0001", "proved_by": "code"})
    [reply] = replies_of(events)
    assert (reply["customer_id"], reply["proved_by"]) == ("C0001", "code")
    _, events = trace_with({})
    assert "proved_by" not in replies_of(events)[0]


def test_the_rules_that_decided_are_named_once_each_and_waiting_is_none_of_them() -> None:
    said = BotUttered("Your number, please?", {"custom": {}, "buttons": []})
    events = [
        ActionExecuted("order_status_form", "0_RulePolicy", metadata={"rule": "Start order_status"}),
        said,
        ActionExecuted("action_order_status", "0_RulePolicy", metadata={"rule": "Start order_status"}),
        ActionExecuted("utter_thanks"),
        ActionExecuted("action_listen", "0_RulePolicy", metadata={"rule": "Thanks"}),
    ]
    tracker = DialogueStateTracker.from_events("c1", events, DOMAIN.slots)
    assert trace_of(tracker, events, [PARSE], {}, "model-1")["rules"] == ["Start order_status"]


def test_a_turn_that_no_rule_decided_names_none() -> None:
    assert trace_with({"route": "knowledge"})[0]["rules"] == []
