"""Reads and writes the audit chain inside one transaction."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, or_, select, update
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

    async def latest(
        self,
        before: int | None,
        limit: int,
        conversation_id: str | None = None,
        kind: str | None = None,
        actor: str | None = None,
        since: datetime | None = None,
    ) -> list[Any]:
        """Up to ``limit`` entries below a number, newest first; ``kind`` and ``actor`` are looked for in the canonical text."""
        query = select(audit_entries).order_by(audit_entries.c.n.desc()).limit(limit)
        if before is not None:
            query = query.where(audit_entries.c.n < before)
        if conversation_id is not None:
            query = query.where(audit_entries.c.conversation_id == conversation_id)
        if kind is not None:
            # The entry's own kind is followed by its number; a "kind" inside of its data never is.
            query = query.where(audit_entries.c.body.contains(f'"kind":"{kind}","n":', autoescape=True))
        if actor is not None:
            query = query.where(audit_entries.c.body.startswith(f'{{"actor":"{actor}","at":', autoescape=True))
        if since is not None:
            query = query.where(audit_entries.c.n >= await self.first_since(since))
        return list((await self._connection.execute(query)).all())

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
