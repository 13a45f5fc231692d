"""The shortcuts through Rasa decide as Rasa does, in whatever order a customer says things."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rasa.core.policies.rule_policy import RulePolicy
from rasa.shared.core.events import Restarted
from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity

from bot import action_calls
from bot.action_calls import ActionEndpoint
from bot.quick_rules import QuickRules
from bot.serve import find_model
from bot.tests.fake_actions import FakeActions
from bot.tracker_store import TurnStore
from bot.turn import Dialogue, Turn

SAID = [
    "/greet", "/joke", "/thanks", "/affirm", "/deny", "/stop", "/handoff", "/clarify", "/out_of_scope", "/order_status",
    "/cancel_order", "/open_ticket", "/ticket_status", "/update_contact", "/return_refund", "/ask_knowledge",
    '/ask_knowledge{"question": "warranty"}', '/inform{"order_number": "KT20261234"}', '/inform{"ticket_number": "TK100234"}',
    '/inform{"identity_proof": "2468"}', '/inform{"last4": "2468"}', "/inform",
    '/order_status{"order_number": "KT20261234"}',
]  # fmt: skip


class Bench:
    """The dialogue in this process, whose every decision and every kept conversation is compared with Rasa's own."""

    def __init__(self, model: Path, actions: FakeActions, database: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.store = TurnStore(host=f"sqlite:///{database}")
        self.dialogue = Dialogue(str(model), self.store, ActionEndpoint(actions.url, 10))
        self.compared = 0
        [policy] = [part for part in self.dialogue.graph_runner.components() if isinstance(part, QuickRules)]
        compared = self._compared

        class Compared(QuickRules):
            def _predict(self, tracker: DialogueStateTracker, domain: Any) -> tuple[Any, str | None]:
                return compared(self, tracker, domain)

        policy.__class__ = Compared

    def _compared(self, policy: RulePolicy, tracker: DialogueStateTracker, domain: Any) -> tuple[Any, str | None]:
        ours, source = QuickRules._predict(policy, tracker, domain)
        theirs = copy(policy)
        theirs.__class__ = RulePolicy
        expected, expected_source = theirs._predict(tracker, domain)
        assert (ours.probabilities, ours.events) == (expected.probabilities, expected.events)
        assert (ours.hide_rule_turn, ours.is_no_user_prediction) == (
            expected.hide_rule_turn,
            expected.is_no_user_prediction,
        )
        if max(expected.probabilities) == 1:
            assert source == expected_source
        self.compared += 1
        return ours, source

    def say(self, conversation_id: str, payload: str) -> dict[str, Any]:
        turn = Turn(uuid.uuid4().hex, conversation_id, "", payload, {"language_hint": "en"})
        answer: dict[str, Any] = self.loop.run_until_complete(self.dialogue.respond(turn))
        self.compare_kept(conversation_id)
        return answer

    def compare_kept(self, conversation_id: str) -> None:
        """What is kept in memory is what would be read from the database."""
        _, kept = self.store._kept[conversation_id]
        read = self.store.load(conversation_id, self.dialogue.domain)
        assert kept.current_slot_values() == read.current_slot_values()
        ours, theirs = kept.current_state(EventVerbosity.APPLIED), read.current_state(EventVerbosity.APPLIED)
        assert ours.keys() == theirs.keys()
        assert {name: value for name, value in ours.items() if name != "latest_event_time"} == {
            name: value for name, value in theirs.items() if name != "latest_event_time"
        }
        assert kept.active_loop == read.active_loop


@pytest.fixture(scope="module")
def bench(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    action_calls.install()
    actions = FakeActions()
    actions.known_answers = {"warranty": "The warranty is 12 months."}
    bench = Bench(find_model(model_dir), actions, tmp_path_factory.mktemp("quick") / "bot.db")
    yield bench
    bench.loop.run_until_complete(bench.dialogue.action_endpoint.close())
    actions.shutdown()


@settings(max_examples=40, deadline=None)
@given(said=st.lists(st.sampled_from(SAID), min_size=1, max_size=9))
def test_every_decision_is_the_one_rasa_would_make(bench: Bench, said: list[str]) -> None:
    conversation_id, before = uuid.uuid4().hex, bench.compared
    for payload in said:
        bench.say(conversation_id, payload)
    assert bench.compared > before


def test_a_task_with_interruptions_is_decided_alike_to_its_end(bench: Bench) -> None:
    conversation_id = uuid.uuid4().hex
    for payload in (
        "/cancel_order",
        '/inform{"order_number": "KT20261234"}',
        "/ask_knowledge",
        '/inform{"last4": "2468"}',
    ):
        bench.say(conversation_id, payload)
    assert bench.say(conversation_id, "/affirm")["trace"]["actions"][-1] == "action_cancel_order"


def test_a_decision_names_its_rules_and_a_form_that_goes_on_asking_needs_none(bench: Bench) -> None:
    conversation_id = uuid.uuid4().hex
    assert bench.say(conversation_id, "/joke")["trace"]["rules"] == ["Joke"]
    assert bench.say(conversation_id, "/order_status")["trace"]["rules"] == ["Start order_status"]
    assert bench.say(conversation_id, "/greet")["trace"]["rules"] == ["Greet"]
    assert bench.say(conversation_id, '/inform{"order_number": "KT20261234"}')["trace"]["rules"] == []


def test_events_that_change_the_past_are_left_to_rasa(bench: Bench) -> None:
    conversation_id = uuid.uuid4().hex
    bench.say(conversation_id, "/greet")
    tracker = bench.store.load(conversation_id, bench.dialogue.domain)
    tracker.update(Restarted(), bench.dialogue.domain)
    bench.say(conversation_id, "/joke")
    bench.dialogue._predict_next_with_tracker(tracker)


def test_what_another_process_added_is_read_again(bench: Bench) -> None:
    conversation_id = uuid.uuid4().hex
    bench.say(conversation_id, "/greet")
    _, kept = bench.store._kept[conversation_id]
    other = TurnStore(bench.dialogue.domain, host=str(bench.store._engine.url))
    opened = other.open_turn(conversation_id, uuid.uuid4().hex).tracker
    assert opened is not None
    bench.dialogue.tracker_store, mine = other, bench.store
    try:
        bench.loop.run_until_complete(
            bench.dialogue.respond(Turn(uuid.uuid4().hex, conversation_id, "", "/order_status", {}))
        )
    finally:
        bench.dialogue.tracker_store = mine
    again = bench.store.open_turn(conversation_id, uuid.uuid4().hex).tracker
    assert again is not None
    assert again is not kept
    assert again.active_loop_name == "order_status_form"
