"""Keeps who is who at a provider, and which sign-ins have come back already."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from conversations.store import Database
from handoff.access.access_tables import identities, used_states


class IdentityStore:
    """The tables of identities in the service's database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert: Any = sqlite.insert if database.is_sqlite else postgresql.insert

    async def find(self, issuer: str, subject: str) -> str | None:
        """The member whom the provider calls by this subject."""
        query = select(identities.c.staff_id).where(identities.c.issuer == issuer, identities.c.subject == subject)
        async with self._database.read() as connection:
            found: str | None = (await connection.execute(query)).scalar()
        return found

    async def linked(self, issuer: str, staff_id: str) -> bool:
        """Whether a member has a subject at the provider already."""
        query = select(identities.c.subject).where(identities.c.issuer == issuer, identities.c.staff_id == staff_id)
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def link(self, issuer: str, subject: str, staff_id: str, now: datetime) -> bool:
        """Note whom the provider calls by a subject; False when somebody was quicker."""
        row = {"issuer": issuer, "subject": subject, "staff_id": staff_id, "linked_at": now}
        async with self._database.write() as connection:
            made = await connection.execute(self._insert(identities).values(row).on_conflict_do_nothing())
            return bool(made.rowcount)

    async def unlink(self, staff_id: str) -> bool:
        """Forget who a member is at providers; they are matched anew at the next sign-in."""
        async with self._database.write() as connection:
            gone = await connection.execute(delete(identities).where(identities.c.staff_id == staff_id))
            return bool(gone.rowcount)

    async def use_state(self, state_hash: str, now: datetime, kept: timedelta) -> bool:
        """Use up the state of a sign-in; False when it was used before. Those older than ``kept`` expire by themselves."""
        row = {"state_hash": state_hash, "used_at": now}
        async with self._database.write() as connection:
            await connection.execute(delete(used_states).where(used_states.c.used_at < now - kept))
            made = await connection.execute(self._insert(used_states).values(row).on_conflict_do_nothing())
            return bool(made.rowcount)
