"""Opens the service's database: SQLite for one machine, PostgreSQL for many processes.

SQLite lets one writer in at a time, and a commit waits for the disk. So writers that come while another one waits share
the next commit: each has a savepoint of its own, and nobody goes on before what it wrote is safe.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from conversations import (  # noqa: F401  # their tables belong to the same metadata
    contact_tables,
    episode_tables,
    link_tables,
    organising_tables,
)
from conversations.sqlite_store import connect_directly
from conversations.tables import metadata

MOST_TOGETHER = 32  #: writers that share a commit, so that other processes get their turn


@dataclass(slots=True)
class _Group:
    """Writers that share a transaction; ``safe`` is done once it is on the disk."""

    connection: AsyncConnection
    safe: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    members: int = 0


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
        self._waiting = 0  # writers that will join
        self._group: _Group | None = None
        self._closing: set[asyncio.Task[None]] = set()
        #: Called when a commit failed and what its writers saw of each other was never there.
        self.on_lost: Callable[[], None] = lambda: None

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
        await self._wait_in_line()  # waiting here is fair, SQLite's busy wait is not
        group: _Group | None = None
        try:
            group = self._group or await self._open_group()
            group.members += 1
            if group.members == 1:  # whoever is alone until now needs no savepoint
                yield group.connection
            else:
                async with group.connection.begin_nested():
                    yield group.connection
        except BaseException:
            if group is not None and group.members == 1:
                await _whole(self._undo(group))
                group = None
            raise
        finally:
            try:
                if group is not None and (not self._waiting or group.members >= MOST_TOGETHER):
                    await _whole(self._close(group))
            finally:
                self._writer.release()
        await asyncio.shield(group.safe)

    async def _wait_in_line(self) -> None:
        self._waiting += 1
        try:
            await self._writer.acquire()
        except BaseException:
            if self._waiting == 1:  # those who were there before count on this one to close their group
                task = asyncio.create_task(self._close_left_open())
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)
            raise
        finally:
            self._waiting -= 1

    async def _close_left_open(self) -> None:
        async with self._writer:
            if self._group is not None and not self._waiting:
                await self._close(self._group)

    async def _open_group(self) -> _Group:
        connection = self.engine.connect()
        await connection.start()
        try:
            await connection.begin()
        except BaseException:
            await connection.close()
            raise
        self._group = _Group(connection)
        return self._group

    async def _undo(self, group: _Group) -> None:
        self._group = None
        try:
            await group.connection.rollback()
        except BaseException:
            await group.connection.invalidate()
            raise
        finally:
            await group.connection.close()

    async def _close(self, group: _Group) -> None:
        self._group = None
        try:
            try:
                await group.connection.commit()
            except BaseException:
                await group.connection.invalidate()  # what it holds is undone, whatever state it is in
                raise
            finally:
                await group.connection.close()
        except Exception as error:
            self.on_lost()
            group.safe.set_exception(error)
            group.safe.exception()  # it is no news to nobody when every writer has given up
        else:
            group.safe.set_result(None)

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
        await asyncio.gather(*self._closing)
        for engine in (self.engine, self._reading, self._glancing):
            await engine.dispose()


async def _whole(work: Coroutine[Any, Any, None]) -> None:
    """Wait until the work is done, also when the waiting is cancelled."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


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
