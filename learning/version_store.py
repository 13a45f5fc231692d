"""Keeps what is known of every version of the bot's models."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from learning.model_tables import model_serving as serving
from learning.model_tables import model_versions as versions


@dataclass(frozen=True, slots=True)
class Version:
    """One archive that training left; ``by_id`` is None if it was made by hand."""

    name: str
    model_id: str | None
    sha256: str
    bytes: int
    state: str  #: ready | gone
    made_at: datetime
    by_id: str | None
    by_name: str | None
    note: str
    data_hash: str
    made: dict[str, Any]
    metrics: dict[str, Any] | None
    tracked_as: str | None


@dataclass(frozen=True, slots=True)
class Served:
    """What new conversations begin with; ``share`` is the percentage that gets the candidate."""

    live: str
    candidate: str | None
    share: int


class VersionStore:
    """Reads and writes versions inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self) -> list[Version]:
        """Every version, the newest first."""
        query = select(versions).order_by(versions.c.made_at.desc(), versions.c.name.desc())
        return [Version(**row._mapping) for row in await self._connection.execute(query)]

    async def find(self, name: str) -> Version | None:
        """A version by its name."""
        row = (await self._connection.execute(select(versions).where(versions.c.name == name))).first()
        return Version(**row._mapping) if row is not None else None

    async def add(self, version: Version) -> bool:
        """Write a version down; one that is known is left as it is. Whether it was new."""
        values = {column.name: getattr(version, column.name) for column in versions.c}
        insert = sqlite.insert if self._connection.dialect.name == "sqlite" else postgresql.insert
        query = insert(versions).values(**values).on_conflict_do_nothing(index_elements=["name"])
        return bool((await self._connection.execute(query)).rowcount == 1)

    async def change(self, name: str, **values: Any) -> None:
        """Change what is known of a version."""
        await self._connection.execute(update(versions).where(versions.c.name == name).values(**values))

    async def mark(self, present: Collection[str]) -> None:
        """Say which archives are there; the others are gone."""
        there = versions.c.name.in_(present)
        await self._connection.execute(update(versions).where(there, versions.c.state == "gone").values(state="ready"))
        await self._connection.execute(update(versions).where(~there, versions.c.state == "ready").values(state="gone"))

    async def note_metrics(self, name: str, metrics: Mapping[str, Any]) -> None:
        """Add figures to those that a version has."""
        query = select(versions.c.metrics).where(versions.c.name == name).with_for_update()
        row = (await self._connection.execute(query)).first()
        if row is not None:
            await self.change(name, metrics=dict(row.metrics or {}) | dict(metrics))

    async def served(self) -> Served | None:
        """What serves, once the desk has decided it."""
        row = (await self._connection.execute(select(serving.c.live, serving.c.candidate, serving.c.share))).first()
        return Served(row.live, row.candidate, row.share) if row is not None else None
