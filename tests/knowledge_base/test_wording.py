"""Scripts, languages and words of questions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_base.wording import fold, language_of, plain, words_of


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("退貨運費誰付", "退货运费谁付"),
        ("Ａｒｉａ　５", "Aria 5"),
        ("  two \n words ", "two words"),
        ("plain", "plain"),
    ],
)
def test_texts_are_folded_to_one_form(written: str, folded: str) -> None:
    assert fold(written) == folded


@settings(deadline=None)
@given(st.text(alphabet=st.characters(), max_size=50))
def test_folding_never_fails_and_gives_text_that_can_be_encoded(text: str) -> None:
    fold(text).encode("utf-8")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("退款要多久", "zh"),
        ("Aria 5 Pro 多少钱", "zh"),
        ("How much is the 咏叹 5 in the shop?", "en"),
        ("refund?", "en"),
        ("12345", "en"),
        ("", "en"),
    ],
)
def test_the_language_is_the_one_that_carries_the_text(text: str, language: str) -> None:
    assert language_of(text) == language


def test_words_are_segmented_and_lower_case_in_one_script() -> None:
    assert words_of("藍牙耳機 Aria!") == ["蓝牙", "耳机", "aria"]


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("**Bold** and `code` and [a link](https://x.example)", "Bold and code and a link (https://x.example)"),
        ("1. first\n2. *second*", "1. first\n2. second"),
        ("2 * 3 * 4 = 24", "2 * 3 * 4 = 24"),
        ("## Heading\n> quoted", "Heading\nquoted"),
        ("snake_case_name __strong__", "snake_case_name strong"),
    ],
)
def test_plain_text_has_no_inline_marks(markdown: str, text: str) -> None:
    assert plain(markdown) == text


@settings(deadline=None)
@given(st.text(alphabet="退貨運費誰付么麼什怎瞭解覆回著作乾坤一目然了的A ", max_size=12))
def test_texts_that_look_simplified_are_folded_as_if_they_had_been_converted(text: str) -> None:
    from opencc import OpenCC

    assert fold(text) == OpenCC("t2s").convert(" ".join(text.split()))
