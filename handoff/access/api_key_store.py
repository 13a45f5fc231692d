"""Keeps API keys as hashes: what the database holds opens nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from conversations.store import Database
from handoff.access.access_tables import api_keys


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without the key."""

    id: str
    name: str
    begins_with: str  #: the first characters, so that people can tell keys apart
    scopes: tuple[str, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    def works_at(self, now: datetime) -> bool:
        """Whether it opens anything at that time."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class ApiKeyStore:
    """The table of API keys in the service's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, key: ApiKey, key_hash: str) -> None:
        """Keep a new key."""
        async with self._database.write() as connection:
            await connection.execute(
                insert(api_keys).values(
                    id=key.id,
                    key_hash=key_hash,
                    name=key.name,
                    begins_with=key.begins_with,
                    scopes=list(key.scopes),
                    created_at=key.created_at,
                    created_by=key.created_by,
                    expires_at=key.expires_at,
                )
            )

    async def everything(self) -> Sequence[ApiKey]:
        """All keys, also revoked and expired ones, newest first."""
        async with self._database.read() as connection:
            query = select(api_keys).order_by(api_keys.c.created_at.desc(), api_keys.c.id)
            return [_key(row) for row in await connection.execute(query)]

    async def find(self, key_hash: str) -> ApiKey | None:
        """The key with this hash, whatever its state."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(api_keys).where(api_keys.c.key_hash == key_hash))).first()
        return _key(row) if row else None

    async def touch(self, key_id: str, now: datetime) -> None:
        """Note that the key was used."""
        async with self._database.write() as connection:
            await connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(last_used_at=now))

    async def revoke(self, key_id: str, now: datetime) -> ApiKey | None:
        """End a key for good; None when there is none with this id that was not ended before."""
        unended = (api_keys.c.id == key_id) & api_keys.c.revoked_at.is_(None)
        async with self._database.write() as connection:
            query = update(api_keys).where(unended).values(revoked_at=now).returning(api_keys)
            row = (await connection.execute(query)).first()
        return _key(row) if row else None


def _key(row: Any) -> ApiKey:
    return ApiKey(
        row.id,
        row.name,
        row.begins_with,
        tuple(row.scopes),
        row.created_at,
        row.created_by,
        row.expires_at,
        row.last_used_at,
        row.revoked_at,
    )
