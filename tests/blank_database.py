"""Databases with the tables of every room, made once for a process: making them costs more than most tests."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from conversations.sealing import Keyring
from conversations.store import Database
from migrations.schema import METADATAS
from tests.postgres import apart, empty, engine_in, own_schema

_made: list[bytes] = []


async def blank_database(folder: Path) -> Database:
    """A database in a folder, with the tables of every room that a desk has; what lies there already stays."""
    path = folder / "desk.db"
    if not path.exists():
        if not _made:
            with tempfile.TemporaryDirectory() as place:
                _made.append(await _make(Path(place) / "desk.db"))
        path.write_bytes(_made[0])
    return Database.open(f"sqlite+aiosqlite:///{path}")


async def _make(path: Path) -> bytes:
    database = Database.open(f"sqlite+aiosqlite:///{path}")
    await _create_tables(database)
    await database.close()  # whoever closes last moves everything out of the log into the file
    return await asyncio.to_thread(path.read_bytes)


async def _create_tables(database: Database) -> None:
    async with database.engine.begin() as connection:
        for metadata in METADATAS:
            await connection.run_sync(metadata.create_all)


@contextmanager
def blank_schema() -> Iterator[str]:
    """A schema on the machine's PostgreSQL with the same tables; skips where no server answers."""

    async def create(schema: str) -> None:
        database = Database(engine_in(schema))
        await _create_tables(database)
        await database.close()

    with own_schema("desk") as schema:
        apart(create(schema))
        yield schema


@asynccontextmanager
async def emptied_database(request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[Database]:
    """What a fixture with ``sqlite`` and ``postgresql`` as its parameters yields: all tables, no rows, keys of its own."""
    if request.param == "sqlite":
        database = await blank_database(folder)
    else:
        database = Database(engine_in(request.getfixturevalue("desk_schema")))
        await empty(database.engine)
    database.lend_keys(Keyring(b"k" * 32))
    try:
        yield database
    finally:
        await database.close()
