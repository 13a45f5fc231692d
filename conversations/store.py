"""Opens the service's database: SQLite for one machine, PostgreSQL for many processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from conversations import organising_tables  # noqa: F401  # its tables belong to the same metadata
from conversations.sqlite_store import connect_directly
from conversations.tables import metadata


class Database:
    """Transactions on one database; other rooms share ``engine`` so that SQLite has one configuration."""

    def __init__(
        self, engine: AsyncEngine, reading: AsyncEngine | None = None, glancing: AsyncEngine | None = None
    ) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._reading = reading or engine
        self._glancing = glancing or self._reading
        self._writer = asyncio.Lock()

    @classmethod
    def open(cls, url: str) -> Database:
        """Prepare the database at ``url`` (``sqlite+aiosqlite:///…`` on a file, or ``postgresql+asyncpg://…``)."""
        if not url.startswith("sqlite"):
            return cls(create_async_engine(url, pool_size=10, max_overflow=10, pool_pre_ping=True))
        if ":memory:" in url or url.rstrip("/").endswith("aiosqlite:"):
            raise ValueError("SQLite needs a file: an in-memory database is lost at the first crash")
        path = make_url(url).database or ""
        writing = create_async_engine(url, async_creator=lambda: connect_directly(path), pool_size=2)
        event.listen(writing.sync_engine, "begin", _begin_writing)
        reading = create_async_engine(url)
        event.listen(reading.sync_engine, "connect", _prepare_reader)
        event.listen(reading.sync_engine, "begin", _begin_reading)
        glancing = create_async_engine(url, async_creator=lambda: connect_directly(path, writes=False), pool_size=2)
        event.listen(glancing.sync_engine, "begin", _begin_reading)
        return cls(writing, reading, glancing)

    async def create_tables(self) -> None:
        """Create what is missing; existing tables are left alone (migrations change them)."""
        async with self.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that changes something; it commits when the block ends without an error."""
        if not self.is_sqlite:
            async with self.engine.begin() as connection:
                yield connection
            return
        async with self._writer, self.engine.begin() as connection:  # waiting here is fair, SQLite's busy wait is not
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads and never waits for a writer."""
        async with self._reading.begin() as connection:
            yield connection

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[AsyncConnection]:
        """As ``read``, for a few rows by their index: on SQLite without the way through a thread and back."""
        async with self._glancing.begin() as connection:
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        for engine in (self.engine, self._reading, self._glancing):
            await engine.dispose()


def _prepare_reader(dbapi_connection: Any, _record: Any) -> None:
    dbapi_connection.isolation_level = None  # the driver must not begin transactions of its own
    cursor = dbapi_connection.cursor()
    for pragma in ("busy_timeout=10000", "foreign_keys=ON", "query_only=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_writing(connection: Connection) -> None:
    # A transaction that starts as a reader and then writes fails at once when another writer was quicker.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
