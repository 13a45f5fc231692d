"""What each turn shows about thresholds, from the traces of a conversation and what happened in it afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from conversations.episodes import Episode, Kind
from conversations.model import Rating
from learning.judging import Asked, Story
from learning.limit_cases import Band, Case, Done, cases_in, corrected, decided
from tests.learning.builders import trace
from tests.learning.limit_builders import AT


def asked(seq: int, *, pressed: bool = False, **traced: Any) -> Asked:
    at = AT + timedelta(minutes=seq)
    ranking = traced.pop("top", traced.get("intent", "order_status"))
    shown = trace(**traced) | {"ranking": [{"name": ranking, "confidence": 0.5}]}
    return Asked(f"m{seq}", seq, at, True, pressed, at, shown)


def story(*said: Asked, episodes: Sequence[Episode] = ()) -> Story:
    return Story("c1", "ann", "webchat", "en", said, episodes)


def one(*said: Asked, episodes: Sequence[Episode] = ()) -> Case:
    return cases_in(story(*said, episodes=episodes))[0]


def rated(score: int | None, solved: bool | None = None, kind: Kind = Kind.BOT) -> Episode:
    rating = Rating("c1", score, "", AT, solved=solved)
    return Episode("e1", "c1", 1, kind, AT, ended_at=AT + timedelta(hours=1), ended_by="resolved", rating=rating)


ASKED_BACK = {"route": "clarify", "intent": "clarify", "confidence": 0.4, "top": "order_status"}
SEARCHED = {
    "route": "knowledge", "intent": "out_of_scope", "confidence": 0.2, "top": "order_status",
    "retrieval": [{"passage_id": "p", "version": 1, "score": 0.7}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("traced", "band", "done"),
    [
        ({"confidence": 0.9}, Band.ACT, Done.ACTED),
        (ASKED_BACK, Band.CLARIFY, Done.CLARIFIED),
        (ASKED_BACK | {"route": "handoff", "missed": True}, Band.CLARIFY, Done.HANDED_OFF),
        (SEARCHED, Band.KNOWLEDGE, Done.ANSWERED),
        (SEARCHED | {"route": "clarify", "missed": True}, Band.KNOWLEDGE, Done.MISSED),
        (SEARCHED | {"route": "handoff", "missed": True}, Band.KNOWLEDGE, Done.HANDED_OFF),
    ],
)
def test_a_turn_tells_where_its_score_lay_and_what_was_done(traced: dict[str, Any], band: Band, done: Done) -> None:
    case = one(asked(1, **traced))
    assert (case.band, case.done, case.score) == (band, done, traced["confidence"])
    assert (case.answer_limit, case.clarify_limit, case.retrieval_limit) == (0.6, 0.3, 0.5)
    assert case.top == "order_status"


def test_a_question_goes_to_the_articles_at_any_score_so_only_their_gate_decides() -> None:
    case = one(asked(1, **SEARCHED | {"intent": "ask_knowledge", "top": "ask_knowledge"}))
    assert (case.score, case.band, case.retrieval) == (None, None, 0.7)


@pytest.mark.parametrize(
    "traced",
    [
        {"intent": "inform"},
        {"intent": "handoff", "route": "handoff", "confidence": 0.99},
        {"parts": [{"text": "a"}, {"text": "b"}]},
        {"replies_by": "service"},
        {"failed": True},
        {"intent": "order_status", "top": "stop"},
    ],
)
def test_where_no_threshold_had_a_say_there_is_no_case(traced: dict[str, Any]) -> None:
    assert cases_in(story(asked(1, **traced))) == []


def test_a_pressed_button_is_no_case_of_its_own() -> None:
    assert [case.message_id for case in cases_in(story(asked(1), asked(2, pressed=True)))] == ["m1"]


@pytest.mark.parametrize(
    ("then", "helped", "act_wrong"),
    [
        ({"pressed": True, "intent": "order_status"}, True, False),
        ({"pressed": True, "intent": "return_refund"}, True, True),
        ({"pressed": True, "intent": "ask_knowledge", "route": "knowledge"}, False, True),
        ({"intent": "handoff", "route": "handoff"}, False, None),
        ({"intent": "return_refund"}, True, True),
        ({"intent": "clarify", "route": "clarify"}, False, None),
        ({"intent": "insult", "route": "smalltalk"}, False, None),
        ({"intent": "greet", "route": "smalltalk"}, None, None),
    ],
)
def test_what_the_contact_chose_tells_what_was_meant(
    then: dict[str, Any], helped: bool | None, act_wrong: bool | None
) -> None:
    case = one(asked(1, **ASKED_BACK), asked(2, **then))
    assert (case.helped, case.act_wrong) == (helped, act_wrong)


@pytest.mark.parametrize(("intent", "evidence"), [("insult", "scolded"), ("handoff", "asked_person")])
def test_whoever_scolds_or_asks_for_a_person_was_answered_wrongly(intent: str, evidence: str) -> None:
    acted = one(asked(1), asked(2, intent=intent, route="smalltalk"))
    quoted = one(asked(1, **SEARCHED), asked(2, intent=intent, route="smalltalk"))
    assert (acted.act_wrong, acted.evidence) == (True, evidence)
    assert (quoted.answer_wrong, quoted.act_wrong, quoted.evidence) == (True, None, evidence)


def test_a_good_rating_speaks_for_every_answer_of_its_part() -> None:
    first, second, third = cases_in(story(asked(1), asked(2, **SEARCHED), asked(3, **ASKED_BACK), episodes=[rated(5)]))
    assert (first.act_wrong, second.answer_wrong, third.act_wrong) == (False, False, None)


def test_a_bad_rating_speaks_against_the_last_answer_only() -> None:
    first, second = cases_in(story(asked(1), asked(2), episodes=[rated(1)]))
    assert (first.act_wrong, second.act_wrong) == (None, True)
    unsolved = one(asked(1), episodes=[rated(None, solved=False)])
    assert (unsolved.act_wrong, unsolved.evidence) == (True, "rating")


def test_three_stars_and_the_rating_of_people_say_nothing_about_the_bot() -> None:
    assert one(asked(1), episodes=[rated(3)]).act_wrong is None
    assert one(asked(1), episodes=[rated(1, kind=Kind.HUMAN)]).act_wrong is None


def test_the_next_part_of_the_conversation_does_not_speak_about_this_one() -> None:
    bot = Episode("e1", "c1", 1, Kind.BOT, AT, ended_at=AT + timedelta(minutes=1, seconds=30), ended_by="handoff")
    again = Episode("e2", "c1", 2, Kind.BOT, AT + timedelta(minutes=1, seconds=40))
    assert one(asked(1), asked(2, intent="insult", route="smalltalk"), episodes=[bot, again]).act_wrong is None


def test_what_a_trainer_decided_outweighs_what_the_log_shows() -> None:
    case = one(asked(1), episodes=[rated(5)])
    assert decided(case, "assign", "order_status").act_wrong is False
    assert decided(case, "assign", "return_refund").act_wrong is True
    assert decided(case, "gap", None).act_wrong is True
    assert decided(case, "done", None) == case
    quoted = one(asked(1, **SEARCHED), episodes=[rated(5)])
    assert decided(quoted, "assign", "order_status").answer_wrong is True
    assert decided(quoted, "assign", "order_status").act_wrong is False


def test_an_answer_that_an_agent_turned_down_was_wrong() -> None:
    assert corrected(one(asked(1), episodes=[rated(5)])).act_wrong is True
    assert corrected(one(asked(1, **ASKED_BACK))).act_wrong is None
