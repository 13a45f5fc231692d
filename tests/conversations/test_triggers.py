"""The rules of handing off: every reason can be reached, a rule that is off never fires, nothing hands off twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.model import HandoffReason
from conversations.triggers import RULED, BadRules, Decision, Deviation, Rule, Rules, TurnSeen, decide

CALM = TurnSeen("how long is the warranty", "Two years.", "knowledge", "ask_knowledge", 0.9, anger=0.01, value=0.0)


def decided(turn: TurnSeen, *earlier: TurnSeen, tier: str = "standard", rules: Rules | None = None, **place: Any) -> Decision | None:  # fmt: skip
    had = frozenset(one.handed_off for one in earlier if one.handed_off)
    return decide(turn, earlier, had, tier, place.get("language", "en"), place.get("channel", "web"), rules or Rules())


def why(*arguments: Any, **more: Any) -> str | None:
    found = decided(*arguments, **more)
    return found.reason.value if found else None


def unsure(text: str) -> TurnSeen:
    return TurnSeen(text, f"Did you mean something like {text}?", "clarify", "out_of_scope", 0.2)


def test_an_ordinary_question_stays_with_the_bot() -> None:
    assert decided(CALM) is None


def test_an_angry_message_hands_off_at_once() -> None:
    found = decided(replace(CALM, anger=0.91))
    assert found == Decision(HandoffReason.ANGRY, {"anger": 0.91, "messages": 1})


def test_the_second_failure_of_a_task_hands_off() -> None:
    failed = TurnSeen("cancel it", "That did not go through.", "task", "cancel_order", 0.9, failed=True)
    assert why(failed) is None
    assert why(failed, failed) == "action_failed"


def test_two_misses_in_a_row_hand_off_and_small_talk_between_them_does_not_help() -> None:
    missed = TurnSeen(
        "do you sell boats", "Could you put it another way?", "clarify", "ask_knowledge", 0.8, missed=True
    )
    other = replace(missed, text="a yacht then", said="I still have nothing on that.")
    smalltalk = TurnSeen("hello", "Hello!", "smalltalk", "greet", 0.99)
    assert why(missed) is None
    assert why(other, missed) == "two_misses"
    assert why(other, missed, smalltalk) == "two_misses"
    assert why(other, missed, CALM) is None


def test_a_contact_who_repeats_the_same_request_is_in_a_loop() -> None:
    asked = TurnSeen("Where is my parcel?", "It is on its way.", "task", "order_status", 0.9)
    again = replace(asked, text="where is my parcel", said="Still on its way.")
    third = replace(asked, text="WHERE IS MY PARCEL!!", said="On its way, as I said.")
    assert why(again, asked) is None
    assert decided(third, asked, again) == Decision(HandoffReason.LOOP, {"by": "contact", "times": 3})


def test_a_bot_that_says_the_same_three_times_is_in_a_loop_and_short_answers_are_not() -> None:
    asks = TurnSeen("hm", "What is your order number?", "task", "inform", 0.9)
    last = replace(asks, text="no idea")
    assert decided(last, asks, replace(asks, text="the blue one")) == Decision(HandoffReason.LOOP, {"by": "bot", "times": 3})  # fmt: skip
    yes = [TurnSeen("yes please", f"Question {number}?", "task", "affirm", 0.9) for number in range(4)]
    assert why(yes[-1], *yes[:-1]) is None


def test_being_unsure_twice_in_a_row_hands_off() -> None:
    assert why(unsure("flurb")) is None
    assert decided(unsure("my flurb"), unsure("flarb gone")) == Decision(HandoffReason.LOW_CONFIDENCE, {"turns": 2, "confidence": 0.2})  # fmt: skip


def test_a_vip_goes_to_people_at_the_first_trouble_or_at_once() -> None:
    at_once = replace(Rules(), vip=replace(Rules().vip, at_once=True))
    assert why(CALM, tier="vip") is None
    assert why(replace(CALM, value=-0.8), tier="vip") == "vip"
    assert why(CALM, tier="vip", rules=at_once) == "vip"
    assert why(CALM, tier="silver", rules=at_once) is None


def test_a_vip_who_went_back_to_the_bot_is_left_there() -> None:
    at_once = replace(Rules(), vip=replace(Rules().vip, at_once=True))
    assert why(CALM, replace(CALM, handed_off="vip"), tier="vip", rules=at_once) is None


def test_a_rule_can_differ_by_language_and_channel_and_the_one_that_names_most_counts() -> None:
    rule = Rule(
        threshold=0.6,
        exceptions=(
            Deviation(language="zh", threshold=0.8),
            Deviation(channel="rest", enabled=False),
            Deviation(language="zh", channel="rest", enabled=True, threshold=0.3),
        ),
    )
    rules = replace(Rules(), angry=rule)
    upset = replace(CALM, anger=0.7)
    assert why(upset, rules=rules) == "angry"
    assert why(upset, rules=rules, language="zh") is None
    assert why(upset, rules=rules, channel="rest") is None
    assert why(upset, rules=rules, channel="rest", language="zh") == "angry"


texts = st.sampled_from(
    ["", "where is it", "Where is it?", "yes", "转人工", "我的快递呢", "我的快递呢？", "another thing"]
)
turns = st.builds(
    TurnSeen,
    text=texts,
    said=st.sampled_from(["", "one", "two"]),
    route=st.sampled_from(["task", "knowledge", "clarify", "smalltalk", "handoff", "file", "odd"]),
    intent=st.sampled_from(["order_status", "affirm", "ask_knowledge", ""]),
    confidence=st.none() | st.floats(0, 1),
    missed=st.booleans(),
    failed=st.booleans(),
    anger=st.none() | st.floats(0, 1),
    value=st.none() | st.floats(-1, 1),
)
rules = st.builds(
    Rules,
    **{
        reason.value: st.builds(
            Rule,
            enabled=st.booleans(),
            threshold=st.floats(0.05, 0.95),
            count=st.integers(2, 4) if reason is HandoffReason.LOOP else st.integers(1, 4),
            tiers=st.just(("vip",)),
            at_once=st.booleans(),
        )
        for reason in RULED
    },
)


@given(turns, st.lists(turns, max_size=14), st.sampled_from([None, "vip", "gold"]), rules)
def test_a_rule_that_is_off_never_fires(turn: TurnSeen, earlier: list[TurnSeen], tier: str, rules: Rules) -> None:
    found = decide(turn, earlier, frozenset(), tier, "en", "web", rules)
    assert found is None or rules.of(found.reason).enabled


@given(st.lists(turns, min_size=1, max_size=14), st.sampled_from([None, "vip"]), rules)
def test_the_same_evidence_never_hands_off_twice(before: list[TurnSeen], tier: str, rules: Rules) -> None:
    """After a handoff, a turn with nothing wrong in it stays with the bot, whatever happened before."""
    told = [*before[:-1], replace(before[-1], handed_off="loop")]
    fine = TurnSeen("something quite new", "a fresh answer", "knowledge", "ask_knowledge", 0.99, anger=0.0, value=0.2)
    found = decide(fine, told, frozenset({"loop", "vip"}), tier, "en", "web", rules)
    assert found is None


@given(st.lists(turns, min_size=1, max_size=30), st.sampled_from([None, "vip"]), rules)
def test_a_conversation_that_always_returns_to_the_bot_is_handed_off_by_vip_once(
    said: list[TurnSeen], tier: str, rules: Rules
) -> None:
    earlier: list[TurnSeen] = []
    had: list[str] = []
    for turn in said:
        found = decide(turn, earlier, frozenset(had), tier, "en", "web", rules)
        if found is not None:
            had.append(found.reason.value)
        earlier.append(replace(turn, handed_off=found.reason.value if found else None))
    assert had.count("vip") <= 1


@given(rules)
def test_rules_come_back_from_json_as_they_were(rules: Rules) -> None:
    assert Rules.from_json(rules.to_json()) == rules


@pytest.mark.parametrize(
    ("form", "reason", "told"),
    [
        ({"mood": {}}, "mood", "there is no rule called mood"),
        ({"angry": 3}, "angry", "must be an object"),
        ({"angry": {"threshold": 1.2}}, "angry", "from 0 to 1"),
        ({"angry": {"threshold": True}}, "angry", "from 0 to 1"),
        ({"angry": {"enabled": "yes"}}, "angry", "true or false"),
        ({"loop": {"count": 1}}, "loop", "from 2 to 10"),
        ({"vip": {"tiers": "gold"}}, "vip", "list of names"),
        ({"angry": {"exceptions": [{"threshold": 0.3}]}}, "angry", "needs a language or a channel"),
        ({"angry": {"exceptions": [{"language": "fr"}]}}, "angry", "zh or en"),
    ],
)
def test_bad_rules_say_what_to_correct(form: dict[str, Any], reason: str, told: str) -> None:
    with pytest.raises(BadRules, match=told) as problem:
        Rules.from_json(form)
    assert problem.value.reason == reason
