from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.connectors.desk import Server, running_server
from tests.conversations.conftest import database, place, postgres_schema, sqlite_template
from tests.doubles.dovecot import Dovecot, running_dovecot

__all__ = ["database", "place", "postgres_schema", "sqlite_template"]  # databases, as in the room of conversations


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running_server(tmp_path) as server:
        yield server


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """One server for all tests; each takes a mailbox of its own."""
    with running_dovecot() as server:
        yield server
