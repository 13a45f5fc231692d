"""A database of its own for each test of this room: SQLite always, PostgreSQL where a server answers."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from conversations.store import Database
from learning.inbox_store import create_tables
from learning.limit_store import create_tables as create_limit_tables
from tests.learning.builders import Loop

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql+asyncpg://postgres@127.0.0.1:5432/test")


async def _run(statement: str) -> None:
    engine = create_async_engine(POSTGRES, connect_args={"timeout": 3})
    try:
        async with engine.begin() as connection:
            await connection.execute(text(statement))
    finally:
        await engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    if request.param == "sqlite":
        database = Database.open(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}")
        await database.create_tables()
        await create_tables(database)
        await create_limit_tables(database)
        yield database
        await database.close()
        return
    schema = f"learning_{uuid.uuid4().hex[:12]}"
    try:
        await _run(f"CREATE SCHEMA {schema}")
    except OSError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"PostgreSQL does not answer: {error}")
    database = Database(create_async_engine(POSTGRES, connect_args={"server_settings": {"search_path": schema}}))
    await database.create_tables()
    await create_tables(database)
    await create_limit_tables(database)
    yield database
    await database.close()
    await _run(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def loop(database: Database) -> Loop:
    return Loop(database)
