"""Reads and writes the messages that were set aside, and the leases of processes that are gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.tables import conversations, inbox, outbox


@dataclass(frozen=True, slots=True)
class SetAside:
    """A message without an answer of the bot: its turn broke too often."""

    message_id: str
    conversation_id: str
    channel: str
    account: str
    received_at: datetime
    attempts: int
    reason: str


class QuarantineStore:
    """The inbox as an operator sees it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def set_aside(self, message_id: str, reason: str) -> None:
        """Take a message out of the inbox; what broke its turn, if that was noted, stays the reason."""
        await self._connection.execute(
            update(inbox)
            .where(inbox.c.message_id == message_id)
            .values(state="dead", error=func.coalesce(inbox.c.error, reason))
        )

    async def all(self, limit: int) -> list[SetAside]:
        """What was set aside, newest first."""
        rows = await self._connection.execute(
            select(inbox).where(inbox.c.state == "dead").order_by(inbox.c.received_at.desc()).limit(limit)
        )
        return [
            SetAside(
                row.message_id,
                row.conversation_id,
                row.channel,
                row.account,
                row.received_at,
                row.attempts,
                row.error or "",
            )
            for row in rows
        ]

    async def conversation_of(self, message_id: str) -> str | None:
        """Where a message that was set aside belongs; None if it was not set aside."""
        found = await self._connection.execute(
            select(inbox.c.conversation_id).where(inbox.c.message_id == message_id, inbox.c.state == "dead")
        )
        conversation_id: str | None = found.scalar()
        return conversation_id

    async def take_back(self, message_id: str, now: datetime) -> bool:
        """Put a message in line again as if it had just come; False if somebody else did."""
        done = await self._connection.execute(
            update(inbox)
            .where(inbox.c.message_id == message_id, inbox.c.state == "dead")
            .values(state="new", attempts=0, next_at=now, error=None)
        )
        return done.rowcount == 1

    async def give_up_leases(self, now: datetime) -> tuple[int, int]:
        """End the leases of turns and deliveries whose process is known to be gone; returns how many of each."""
        leased: Any = conversations.c.lease_until.is_not(None)
        turns = await self._connection.execute(update(conversations).where(leased).values(lease_until=None))
        deliveries = await self._connection.execute(
            update(outbox).where(outbox.c.state == "sending", outbox.c.lease_until > now).values(lease_until=now)
        )
        return turns.rowcount, deliveries.rowcount

    async def free_turns_of(self, process: str) -> int:
        """Let others take the turns of a process that died; what it still writes is refused once they are taken."""
        theirs = update(conversations).where(
            conversations.c.claimed_by == process, conversations.c.lease_until.is_not(None)
        )
        return (await self._connection.execute(theirs.values(lease_until=None, claimed_by=None))).rowcount
