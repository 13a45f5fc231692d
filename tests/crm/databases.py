"""Engines for the tests of stores: a SQLite file, and a PostgreSQL schema of this process's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from crm.store import create_tables
from tests.crm.builders import build_crm, load_small_shop
from tests.postgres import engine_in, own_schema


async def _create_tables(schema: str) -> None:
    engine = engine_in(schema)
    await create_tables(engine)
    await engine.dispose()


@pytest.fixture(scope="session")
def postgres_schema() -> Iterator[str]:
    """Tables in a schema of their own; skipped by name where no server answers. Rooms that import this share the schema."""
    with own_schema("crm") as schema:
        asyncio.run(_create_tables(schema))
        yield schema


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A SQLite file with the small shop in it, made once."""
    path = tmp_path_factory.mktemp("crm") / "template.db"

    async def make() -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
        await create_tables(engine)
        await load_small_shop(await build_crm(engine))
        await engine.dispose()

    asyncio.run(make())
    return path.read_bytes()


@pytest.fixture
async def sqlite_engine(tmp_path: Path, sqlite_template: bytes) -> AsyncIterator[AsyncEngine]:
    engine = open_sqlite(tmp_path, sqlite_template)
    yield engine
    await engine.dispose()


def open_sqlite(folder: Path, template: bytes) -> AsyncEngine:
    """A SQLite database of this test's own."""
    path = folder / "crm.db"
    path.write_bytes(template)
    return create_async_engine(f"sqlite+aiosqlite:///{path}")


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """Each database in turn."""
    kind: str = request.param
    if kind == "postgres":
        request.getfixturevalue("postgres_schema")
    return kind


@pytest.fixture
async def engine(
    database: str, request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: bytes
) -> AsyncIterator[AsyncEngine]:
    """An engine with the tables of the CRM."""
    if database == "postgres":
        engine = engine_in(request.getfixturevalue("postgres_schema"))
    else:
        engine = open_sqlite(tmp_path, sqlite_template)
    yield engine
    await engine.dispose()
