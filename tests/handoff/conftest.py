"""A database of its own for each test of the handoff room: SQLite always, PostgreSQL where a server answers."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from conversations.sealing import Keyring
from conversations.store import Database
from handoff.sign_in import Passwords
from handoff.store import StaffStore
from tests.handoff.blank_database import blank_database
from tests.handoff.desk import Desk, open_desk
from tests.postgres import empty, engine_in, own_schema


@pytest.fixture(scope="session")
def handoff_schema() -> Iterator[str]:
    """A schema of this run's own; skips where no server answers."""
    with own_schema("handoff") as schema:
        yield schema


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
        database = await blank_database(tmp_path)
    else:
        database = Database(engine_in(request.getfixturevalue("handoff_schema")))
        await database.create_tables()
        await empty(database.engine)
    database.lend_keys(Keyring(b"k" * 32))
    yield database
    await database.close()


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
