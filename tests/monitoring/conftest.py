"""A watched desk on SQLite, and on PostgreSQL where the database matters."""

from __future__ import annotations

from pathlib import Path

import pytest

from conversations.store import Database
from tests.conversations.conftest import (  # noqa: F401
    database,
    place,
    postgres_schema,
    sqlite_template,
)
from tests.monitoring.watched import Watched, watched_desk


@pytest.fixture
async def watched(database: Database, tmp_path: Path) -> Watched:  # noqa: F811
    return await watched_desk(database, tmp_path)
