"""Finds the conversations whose turn is due, among however many that wait."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, literal_column, not_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.conversation_store import CLOCK_WAS_SET_BACK, free_at
from conversations.delivery_store import UNFINISHED
from conversations.tables import conversations, inbox


class DueStore:
    """What waits for the bot, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, now: datetime, limit: int) -> list[str]:
        """Conversations with a message due that nobody works on, longest waiting first."""
        found: dict[str, None] = {}
        at_once = limit * 4
        while len(found) < limit:  # a row is a message, and a conversation may have many
            query = _due(now).where(inbox.c.conversation_id.not_in(found)).order_by(inbox.c.next_at).limit(at_once)
            rows = (await self._connection.execute(query)).scalars().all()
            found |= dict.fromkeys(rows)
            if len(rows) < at_once:
                break
        return list(found)[:limit]

    async def count(self, now: datetime, limit: int) -> int:
        """How many conversations ``find`` would find."""
        due = _due(now).distinct().limit(limit).subquery()
        return int((await self._connection.execute(select(func.count()).select_from(due))).scalar_one())


def _due(now: datetime) -> Select[Any]:
    # Written so that SQLite walks along the index of what is unfinished and stops at the limit: the states as they stand
    # in the index, and no condition on the time that it would rather look up twice and sort.
    states = inbox.c.state.in_([literal_column(f"'{state}'") for state in UNFINISHED])
    later = and_(inbox.c.next_at > now, inbox.c.next_at <= now + CLOCK_WAS_SET_BACK)
    return (
        select(inbox.c.conversation_id)
        .join(conversations, conversations.c.id == inbox.c.conversation_id)
        .where(states, not_(later), free_at(now))
    )
