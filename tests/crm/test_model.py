"""Numbers, phones and addresses as people type them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.model import find_number, normal_contact_point, normal_email, normal_phone
from crm.rules import invoice_title


@pytest.mark.parametrize(
    "text",
    [
        "KT20261234",
        "kt 2026 1234",
        "ＫＴ２０２６１２３４",
        "kt-20261234",
        "where is KT20261234?",
        "我的订单kt20261234到哪了",
        "k t 2026-1234",
    ],
)
def test_an_order_number_is_found_however_it_is_typed(text: str) -> None:
    assert find_number(text, "KT", 8) == "KT20261234"


@pytest.mark.parametrize("text", ["KT2026123", "KT202612345", "20261234", "TK202612", "", "LKT20261234"])
def test_other_numbers_are_no_order_numbers(text: str) -> None:
    assert find_number(text, "KT", 8) is None


@given(st.text(max_size=80))
def test_reading_numbers_never_fails(text: str) -> None:
    found = find_number(text, "KT", 8)
    assert found is None or (found.startswith("KT") and len(found) == 10)
    point = normal_contact_point(text)
    assert point is None or "@" in point or point.lstrip("+").isdigit()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("138 0013 2468", "13800132468"),
        ("+86-13800132468", "13800132468"),
        ("0086 13800132468", "13800132468"),
        ("+44 (7700) 900 123", "+447700900123"),
        ("12345", None),
        ("phone", None),
    ],
)
def test_phones_have_one_form(typed: str, kept: str | None) -> None:
    assert normal_phone(typed) == kept


@pytest.mark.parametrize(
    "bad", ["a@b", "a b@example.com", "@example.com", "a@example.com, b@example.com", "a@exa mple.com"]
)
def test_half_addresses_are_no_addresses(bad: str) -> None:
    assert normal_email(bad) is None


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("my mail is Emma@Example.com thanks", "emma@example.com"),
        ("打我手机13800132468吧", "13800132468"),
        ("call me", None),
    ],
)
def test_a_contact_point_is_found_inside_a_sentence(text: str, point: str | None) -> None:
    assert normal_contact_point(text) == point


def test_the_chat_reads_addresses_as_we_do() -> None:
    """The chat checks what its form is given against the same list (``widget/tests/details.test.ts``)."""
    shared = json.loads(Path(__file__).with_name("contact_points.json").read_text("utf-8"))
    assert [[text, normal_contact_point(text)] for text, _ in shared] == shared


@pytest.mark.parametrize(
    ("text", "title", "tax_number"),
    [
        ("Acme Ltd, VAT number GB123456789", "Acme Ltd", "GB123456789"),
        ("GB123456789 Acme Ltd", "Acme Ltd", "GB123456789"),
        ("杭州风和有限公司 91330100MA2ABCDE1X", "杭州风和有限公司", "91330100MA2ABCDE1X"),
    ],
)
def test_a_companys_title_and_tax_number_are_told_apart(text: str, title: str, tax_number: str) -> None:
    assert invoice_title("company", text) == (title, tax_number)
