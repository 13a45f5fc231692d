"""Orders of the demo shop are sent off, once, and the desk is told."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.__main__ import main, ship
from crm.errors import AlreadyShipped, NotFound
from crm.model import OrderStatus
from crm.shipping_store import ship_order
from crm.store import SqlCrm
from tests.crm.builders import LI_PAID, LI_SHIPPED, UNKNOWN, Clock
from tests.doubles.vendor_server import Answer, Call, serving


async def test_a_paid_order_is_sent_off_once(crm: SqlCrm, engine: AsyncEngine, clock: Clock) -> None:
    carrier, tracking, expected = await ship_order(engine, LI_PAID, clock())
    order = await crm.find_order(LI_PAID)
    assert order is not None
    assert order.shipment is not None
    assert (order.status, order.shipment.carrier, order.shipment.tracking_number) == (
        OrderStatus.SHIPPED,
        carrier,
        tracking,
    )
    assert expected == (clock() + timedelta(days=3)).date().isoformat()
    assert len(order.shipment.events) == 1
    for number, error in ((LI_PAID, AlreadyShipped), (LI_SHIPPED, AlreadyShipped), (UNKNOWN, NotFound)):
        with pytest.raises(error):
            await ship_order(engine, number, clock())


async def test_the_desk_is_told_with_the_orders_own_key(crm: SqlCrm, engine: AsyncEngine) -> None:
    calls: list[Call] = []

    async def desk(call: Call) -> Answer:
        calls.append(call)
        return Answer({"id": "e-1"}, 202)

    async with serving(desk) as url:
        said = await ship(engine, LI_PAID, url, "key")
    [call] = calls
    assert (call.path, call.headers["authorization"]) == ("/api/v1/events", "Bearer key")
    assert call.json()["idempotency_key"] == f"shipped-{LI_PAID}"
    assert LI_PAID in said


def test_the_command_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("BOT_SECRET", "ACTION_SECRET", "SECRET_KEY"):
        monkeypatch.setenv(name, "s" * 32)
    monkeypatch.setenv("REST_API_KEYS", "key")
    database = ["--database-url", f"sqlite+aiosqlite:///{tmp_path}/shop.db"]
    monkeypatch.setattr(sys, "argv", ["crm", "ship", *database])
    with pytest.raises(SystemExit, match="Name the order"):
        main()
    monkeypatch.setattr(sys, "argv", ["crm", "demo-load", *database])
    main()
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", ["crm", "ship", "KT00000000", *database, "--service", "http://127.0.0.1:9"])
    with pytest.raises(SystemExit, match="no order KT00000000"):
        main()
