"""What the stored words say about a question's words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.vocabulary import Asked, Vocabulary

REFUND, LONG, WARRANTY, MOON = 90, 7, 4_000_000_000, 5


def vocabulary() -> Vocabulary:
    """Three entries: (refund, long), (long), (warranty, long)."""
    hashes = np.array([REFUND, LONG, WARRANTY], dtype=np.uint32)
    return Vocabulary(hashes, np.array([1, 3, 1], dtype=np.int64), 3)


def covered(asked: Asked, *held: int) -> float:
    return float(asked.shares(np.array([[word in held for word in range(len(asked.numbers))]]))[0])


def test_a_word_of_few_entries_is_rarer_than_a_word_of_all() -> None:
    moon, refund, long = vocabulary().asked([MOON, REFUND, LONG]).rarity
    assert moon > refund > long > 0


def test_rare_words_weigh_more_in_the_share_that_is_covered() -> None:
    asked = vocabulary().asked([REFUND, LONG])
    assert covered(asked, 0, 1) == pytest.approx(1)
    assert covered(asked, 1) < 0.5 < covered(asked, 0)
    assert covered(asked) == 0


def test_a_word_that_nothing_holds_is_unknown() -> None:
    assert vocabulary().asked([REFUND, LONG]).unknown == 0
    assert 0.5 < vocabulary().asked([LONG, MOON]).unknown < 1
    assert vocabulary().asked([]).unknown == 0


def test_a_vocabulary_without_an_entry_does_not_know_its_words() -> None:
    left = vocabulary().less(vocabulary().numbers(np.array([WARRANTY, LONG], dtype=np.uint32)), 1)
    assert left.asked([WARRANTY]).unknown == 1
    assert left.asked([REFUND]).unknown == 0
    assert (left.entries, left.counts.tolist()) == (2, [1, 2, 0])


def test_an_empty_vocabulary_knows_nothing() -> None:
    empty = Vocabulary(np.empty(0, dtype=np.uint32), np.empty(0, dtype=np.int64), 0)
    assert empty.asked([MOON]).unknown == 1
    assert covered(empty.asked([MOON])) == 0


@given(st.lists(st.integers(0, 2**32 - 1), unique=True, max_size=30), st.lists(st.integers(0, 2**32 - 1), max_size=10))
def test_every_stored_word_has_the_number_of_its_arrival(stored: list[int], others: list[int]) -> None:
    known = Vocabulary(np.array(stored, dtype=np.uint32), np.ones(len(stored), dtype=np.int64), 1)
    assert known.numbers(np.array(stored, dtype=np.uint32)).tolist() == list(range(len(stored)))
    expected = [stored.index(word) if word in stored else -1 for word in others]
    assert known.numbers(np.array(others, dtype=np.uint32)).tolist() == expected
