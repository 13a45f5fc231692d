"""Opens the service's database: SQLite for one machine, PostgreSQL for many processes.

SQLite lets one writer in at a time, and a commit waits for the disk. So writers that come while another one waits share
the next commit: each has a savepoint of its own, and nobody goes on before what it wrote is safe.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from conversations import (  # noqa: F401  # their tables belong to the same metadata
    channel_tables,
    contact_tables,
    episode_tables,
    export_tables,
    lease_tables,
    link_tables,
    organising_tables,
    privacy_tables,
    proactive_tables,
    proof_tables,
)
from conversations.prepared_store import direct
from conversations.sealed_tables import lend_keys
from conversations.sealing import DESK, Keyring
from conversations.sealing_store import SealingStore
from conversations.sqlite_store import connect_directly
from conversations.tables import metadata
from failpoints import reach

Done = TypeVar("Done")
#: PostgreSQL's classes of errors that pass: connection, conflict, resources, shutdown or start, the system below it.
_OUTAGES = {"08", "40", "53", "57", "58"}
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 5.0
MOST_TOGETHER = 32  #: writers that share a commit, so that other processes get their turn


def is_outage(error: BaseException) -> bool:
    """Whether the database is away, full or broken, rather than what was asked of it wrong."""
    if isinstance(error, DBAPIError):
        state = str(getattr(error.orig, "sqlstate", None) or "")
        away = isinstance(error, OperationalError | InterfaceError | InternalError)
        return away or error.connection_invalidated or state[:2] in _OUTAGES
    return isinstance(error, OSError)


async def through_outages(work: Callable[[], Awaitable[Done]], patient: Callable[[], bool]) -> Done:
    """Repeat what an outage keeps from being done, for as long as ``patient``; raises whatever else goes wrong."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            return await work()
        except Exception as error:
            if not is_outage(error) or not patient():
                raise
        await asyncio.sleep(pause)
        pause = min(_LONGEST_PAUSE_SECONDS, pause * 2)


@dataclass(slots=True)
class _Group:
    """Writers that share a transaction; ``safe`` is done once it is on the disk."""

    connection: AsyncConnection
    safe: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    members: int = 0


