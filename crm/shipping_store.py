"""Ships an order of the demo shop, as a warehouse would: a parcel, its first scan, and the order's new status."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.errors import AlreadyShipped, NotFound
from crm.model import OrderStatus
from crm.tables import orders, shipment_events, shipments

_DAYS = 3
_READY = (OrderStatus.PAID.value, OrderStatus.PACKED.value)


async def ship_order(engine: AsyncEngine, number: str, now: datetime) -> tuple[str, str, str]:
    """Carrier, tracking number and expected day; raises ``NotFound``, or ``AlreadyShipped`` unless it is paid and still here."""
    async with engine.begin() as connection:
        row = (await connection.execute(select(orders).where(orders.c.number == number))).mappings().first()
        if row is None:
            raise NotFound(number)
        ready = (orders.c.number == number) & orders.c.status.in_(_READY)
        values = {"status": OrderStatus.SHIPPED.value, "shipped_at": now}
        if not (await connection.execute(update(orders).where(ready).values(**values))).rowcount:
            raise AlreadyShipped(number)
        carrier = "SF" if row["country"] == "CN" else "DHL"
        tracking, expected = f"{carrier}{number.removeprefix('KT')}", (now + timedelta(days=_DAYS)).date()
        parcel = {"order_number": number, "carrier": carrier, "tracking_number": tracking, "expected_on": expected}
        await connection.execute(insert(shipments).values(**parcel))
        scan = {
            "order_number": number,
            "position": 1,
            "at": now,
            "text_zh": "快件已揽收",
            "text_en": "Parcel picked up",
        }
        await connection.execute(insert(shipment_events).values(**scan))
    return carrier, tracking, expected.isoformat()
