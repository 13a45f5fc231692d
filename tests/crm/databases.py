"""Engines for the tests of stores: a SQLite file, and a PostgreSQL schema of this process's own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from crm.store import create_tables
from tests.crm.builders import build_crm, load_small_shop

POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL", "postgresql+asyncpg://postgres@127.0.0.1:5432/test")
SCHEMA = f"crm_test_{os.getpid()}"


async def _in_postgres(statement: str) -> None:
    engine = create_async_engine(POSTGRES_URL, poolclass=NullPool, connect_args={"timeout": 5})
    try:
        async with engine.begin() as connection:
            await connection.execute(text(statement))
    finally:
        await engine.dispose()


def postgres_engine() -> AsyncEngine:
    settings = {"search_path": SCHEMA}
    return create_async_engine(POSTGRES_URL, connect_args={"server_settings": settings})


async def _create_postgres_tables() -> None:
    engine = postgres_engine()
    await create_tables(engine)
    await engine.dispose()


@pytest.fixture(scope="session")
def postgres_schema() -> Iterator[None]:
    """Tables in a schema of their own; skipped by name where no server answers. Rooms that import this share the schema."""
    try:
        asyncio.run(_in_postgres(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    except (OSError, TimeoutError) as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no PostgreSQL answers at TEST_POSTGRES_URL ({type(error).__name__})")
    asyncio.run(_create_postgres_tables())
    yield
    asyncio.run(_in_postgres(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"))


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
async def engine(database: str, tmp_path: Path, sqlite_template: bytes) -> AsyncIterator[AsyncEngine]:
    """An engine with the tables of the CRM."""
    engine = postgres_engine() if database == "postgres" else open_sqlite(tmp_path, sqlite_template)
    yield engine
    await engine.dispose()
