"""Drafts are made of what agents said: what answers, in as few sentences as needed, and nothing of one customer."""

from __future__ import annotations

from learning.gap_drafting import Line, drafted_answers
from tests.learning.builders import encode


def drafted(*said: str, asked: str = "gift wrap order") -> dict[str, str]:
    lines = [Line(f"conversation-{number}", number, text) for number, text in enumerate(said)]
    found = drafted_answers(encode([asked])[0], lines, encode, lambda text: len(text) >= 8)
    return {language: draft.text for language, draft in found.items()}


def test_the_sentence_that_several_agents_said_is_taken_once() -> None:
    found = drafted("We gift wrap every order in the basket.", "We gift wrap every order in the basket too.")
    assert found["en"].count("gift wrap") == 1


def test_questions_back_and_one_customers_own_case_are_left_out() -> None:
    found = drafted(
        "Which order do you mean to gift wrap? I have gift wrapped the order. Let me gift wrap the order. We gift wrap any order."
    )
    assert found == {"en": "We gift wrap any order."}


def test_what_has_nothing_to_do_with_the_question_is_no_answer() -> None:
    assert drafted("The weather is lovely in Hangzhou today.") == {}
    assert drafted() == {}


def test_each_language_gets_its_own_draft() -> None:
    found = drafted("We gift wrap any order.", "订单都可以礼品包装，结算时勾选。")
    assert found["en"] == "We gift wrap any order."
    assert found["zh"].startswith("订单都可以")


def test_a_draft_names_the_conversations_of_each_sentence() -> None:
    lines = [Line("one", 1, "We gift wrap any order."), Line("two", 1, "We gift wrap any order.")]
    found = drafted_answers(encode(["gift wrap order"])[0], lines, encode, lambda _text: True)
    [source] = found["en"].sources
    assert source.conversation_ids == ("one", "two")
