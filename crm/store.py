"""The CRM over SQL: reading accounts, and writing what the shop's rules allow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Table, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from crm import rules
from crm.errors import AlreadyRequested, AlreadyShipped, BadValue, ChangedMeanwhile, ContactInUse, NotFound
from crm.model import (
    Customer,
    Invoice,
    Order,
    OrderStatus,
    Return,
    ReturnReason,
    ReturnTerms,
    TicketKind,
    WriteKey,
    find_number,
    normal_email,
    normal_phone,
)
from crm.tables import (
    counters,
    customer_of,
    customers,
    invoice_of,
    invoices,
    metadata,
    order_items,
    order_of,
    orders,
    returns,
    shipment_events,
    shipments,
    tickets,
)
from crm.ticket_store import TicketStore, grouped

CHANGEABLE = (OrderStatus.UNPAID, OrderStatus.PAID, OrderStatus.PACKED)


async def create_tables(engine: AsyncEngine) -> None:
    """Make the tables of this room that are missing."""
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)


class SqlCrm(TicketStore):
    """Implements the ``Crm`` port over SQLite or PostgreSQL; the engine belongs to the caller."""

    async def find_customer(self, customer_id: str) -> Customer | None:
        """The customer with that id."""
        async with self.reading.connect() as connection:
            return await self._customer(connection, customer_id)

    async def search_customers(self, text: str, limit: int = 20) -> list[Customer]:
        """Customers by part of their name, phone or e-mail, or by an order or ticket number."""
        wanted = text.strip()
        if not wanted:
            return []
        digits = normal_phone(wanted) or "".join(c for c in wanted if c.isdigit())
        matches: list[ColumnElement[bool]] = [
            customers.c.name.icontains(wanted, autoescape=True),
            customers.c.email.icontains(wanted, autoescape=True),
        ]
        if len(digits) >= 4:
            matches.append(customers.c.phone.contains(digits, autoescape=True))
        for prefix, count, table in (("KT", 8, orders), ("TK", 6, tickets)):
            number = find_number(wanted, prefix, count)
            if number:
                matches.append(
                    customers.c.id == select(table.c.customer_id).where(table.c.number == number).scalar_subquery()
                )
        statement = select(customers).where(or_(*matches)).order_by(customers.c.name, customers.c.id).limit(limit)
        async with self.reading.connect() as connection:
            return [customer_of(row) for row in (await connection.execute(statement)).mappings()]

    async def find_order(self, number: str) -> Order | None:
        """The order with that number."""
        async with self.reading.connect() as connection:
            return next(iter(await self._orders(connection, orders.c.number == number, 1)), None)

    async def orders_of(self, customer_id: str, limit: int = 5) -> list[Order]:
        """A customer's latest orders, newest first."""
        async with self.reading.connect() as connection:
            return await self._orders(connection, orders.c.customer_id == customer_id, limit)

    async def find_invoice(self, order_number: str) -> Invoice | None:
        """The invoice of an order."""
        async with self.reading.connect() as connection:
            return await self._invoice(connection, order_number)

    async def change_address(self, customer_id: str, order_number: str, address: str, key: WriteKey) -> Order:
        """Send an order elsewhere; possible until it leaves the warehouse."""
        cleaned = rules.new_address(address)
        return await self._change_order(customer_id, order_number, {"address": cleaned}, key)

    async def cancel_order(self, customer_id: str, order_number: str, key: WriteKey) -> Order:
        """Cancel an order and refund what was paid; possible until it leaves the warehouse."""
        return await self._change_order(customer_id, order_number, {"status": OrderStatus.CANCELLED.value}, key)

    async def quote_return(self, customer_id: str, order_number: str, line: int, reason: ReturnReason) -> ReturnTerms:
        """What a return would mean today; raises the rule that forbids it."""
        async with self.reading.connect() as connection:
            terms = await self._terms(connection, customer_id, order_number, line, reason)
            earlier = await self._find_return(connection, order_number, line)
        if earlier:
            raise AlreadyRequested(earlier.ticket_number)
        return terms

    async def request_return(
        self, customer_id: str, order_number: str, line: int, reason: ReturnReason, key: WriteKey
    ) -> Return:
        """Start a return of one line, followed up on a ticket."""

        async def work(connection: AsyncConnection) -> None:
            terms = await self._terms(connection, customer_id, order_number, line, reason)
            customer = await self._customer(connection, customer_id)
            order = await self._owned(connection, customer_id, order_number)
            item = order.item(line)
            assert customer
            assert item
            number = await self.insert_ticket(
                connection,
                kind=TicketKind.RETURN.value,
                customer_id=customer_id,
                contact_point=rules.account_address(customer),
                order_number=order_number,
                language=customer.language,
                subject=f"{terms.outcome}: {item.name(customer.language)}",
                text=f"{order_number}/{line} {item.name(customer.language)}: {reason.value}, {terms.outcome}",
                priority="normal",
            )
            row = {**asdict(terms), "order_number": order_number, "line": line, "reason": reason.value}
            if not await self.insert_new(connection, returns, {**row, "ticket_number": number}):
                earlier = await self._find_return(connection, order_number, line)
                raise AlreadyRequested(earlier.ticket_number if earlier else "")

        await self.once(key, work)
        async with self.reading.connect() as connection:
            made = await self._find_return(connection, order_number, line)
        assert made
        return made

    async def request_invoice(
        self, customer_id: str, order_number: str, kind: str, title: str, key: WriteKey
    ) -> Invoice:
        """Ask for an invoice, or correct the title of one; ``title`` of a company includes its tax number."""
        if kind not in {"personal", "company"}:
            raise BadValue("kind")
        name, tax_number = rules.invoice_title(kind, title)

        async def work(connection: AsyncConnection) -> None:
            order = await self._owned(connection, customer_id, order_number)
            rules.check_invoiceable(order, self.now())
            customer = await self._customer(connection, customer_id)
            assert customer
            made = {"kind": kind, "title": name, "tax_number": tax_number, "sent_to": rules.account_address(customer)}
            earlier = await self._invoice(connection, order_number)
            if earlier is None:
                number = f"INV{await self.next_number(connection, 'invoice', 20_260_001)}"
                await connection.execute(
                    invoices.insert().values(number=number, order_number=order_number, requested_at=self.now(), **made)
                )
                return
            if (earlier.kind, earlier.title, earlier.tax_number) != (kind, name, tax_number):
                rules.check_title_change(earlier, self.now())
            change = {**made, "requested_at": self.now(), "issued_at": None}
            await connection.execute(update(invoices).where(invoices.c.number == earlier.number).values(**change))

        await self.once(key, work)
        invoice = await self.find_invoice(order_number)
        assert invoice
        return invoice

    async def update_contact(
        self, customer_id: str, field: str, value: str, key: WriteKey, *, revision: int | None = None
    ) -> Customer:
        """Change a customer's name, phone or email; with ``revision`` only if nobody changed them since."""
        names = {"phone": normal_phone, "email": normal_email, "name": _person_name}
        cleaned = names[field](value) if field in names else None
        if cleaned is None:
            raise BadValue(field)

        async def work(connection: AsyncConnection) -> None:
            customer = await self._customer(connection, customer_id)
            if customer is None:
                raise NotFound(customer_id)
            if revision is not None and customer.revision != revision:
                raise ChangedMeanwhile(field)
            column = customers.c[field]
            if field != "name":
                taken = select(customers.c.id).where(column == cleaned, customers.c.id != customer_id)
                if (await connection.execute(taken)).first():
                    raise ContactInUse(field)
            # Says it again to the database: a colleague may be changing it this very moment.
            still = (customers.c.id == customer_id) & (customers.c.revision == customer.revision)
            change = {column: cleaned, customers.c.revision: customer.revision + 1}
            try:
                written = await connection.execute(update(customers).where(still).values(change))
            except IntegrityError:  # somebody took the phone or e-mail since the look above
                raise ContactInUse(field) from None
            if not written.rowcount:
                raise ChangedMeanwhile(field)

        await self.once(key, work)
        customer = await self.find_customer(customer_id)
        assert customer
        return customer

    async def load(self, rows: Iterable[tuple[Table, list[dict[str, Any]]]], series: dict[str, int]) -> int:
        """Insert rows that are not there yet, table by table, and move number series past ``series``; counts new rows."""
        added = 0
        async with self.engine.begin() as connection:
            for table, values in rows:
                size = select(func.count()).select_from(table)
                before = (await connection.execute(size)).scalar_one()
                if values:
                    await connection.execute(self.insert(table).on_conflict_do_nothing(), values)
                added += (await connection.execute(size)).scalar_one() - before
            for name, value in series.items():
                await self.insert_new(connection, counters, {"name": name, "value": value})
                behind = (counters.c.name == name) & (counters.c.value < value)
                await connection.execute(update(counters).where(behind).values(value=value))
        return added

    async def clear(self) -> None:
        """Delete everything in this room's tables."""
        async with self.engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                await connection.execute(table.delete())

    async def _change_order(self, customer_id: str, number: str, change: dict[str, Any], key: WriteKey) -> Order:
        async def work(connection: AsyncConnection) -> None:
            rules.check_changeable(await self._owned(connection, customer_id, number))
            # Says it again to the database: the warehouse may be shipping it this very moment.
            still = (orders.c.number == number) & orders.c.status.in_([status.value for status in CHANGEABLE])
            if not (await connection.execute(update(orders).where(still).values(**change))).rowcount:
                raise AlreadyShipped(number)

        await self.once(key, work)
        async with self.reading.connect() as connection:
            return await self._owned(connection, customer_id, number)

    async def _terms(
        self, connection: AsyncConnection, customer_id: str, order_number: str, line: int, reason: ReturnReason
    ) -> ReturnTerms:
        order = await self._owned(connection, customer_id, order_number)
        customer, item = await self._customer(connection, customer_id), order.item(line)
        if customer is None or item is None:
            raise NotFound(f"{order_number}/{line}")
        return rules.return_terms(order, item, reason, customer.level, self.now())

    async def _owned(self, connection: AsyncConnection, customer_id: str, number: str) -> Order:
        mine = (orders.c.number == number) & (orders.c.customer_id == customer_id)
        found = await self._orders(connection, mine, 1)
        if not found:
            raise NotFound(number)
        return found[0]

    async def _customer(self, connection: AsyncConnection, customer_id: str) -> Customer | None:
        row = (await connection.execute(select(customers).where(customers.c.id == customer_id))).mappings().first()
        return customer_of(row) if row else None

    async def _invoice(self, connection: AsyncConnection, order_number: str) -> Invoice | None:
        mine = invoices.c.order_number == order_number
        row = (await connection.execute(select(invoices).where(mine))).mappings().first()
        return invoice_of(row) if row else None

    async def _find_return(self, connection: AsyncConnection, order_number: str, line: int) -> Return | None:
        mine = (returns.c.order_number == order_number) & (returns.c.line == line)
        row = (await connection.execute(select(returns).where(mine))).mappings().first()
        if row is None:
            return None
        terms = ReturnTerms(row["outcome"], row["shipping_fee"], row["last_day"])
        return Return(order_number, line, ReturnReason(row["reason"]), terms, row["ticket_number"])

    async def _orders(self, connection: AsyncConnection, where: ColumnElement[bool], limit: int) -> list[Order]:
        parcel = (shipments.c.carrier, shipments.c.tracking_number, shipments.c.expected_on)
        newest = select(orders, *parcel).outerjoin(shipments).where(where)
        newest = newest.order_by(orders.c.placed_at.desc(), orders.c.number.desc()).limit(limit)
        found = list((await connection.execute(newest)).mappings())
        items = await grouped(connection, order_items, "order_number", [row["number"] for row in found], "line")
        sent = [row["number"] for row in found if row["carrier"]]
        events = await grouped(connection, shipment_events, "order_number", sent, "position")
        return [order_of(row, items[row["number"]], events[row["number"]]) for row in found]


def _person_name(text: str) -> str | None:
    name = " ".join(text.split())
    return name if 1 <= len(name) <= 80 and any(character.isalpha() for character in name) else None