@dataclass(slots=True)
class _Fate:
    """Whether what a writer wrote is on the disk, as far as is known."""

    safe: bool = False


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
        self._preparing = asyncio.Lock()
        self._unprepared: Keyring | None = None  # whose own key is not in use yet
        #: Called when a commit failed and what its writers saw of each other was never there.
        self.on_lost: Callable[[], None] = lambda: None
        #: Told the seconds that a commit took and how many writers shared it.
        self.on_commit: Callable[[float, int], None] = lambda _seconds, _writers: None

    @classmethod
    def open(cls, url: str) -> Database:
        """Prepare the database at ``url`` (``sqlite+aiosqlite:///…`` on a file, or ``postgresql+asyncpg://…``)."""
        quiet = {"hide_parameters": True}  # errors that end up in the log must not say what people wrote
        if not url.startswith("sqlite"):
            return cls(create_async_engine(url, pool_size=10, max_overflow=10, pool_pre_ping=True, **quiet))
        if ":memory:" in url or url.rstrip("/").endswith("aiosqlite:"):
            raise ValueError("SQLite needs a file: an in-memory database is lost at the first crash")
        path = make_url(url).database or ""
        writing = create_async_engine(url, async_creator=lambda: connect_directly(path), pool_size=2, **quiet)
        event.listen(writing.sync_engine, "begin", _begin_writing)
        reading = create_async_engine(url, **quiet)
        event.listen(reading.sync_engine, "connect", _prepare_reader)
        event.listen(reading.sync_engine, "begin", _begin_reading)
        glancing = create_async_engine(
            url, async_creator=lambda: connect_directly(path, writes=False), pool_size=2, **quiet
        )
        event.listen(glancing.sync_engine, "begin", _begin_reading)
        return cls(writing, reading, glancing)

    async def create_tables(self) -> None:
        """Create what is missing; existing tables are left alone (migrations change them)."""
        async with self.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)

    def lend_keys(self, keyring: Keyring) -> None:
        """Let sealed values be read and written with these keys."""
        for engine in (self.engine, self._reading, self._glancing):
            lend_keys(engine.dialect, keyring)
        self._unprepared = None if keyring.ready else keyring

    async def _prepare_keys(self) -> None:
        """Take the desk's own key into use, before the first transaction that may need it."""
        async with self._preparing:
            keyring = self._unprepared
            if keyring is None:
                return
            async with self.write(prepared=False) as connection:
                store = SealingStore(connection)
                await store.writing_key(keyring, DESK)
                wrapped = await store.find_keys(DESK)
            assert wrapped is not None
            keyring.prepare(wrapped)
            self._unprepared = None

    @asynccontextmanager
    async def write(
        self, *, prepared: bool = True, news: Callable[[], Coroutine[Any, Any, None]] | None = None
    ) -> AsyncIterator[AsyncConnection]:
        """A transaction that changes something; it commits when the block ends without an error.

        ``news`` is called as soon as what was written is safe, and is carried out whole: also when the writer is
        cancelled meanwhile, as a request is whose browser has gone.
        """
        if prepared and self._unprepared is not None:
            await self._prepare_keys()
        fate = _Fate()
        try:
            async with self._together(fate) if self.is_sqlite else self._alone(fate) as connection:
                yield connection
        except asyncio.CancelledError:
            if news is not None and fate.safe:
                self._in_background(news())
            raise
        if news is not None:
            await asyncio.shield(self._in_background(news()))

    @asynccontextmanager
    async def _alone(self, fate: _Fate) -> AsyncIterator[AsyncConnection]:
        async with self.engine.begin() as connection:
            yield connection
            began = time.perf_counter()
            await _whole(self._commit(connection, fate))
        self.on_commit(time.perf_counter() - began, 1)

    async def _commit(self, connection: AsyncConnection, fate: _Fate) -> None:
        await connection.commit()
        fate.safe = True

    @asynccontextmanager
    async def _together(self, fate: _Fate) -> AsyncIterator[AsyncConnection]:
        await self._wait_in_line()  # waiting here is fair, SQLite's busy wait is not
        group: _Group | None = None
        ended = False
        try:
            group = self._group or await self._open_group()
            group.members += 1
            if group.members == 1:  # whoever is alone until now needs no savepoint
                yield group.connection
            else:
                async with _savepoint(group.connection):
                    yield group.connection
            ended = True
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
                if ended and group is not None:
                    await _known(group.safe, fate)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        return task

    async def _wait_in_line(self) -> None:
        self._waiting += 1
        try:
            await self._writer.acquire()
        except BaseException:
            if self._waiting == 1:  # those who were there before count on this one to close their group
                self._in_background(self._close_left_open())
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
        began = time.perf_counter()
        try:
            try:
                reach("before_disk")
                _check_open(group.connection)
                await group.connection.commit()
                reach("after_disk")
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
            self.on_commit(time.perf_counter() - began, group.members)

    @asynccontextmanager
    async def read(self, *, prepared: bool = True) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads and never waits for a writer."""
        if prepared and self._unprepared is not None:
            await self._prepare_keys()
        async with self._reading.begin() as connection:
            yield connection

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[AsyncConnection]:
        """As ``read``, for a few rows by their index: on SQLite without the way through a thread and back."""
        if self._unprepared is not None:
            await self._prepare_keys()
        async with self._glancing.begin() as connection:
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.gather(*self._closing)
        for engine in (self.engine, self._reading, self._glancing):
            await engine.dispose()


@asynccontextmanager
async def _savepoint(connection: AsyncConnection) -> AsyncIterator[None]:
    raw = direct(connection)
    if raw is None:
        async with connection.begin_nested():
            yield
        return
    raw.execute("SAVEPOINT member")
    try:
        yield
    except BaseException:
        if raw.in_transaction:  # a full disk may have undone everything already
            raw.execute("ROLLBACK TO member")
            raw.execute("RELEASE member")
        raise
    raw.execute("RELEASE member")


def _check_open(connection: AsyncConnection) -> None:
    """SQLite may undo a transaction by itself, after which committing would succeed and store nothing."""
    raw = direct(connection)
    if raw is not None and not raw.in_transaction:
        raise OperationalError("COMMIT", None, sqlite3.OperationalError("the transaction was undone before its commit"))


async def _known(safe: asyncio.Future[None], fate: _Fate) -> None:
    """Wait until it is known whether the group is on disk, also when the waiting is cancelled."""
    try:
        await asyncio.shield(safe)
    except asyncio.CancelledError:
        await asyncio.wait([safe])
        fate.safe = safe.exception() is None
        raise
    fate.safe = True


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
