"""A database of its own for each test of the handoff room: SQLite always, PostgreSQL where a server answers."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from conversations.sealing import Keyring
from conversations.store import Database
from handoff.sign_in import Passwords
from handoff.store import StaffStore
from tests.handoff.desk import Desk, open_desk

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql+asyncpg://postgres@127.0.0.1:5432/test")


async def _postgres_schema() -> str:
    schema = f"handoff_{uuid.uuid4().hex[:12]}"
    engine = create_async_engine(POSTGRES, connect_args={"timeout": 3})
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"CREATE SCHEMA {schema}"))
    except OSError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"PostgreSQL does not answer: {error}")
    finally:
        await engine.dispose()
    return schema


async def _drop(schema: str) -> None:
    engine = create_async_engine(POSTGRES)
    async with engine.begin() as connection:
        await connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    await engine.dispose()


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """In memory where the system has such a folder: SQLite waits for the disk at every commit."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory, prefix="handoff-") as folder:
        yield Path(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    if request.param == "sqlite":
        database = Database.open(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}")
        await database.create_tables()
        database.lend_keys(Keyring(b"k" * 32))
        yield database
        await database.close()
        return
    schema = await _postgres_schema()
    engine = create_async_engine(POSTGRES, connect_args={"server_settings": {"search_path": schema}})
    database = Database(engine)
    await database.create_tables()
    database.lend_keys(Keyring(b"k" * 32))
    yield database
    await database.close()
    await _drop(schema)


@pytest.fixture
async def store(database: Database) -> StaffStore:
    store = StaffStore(database)
    await store.create_tables()
    return store


@pytest.fixture
def passwords() -> Passwords:
    """As strong as ever in kind, but cheap: tests sign in hundreds of times."""
    return Passwords(memory_kib=64, passes=1)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as desk:
        yield desk
