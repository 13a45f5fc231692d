"""A clean database for each test of this room: SQLite always, PostgreSQL where a server answers."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from conversations.sealing import Keyring
from conversations.store import Database
from tests.conversations.builders import Clock, TestDesk
from tests.postgres import empty, engine_in, own_schema

#: Those of ``TestDesk``; each database gets its own ring, because a ring knows the desk's key of one.
KEY = b"k" * 32


@pytest.fixture(scope="session")
def postgres_schema() -> Iterator[str]:
    """A schema of this run's own with all tables; skips where no server answers."""

    async def create(schema: str) -> None:
        database = Database(engine_in(schema))
        await database.create_tables()
        await database.close()

    with own_schema("conversations") as schema:
        asyncio.run(create(schema))
        yield schema


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all tables, to be copied."""
    path = tmp_path_factory.mktemp("template") / "desk.db"

    async def create() -> None:
        database = Database.open(f"sqlite+aiosqlite:///{path}")
        await database.create_tables()
        await database.close()

    asyncio.run(create())
    return path


async def clean_postgres(schema: str) -> Database:
    """The database of a schema, emptied."""
    database = Database(engine_in(schema))
    await empty(database.engine)
    return database


def connect_again(place: str) -> Database:
    """Another process's connection to a test's database."""
    database = Database.open(place) if place.startswith("sqlite") else Database(engine_in(place))
    database.lend_keys(Keyring(KEY))
    return database


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a copied SQLite file, or the name of a PostgreSQL schema."""
    if request.param == "postgresql":
        schema: str = request.getfixturevalue("postgres_schema")
        return schema
    shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "desk.db")
    return f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}"


@pytest.fixture
async def database(place: str) -> AsyncIterator[Database]:
    database = Database.open(place) if place.startswith("sqlite") else await clean_postgres(place)
    database.lend_keys(Keyring(KEY))
    yield database
    await database.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def desk(database: Database, clock: Clock) -> TestDesk:
    return TestDesk(database, clock)
