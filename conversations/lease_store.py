"""Who of several service processes holds what only one may: a connection, a piece of work, a process's own name.

No clock is compared with another one. An owner counts its beats; whoever waits for the place takes it once the beat has
stood still for as long as a lease lasts by the waiting process's own clock, and an owner that could not write a beat for
as long by its own clock has stopped before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from conversations.lease_tables import leases
from conversations.store import Database


@dataclass(frozen=True, slots=True)
class Lease:
    """A place as it was seen; ``owner`` is None where it is free."""

    name: str
    owner: str | None
    fence: int
    beat: int


class LeaseStore:
    """Each call is a transaction of its own, and each change is refused when somebody was quicker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, name: str) -> Lease | None:
        """The place as it is; None as long as nobody ever had it."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(leases).where(leases.c.name == name))).first()
        return None if row is None else Lease(row.name, row.owner, row.fence, row.beat)

    async def all_below(self, prefix: str) -> list[Lease]:
        """Every place whose name begins so."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(leases).where(leases.c.name.startswith(prefix, autoescape=True)))
        return [Lease(row.name, row.owner, row.fence, row.beat) for row in rows]

    async def take(self, name: str, owner: str, seen: Lease | None) -> Lease | None:
        """Take the place if it still is as it was ``seen``; None when it is not."""
        mine = Lease(name, owner, 1 if seen is None else seen.fence + 1, 0)
        values = {"owner": owner, "fence": mine.fence, "beat": 0}
        if seen is not None:
            return mine if await self._changed(seen, values, leases.c.beat == seen.beat) else None
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(leases).values(name=name, **values))
        except IntegrityError:
            return None
        return mine

    async def beat(self, mine: Lease) -> bool:
        """Show that the owner lives; False when the place is not theirs any more."""
        return await self._changed(mine, {"beat": leases.c.beat + 1}, leases.c.owner == mine.owner)

    async def give_back(self, mine: Lease) -> None:
        """Let somebody else have the place at once; nothing happens when it is not theirs any more."""
        await self._changed(mine, {"owner": None}, leases.c.owner == mine.owner)

    async def forget(self, seen: Lease) -> bool:
        """Delete a place that nobody will want again, if it still is as it was seen."""
        as_seen = (leases.c.name == seen.name, leases.c.fence == seen.fence, leases.c.beat == seen.beat)
        async with self._database.write() as connection:
            return (await connection.execute(delete(leases).where(*as_seen))).rowcount == 1

    async def _changed(self, seen: Lease, values: dict[str, Any], *conditions: Any) -> bool:
        as_seen = (leases.c.name == seen.name, leases.c.fence == seen.fence, *conditions)
        async with self._database.write() as connection:
            return (await connection.execute(update(leases).where(*as_seen).values(values))).rowcount == 1
