"""The sample shop knows its customers by their digits, holds the same orders every day, and cannot be changed."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator

import pytest

from crm.port import Crm
from crm.read_only import ReadOnlyCrm, WouldWrite
from crm.sample_store import SampleShop
from tests.crm.builders import EMMA, EMMA_LAST4, EMMA_SHIPPED, EMMA_TICKET, LI, LI_LAST4, LI_PAID, UNKNOWN


@pytest.fixture
async def shop() -> AsyncIterator[SampleShop]:
    shop = SampleShop()
    yield shop
    await shop.close()


@pytest.mark.parametrize(
    ("reference", "digits", "customer"),
    [(LI_PAID, LI_LAST4, LI), (EMMA_SHIPPED, EMMA_LAST4, EMMA), (EMMA_TICKET, EMMA_LAST4, EMMA)],
)
async def test_the_right_digits_prove_who_one_is(shop: SampleShop, reference: str, digits: str, customer: str) -> None:
    for number in range(8):  # never locked
        assert await shop.verify_last4(reference, "9999", ("turn", str(number))) is None
    proof = await shop.verify_last4(reference, digits, ("turn", "last"))
    assert proof is not None
    assert proof.customer_id == customer


async def test_there_is_nobody_behind_a_number_that_there_is_not(shop: SampleShop) -> None:
    assert await shop.verify_last4(UNKNOWN, LI_LAST4, ("turn", "1")) is None
    assert await shop.find_order(UNKNOWN) is None


async def test_its_orders_can_be_read_and_not_changed(shop: SampleShop) -> None:
    order = await shop.find_order(LI_PAID)
    assert order is not None
    assert order.customer_id == LI
    with pytest.raises(WouldWrite) as would:
        await shop.cancel_order(LI, LI_PAID, ("turn", "cancel"))
    assert would.value.what == "cancel_order"
    assert await shop.find_order(LI_PAID) == order


def test_it_answers_whatever_a_shop_is_asked() -> None:
    own = {name for name, _ in inspect.getmembers(Crm, inspect.isfunction) if not name.startswith("_")}
    read = {name for name in own if "WouldWrite" not in inspect.getsource(getattr(ReadOnlyCrm, name))}
    assert read <= set(vars(SampleShop))
