"""Which of several numbers in a message are meant; no model needed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bot.orders_meant import are_joined, different, only_meant

NAMES = {"A": "KT20260060", "B": "KT20260257"}


def written(text: str) -> str:
    return re.sub(r"(?<![A-Za-z])[AB](?![A-Za-z])", lambda found: NAMES[found.group()], text)


def numbers(text: str) -> list[dict[str, Any]]:
    return [
        {"entity": "order_number", "value": one.group(), "start": one.start(), "end": one.end()}
        for one in re.finditer(r"KT\d{8}", text)
    ]


@pytest.mark.parametrize("text", [
    "cancel A instead of B", "cancel A, not B", "cancel A but not B", "cancel order A, not order B", "cancel A rather than B", "I want A cancelled, don't cancel B",
    "cancel A and keep B", "cancel A, leave B alone", "not B, cancel A", "instead of B cancel A", "where is A? not B", "cancel A. B stays",
    "取消A，不是B", "取消A而不是B", "取消A，别取消B", "取消A，不要取消B", "不是B，是A", "取消A，B不要取消", "取消A，B别动", "取消A，B保留", "A取消，B先不取消", "不要取消B，取消A",
    "退A，不退B", "查A，不查B",
])  # fmt: skip
def test_an_order_that_is_named_to_be_left_out_is_not_meant(text: str) -> None:
    said = written(text)
    assert different(only_meant(said, numbers(said)), "order_number") == [NAMES["A"]]


@pytest.mark.parametrize("text", [
    "B, no sorry, A", "B, wait, A", "B - I mean A", "B, no, A", "B sorry that's wrong A", "where is B, correction: A", "sorry not B, I meant A", "B oops A",
    "B，哦不对，A", "B不对，是A", "B打错了，A", "B写错了，应该是A", "B，不好意思，A",
])  # fmt: skip
def test_an_order_that_is_corrected_is_not_meant(text: str) -> None:
    said = written(text)
    assert different(only_meant(said, numbers(said)), "order_number") == [NAMES["A"]]


@pytest.mark.parametrize("text", [
    "cancel A and B", "where are A and B?", "cancel order A and order no. B", "cancel A B", "A no. B", "cancel A; also cancel B",
    "取消A和B", "取消A、B", "A跟B到哪了", "取消A，还有B", "取消A，再取消B",
])  # fmt: skip
def test_orders_that_are_both_meant_stay_in_their_order(text: str) -> None:
    said = written(text)
    assert different(only_meant(said, numbers(said)), "order_number") == [NAMES["A"], NAMES["B"]]


def test_numbers_are_named_together_only_where_nothing_stands_between_them_but_an_and() -> None:
    for text, together in {"A and B": True, "A和B": True, "A、B": True, "A B": True, "A is late, B": False}.items():
        said = written(text)
        assert are_joined(said, numbers(said), "order_number") is together, text


def test_a_message_with_one_number_keeps_it_whatever_is_said_of_it() -> None:
    said = written("not A")
    assert only_meant(said, numbers(said)) == numbers(said)
