"""An SQLite connection for SQLAlchemy's asyncio that runs statements where it is and only commits in a thread.

A statement of ours takes microseconds, handing it to a thread and back takes many times that. A commit waits for the
disk, so that is what leaves the event loop.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

_LOCK_SECONDS = 10.0
_commits = ThreadPoolExecutor(max_workers=2, thread_name_prefix="sqlite-commit")


class DirectCursor:
    """The part of an aiosqlite cursor that SQLAlchemy uses."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor

    async def __aenter__(self) -> DirectCursor:
        return self

    @property
    def description(self) -> Any:
        """The columns of the last result."""
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        """The row the last insert made."""
        return self._cursor.lastrowid

    @property
    def arraysize(self) -> int:
        """How many rows are fetched at once."""
        return self._cursor.arraysize

    async def execute(self, operation: str, parameters: Any = ()) -> DirectCursor:
        """Run one statement; ``BEGIN`` waits for other writers without stopping the event loop."""
        if operation.startswith("BEGIN"):
            await self._begin(operation)
        else:
            self._cursor.execute(operation, parameters)
        return self

    async def _begin(self, operation: str) -> None:
        waited, pause = 0.0, 0.001
        while True:
            try:
                self._cursor.execute(operation)
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or waited >= _LOCK_SECONDS:
                    raise
            await asyncio.sleep(pause)
            waited, pause = waited + pause, min(pause * 2, 0.05)

    async def executemany(self, operation: str, parameters: Iterable[Any]) -> DirectCursor:
        """Run one statement many times."""
        self._cursor.executemany(operation, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        """The rest of the rows."""
        return self._cursor.fetchall()

    async def close(self) -> None:
        """Free the statement."""
        self._cursor.close()


class DirectConnection:
    """The part of an aiosqlite connection that SQLAlchemy uses."""

    def __init__(self, connection: sqlite3.Connection, *, writes: bool) -> None:
        self._connection = connection
        self._writes = writes

    @property
    def raw(self) -> sqlite3.Connection:
        """SQLite's own connection, for statements that need nothing of SQLAlchemy."""
        return self._connection

    def cursor(self) -> DirectCursor:
        """A cursor; nothing is waited for."""
        return DirectCursor(self._connection.cursor())

    async def commit(self) -> None:
        """Wait for the disk, outside the event loop; one that only reads has nothing to wait for."""
        if not self._writes:
            self._connection.commit()
        elif self._connection.in_transaction:
            await _outside(self._connection.commit)

    async def rollback(self) -> None:
        """Undo the transaction."""
        self._connection.rollback()

    async def create_function(self, *arguments: Any, **options: Any) -> None:
        """Let SQLAlchemy add its functions."""
        self._connection.create_function(*arguments, **options)

    async def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def stop(self) -> None:
        """Close the file when no event loop is left to wait on."""
        self._connection.close()


async def connect_directly(path: str, *, writes: bool = True) -> DirectConnection:
    """Open an SQLite file for writers, or for readers of a few rows: what takes long would stop the event loop."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_LOCK_SECONDS)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", "busy_timeout=0"):
        connection.execute(f"PRAGMA {pragma}")
    if not writes:
        connection.execute("PRAGMA query_only=ON")
    return DirectConnection(connection, writes=writes)


def damage_in_file(path: Path) -> str | None:
    """The first thing wrong with the structure of an SQLite file; None if nothing is."""
    connection = sqlite3.connect(path, timeout=_LOCK_SECONDS)
    try:
        said = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            return None  # another process is at work on it, so it can be read
        return str(error)
    finally:
        connection.close()
    return None if said == "ok" else said


async def _outside(work: Callable[[], None]) -> None:
    running = asyncio.get_running_loop().run_in_executor(_commits, work)
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])  # the connection must not be used while the thread still works on it
        raise
