"""Sentences that cannot both hold are found; those that speak of different things, times or people are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from knowledge_base.articles import Article
from knowledge_base.contradicting import contradictions, said_in
from knowledge_base.encoder import UseEncoder, Vectors
from knowledge_base.evaluate_contradictions import measure, pairs_of
from tests.knowledge_base.builders import article

REFUND = article("refund", "Refunds", "Refunds arrive within 3 working days.")
SLOWER = article("slower", "More on refunds", "Refunds arrive within 7 working days.")


def alike(one: Article) -> Vectors:
    """Vectors by which every sentence is near to every other one."""
    return np.full((len(said_in(one)), 4), 0.5, np.float32)


def kinds(*articles: Article) -> list[str]:
    return [one.kind for one in contradictions(articles, alike)]


def test_another_number_of_the_same_thing_is_found_and_marked_where_it_stands() -> None:
    [found] = contradictions([REFUND, SLOWER], alike)
    assert found.kind == "number"
    marked = [
        side.text[mark.start : mark.end]
        for side, marks in zip((found.first, found.second), found.marks, strict=True)
        for mark in marks
    ]
    assert sorted(marked) == ["3 working days", "7 working days"]


def test_the_opposite_is_found() -> None:
    assert kinds(
        article("a", "A", "Opened earbuds can be returned."), article("b", "B", "Opened earbuds cannot be returned.")
    ) == ["opposite"]


def test_what_is_never_told_to_the_same_people_at_the_same_time_does_not_contradict() -> None:
    assert kinds(REFUND, replace(SLOWER, audience=("staff",))) == []
    assert kinds(REFUND, replace(SLOWER, replaced_by="refund")) == []
    may, june = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    assert kinds(replace(REFUND, valid_until=may), replace(SLOWER, valid_from=june)) == []


def test_a_pair_that_agrees_is_not_reported_again_wherever_its_sentences_stand() -> None:
    [found] = contradictions([REFUND, SLOWER], alike)
    moved = replace(SLOWER, id="elsewhere", title="Elsewhere")
    assert contradictions([REFUND, moved], alike, frozenset({found.pair})) == []


def test_the_two_languages_of_an_article_are_compared_by_their_numbers() -> None:
    chinese = article("refund", "退款", "退款 7 个工作日内到账。", "zh")
    assert kinds(REFUND, chinese) == ["number"]
    assert kinds(REFUND, replace(chinese, body="退款三个工作日内到账。")) == []
    assert kinds(REFUND, replace(chinese, id="other")) == []


@pytest.fixture(scope="module")
def use() -> UseEncoder:
    return UseEncoder()


@pytest.mark.parametrize(("part", "precision", "recall"), [("dev", 0.85, 0.88), ("test", 0.75, 0.8)])
def test_labelled_pairs_are_told_apart_about_as_well_as_the_docs_say(
    use: UseEncoder, part: str, precision: float, recall: float
) -> None:
    wrong: list[str] = []

    def encode(texts: Sequence[str]) -> Vectors:
        return use.passages(texts)

    measured = measure(part, encode, wrong.append)
    assert len(pairs_of(part)) >= 40
    assert measured["precision"] >= precision, wrong
    assert measured["recall"] >= recall, wrong
