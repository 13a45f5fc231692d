"""Reads and writes when an agent was last seen, which every service process must see alike."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.model import Presence
from conversations.tables import presence


class PresenceStore:
    """One agent's row of presence."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, agent_id: str) -> Presence | None:
        """What is stored of an agent (not what they hold), None before they were ever here."""
        columns = (presence.c.agent_id, presence.c.name, presence.c.state, presence.c.last_seen_at)
        row = (await self._connection.execute(select(*columns).where(presence.c.agent_id == agent_id))).first()
        return None if row is None else Presence(row.agent_id, row.name, row.state, row.last_seen_at)

    async def beat(self, agent_id: str, now: datetime) -> bool:
        """Note that an agent is still here, in the state they chose, wherever that was; False for who is offline."""
        here = (presence.c.agent_id == agent_id) & (presence.c.state != "offline")
        done = await self._connection.execute(update(presence).where(here).values(last_seen_at=now))
        return done.rowcount > 0
