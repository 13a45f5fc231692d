"""Keeps the queue of long work in the service's database."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from learning.model_tables import learning_jobs as jobs

OVER = ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of long work; ``bot`` is the address of the bot that has it, or has to be told that it is cancelled."""

    id: str
    kind: str
    state: str  #: queued | running | done | failed | cancelled
    model: str | None
    options: dict[str, Any]
    progress: dict[str, Any] | None
    result: dict[str, Any] | None
    problem: str | None
    attempts: int
    bot: str | None
    by_id: str
    by_name: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def at_the_bot(self) -> str:
        """What the bot calls it: every attempt is a job of its own there."""
        return f"{self.id}-{self.attempts}"


class JobStore:
    """Reads and writes jobs inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, job: Job) -> None:
        """Put a job at the end of the queue; one with the same id is left as it is."""
        values = {column.name: getattr(job, column.name) for column in jobs.c}
        insert = sqlite.insert if self._connection.dialect.name == "sqlite" else postgresql.insert
        await self._connection.execute(insert(jobs).values(**values).on_conflict_do_nothing(index_elements=["id"]))

    async def find(self, job_id: str, *, hold: bool = False) -> Job | None:
        """A job by its id; ``hold`` keeps others from changing it until the transaction ends."""
        query = select(jobs).where(jobs.c.id == job_id)
        return await self._first(query.with_for_update() if hold else query)

    async def latest(self, kind: str, model: str | None = None, states: Collection[str] = ()) -> Job | None:
        """The newest job of a kind, about or for a model."""
        query = select(jobs).where(jobs.c.kind == kind)
        if model is not None:
            query = query.where(jobs.c.model == model)
        if states:
            query = query.where(jobs.c.state.in_(states))
        return await self._first(query.order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(1))

    async def open(self) -> list[Job]:
        """What waits, runs, or is cancelled without its bot knowing yet; the oldest first."""
        told = (jobs.c.state == "cancelled") & jobs.c.bot.is_not(None)
        query = select(jobs).where(jobs.c.state.in_(("queued", "running")) | told)
        return await self._all(query.order_by(jobs.c.created_at, jobs.c.id))

    async def recent(self, limit: int, kinds: Collection[str] = ()) -> list[Job]:
        """The newest first."""
        query = select(jobs).order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(limit)
        return await self._all(query.where(jobs.c.kind.in_(kinds)) if kinds else query)

    async def move(self, job: Job, expected: Collection[str], **values: Any) -> Job | None:
        """Change a job that is still in one of the expected states, at the same attempt; None if somebody was quicker."""
        result = await self._connection.execute(
            update(jobs)
            .where(jobs.c.id == job.id, jobs.c.state.in_(expected), jobs.c.attempts == job.attempts)
            .values(**values)
        )
        return await self.find(job.id) if result.rowcount == 1 else None

    async def _first(self, query: Any) -> Job | None:
        row = (await self._connection.execute(query)).first()
        return Job(**row._mapping) if row is not None else None

    async def _all(self, query: Any) -> list[Job]:
        return [Job(**row._mapping) for row in await self._connection.execute(query)]
