"""A database of its own for each test of the handoff room: SQLite always, PostgreSQL where a server answers."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from conversations.store import Database
from handoff.sign_in import Passwords
from handoff.store import StaffStore
from tests.blank_database import emptied_database
from tests.handoff.desk import Desk, open_desk


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
    async with emptied_database(request, tmp_path) as database:
        yield database


@pytest.fixture
async def store(database: Database) -> StaffStore:
    return StaffStore(database)


@pytest.fixture
def passwords() -> Passwords:
    """As strong as ever in kind, but cheap: tests sign in hundreds of times."""
    return Passwords(memory_kib=64, passes=1)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as desk:
        yield desk
