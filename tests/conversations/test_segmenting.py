"""What texts are found by, and where a search fits them; positions are always those of the original text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.segmenting import find, fold, parse, snippet, terms_of


def marked(asked: str, text: str) -> list[str]:
    found = find(parse(asked), text, fold(asked).text)
    return [text[start:end] for start, end in found.ranges]


@pytest.mark.parametrize(
    ("asked", "text", "marks"),
    [
        ("退", "我要退货", ["退"]),
        ("退货", "我要退货，退货运费谁出", ["退货", "退货"]),
        ("货运", "退货运费", ["货运"]),
        ("refunds", "My Refund was refunded", ["Refund", "refunded"]),
        ("ref", "a refund", ["ref"]),
        ("battery", "Batteries die", ["Batteries"]),
        ("cafe", "the Café is open", ["Café"]),
        ("ＫＴ20260001", "order kt20260001", ["kt20260001"]),
        ("20260001", "order KT20260001", ["20260001"]),
        ("13812345678", "call 138-1234-5678", ["138-1234-5678"]),
        ("耳机 broken", "the 耳机 is broken", ["耳机", "broken"]),
        ("①", "step 1", ["1"]),
        ("%", "100%", []),
    ],
)
def test_a_search_marks_what_was_asked_for(asked: str, text: str, marks: list[str]) -> None:
    assert marked(asked, text) == marks


def test_a_better_match_has_the_better_quality() -> None:
    def quality(text: str) -> float:
        return find(parse("late delivery"), text, "late delivery").quality

    assert quality("a late delivery") > quality("delivery was late") > quality("deliveries come later")


def test_a_snippet_shows_the_match_and_marks_it_by_code_points() -> None:
    text = "😀" + "前" * 80 + "退货" + "后" * 200
    found = find(parse("退货"), text, "退货")
    shown = snippet(text, found.ranges)
    assert shown.text.startswith("…")
    assert shown.text.endswith("…")
    assert [shown.text[start:end] for start, end in shown.marks] == ["退货"]


@given(st.text(), st.text(min_size=1, max_size=6))
def test_any_text_can_be_cut_and_any_search_answered(text: str, asked: str) -> None:
    terms = terms_of(text)
    assert not any(" " in term or "'" in term or '"' in term or "\\" in term for term in (*terms.placed, *terms.loose))
    found = find(parse(asked), text, fold(asked).text)
    assert all(0 <= start < end <= len(text) for start, end in found.ranges)
    shown = snippet(text, found.ranges)
    assert all(0 <= start < end <= len(shown.text) for start, end in shown.marks)
    assert len(shown.text) <= 142
