"""Reads and writes saved filters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select, update

from conversations.model import new_id
from conversations.store import Database
from handoff.tables import saved_filters, staff


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """Conditions under a name; ``conditions`` is the JSON of ``Conditions``."""

    id: str
    owner_id: str
    owner_name: str
    name: str
    shared: bool
    conditions: dict[str, Any]
    sort: str


class FilterStore:
    """The saved filters in the service's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def visible_to(self, member_id: str) -> list[SavedFilter]:
        """A member's own filters and the shared ones, in the order of the rail."""
        query = _SELECT.where(or_(saved_filters.c.owner_id == member_id, saved_filters.c.shared))
        async with self._database.read() as connection:
            rows = await connection.execute(
                query.order_by(saved_filters.c.shared.desc(), saved_filters.c.place, saved_filters.c.created_at)
            )
            return [SavedFilter(**row._mapping) for row in rows]

    async def find(self, filter_id: str) -> SavedFilter | None:
        """One filter, whoever may see it."""
        async with self._database.read() as connection:
            row = (await connection.execute(_SELECT.where(saved_filters.c.id == filter_id))).first()
        return None if row is None else SavedFilter(**row._mapping)

    async def count_of(self, member_id: str) -> int:
        """How many filters a member keeps."""
        query = select(func.count()).select_from(saved_filters).where(saved_filters.c.owner_id == member_id)
        async with self._database.read() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def add(
        self, owner_id: str, name: str, shared: bool, conditions: dict[str, Any], sort: str, now: datetime
    ) -> str:
        """Save a filter at the end of the list; returns its id."""
        filter_id = new_id()
        async with self._database.write() as connection:
            last = (await connection.execute(select(func.max(saved_filters.c.place)))).scalar() or 0
            await connection.execute(
                saved_filters.insert().values(
                    id=filter_id,
                    owner_id=owner_id,
                    name=name,
                    shared=shared,
                    conditions=conditions,
                    sort=sort,
                    place=last + 1,
                    created_at=now,
                    updated_at=now,
                )
            )
        return filter_id

    async def change(self, filter_id: str, now: datetime, **values: Any) -> None:
        """Write a filter's name, sharing, conditions or sort."""
        async with self._database.write() as connection:
            await connection.execute(
                update(saved_filters).where(saved_filters.c.id == filter_id).values(**values, updated_at=now)
            )

    async def remove(self, filter_id: str) -> None:
        """Delete a filter."""
        async with self._database.write() as connection:
            await connection.execute(delete(saved_filters).where(saved_filters.c.id == filter_id))

    async def order(self, filter_ids: Sequence[str]) -> None:
        """Put filters in this order."""
        async with self._database.write() as connection:
            for place, filter_id in enumerate(filter_ids, start=1):
                await connection.execute(
                    update(saved_filters).where(saved_filters.c.id == filter_id).values(place=place)
                )


_SELECT = select(
    saved_filters.c.id,
    saved_filters.c.owner_id,
    staff.c.name.label("owner_name"),
    saved_filters.c.name,
    saved_filters.c.shared,
    saved_filters.c.conditions,
    saved_filters.c.sort,
).join(staff, staff.c.id == saved_filters.c.owner_id)
