"""A phone, e-mail or id that another system vouches for leads to exactly one customer or to nobody."""

from __future__ import annotations

from typing import Any, cast

import pytest

from crm.model import Customer, utc_now
from crm.port import Crm
from crm.store import SqlCrm
from crm.vouching import Vouching
from tests.crm.builders import EMMA, EMMA_EMAIL, LI, LI_PHONE

ALL = ("site_id", "site_email", "site_phone", "channel_phone", "channel_email")


def customer(id: str, phone: str | None = None, email: str | None = None) -> Customer:
    return Customer(id, "Ann", phone, email, "en", "GB", "standard", 0, utc_now())


class Shop:
    """Customers that are found by part of what they have, as a search finds them."""

    def __init__(self, *customers: Customer) -> None:
        self.customers = customers

    async def find_customer(self, customer_id: str) -> Customer | None:
        return next((one for one in self.customers if one.id == customer_id), None)

    async def search_customers(self, text: str, limit: int = 20) -> list[Customer]:
        hay = [(one, f"{one.phone} {one.email}".lower()) for one in self.customers]
        return [one for one, words in hay if text.lower() in words][:limit]


def vouching(*customers: Customer, accepted: tuple[str, ...] = ALL) -> Vouching:
    return Vouching(cast(Crm, Shop(*customers)), accepted)


@pytest.mark.parametrize("written", [LI_PHONE, f"+86{LI_PHONE}", f"0086 {LI_PHONE[:3]} {LI_PHONE[3:7]} {LI_PHONE[7:]}"])
async def test_a_phone_is_the_same_in_every_normal_form(crm: SqlCrm, written: str) -> None:
    assert await Vouching(crm, ALL).of_point(written) == LI


async def test_an_email_is_the_same_in_capitals(crm: SqlCrm) -> None:
    assert await Vouching(crm, ALL).of_point(EMMA_EMAIL.upper()) == EMMA


@pytest.mark.parametrize(
    "spelt",
    [
        "аnn@example.com",  # the first letter is Cyrillic
        "ａnn@example.com",  # full width, which Unicode's compatibility forms make Latin
        "ann@exampIe.com",
        " ann@example.com",
        "ann@example.com ",
        "ann@example.com\u200b",
        "ann@example.com.",
        "xann@example.com",
        "ann@example.co",
        "ann@@example.com",
        "a%@example.com",
        "Ann <ann@example.com>",
        "",
        "@",
    ],
)
async def test_what_only_looks_like_somebodys_email_is_nobodys(spelt: str) -> None:
    asked = vouching(customer("C1", email="ann@example.com"))
    assert await asked.of_point(spelt or "@") is None
    assert await asked.of_site_user("u", spelt, None) is None


@pytest.mark.parametrize(
    "spelt", ["１３８００１３２４６８", "1380013246", "138001324680", "+113800132468", "x13800132468"]
)
async def test_what_only_looks_like_somebodys_phone_is_nobodys(spelt: str) -> None:
    assert await vouching(customer("C1", phone="13800132468")).of_point(spelt) is None


async def test_two_customers_with_one_phone_or_email_are_nobody() -> None:
    asked = vouching(
        customer("C1", "13800132468", "home@example.com"), customer("C2", "+8613800132468", "HOME@example.com")
    )
    assert await asked.of_point("+8613800132468") is None
    assert await asked.of_point("home@example.com") is None
    assert await asked.of_site_user("u", "home@example.com", None) is None


async def test_fields_of_a_site_that_lead_to_different_customers_prove_neither() -> None:
    asked = vouching(customer("C1", email="ann@example.com"), customer("C2", phone="+447700900123"))
    assert await asked.of_site_user("u", "ann@example.com", "+447700900123") is None
    assert await asked.of_site_user("C2", "ann@example.com", None) is None
    assert await asked.of_site_user("C1", "ann@example.com", None) == "C1"
    assert await asked.of_site_user("u", "ann@example.com", "+447700900999") == "C1"


async def test_only_whose_word_is_accepted_counts() -> None:
    one = customer("C1", "+447700900123", "ann@example.com")
    for accepted, answers in {
        (): (None, None, None),
        ("none",): (None, None, None),
        ("channel_phone",): ("C1", None, None),
        ("channel_email",): (None, "C1", None),
        ("site_email",): (None, None, "C1"),
    }.items():
        asked = vouching(one, accepted=accepted)
        found: list[Any] = [await asked.of_point(point) for point in ("+447700900123", "ann@example.com")]
        assert (*found, await asked.of_site_user("C1", "ann@example.com", None)) == answers


async def test_a_search_that_finds_too_many_says_nothing() -> None:
    crowd = [customer(f"C{n}", email=f"x{n}ann@example.com") for n in range(30)]
    assert await vouching(customer("C99", email="ann@example.com"), *crowd).of_point("ann@example.com") is None
