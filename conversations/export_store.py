"""Reads what the export of events needs and keeps how far it has come; the audit chain itself is the outbox."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.export_tables import export_positions
from conversations.tables import audit_entries, contacts, conversations, messages, turns


class ExportStore:
    """Entries after a position, and what belongs to them."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert

    async def position(self, target: str) -> int:
        """The number of the last entry that arrived at a target; 0 before the first."""
        query = select(export_positions.c.n).where(export_positions.c.target == target)
        return int((await self._connection.execute(query)).scalar() or 0)

    async def move_on(self, target: str, n: int, now: datetime) -> None:
        """Note that everything up to an entry has arrived; a process that lost its lease never moves it back."""
        values = {"n": n, "updated_at": now}
        await self._connection.execute(
            self._insert(export_positions)
            .values(target=target, **values)
            .on_conflict_do_update(
                index_elements=[export_positions.c.target], set_=values, where=export_positions.c.n < n
            )
        )

    async def entries(self, after: int, limit: int) -> list[tuple[int, str]]:
        """Numbers and bodies of the next audit entries; they are committed in the order of their numbers."""
        query = (
            select(audit_entries.c.n, audit_entries.c.body)
            .where(audit_entries.c.n > after)
            .order_by(audit_entries.c.n)
            .limit(limit)
        )
        return [(row.n, row.body) for row in await self._connection.execute(query)]

    async def turns(self, turn_ids: Collection[str]) -> dict[str, Any]:
        """Trace and times of turns, by id, with the moment their message came; erased ones are missing."""
        query = (
            select(turns.c.turn_id, turns.c.trace, turns.c.started_at, turns.c.finished_at, messages.c.created_at)
            .join(messages, messages.c.id == turns.c.turn_id)
            .where(turns.c.turn_id.in_(list(turn_ids)))
        )
        return {row.turn_id: row for row in await self._connection.execute(query)}

    async def texts(self, turn_ids: Collection[str]) -> dict[str, tuple[str, list[str]]]:
        """What was asked and answered in turns, by id; nothing of contacts that were erased."""
        wanted = list(turn_ids)
        query = (
            select(messages.c.id, messages.c.turn_id, messages.c.text)
            .join(conversations, conversations.c.id == messages.c.conversation_id)
            .join(contacts, contacts.c.id == conversations.c.contact_id)
            .where(
                contacts.c.erased_at.is_(None),
                messages.c.recalled_at.is_(None),
                messages.c.id.in_(wanted) | messages.c.turn_id.in_(wanted),
            )
            .order_by(messages.c.seq)
        )
        asked: dict[str, str] = {}
        said: dict[str, list[str]] = {}
        for row in await self._connection.execute(query):
            if row.turn_id is None:
                asked[row.id] = row.text
            else:
                said.setdefault(row.turn_id, []).append(row.text)
        return {turn_id: (text, said.get(turn_id, [])) for turn_id, text in asked.items()}
