"""A small shop out of the demo data, a clock to turn, and a sender that keeps the codes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.demo import DemoShop, table_rows
from crm.store import SqlCrm

TODAY = date(2026, 3, 10)
CODE_KEY = b"0123456789abcdef0123456789abcdef"
LI, EMMA = "C0001", "C0002"
LI_PHONE, LI_LAST4 = "13800132468", "2468"
EMMA_EMAIL, EMMA_LAST4 = "emma.clarke@example.com", "0123"
LI_SHIPPED, LI_PAID, EMMA_SHIPPED, EMMA_DELIVERED, LI_DELIVERED = (f"KT2026000{n}" for n in range(1, 6))
EMMA_TICKET = "TK100001"
UNKNOWN = "KT20269999"


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def go_on(self, **delta: float) -> None:
        self.at += timedelta(**delta)


class KeptCodes:
    """A code sender for one kind of contact point or all, with everything it was given."""

    def __init__(self, only: str = "") -> None:
        self.only = only
        self.sent: list[tuple[str, str, str]] = []

    def can_send(self, contact_point: str) -> bool:
        return self.only in contact_point

    async def send(self, contact_point: str, code: str, language: str) -> None:
        self.sent.append((contact_point, code, language))

    @property
    def last(self) -> str:
        return self.sent[-1][1]

    def wrong(self) -> str:
        """Six digits that are not the last code."""
        return f"{(int(self.last) + 1) % 1_000_000:06d}"


@cache
def demo_shop() -> DemoShop:
    return DemoShop(TODAY)


@cache
def small_rows() -> list[tuple[Table, list[dict[str, Any]]]]:
    """The memorable customers with everything that belongs to them."""
    numbers = {order.number for order in demo_shop().orders[:5]}

    def belongs(row: dict[str, Any]) -> bool:
        if row.get("order_number") or row.get("placed_at"):
            return (row.get("order_number") or row["number"]) in numbers
        return row.get("id") in {LI, EMMA} or row.get("ticket_number", row.get("number")) == EMMA_TICKET

    return [(table, [row for row in rows if belongs(row)]) for table, rows in table_rows(demo_shop())]


async def build_crm(engine: AsyncEngine, sender: KeptCodes | None = None, clock: Clock | None = None) -> SqlCrm:
    """A CRM over ready tables with the small shop in it; the tables of SQLite come with it."""
    crm = SqlCrm(engine, sender or KeptCodes(), CODE_KEY, clock or Clock(demo_shop().now))
    if engine.dialect.name != "sqlite":
        await crm.clear()
        await load_small_shop(crm)
    return crm


async def load_small_shop(crm: SqlCrm) -> None:
    await crm.load(small_rows(), {"ticket": 100_200, "invoice": 20_260_500})


class Keys:
    """A new turn each time it is asked."""

    def __init__(self) -> None:
        self.turns = 0

    def new(self, action: str = "test") -> tuple[str, str]:
        self.turns += 1
        return (f"turn-{self.turns}", action)
