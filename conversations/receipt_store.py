"""Reads and writes how far conversations have been read, and which messages were taken back."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.contact_tables import at_home
from conversations.model import Address, Cursor, MessageKind, Status
from conversations.tables import conversations, messages

_RECALLS = 50


class ReceiptStore:
    """Marks of one transaction. Each is one conditional UPDATE, so that late and repeated ones change nothing."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def contact_read(self, address: Address, conversation_id: str, seq: int, now: datetime) -> bool:
        """Move the contact's mark; False when it was there already, or beyond the end, or somebody else's."""
        moved = await self._connection.execute(
            update(conversations)
            .where(
                conversations.c.id == conversation_id,
                at_home(asdict(address)),
                conversations.c.contact_read_seq < seq,
                conversations.c.last_seq >= seq,
            )
            .values(contact_read_seq=seq, contact_read_at=now)
        )
        return moved.rowcount == 1

    async def agent_read(self, conversation_id: str, agent_id: str, seq: int, now: datetime) -> bool:
        """Move the mark of the agent who holds the conversation."""
        moved = await self._connection.execute(
            update(conversations)
            .where(
                conversations.c.id == conversation_id,
                conversations.c.agent_id == agent_id,
                conversations.c.status == Status.ASSIGNED.value,
                conversations.c.agent_read_seq < seq,
                conversations.c.last_seq >= seq,
            )
            .values(agent_read_seq=seq, agent_read_at=now)
        )
        return moved.rowcount == 1

    async def recalled(self, address: Address, since: datetime | None) -> list[Cursor]:
        """Places of messages taken back at an address after a moment, newest first."""
        query = (
            select(messages.c.conversation_id, messages.c.seq)
            .join(conversations, conversations.c.id == messages.c.conversation_id)
            .where(at_home(asdict(address)), messages.c.recalled_at.is_not(None))
            .order_by(messages.c.recalled_at.desc())
            .limit(_RECALLS)
        )
        if since is not None:
            query = query.where(messages.c.recalled_at > since)
        return [Cursor(row.conversation_id, row.seq) for row in await self._connection.execute(query)]

    async def answered_by_others(self, conversation_id: str, agent_id: str, after_seq: int) -> str | None:
        """The name of another agent who answered the contact after ``after_seq``, if one did."""
        row = await self._connection.execute(
            select(messages.c.author_name, func.max(messages.c.seq))
            .where(
                messages.c.conversation_id == conversation_id,
                messages.c.seq > after_seq,
                messages.c.author == "agent",
                messages.c.kind == MessageKind.TEXT.value,
                messages.c.author_id != agent_id,
                messages.c.recalled_at.is_(None),
            )
            .group_by(messages.c.author_name)
            .order_by(func.max(messages.c.seq).desc())
            .limit(1)
        )
        found = row.first()
        return None if found is None else (found.author_name or agent_id)

    async def answered_since(self, conversation_id: str, since: datetime) -> bool:
        """Whether an agent has answered the contact since, with something that was not taken back."""
        row = await self._connection.execute(
            select(messages.c.id)
            .where(
                messages.c.conversation_id == conversation_id,
                messages.c.created_at >= since,
                messages.c.author == "agent",
                messages.c.kind == MessageKind.TEXT.value,
                messages.c.recalled_at.is_(None),
            )
            .limit(1)
        )
        return row.first() is not None
