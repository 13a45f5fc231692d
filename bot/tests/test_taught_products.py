"""Product names that trainers taught since the training reach the turn as entities."""

from __future__ import annotations

from typing import Any

import pytest

from bot.turn import with_taught_products


def product(value: str, start: int, end: int) -> dict[str, Any]:
    return {"entity": "product", "value": value, "start": start, "end": end}


def names(entities: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    return [(one["value"], one["start"], one["end"]) for one in entities if one["entity"] == "product"]


def test_a_taught_name_becomes_a_product() -> None:
    taught = [{"product": "Sprout V1", "start": 3, "end": 9}]
    assert names(with_taught_products([], "my hoover is loud", taught)) == [("Sprout V1", 3, 9)]


def test_the_longer_of_two_names_that_overlap_stays() -> None:
    text = "the Aria Max please"
    found = [product("Aria 5", 4, 8)]
    longer = [{"product": "Aria 5 Pro", "start": 4, "end": 12}]
    assert names(with_taught_products(found, text, longer)) == [("Aria 5 Pro", 4, 12)]
    assert names(
        with_taught_products([product("Aria 5 Pro", 4, 12)], text, [{"product": "X", "start": 4, "end": 8}])
    ) == [("Aria 5 Pro", 4, 12)]


def test_other_entities_stay_and_the_order_is_that_of_the_text() -> None:
    email = {"entity": "email", "value": "a@b.example", "start": 10, "end": 21}
    taught = [{"product": "Folio 7", "start": 0, "end": 6}]
    found = with_taught_products([email], "reader to a@b.example", taught)
    assert [one["entity"] for one in found] == ["product", "email"]


def test_what_was_taken_off_the_beginning_moves_the_places() -> None:
    taught = [{"product": "Sprout V1", "start": 5, "end": 11}]
    assert names(with_taught_products([], "my hoover", taught, "  my hoover")) == [("Sprout V1", 3, 9)]


def test_a_part_of_a_message_has_the_names_that_stand_in_it() -> None:
    message = "Where is my order? And my hoover is loud, is the Hoover under warranty?"
    taught = [{"product": "Sprout V1", "start": 26, "end": 32}, {"product": "Sprout V1", "start": 49, "end": 55}]
    assert names(with_taught_products([], "Where is my order?", taught, message)) == []
    assert names(with_taught_products([], "is the Hoover under warranty?", taught, message)) == [("Sprout V1", 7, 13)]
    assert len(names(with_taught_products([], message, taught, message))) == 2


def test_a_name_is_found_where_its_spelling_was_set_right() -> None:
    taught = [{"product": "Nimbus Air", "start": 2, "end": 5}]
    assert names(with_taught_products([], "小云雀坏了", taught, "我的小雲雀壞了")) == [("Nimbus Air", 0, 3)]


@pytest.mark.parametrize("taught", [
    None, "x", [1], [{}], [{"product": "A", "start": 0, "end": 99}], [{"product": "A", "start": -1, "end": 2}],
    [{"product": None, "start": 0, "end": 1}], [{"product": "A", "start": "0", "end": 1}],
])  # fmt: skip
def test_names_that_do_not_fit_the_text_are_ignored(taught: Any) -> None:
    assert with_taught_products([], "hoover", taught) == []
