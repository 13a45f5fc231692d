"""A database of its own for each test of this room: SQLite always, PostgreSQL where a server answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from conversations.store import Database
from learning.inbox_store import create_tables
from learning.limit_store import create_tables as create_limit_tables
from tests.learning.builders import Loop
from tests.postgres import empty, engine_in, own_schema


@pytest.fixture(scope="session")
def learning_schema() -> Iterator[str]:
    """A schema of this run's own; skips where no server answers."""
    with own_schema("learning") as schema:
        yield schema


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    if request.param == "sqlite":
        database = Database.open(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}")
    else:
        database = Database(engine_in(request.getfixturevalue("learning_schema")))
        await empty(database.engine)
    await database.create_tables()
    await create_tables(database)
    await create_limit_tables(database)
    yield database
    await database.close()


@pytest.fixture
def loop(database: Database) -> Loop:
    return Loop(database)
