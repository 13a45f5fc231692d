"""Remembers the first answer to an idempotency key, so that a repeated request gets it again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from conversations.errors import IdempotencyConflict
from conversations.model import utc_now
from conversations.store import Database
from conversations.tables import idempotency

KEPT = timedelta(hours=24)
_ABANDONED_AFTER = timedelta(seconds=60)  # its process died: the request may run again


class IdempotencyKeys:
    """Keys of API callers; ``owner`` keeps the keys of different callers apart."""

    def __init__(self, database: Database, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._now = now
        self._insert: Any = sqlite.insert if database.is_sqlite else postgresql.insert

    async def begin(self, owner: str, key: str, request_hash: str) -> tuple[int, Any] | None:
        """None to go on, or the saved status and body of the first request.

        Raises ``IdempotencyConflict`` if the key belongs to another request or its first request still runs.
        """
        now = self._now()
        mine = _of(owner, key)
        async with self._database.write() as connection:
            await connection.execute(delete(idempotency).where(idempotency.c.created_at < now - KEPT))
            values = {"owner": owner, "key": key, "request_hash": request_hash, "state": "started", "created_at": now}
            made = await connection.execute(self._insert(idempotency).values(values).on_conflict_do_nothing())
            if made.rowcount == 1:
                return None
            row = (await connection.execute(select(idempotency).where(mine).with_for_update())).one()
            if row.request_hash != request_hash:
                raise IdempotencyConflict("this idempotency key was used for another request; send a new key")
            if row.state == "done":
                return row.status, row.body
            if now - row.created_at < _ABANDONED_AFTER:
                raise IdempotencyConflict(
                    "the first request with this key is still running; ask again shortly", in_progress=True
                )
            await connection.execute(update(idempotency).where(mine).values(created_at=now))
            return None

    async def claim(self, owner: str, key: str, request_hash: str) -> bool:
        """Whether a key is new, or was used for this very request before; it is remembered for a day."""
        try:
            await self.begin(owner, key, request_hash)
        except IdempotencyConflict as conflict:
            return conflict.in_progress
        return True

    async def finish(self, owner: str, key: str, status: int, body: Any) -> None:
        """Save the answer."""
        async with self._database.write() as connection:
            await connection.execute(
                update(idempotency).where(_of(owner, key)).values(state="done", status=status, body=body)
            )

    async def abandon(self, owner: str, key: str) -> None:
        """Nothing happened: let the key be used again."""
        async with self._database.write() as connection:
            await connection.execute(delete(idempotency).where(_of(owner, key), idempotency.c.state == "started"))


def _of(owner: str, key: str) -> Any:
    return and_(idempotency.c.owner == owner, idempotency.c.key == key)
