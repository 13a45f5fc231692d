"""What agents are told of a conversation, from transcripts and traces in both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conversations.handoff_summary import summary_of
from conversations.model import Address, Author, Citation, Conversation, Message, MessageKind, Status

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def conversation(language: str = "zh", **more: Any) -> Conversation:
    address = Address("web", "default", "lin")
    return Conversation("c" * 32, address, "p" * 32, Status.QUEUED, language, NOW, NOW, queued_at=NOW, **more)


def message(seq: int, author: Author, text: str, **more: Any) -> Message:
    created_at = more.pop("created_at", NOW - timedelta(minutes=10 - seq))
    return Message(f"m{seq}", "c" * 32, seq, author, MessageKind.TEXT, text, created_at, **more)


def contact(seq: int, text: str, feeling: float | None = None) -> Message:
    label = None if feeling is None else "negative" if feeling < -0.3 else "neutral"
    return message(seq, Author.CONTACT, text, sentiment=feeling, sentiment_label=label)


@pytest.mark.parametrize(("intent", "outcome"), [("affirm", "done"), ("deny", "stopped"), ("stop", "stopped")])
def test_a_task_is_done_only_if_its_contact_wanted_it_in_the_end(intent: str, outcome: str) -> None:
    messages = [contact(1, "取消订单 KT20260002"), contact(3, "先不用"), contact(5, "转人工")]
    turns = [
        (1, {"intent": "cancel_order", "route": "task", "actions": ["cancel_order_form", "action_ask_confirmed"]}),
        (3, {"intent": intent, "route": "task", "actions": ["cancel_order_form", "action_cancel_order"]}),
        (5, {"intent": "handoff", "route": "handoff", "actions": ["action_request_human"]}),
    ]
    summary = summary_of(conversation(), messages, turns, NOW, reason="user_asked")
    assert summary["tried"]["tasks"] == [{"task": "cancel_order", "outcome": outcome, "seq": 3}]


def test_a_chinese_return_that_failed_is_told_with_its_facts_and_its_course() -> None:
    messages = [
        contact(1, "你好", 0.1),
        contact(3, "我想退货，订单 FD20410077", -0.1),
        contact(5, "尺码不对", -0.4),
        contact(7, "到底行不行啊", -0.9),
    ]
    turns = [
        (1, {"intent": "greet", "route": "smalltalk", "actions": ["utter_greet"]}),
        (3, {"intent": "return_refund", "route": "task", "actions": ["return_refund_form", "action_ask_return_reason"], "slots_changed": {"order_number": "FD20410077", "misses": 0.0, "identity_proof": "4471"}}),
        (5, {"intent": "inform", "route": "task", "actions": ["return_refund_form", "action_return_refund"], "failed": True, "slots_changed": {"return_reason": "尺码不对"}}),
        (7, {"intent": "out_of_scope", "route": "clarify", "missed": True, "entities": [{"entity": "product", "value": "Sprout V1"}]}),
    ]  # fmt: skip
    summary = summary_of(conversation(), messages, turns, NOW, reason="action_failed", detail={"failures": 2})
    assert summary["wants"] == {"intent": None, "said": "到底行不行啊", "seq": 7}
    assert [(one["name"], one["value"]) for one in summary["details"]] == [
        ("order_number", "FD20410077"),
        ("product", "Sprout V1"),
        ("return_reason", "尺码不对"),
    ]
    assert summary["tried"]["tasks"] == [{"task": "return_refund", "outcome": "failed", "seq": 5}]
    assert (summary["tried"]["clarified"], summary["tried"]["missed"]) == (1, 1)
    assert summary["sentiment"]["trend"] == "worse"
    assert [one["value"] for one in summary["sentiment"]["course"]] == [0.1, -0.1, -0.4, -0.9]
    assert (summary["reason"], summary["reasons"], summary["language"], summary["channel"]) == ("action_failed", ["action_failed"], "zh", "web")  # fmt: skip


def test_an_english_question_is_told_with_the_articles_that_were_shown() -> None:
    citation = Citation("p1", "warranty", "Warranty", "Two years.", "/kb/en/warranty")
    messages = [
        contact(1, "how long is the warranty on the lamp"),
        message(2, Author.BOT, "Two years.", citations=(citation,)),
        contact(3, "talk to a person"),
    ]
    turns = [
        (1, {"intent": "ask_knowledge", "route": "knowledge", "actions": ["action_answer_question"]}),
        (3, {"intent": "handoff", "route": "handoff", "actions": ["action_request_human"]}),
    ]
    summary = summary_of(conversation("en"), messages, turns, NOW, reason="asked_for_person")
    assert summary["wants"] == {"intent": "ask_knowledge", "said": "how long is the warranty on the lamp", "seq": 1}
    assert summary["tried"]["articles"] == [{"title": "Warranty", "url": "/kb/en/warranty", "seq": 2}]
    assert summary["sentiment"] is None


def test_codes_and_proofs_of_identity_never_reach_the_summary() -> None:
    turns = [(1, {"route": "task", "slots_changed": {"identity_proof": "998877"}, "entities": [{"entity": "code", "value": "998877"}, {"entity": "last4", "value": "998877"}]})]  # fmt: skip
    assert "998877" not in str(summary_of(conversation(), [contact(1, "好的")], turns, NOW))


def test_a_wish_for_a_person_right_away_quotes_what_was_said() -> None:
    summary = summary_of(conversation(), [contact(1, "转人工")], [(1, {"intent": "handoff", "route": "handoff"})], NOW)
    assert summary["wants"] == {"intent": None, "said": "转人工", "seq": 1}


def test_where_somebody_is_reached_is_not_what_they_want() -> None:
    said = [contact(1, "the zip is broken"), contact(2, "nora@example.com"), contact(3, "+44 7700 900123")]
    summary = summary_of(conversation(), said, [], NOW)
    assert summary["wants"] == {"intent": None, "said": "the zip is broken", "seq": 1}


def test_a_second_handoff_keeps_the_reasons_before_it_and_what_was_looked_up() -> None:
    first = summary_of(conversation(), [contact(1, "急")], [], NOW, reason="angry")
    known = conversation(handoff_summary=first | {"record": {"order": {"number": "FD1"}}})
    again = summary_of(known, [contact(1, "急")], [], NOW, reason="requeued")
    assert again["reasons"] == ["angry", "requeued"]
    assert again["record"] == {"order": {"number": "FD1"}}
    renewed = summary_of(replace(known, handoff_summary=again), [contact(1, "急")], [], NOW)
    assert (renewed["reason"], renewed["reasons"]) == ("requeued", ["angry", "requeued"])


def test_traces_in_an_unknown_form_are_passed_over() -> None:
    odd = [(1, {"route": 7, "actions": "none", "entities": [3, None], "slots_changed": [], "intent": None})]
    assert summary_of(conversation(), [], odd, NOW)["details"] == []  # type: ignore[arg-type]
