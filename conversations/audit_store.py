"""Reads and writes the audit chain inside one transaction."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.prepared_store import Prepared
from conversations.tables import audit_entries, audit_head

_RESERVE = Prepared(
    update(audit_head)
    .where(audit_head.c.id == 1)
    .values(n=audit_head.c.n + bindparam("count"))
    .returning(audit_head.c.n, audit_head.c.hash)
)
_SET_HEAD = Prepared(update(audit_head).where(audit_head.c.id == bindparam("row")))
_INSERT_ENTRY = Prepared(insert(audit_entries))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are looked for; an empty field is every one."""

    kinds: tuple[str, ...] = ()
    actor: str | None = None
    conversation_id: str | None = None
    contact_id: str | None = None


def _holds(part: str) -> ColumnElement[bool]:
    return audit_entries.c.body.contains(part, autoescape=True)


class AuditStore:
    """The chain as rows."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert

    async def reserve(self, count: int, genesis: str) -> tuple[int, str]:
        """Take the next ``count`` numbers and the last hash; other writers wait here until this one commits."""
        row = await _RESERVE.first(self._connection, {"count": count})
        if row is None:
            await self._connection.execute(
                self._insert(audit_head).values(id=1, n=0, hash=genesis).on_conflict_do_nothing()
            )
            row = await _RESERVE.first(self._connection, {"count": count})
        return row.n - count + 1, row.hash

    async def add(self, entries: list[dict[str, Any]]) -> None:
        """Insert entries (n, conversation_id, body, hash) and make the last one the head."""
        await _INSERT_ENTRY.run_each(self._connection, entries)
        await _SET_HEAD.run(self._connection, {"row": 1, "hash": entries[-1]["hash"]})

    async def find_head(self) -> tuple[int, str] | None:
        """Number and hash of the last entry as the service knows it."""
        row = (await self._connection.execute(select(audit_head.c.n, audit_head.c.hash))).first()
        return None if row is None else (row.n, row.hash)

    async def highest(self) -> int:
        """The highest entry number there is, 0 if none."""
        return (await self._connection.execute(select(func.max(audit_entries.c.n)))).scalar() or 0

    async def entries(
        self, after: int = 0, conversation_id: str | None = None, until: int | None = None
    ) -> AsyncIterator[Any]:
        """Entries in order, as rows with n, conversation_id, body and hash."""
        while True:
            query = select(audit_entries).where(audit_entries.c.n > after).order_by(audit_entries.c.n).limit(500)
            if until is not None:
                query = query.where(audit_entries.c.n <= until)
            if conversation_id is not None:
                query = query.where(audit_entries.c.conversation_id == conversation_id)
            rows = (await self._connection.execute(query)).all()
            for row in rows:
                yield row
            if len(rows) < 500:
                return
            after = rows[-1].n

    async def latest(self, top: int, bottom: int, wanted: Wanted, limit: int) -> list[Any]:
        """Up to ``limit`` wanted entries between two numbers, both included, newest first."""
        query = select(audit_entries).where(audit_entries.c.n <= top, audit_entries.c.n >= bottom)
        if wanted.conversation_id is not None:
            query = query.where(audit_entries.c.conversation_id == wanted.conversation_id)
        if wanted.kinds:
            # The entry's own kind is followed by its number; a "kind" inside of its data never is.
            query = query.where(or_(*(_holds(f'"kind":"{kind}","n":') for kind in wanted.kinds)))
        if wanted.actor is not None:
            query = query.where(audit_entries.c.body.startswith(f'{{"actor":"{wanted.actor}","at":', autoescape=True))
        if wanted.contact_id is not None:
            # Also where only the data names the contact: exports and the like.
            query = query.where(_holds(f'"contact_id":"{wanted.contact_id}"'))
        query = query.order_by(audit_entries.c.n.desc()).limit(limit)
        return list((await self._connection.execute(query)).all())

    async def find(self, n: int) -> Any | None:
        """An entry."""
        return (await self._connection.execute(select(audit_entries).where(audit_entries.c.n == n))).first()

    async def time_of(self, n: int) -> datetime | None:
        """When the entry of a number was written."""
        row = await self.find(n)
        return None if row is None else datetime.fromisoformat(json.loads(row.body)["at"])

    async def find_turn(self, conversation_id: str, turn_id: str) -> Any | None:
        """The entry of a bot's turn."""
        query = select(audit_entries).where(
            audit_entries.c.conversation_id == conversation_id,
            _holds('"kind":"turn","n":'),
            _holds(f'"turn_id":"{turn_id}"'),
        )
        return (await self._connection.execute(query.order_by(audit_entries.c.n.desc()).limit(1))).first()

    async def range(self, first: int, last: int, limit: int) -> list[Any]:
        """Up to ``limit`` entries from a number on to another, both included."""
        query = select(audit_entries).where(audit_entries.c.n >= first, audit_entries.c.n <= last)
        return list((await self._connection.execute(query.order_by(audit_entries.c.n).limit(limit))).all())

    async def numbers_of(self, conversation_id: str, after: int, until: int, limit: int) -> list[int]:
        """The numbers of a conversation's entries above one number and up to another."""
        query = select(audit_entries.c.n).where(audit_entries.c.conversation_id == conversation_id)
        query = query.where(audit_entries.c.n > after, audit_entries.c.n <= until).order_by(audit_entries.c.n)
        return list((await self._connection.execute(query.limit(limit))).scalars())

    async def first_since(self, moment: datetime) -> int:
        """The number of the first entry at or after a moment, one above the last if there is none: times grow with numbers."""
        low, high = 1, await self.highest() + 1
        while low < high:
            middle = (low + high) // 2
            query = select(audit_entries.c.n, audit_entries.c.body).where(audit_entries.c.n >= middle)
            row = (await self._connection.execute(query.order_by(audit_entries.c.n).limit(1))).first()
            if row is None or datetime.fromisoformat(json.loads(row.body)["at"]) >= moment:
                high = middle
            else:
                low = row.n + 1
        return low

    async def entries_about(self, contact_ids: Collection[str]) -> AsyncIterator[Any]:
        """Entries outside of conversations that name one of these contacts; reads the whole chain, so only now and then."""
        named = or_(*(audit_entries.c.body.like(f'%"contact_id":"{one}"%') for one in contact_ids))
        query = (
            select(audit_entries).where(audit_entries.c.conversation_id.is_(None), named).order_by(audit_entries.c.n)
        )
        for row in await self._connection.execute(query):
            yield row
