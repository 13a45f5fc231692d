"""Keeps the trainers' synonyms in the service's database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge_base.synonyms import Synonym, Synonyms
from knowledge_base.tables import metadata, synonym_revision, synonyms


class SynonymStore:
    """The rules as rows; the engine belongs to the caller."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # On an engine that takes SQLite's write lock when a transaction begins, this says that reads need not.
        self._reading = engine.execution_options(read_only=True)
        self._insert: Any = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert

    async def create_tables(self) -> None:
        """Create what is missing; existing tables are left alone (migrations change them)."""
        async with self._engine.begin() as connection:
            await connection.run_sync(metadata.create_all)

    async def revision(self) -> int:
        """Raised by every change, by whichever process."""
        async with self._reading.connect() as connection:
            return (await connection.execute(select(synonym_revision.c.revision))).scalar() or 0

    async def read(self) -> tuple[int, Synonyms]:
        """The revision and every rule, the last changed first."""
        async with self._reading.connect() as connection:
            revision = (await connection.execute(select(synonym_revision.c.revision))).scalar() or 0
            return revision, Synonyms(tuple(await _all(connection)))

    async def put(self, rule: Synonym, check: Callable[[Synonym, list[Synonym]], Synonym]) -> Synonym | None:
        """Add a rule or change the one with its id, if ``check`` lets it stand beside the others; gives the former one."""
        async with self._changing() as connection:
            others = await _all(connection)
            check(rule, others)
            former = next((other for other in others if other.id == rule.id), None)
            if former is None:
                await connection.execute(synonyms.insert().values(**asdict(rule)))
            else:
                await connection.execute(update(synonyms).where(synonyms.c.id == rule.id).values(**asdict(rule)))
        return former

    async def remove(self, synonym_id: str) -> Synonym | None:
        """Delete a rule; gives what was deleted."""
        async with self._changing() as connection:
            former = next((rule for rule in await _all(connection) if rule.id == synonym_id), None)
            await connection.execute(delete(synonyms).where(synonyms.c.id == synonym_id))
        return former

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction in which nobody else changes rules."""
        async with self._engine.begin() as connection:
            first = self._insert(synonym_revision).values(id=1, revision=0).on_conflict_do_nothing()
            await connection.execute(first)
            await connection.execute(update(synonym_revision).values(revision=synonym_revision.c.revision + 1))
            yield connection


async def _all(connection: AsyncConnection) -> list[Synonym]:
    rows = await connection.execute(select(synonyms).order_by(synonyms.c.updated_at.desc(), synonyms.c.id))
    return [Synonym(**row) for row in rows.mappings()]
