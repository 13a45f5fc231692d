"""Reads and writes what serves, and how it came to be so, inside one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.model import Agent, Status
from conversations.store import Database
from conversations.tables import conversations
from learning.model_choice import Choice
from learning.model_tables import metadata, model_changes, model_serving

_ONE = 1
_OPEN = [status.value for status in Status if status is not Status.RESOLVED]
MOST_NAMED = 1_000


@dataclass(frozen=True, slots=True)
class Change:
    """One change of what serves."""

    what: str  #: promote, compare, stop, rollback or found
    live: str
    before: str | None
    candidate: str | None = None
    share: int = 0
    replay_id: str | None = None
    note: str = ""
    by: Agent | None = None  #: None: found, nobody's doing here
    at: datetime | None = None
    seq: int = 0


class ServingStore:
    """The one row of what serves, and its changes."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert

    async def find(self) -> tuple[Choice, datetime] | None:
        """What serves, and since when."""
        row = (await self._connection.execute(select(model_serving))).first()
        return None if row is None else (Choice(row.revision, row.live, row.candidate, row.share), row.since)

    async def put(self, choice: Choice, instead_of: int | None, at: datetime) -> bool:
        """Write what serves from now on; False if it is no longer at the revision ``instead_of``."""
        values = {"revision": choice.revision, "live": choice.live, "candidate": choice.candidate}
        values |= {"share": choice.share, "since": at}
        if instead_of is None:
            begun = self._insert(model_serving).values(id=_ONE, **values).on_conflict_do_nothing()
            return bool((await self._connection.execute(begun)).rowcount)
        changed = update(model_serving).where(model_serving.c.id == _ONE, model_serving.c.revision == instead_of)
        return bool((await self._connection.execute(changed.values(**values))).rowcount)

    async def add(self, change: Change, at: datetime) -> None:
        """Note a change."""
        by = change.by
        names = ("what", "live", "before", "candidate", "share", "replay_id", "note")
        values = {name: getattr(change, name) for name in names} | {"at": at}
        values |= {"by_id": by.id if by else None, "by_name": by.name if by else None}
        await self._connection.execute(insert(model_changes).values(**values))

    async def changes(self, limit: int) -> list[Change]:
        """The last changes, newest first."""
        rows = await self._connection.execute(select(model_changes).order_by(model_changes.c.seq.desc()).limit(limit))
        return [_change(row) for row in rows]

    async def change_to(self, live: str) -> Change | None:
        """The change that made a version live the last time."""
        became = model_changes.c.before.is_distinct_from(model_changes.c.live) & (model_changes.c.live == live)
        query = select(model_changes).where(became).order_by(model_changes.c.seq.desc()).limit(1)
        row = (await self._connection.execute(query)).first()
        return None if row is None else _change(row)

    async def ever_live(self) -> set[str]:
        """Every version that was live at some time."""
        rows = await self._connection.execute(select(model_changes.c.live).distinct())
        return set(rows.scalars())

    async def pinned(self) -> dict[str, int]:
        """By version, how many running conversations stay on it."""
        rows = await self._connection.execute(
            select(conversations.c.model, func.count())
            .where(conversations.c.status.in_(_OPEN), conversations.c.model.is_not(None))
            .group_by(conversations.c.model)
            .order_by(func.count().desc(), conversations.c.model)
        )
        return {name: int(number) for name, number in rows}


def _change(row: Row[tuple[object, ...]]) -> Change:
    values = row._mapping
    by = Agent(values["by_id"], values["by_name"] or "") if values["by_id"] else None
    names = ("what", "live", "before", "candidate", "share", "replay_id", "note", "at", "seq")
    return Change(by=by, **{name: values[name] for name in names})


async def create_tables(database: Database) -> None:
    """Create what is missing of the models' tables (tests; migrations do it for a desk)."""
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
