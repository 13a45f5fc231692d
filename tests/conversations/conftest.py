"""A clean database for each test of this room: SQLite always, PostgreSQL where a server answers."""

from __future__ import annotations

import asyncio
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from conversations.sealing import Keyring
from conversations.store import Database
from conversations.tables import metadata
from tests.conversations.builders import Clock, TestDesk

#: Those of ``TestDesk``; each database gets its own ring, because a ring knows the desk's key of one.
KEY = b"k" * 32
POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql+asyncpg://postgres@127.0.0.1:5432/test")


def _engine(schema: str) -> AsyncEngine:
    return create_async_engine(POSTGRES, connect_args={"server_settings": {"search_path": schema}, "timeout": 3})


async def _in_postgres(schema: str, statement: str, *, tables: bool = False) -> None:
    engine = _engine(schema)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(statement))
            if tables:
                await connection.run_sync(metadata.create_all)
    finally:
        await engine.dispose()


@pytest.fixture(scope="session")
def postgres_schema() -> Iterator[str]:
    """A schema of this run's own with all tables; skips where no server answers."""
    schema = f"conversations_{uuid.uuid4().hex[:12]}"
    try:
        asyncio.run(_in_postgres(schema, f"CREATE SCHEMA {schema}", tables=True))
    except (OSError, TimeoutError) as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"PostgreSQL does not answer: {error}")
    yield schema
    asyncio.run(_in_postgres(schema, f"DROP SCHEMA {schema} CASCADE"))


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
    database = Database(_engine(schema))
    names = ", ".join(table.name for table in metadata.sorted_tables)
    async with database.write() as connection:
        await connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
    return database


def connect_again(place: str) -> Database:
    """Another process's connection to a test's database."""
    database = Database.open(place) if place.startswith("sqlite") else Database(_engine(place))
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
