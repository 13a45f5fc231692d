"""Tickets: opened once per key, followed from status to status, with everything that was said and changed on them."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Table, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from crm import rules
from crm.errors import BadValue, ChangedMeanwhile, NotFound
from crm.identity_store import IdentityStore
from crm.model import TICKET_PRIORITIES, Ticket, TicketKind, TicketStatus, WriteKey
from crm.tables import Row, orders, ticket_comments, ticket_events, ticket_of, tickets

_LONGEST = 4000  # characters of a ticket's text, and of a comment
_SUBJECT = 80


class TicketStore(IdentityStore):
    """The tickets of the shop."""

    async def find_ticket(self, number: str) -> Ticket | None:
        """The ticket with that number."""
        return next(iter(await self._tickets(tickets.c.number == number)), None)

    async def tickets_of(self, customer_id: str) -> list[Ticket]:
        """A customer's tickets, the one that changed last first."""
        return await self._tickets(tickets.c.customer_id == customer_id)

    async def open_ticket(
        self,
        text: str,
        language: str,
        key: WriteKey,
        *,
        customer_id: str | None = None,
        contact_point: str | None = None,
        order_number: str | None = None,
        priority: str = "normal",
        subject: str | None = None,
    ) -> Ticket:
        """Open a ticket in an account, or for a stranger who can be reached at ``contact_point``."""
        if not text.strip():
            raise BadValue("text")
        if customer_id is None and not contact_point:
            raise BadValue("contact_point")
        if priority not in TICKET_PRIORITIES:
            raise BadValue("priority")
        values = {"customer_id": customer_id, "contact_point": contact_point, "order_number": order_number}
        title = " ".join((subject or "").split())[:_SUBJECT]
        more = {"subject": title} if title else {}
        return await self._ticket_once(key, **values, **more, text=text, language=language, priority=priority)

    async def open_callback_ticket(self, contact: str, language: str, key: WriteKey) -> Ticket:
        """Open a ticket that asks people to get back to ``contact``, as written, outside of office hours."""
        text = "请联系客户" if language == "zh" else "Please get back to the customer"
        kind = TicketKind.CALLBACK.value
        return await self._ticket_once(
            key, kind=kind, contact_point=contact, text=f"{text}: {contact}", language=language, priority="high"
        )

    async def file_callback(
        self, number: str, text: str, *, contact_point: str | None = None, customer_id: str | None = None
    ) -> Ticket:
        """Write on a callback ticket what is wanted, how to reach them and whose it is; again with more is harmless."""
        said = text.strip()[:_LONGEST]
        change = {"text": said, "subject": said[:_SUBJECT]} if said else {}
        change |= {"contact_point": contact_point} if contact_point else {}
        change |= {"customer_id": customer_id} if customer_id else {}
        own = (tickets.c.number == number) & (tickets.c.kind == TicketKind.CALLBACK.value)
        async with self.engine.begin() as connection:
            await connection.execute(update(tickets).where(own).values(**change, updated_at=self.now()))
        ticket = await self.find_ticket(number)
        if ticket is None:
            raise NotFound(number)
        return ticket

    async def close_callback(self, number: str, author: str, key: WriteKey) -> bool:
        """Resolve a callback ticket; False where it was resolved already, or where it is not known any more."""

        async def work(connection: AsyncConnection) -> bool:
            mine = (tickets.c.number == number) & (tickets.c.kind == TicketKind.CALLBACK.value)
            row = (await connection.execute(select(tickets).where(mine).with_for_update())).mappings().first()
            if row is None or row["status"] == TicketStatus.RESOLVED.value:
                return False
            await self._move(connection, row, author, [("status", row["status"], TicketStatus.RESOLVED.value)])
            return True

        return bool(await self.once(key, work))

    async def update_ticket(
        self,
        number: str,
        author: str,
        key: WriteKey,
        *,
        revision: int | None = None,
        status: TicketStatus | None = None,
        priority: str | None = None,
        comment: str = "",
    ) -> Ticket:
        """Move a ticket on, give it another priority, or say something on it; ``author`` is the colleague's name.

        With ``revision`` status and priority change only if nobody changed them since; a comment is always added.
        """
        said = comment.strip()[:_LONGEST]
        if priority is not None and priority not in TICKET_PRIORITIES:
            raise BadValue("priority")
        if status is None and priority is None and not said:
            raise BadValue("comment")

        async def work(connection: AsyncConnection) -> None:
            mine = tickets.c.number == number
            row = (await connection.execute(select(tickets).where(mine).with_for_update())).mappings().first()
            if row is None:
                raise NotFound(number)
            moves: list[tuple[str, str, str]] = []
            if status is not None and status.value != row["status"]:
                rules.check_ticket_move(TicketStatus(row["status"]), status)
                moves.append(("status", row["status"], status.value))
            if priority is not None and priority != row["priority"]:
                moves.append(("priority", row["priority"], priority))
            if moves and revision is not None and row["revision"] != revision:
                raise ChangedMeanwhile(number)
            await self._move(connection, row, author, moves)
            if said:
                line = {"author": author[:120], "text": said, "at": self.now()}
                await self._append(connection, ticket_comments, number, line)

        await self.once(key, work)
        ticket = await self.find_ticket(number)
        if ticket is None:
            raise NotFound(number)
        return ticket

    async def insert_ticket(self, connection: AsyncConnection, **values: Any) -> str:
        """Insert a ticket with the next number, and return that."""
        number = f"TK{await self.next_number(connection, 'ticket', 100_001)}"
        now = self.now()
        row = {"number": number, "status": TicketStatus.OPEN.value, "opened_at": now, "updated_at": now, **values}
        await connection.execute(tickets.insert().values(**row))
        return number

    async def _ticket_once(self, key: WriteKey, **values: Any) -> Ticket:
        async def work(connection: AsyncConnection) -> str:
            text = str(values["text"]).strip()[:_LONGEST]
            customer_id, order_number = values.get("customer_id"), values.get("order_number")
            if customer_id and order_number:
                theirs = (orders.c.number == order_number) & (orders.c.customer_id == customer_id)
                if (await connection.execute(select(orders.c.number).where(theirs))).first() is None:
                    raise BadValue("order_number")
            row = {"kind": TicketKind.PROBLEM.value, "subject": text[:_SUBJECT], **values, "text": text}
            return await self.insert_ticket(connection, **row)

        ticket = await self.find_ticket(await self.once(key, work))
        assert ticket
        return ticket

    async def _move(
        self, connection: AsyncConnection, row: RowMapping, author: str, moves: list[tuple[str, str, str]]
    ) -> None:
        """Change fields of a locked ticket (name, old value, new value), and note who did; without any, touch it."""
        now = self.now()
        change = {field: new for field, _, new in moves} | {"updated_at": now}
        change |= {"revision": row["revision"] + 1} if moves else {}
        await connection.execute(update(tickets).where(tickets.c.number == row["number"]).values(**change))
        for field, old, new in moves:
            event = {"author": author[:120], "field": field, "old": old, "new": new, "at": now}
            await self._append(connection, ticket_events, row["number"], event)

    async def _append(self, connection: AsyncConnection, table: Table, number: str, row: dict[str, Any]) -> None:
        """Add a line to a ticket; its row is locked, so that no two lines get the same place."""
        last = select(func.max(table.c.position)).where(table.c.ticket_number == number)
        position = ((await connection.execute(last)).scalar() or 0) + 1
        await connection.execute(table.insert().values(ticket_number=number, position=position, **row))

    async def _tickets(self, where: ColumnElement[bool]) -> list[Ticket]:
        statement = (
            select(tickets).where(where).order_by(tickets.c.updated_at.desc(), tickets.c.number.desc()).limit(50)
        )
        async with self.reading.connect() as connection:
            found = list((await connection.execute(statement)).mappings())
            numbers = [row["number"] for row in found]
            comments = await grouped(connection, ticket_comments, "ticket_number", numbers, "position")
            events = await grouped(connection, ticket_events, "ticket_number", numbers, "position")
        return [ticket_of(row, comments[row["number"]], events[row["number"]]) for row in found]


async def grouped(
    connection: AsyncConnection,
    table: Table,
    parent: str,
    numbers: list[str],
    order: str,
) -> defaultdict[str, list[Row]]:
    """The rows of a table that belong to each number, in order."""
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    if numbers:
        statement = select(table).where(table.c[parent].in_(numbers)).order_by(table.c[order])
        for row in (await connection.execute(statement)).mappings():
            groups[row[parent]].append(dict(row))
    return groups
