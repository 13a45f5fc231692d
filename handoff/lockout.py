"""Counts wrong passwords and codes before they are looked at, and makes those who guess wait, each time twice as long."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

from conversations.model import utc_now
from handoff.errors import Refused
from handoff.store import StaffStore

_FORGET_SECONDS = 24 * 3600


class Lockout:
    """One bucket per thing that can be guessed, in the database, so that every service process counts the same."""

    def __init__(self, store: StaffStore, *, lock_seconds: float = 15 * 60, now: Callable[[], datetime] = utc_now):
        self._store = store
        self._lock_seconds = lock_seconds
        self._now = now

    async def count(self, limit: int, *what: str, refusal: str = "wrong sign-ins") -> None:
        """Count one try; raises ``Refused`` with 429 while the bucket is locked."""
        now = self._now()
        attempt = await self._store.count_attempt(
            _bucket(what), now, limit=limit, lock_seconds=self._lock_seconds, forget_seconds=_FORGET_SECONDS
        )
        if attempt.locked_until is not None:
            seconds = max(1, round((attempt.locked_until - now).total_seconds()))
            minutes = -(-seconds // 60)
            raise Refused(
                429, "locked", f"Too many {refusal}. Try again in {minutes} min, or ask an admin to help.", seconds
            )

    async def forget(self, *what: str) -> None:
        """Clear a bucket: it was not guessed but known."""
        await self._store.forget_attempts(_bucket(what))

    async def forget_everywhere(self, *what: str) -> None:
        """Clear the buckets of something that is locked for each network: an admin vouches for it."""
        await self._store.forget_attempts(_digest(what)[:_HALF], beginning=True)


_HALF = 32  # characters of a bucket that say what is guessed; the others say from where


def _bucket(parts: tuple[str, ...]) -> str:
    if len(parts) <= 2:
        return _digest(parts)
    return _digest(parts[:2])[:_HALF] + _digest(parts)[_HALF:]


def _digest(parts: tuple[str, ...]) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
