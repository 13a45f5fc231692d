"""What contacts write instead of pressing a star."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.rating_words import LONGEST, read_rating


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("5", 5), ("5分", 5), ("五分", 5), ("４", 4), ("3.", 3), ("5 stars", 5), ("五星好评", 5), ("4/5", 4),
        ("5 out of 5", 5), ("⭐⭐⭐⭐", 4), ("★★☆☆☆", 2), ("满意", 4), ("非常满意", 5), ("很满意", 5), ("不满意", 2),
        ("非常不满意", 1), ("一般", 3), ("差评", 1), ("good", 4), ("Very good!", 5), ("terrible", 1), ("not good", 2),
        ("5 很满意", 5), ("3 okay", 3), ("打5分", 5), ("我给4分", 4), ("I'd give 4", 4), ("rating: 2", 2), ("5，谢谢", 5),
    ],
)  # fmt: skip
def test_scores_are_read(text: str, score: int) -> None:
    reading = read_rating(text)
    assert reading is not None
    assert (reading.score, reading.solved) == (score, None)


@pytest.mark.parametrize(
    ("text", "score", "solved"),
    [
        ("5 解决了", 5, True), ("解决了，5分", 5, True), ("2 没解决", 2, False), ("没解决", None, False),
        ("solved", None, True), ("Not solved", None, False), ("4 stars but not solved", 4, False),
        ("It wasn't solved. 1", 1, False), ("解决了 谢谢", None, True), ("还没解决", None, False),
    ],
)  # fmt: skip
def test_whether_it_was_solved_is_read(text: str, score: int | None, solved: bool) -> None:
    reading = read_rating(text)
    assert reading is not None
    assert (reading.score, reading.solved) == (score, solved)


@pytest.mark.parametrize("text", ["不再询问", "不用再问", "别再问我了", "don't ask me again", "Don’t ask again!"])
def test_who_does_not_want_to_be_asked_says_so(text: str) -> None:
    reading = read_rating(text)
    assert reading is not None
    assert reading.never_again


def test_free_words_count_as_a_comment_only_after_an_unmistakable_score() -> None:
    reading = read_rating("5分，Lin 很耐心")
    assert reading is not None
    assert (reading.score, reading.comment) == (5, "Lin 很耐心")
    assert read_rating("5, the lamp is broken") is None
    assert read_rating("5分，还没到货吗？") is None


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "12", "0", "6", "3.5", "10/10", "5个", "2分钟", "15分", "十五分", "三天", "5 minutes", "5 件都没到", "5号",
        "谢谢", "好的", "ok", "okay", "hello", "good morning", "满意吗", "solved?", "5?", "5 4", "解决了 没解决", "5 bad",
        "good, and where is my parcel?", "KT20260001", "not bad at all", "转人工", "I want to talk to a person",
    ],
)  # fmt: skip
def test_everything_else_is_an_ordinary_message(text: str) -> None:
    assert read_rating(text) is None


@given(st.text(max_size=LONGEST * 2))
def test_any_text_is_read_or_left_alone(text: str) -> None:
    reading = read_rating(text)
    if reading is not None:
        assert reading.score in (None, 1, 2, 3, 4, 5)
        assert reading.nps is None or 0 <= reading.nps <= 10


@given(
    st.integers(1, 5),
    st.sampled_from(["", "分", " stars", "/5", "星"]),
    st.sampled_from(["", "!", "。", " ", "，谢谢"]),
)
def test_a_number_with_its_unit_is_always_that_score(score: int, unit: str, end: str) -> None:
    reading = read_rating(f"{score}{unit}{end}")
    assert reading is not None
    assert reading.score == score
    assert reading.exact


@given(st.integers(0, 10**6).filter(lambda number: not 1 <= number <= 5))
def test_a_number_that_is_no_score_is_never_one(number: int) -> None:
    assert read_rating(str(number)) is None


@given(st.integers(1, 5), st.text(st.characters(categories=["Ll", "Lo"]), min_size=6, max_size=30))
def test_a_number_before_other_words_is_never_a_score(score: int, words: str) -> None:
    reading = read_rating(f"{score}{words}")
    assert reading is None or reading.score == score
    assert read_rating(f"{score}件{words}") is None
