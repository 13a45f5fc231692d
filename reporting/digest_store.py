"""Reads and writes digests and their sendings, inside one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.digest_tables import digest_sendings, digests

#: After so long a try counts as failed whose process was never heard of again.
TRY_LASTS = timedelta(minutes=3)
Row = RowMapping


class DigestStore:
    """Statements of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def listed(self, *, active: bool = False) -> list[Row]:
        """Every digest, or those that are sent."""
        statement = select(digests).order_by(digests.c.name, digests.c.id)
        if active:
            statement = statement.where(digests.c.active)
        return [row._mapping for row in await self._connection.execute(statement)]

    async def find(self, digest_id: str) -> Row | None:
        """One digest."""
        row = (await self._connection.execute(select(digests).where(digests.c.id == digest_id))).first()
        return None if row is None else row._mapping

    async def add(self, values: Mapping[str, Any]) -> None:
        """Keep a new digest."""
        await self._connection.execute(insert(digests).values(**values))

    async def change(self, digest_id: str, revision: int, values: Mapping[str, Any]) -> bool:
        """Save over the revision that was looked at; False if it is not the last one any more."""
        statement = update(digests).where(digests.c.id == digest_id, digests.c.revision == revision).values(**values)
        return bool((await self._connection.execute(statement)).rowcount)

    async def delete(self, digest_id: str) -> bool:
        """Remove it with what was sent of it; False where it is not there."""
        await self._connection.execute(delete(digest_sendings).where(digest_sendings.c.digest_id == digest_id))
        return bool((await self._connection.execute(delete(digests).where(digests.c.id == digest_id))).rowcount)

    async def claim_day(self, digest_id: str, revision: int, day: str) -> bool:
        """Whoever gets True puts the digest of a day in line; nobody else does, and none of an earlier day."""
        later = or_(digests.c.last_day.is_(None), digests.c.last_day < day)
        statement = update(digests).where(digests.c.id == digest_id, digests.c.revision == revision, later)
        statement = statement.where(digests.c.active).values(last_day=day)
        return bool((await self._connection.execute(statement)).rowcount)

    async def put_in_line(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """What is to be sent."""
        await self._connection.execute(insert(digest_sendings), list(rows))

    async def due(self, now: datetime) -> list[Row]:
        """What is to be sent now, the oldest first."""
        statement = select(digest_sendings).where(digest_sendings.c.state == "waiting", digest_sendings.c.due_at <= now)
        found = await self._connection.execute(statement.order_by(digest_sendings.c.due_at).limit(20))
        return [row._mapping for row in found]

    async def claim_try(self, sending_id: str, attempts: int, now: datetime) -> bool:
        """Whoever gets True makes the next try; nobody else does for a while."""
        there = digest_sendings.c
        statement = update(digest_sendings).where(
            there.id == sending_id, there.attempts == attempts, there.state == "waiting", there.due_at <= now
        )
        values = {"attempts": attempts + 1, "due_at": now + TRY_LASTS}
        return bool((await self._connection.execute(statement.values(**values))).rowcount)

    async def settle(self, sending_id: str, attempts: int, values: Mapping[str, Any]) -> None:
        """What became of a try, unless a later one has begun."""
        statement = update(digest_sendings).where(
            digest_sendings.c.id == sending_id, digest_sendings.c.attempts == attempts
        )
        await self._connection.execute(statement.values(**values))

    async def sendings(self, digest_id: str, limit: int = 10) -> list[Row]:
        """What was sent last."""
        there = digest_sendings.c
        statement = select(digest_sendings).where(there.digest_id == digest_id)
        found = await self._connection.execute(statement.order_by(there.created_at.desc(), there.id).limit(limit))
        return [row._mapping for row in found]

    async def tidy(self, now: datetime, keep: timedelta = timedelta(days=365)) -> None:
        """Forget what was sent long ago."""
        there = digest_sendings.c
        await self._connection.execute(
            delete(digest_sendings).where(there.state != "waiting", there.created_at < now - keep)
        )
