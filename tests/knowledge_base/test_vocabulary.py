"""What the stored words say about a question's words."""

from __future__ import annotations

import pytest

from knowledge_base.vocabulary import Vocabulary

REFUND, LONG, WARRANTY, MOON = 1, 2, 3, 4


def vocabulary() -> Vocabulary:
    return Vocabulary.of({10: frozenset({REFUND, LONG}), 11: frozenset({LONG}), 12: frozenset({WARRANTY, LONG})})


def test_a_word_of_few_entries_is_rarer_than_a_word_of_all() -> None:
    assert vocabulary().rarity(MOON) > vocabulary().rarity(REFUND) > vocabulary().rarity(LONG)


def test_rare_words_weigh_more_in_the_share_that_is_covered() -> None:
    known = vocabulary()
    assert known.covered([REFUND, LONG], [10]) == pytest.approx(1)
    assert known.covered([REFUND, LONG], [11]) < 0.5
    assert known.covered([REFUND, WARRANTY], [10, 12]) == pytest.approx(1)


def test_a_word_that_nothing_holds_is_unknown() -> None:
    assert vocabulary().unknown([REFUND, LONG]) == 0
    assert 0.5 < vocabulary().unknown([LONG, MOON]) < 1
    assert vocabulary().unknown([]) == 0


def test_a_vocabulary_without_an_entry_does_not_know_its_words() -> None:
    left = vocabulary().without({12})
    assert left.unknown([WARRANTY]) == 1
    assert left.unknown([REFUND]) == 0
    assert left == Vocabulary.of({10: frozenset({REFUND, LONG}), 11: frozenset({LONG})})


def test_an_empty_vocabulary_knows_nothing() -> None:
    assert Vocabulary().unknown([MOON]) == 1
    assert Vocabulary().covered([MOON], []) == 0
