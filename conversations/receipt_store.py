"""Reads and writes how far conversations have been read, and which messages were taken back."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from itertools import zip_longest

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.contact_tables import at_home
from conversations.model import Address, Cursor, MessageKind, Status
from conversations.tables import conversations, messages, outbox

_RECALLS = 50
_LATEST = 50  # messages among which the last one before a moment is looked for


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

    async def find_message(self, channel: str, account: str, outbox_id: str) -> Cursor | None:
        """The place of a message that went out through an account."""
        row = await self._connection.execute(
            select(messages.c.conversation_id, messages.c.seq)
            .join(outbox, outbox.c.message_id == messages.c.id)
            .where(outbox.c.id == outbox_id, outbox.c.channel == channel, outbox.c.account == account)
        )
        found = row.first()
        return None if found is None else Cursor(found.conversation_id, found.seq)

    async def find_last_sent(self, address: Address, until: datetime) -> Cursor | None:
        """The place of the last message that an address was sent up to a moment of the channel's clock.

        The channel took a message after the one before it was through (``sent_at``) and after it was written.
        """
        rows = await self._connection.execute(
            select(messages.c.conversation_id, messages.c.seq, outbox.c.sent_at, outbox.c.created_at)
            .join(messages, messages.c.id == outbox.c.message_id)
            .where(
                outbox.c.channel == address.channel,
                outbox.c.account == address.account,
                outbox.c.contact == address.contact,
                outbox.c.state.in_(("sent", "sending")),  # the channel may tell before its answer was written down
            )
            .order_by(outbox.c.ordinal.desc())
            .limit(_LATEST)
        )
        found = rows.all()
        for row, before in zip_longest(found, found[1:]):
            free_at = row.created_at if before is None else before.sent_at or before.created_at
            taken_after = max(row.created_at, free_at)
            if taken_after <= until:
                return Cursor(row.conversation_id, row.seq)
        return None

    async def contact_reached(self, place: Cursor, *, read: bool, at: datetime) -> bool:
        """Move the mark of what came to the contact's device, or of what they read; False when it was there already."""
        mark = conversations.c.contact_read_seq if read else conversations.c.contact_received_seq
        values = {mark.name: place.seq} | ({"contact_read_at": at} if read else {})
        moved = await self._connection.execute(
            update(conversations).where(conversations.c.id == place.conversation_id, mark < place.seq).values(values)
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
            select(messages.c.id, messages.c.author_name)
            .where(
                messages.c.conversation_id == conversation_id,
                messages.c.seq > after_seq,
                messages.c.author == "agent",
                messages.c.kind == MessageKind.TEXT.value,
                messages.c.author_id != agent_id,
                messages.c.recalled_at.is_(None),
            )
            .order_by(messages.c.seq.desc())
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
