"""Keeps second factors and recovery codes; each code is used up in the same statement that finds it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from conversations.store import Database
from handoff.access.access_tables import recovery_codes, second_factors


@dataclass(frozen=True, slots=True)
class StoredFactor:
    """A member's second factor; without ``confirmed_at`` it counts for nothing."""

    staff_id: str
    secret: bytes  #: sealed
    confirmed_at: datetime | None


class SecondFactorStore:
    """The tables of second factors in the service's database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert: Any = sqlite.insert if database.is_sqlite else postgresql.insert

    async def find(self, staff_id: str) -> StoredFactor | None:
        """The factor of a member, confirmed or not."""
        async with self._database.read() as connection:
            query = select(second_factors).where(second_factors.c.staff_id == staff_id)
            row = (await connection.execute(query)).first()
        return StoredFactor(row.staff_id, row.secret, row.confirmed_at) if row else None

    async def confirmed(self) -> dict[str, datetime]:
        """Who has a second factor, and since when."""
        query = select(second_factors.c.staff_id, second_factors.c.confirmed_at)
        async with self._database.read() as connection:
            rows = await connection.execute(query.where(second_factors.c.confirmed_at.is_not(None)))
            return {row.staff_id: row.confirmed_at for row in rows}

    async def begin(self, staff_id: str, secret: bytes, now: datetime) -> bool:
        """Keep a secret that is to be confirmed; False when the member has a confirmed one already."""
        row = self._insert(second_factors).values(staff_id=staff_id, secret=secret, begun_at=now, last_step=0)
        fresh = row.on_conflict_do_update(
            index_elements=[second_factors.c.staff_id],
            set_={"secret": secret, "begun_at": now, "last_step": 0},
            where=second_factors.c.confirmed_at.is_(None),
        )
        async with self._database.write() as connection:
            return (await connection.execute(fresh)).rowcount == 1

    async def confirm(self, staff_id: str, secret: bytes, step: int, codes: Collection[str], now: datetime) -> bool:
        """Make the shown secret count, with its recovery codes; False when another was shown or confirmed meanwhile."""
        mine = second_factors.c.staff_id == staff_id
        shown = mine & (second_factors.c.secret == secret) & second_factors.c.confirmed_at.is_(None)
        async with self._database.write() as connection:
            done = await connection.execute(
                update(second_factors).where(shown).values(confirmed_at=now, last_step=step)
            )
            if done.rowcount != 1:
                return False
            await connection.execute(delete(recovery_codes).where(recovery_codes.c.staff_id == staff_id))
            await connection.execute(
                insert(recovery_codes), [{"staff_id": staff_id, "code_hash": code} for code in codes]
            )
        return True

    async def use_step(self, staff_id: str, step: int) -> bool:
        """Use up a step and all before it; False when a code of it or of a later one was used already."""
        unused = (second_factors.c.staff_id == staff_id) & (second_factors.c.last_step < step)
        async with self._database.write() as connection:
            query = update(second_factors).where(unused, second_factors.c.confirmed_at.is_not(None))
            return (await connection.execute(query.values(last_step=step))).rowcount == 1

    async def use_code(self, staff_id: str, code_hash: str, now: datetime) -> bool:
        """Use up a recovery code; False when there is none like it, or no more."""
        codes = recovery_codes.c
        unused = (codes.staff_id == staff_id) & (codes.code_hash == code_hash) & codes.used_at.is_(None)
        async with self._database.write() as connection:
            return (await connection.execute(update(recovery_codes).where(unused).values(used_at=now))).rowcount == 1

    async def replace_codes(self, staff_id: str, codes: Collection[str]) -> None:
        """Other recovery codes instead of all there were."""
        async with self._database.write() as connection:
            await connection.execute(delete(recovery_codes).where(recovery_codes.c.staff_id == staff_id))
            await connection.execute(
                insert(recovery_codes), [{"staff_id": staff_id, "code_hash": code} for code in codes]
            )

    async def codes_left(self, staff_id: str) -> int:
        """How many recovery codes were not used yet."""
        left = (recovery_codes.c.staff_id == staff_id) & recovery_codes.c.used_at.is_(None)
        async with self._database.read() as connection:
            query = select(func.count()).select_from(recovery_codes).where(left)
            return int((await connection.execute(query)).scalar_one())

    async def remove(self, staff_id: str) -> bool:
        """Forget a member's factor and codes; returns whether there was a factor."""
        async with self._database.write() as connection:
            await connection.execute(delete(recovery_codes).where(recovery_codes.c.staff_id == staff_id))
            gone = await connection.execute(delete(second_factors).where(second_factors.c.staff_id == staff_id))
        return gone.rowcount == 1
