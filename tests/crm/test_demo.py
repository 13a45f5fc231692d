"""The demo shop: always the same, complete, consistent with the shop's rules, and loaded once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.__main__ import main
from crm.demo import DemoShop, load_demo, table_rows
from crm.model import OrderStatus, normal_email, normal_phone
from crm.store import SqlCrm
from tests.crm.builders import CODE_KEY, EMMA, EMMA_TICKET, LI, TODAY, Clock, KeptCodes, Keys, demo_shop

PARCEL_LENGTHS = {"SF": ("SF", 15), "JD": ("JD", 15), "YTO": ("YT", 15), "DHL": ("", 10)}


def test_equal_days_give_equal_shops() -> None:
    assert table_rows(DemoShop(TODAY)) == table_rows(demo_shop())


def test_another_day_moves_every_date_and_nothing_else() -> None:
    later = DemoShop(TODAY + timedelta(days=7))
    pairs = list(zip(demo_shop().orders, later.orders, strict=True))
    assert {b.placed_at - a.placed_at for a, b in pairs} == {timedelta(days=7)}
    assert [(a.number, a.status, a.total) for a, _ in pairs] == [(b.number, b.status, b.total) for _, b in pairs]


def test_there_are_200_customers_and_1000_orders_in_every_state() -> None:
    shop = demo_shop()
    assert (len(shop.customers), len(shop.orders)) == (200, 1000)
    assert {order.status for order in shop.orders} == set(OrderStatus)
    assert {customer.language for customer in shop.customers} == {"zh", "en"}
    assert len({order.number for order in shop.orders}) == 1000


def test_contact_points_are_in_the_form_in_which_they_are_looked_up() -> None:
    people = demo_shop().customers
    assert all(person.phone and normal_phone(person.phone) == person.phone for person in people)
    assert all(person.email is None or normal_email(person.email) == person.email for person in people)


def test_orders_add_up_and_parcels_have_a_past_but_no_future() -> None:
    shop = demo_shop()
    for order in shop.orders:
        assert order.total == sum(item.unit_price * item.quantity for item in order.items) + order.shipping_fee
        assert (order.delivered_at is not None) == (order.status in {OrderStatus.DELIVERED, OrderStatus.RETURNED})
        if order.shipment is None:
            assert order.shipped_at is None
            continue
        times = [event.at for event in order.shipment.events]
        assert times == sorted(times)
        assert times
        assert times[-1] <= shop.now
        prefix, length = PARCEL_LENGTHS[order.shipment.carrier]
        assert order.shipment.tracking_number.startswith(prefix)
        assert len(order.shipment.tracking_number) == length


def test_the_memorable_customers_are_as_documented() -> None:
    orders = {order.number: order for order in demo_shop().orders}
    li, emma = demo_shop().customers[:2]
    assert (li.name, li.phone, emma.name, emma.phone) == ("李婷", "13800132468", "Emma Clarke", "+447700900123")
    told = [
        ("KT20260001", LI, OrderStatus.SHIPPED, "Murmur Max"),
        ("KT20260002", LI, OrderStatus.PAID, "Glow Lamp"),
        ("KT20260003", EMMA, OrderStatus.SHIPPED, "Pebble Watch S2"),
        ("KT20260004", EMMA, OrderStatus.DELIVERED, "Slate 11"),
    ]
    for number, owner, status, product in told:
        order = orders[number]
        assert (order.customer_id, order.status, order.items[0].product) == (owner, status, product)
    first, third = orders["KT20260001"].shipment, orders["KT20260003"].shipment
    assert first
    assert third
    assert (first.carrier, third.carrier) == ("SF", "DHL")
    assert (demo_shop().tickets[0].number, demo_shop().tickets[0].customer_id) == (EMMA_TICKET, EMMA)


async def test_loading_twice_adds_nothing_and_keeps_changes(engine: AsyncEngine, keys: Keys) -> None:
    crm = SqlCrm(engine, KeptCodes(), CODE_KEY, Clock(demo_shop().now))
    await crm.clear()
    assert await load_demo(crm, TODAY) > 8000
    await crm.cancel_order(LI, "KT20260002", keys.new())
    assert await load_demo(crm, TODAY) == 0
    order = await crm.find_order("KT20260002")
    assert order
    assert order.status is OrderStatus.CANCELLED
    assert (await crm.open_ticket("hello there", "en", keys.new(), customer_id=EMMA)).number == "TK100201"


def test_the_command_loads_once_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'demo.db'}"
    monkeypatch.setattr("sys.argv", ["crm", "demo-load", "--database-url", url, "--today", TODAY.isoformat()])
    main()
    assert "new rows" in capsys.readouterr().out
    main()
    assert "already there" in capsys.readouterr().out


def test_the_command_explains_a_database_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql+asyncpg://postgres@127.0.0.1:1/none"
    monkeypatch.setattr("sys.argv", ["crm", "demo-load", "--database-url", url])
    with pytest.raises(SystemExit, match="DATABASE_URL"):
        main()


@pytest.fixture
def keys() -> Keys:
    return Keys()
