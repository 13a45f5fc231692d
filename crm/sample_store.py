"""A shop to try things out in: the demo shop's customers and orders in memory, whatever the real shop holds.

Trainers try out tasks to their end here without anybody's data, and a saved test finds the same orders every day.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import date

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from crm.demo import load_demo
from crm.model import Customer, Invoice, Order, Proof, ReturnReason, ReturnTerms, Ticket, WriteKey, utc_now
from crm.read_only import ReadOnlyCrm
from crm.store import SqlCrm, create_tables


class _NoSender:
    def can_send(self, contact_point: str) -> bool:
        return False

    async def send(self, contact_point: str, code: str, language: str) -> None:
        raise NotImplementedError("nothing is sent from the sample shop")


class SampleShop(ReadOnlyCrm):
    """The demo shop of the day, read only; made when it is first asked. Guessing digits is neither counted nor locked."""

    def __init__(self) -> None:
        self._sample: SqlCrm | None = None
        self._day: date | None = None
        self._engine: AsyncEngine | None = None
        self._making = asyncio.Lock()

    async def close(self) -> None:
        """Forget the shop."""
        if self._engine is not None:
            await self._engine.dispose()
            self._engine, self._sample = None, None

    async def _shop(self) -> SqlCrm:
        async with self._making:
            day = utc_now().date()
            if self._sample is None or self._day != day:
                await self.close()
                engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
                await create_tables(engine)
                sample = SqlCrm(engine, _NoSender(), secrets.token_bytes(32))
                await load_demo(sample, day)
                self._sample, self._day, self._engine = sample, day, engine
            return self._sample

    async def find_customer(self, customer_id: str) -> Customer | None:
        """The customer with that id."""
        return await (await self._shop()).find_customer(customer_id)

    async def search_customers(self, text: str, limit: int = 20) -> list[Customer]:
        """Customers that fit."""
        return await (await self._shop()).search_customers(text, limit)

    async def find_order(self, number: str) -> Order | None:
        """The order with that number."""
        return await (await self._shop()).find_order(number)

    async def orders_of(self, customer_id: str, limit: int = 5) -> list[Order]:
        """A customer's latest orders."""
        return await (await self._shop()).orders_of(customer_id, limit)

    async def find_ticket(self, number: str) -> Ticket | None:
        """The ticket with that number."""
        return await (await self._shop()).find_ticket(number)

    async def tickets_of(self, customer_id: str) -> list[Ticket]:
        """A customer's tickets."""
        return await (await self._shop()).tickets_of(customer_id)

    async def find_invoice(self, order_number: str) -> Invoice | None:
        """The invoice of an order."""
        return await (await self._shop()).find_invoice(order_number)

    async def code_pending(self, reference: str) -> bool:
        """Never: no code is sent from here."""
        return False

    async def quote_return(self, customer_id: str, order_number: str, line: int, reason: ReturnReason) -> ReturnTerms:
        """What a return would mean today."""
        return await (await self._shop()).quote_return(customer_id, order_number, line, reason)

    async def verify_last4(self, reference: str, last4: str, key: WriteKey) -> Proof | None:  # type: ignore[override]  # no write here
        """Who stands behind an order or ticket: everybody's digits are known here, so nothing is protected by counting."""
        shop = await self._shop()
        order = await shop.find_order(reference)
        ticket = None if order is not None else await shop.find_ticket(reference)
        customer_id = (
            order.customer_id if order is not None else ticket.customer_id if ticket is not None else reference
        )
        customer = await shop.find_customer(customer_id) if customer_id else None
        digits = "".join(filter(str.isdigit, (customer.phone or "") if customer is not None else ""))
        if customer is None or digits[-4:] != last4:
            return None
        return Proof(reference, customer.id)
