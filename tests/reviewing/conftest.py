"""A database of its own for each test of this room: SQLite always, PostgreSQL where a server answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from conversations.store import Database
from tests.blank_database import emptied_database


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with emptied_database(request, tmp_path) as database:
        yield database
