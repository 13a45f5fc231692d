"""Keys of programs that use the API: made, shown once, found by their hash, revoked."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Self

from conversations.model import new_id, utc_now
from conversations.store import Database
from handoff.access.api_key_store import ApiKey, ApiKeyStore
from handoff.errors import StaffError

#: What a key may open.
SCOPES = ("messages:read", "messages:write", "events:read", "events:write")
MAX_NAME = 80
MAX_DAYS = 3650
_TOUCH_EVERY = timedelta(minutes=1)
_SHOWN = 9


class BadKey(StaffError):
    """A key cannot be made or revoked as asked; the message says why."""


class ApiKeys:
    """The API keys of the desk."""

    def __init__(self, store: ApiKeyStore, now: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self.now = now

    @classmethod
    def of(cls, database: Database) -> Self:
        """The keys in a database."""
        return cls(ApiKeyStore(database))

    async def add(
        self, name: str, scopes: Collection[str], created_by: str, expires_days: int | None = None
    ) -> tuple[ApiKey, str]:
        """A new key, and its text, which is kept nowhere; raises ``BadKey``."""
        name = name.strip()
        if not 1 <= len(name) <= MAX_NAME:
            raise BadKey(f"a key has a name of 1 to {MAX_NAME} characters, such as the program that uses it")
        unknown = sorted(set(scopes) - set(SCOPES))
        if unknown or not scopes:
            raise BadKey(f"{unknown[0] if unknown else 'nothing'} is no scope; choose of {', '.join(SCOPES)}")
        if expires_days is not None and not 1 <= expires_days <= MAX_DAYS:
            raise BadKey(f"a key lasts 1 to {MAX_DAYS} days, or until it is revoked")
        # 256 random bits cannot be guessed, so a plain hash keeps them; "fd_" lets scanners of leaked secrets find it.
        text, now = f"fd_{secrets.token_urlsafe(32)}", self.now()
        expires_at = None if expires_days is None else now + timedelta(days=expires_days)
        chosen = tuple(scope for scope in SCOPES if scope in set(scopes))
        key = ApiKey(new_id(), name, text[:_SHOWN], chosen, now, created_by, expires_at, None, None)
        await self._store.add(key, hashlib.sha256(text.encode()).hexdigest())
        return key, text

    async def everything(self) -> Sequence[ApiKey]:
        """All keys, newest first."""
        return await self._store.everything()

    async def revoke(self, key_id: str) -> ApiKey:
        """End a key at once; raises ``BadKey`` when there is none to end."""
        revoked = await self._store.revoke(key_id, self.now())
        if revoked is None:
            raise BadKey("there is no such key, or it was revoked before; the list shows which there are")
        return revoked

    async def find(self, key_hash: str) -> tuple[str, frozenset[str]] | None:
        """Whose key has this SHA-256 and what it opens; None for one that is unknown, revoked or expired."""
        key, now = await self._store.find(key_hash), self.now()
        if key is None or not key.works_at(now):
            return None
        if key.last_used_at is None or now - key.last_used_at >= _TOUCH_EVERY:
            await self._store.touch(key.id, now)
        return key.id[:16], frozenset(key.scopes)


def told(key: ApiKey) -> dict[str, object]:
    """What the audit trail says of a key."""
    expires = key.expires_at.isoformat() if key.expires_at else None
    return {"id": key.id, "name": key.name, "scopes": list(key.scopes), "expires_at": expires}
