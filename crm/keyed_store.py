"""Writes that happen once per key: the key and its result are committed together with what was written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Table, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from crm.model import WriteKey, utc_now
from crm.tables import counters, writes

#: Shared by the stores of this room; a test moves time by passing another.
Clock = Callable[[], Any]


class KeyedStore:
    """The engine, the clock and the rule that one key writes once."""

    def __init__(self, engine: AsyncEngine, now: Clock = utc_now) -> None:
        self.engine = engine
        # On an engine that takes SQLite's write lock when a transaction begins, this says that reads need not.
        self.reading = engine.execution_options(read_only=True)
        self.now = now

    async def once(self, key: WriteKey, work: Callable[[AsyncConnection], Awaitable[Any]]) -> Any:
        """The JSON result of ``work``, run in one transaction unless this key has a result already.

        The key is inserted first: that takes the write lock, so a second caller waits and then reads the result.
        An error rolls everything back, the key included.
        """
        turn_id, action = key
        async with self.engine.begin() as connection:
            row = {"turn_id": turn_id, "action": action, "at": self.now()}
            if not await self.insert_new(connection, writes, row):
                mine = (writes.c.turn_id == turn_id) & (writes.c.action == action)
                return (await connection.execute(select(writes.c.result).where(mine))).scalar_one()
            result = await work(connection)
            mine = (writes.c.turn_id == turn_id) & (writes.c.action == action)
            await connection.execute(update(writes).where(mine).values(result=result))
            return result

    async def insert_new(self, connection: AsyncConnection, table: Table, row: dict[str, Any]) -> bool:
        """Insert a row unless one like it exists; says whether it was inserted."""
        return bool((await connection.execute(self.insert(table).on_conflict_do_nothing(), row)).rowcount)

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An insert of this database's kind, which knows what to do about conflicts."""
        return postgresql.insert(table) if self.engine.dialect.name == "postgresql" else sqlite.insert(table)

    async def next_number(self, connection: AsyncConnection, name: str, first: int) -> int:
        """The next number of a series that starts at ``first``."""
        await self.insert_new(connection, counters, {"name": name, "value": first - 1})
        statement = update(counters).where(counters.c.name == name).values(value=counters.c.value + 1)
        return int((await connection.execute(statement.returning(counters.c.value))).scalar_one())
