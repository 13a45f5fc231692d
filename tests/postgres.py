"""Schemas of the tests' own on the PostgreSQL of the machine: made once for a run, emptied for each test.

Making and dropping the tables for each test would be most of what such a test costs, and so would emptying all of them.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql+asyncpg://postgres@127.0.0.1:5432/test")
#: Empties what is not empty, and lets every number begin at its start again.
_EMPTY = """
DO $$
DECLARE
    one text;
    filled boolean;
    found text[] := '{}';
BEGIN
    FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', one) INTO filled;
        IF filled THEN found := found || quote_ident(one); END IF;
    END LOOP;
    IF found <> '{}' THEN EXECUTE 'TRUNCATE ' || array_to_string(found, ', ') || ' CASCADE'; END IF;
    FOR one IN SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema() AND last_value IS NOT NULL LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', one);
    END LOOP;
END $$
"""


def engine_in(schema: str) -> AsyncEngine:
    """Connections that see nothing but the schema."""
    return create_async_engine(POSTGRES, connect_args={"server_settings": {"search_path": schema}, "timeout": 60})


async def empty(engine: AsyncEngine) -> None:
    """Leave no row in any table of the schema."""
    async with engine.begin() as connection:
        await connection.execute(text(_EMPTY))


@contextmanager
def own_schema(room: str) -> Iterator[str]:
    """A schema of this run's own; skips where no server answers, which in CI is a failure."""
    schema = f"{room}_{uuid.uuid4().hex[:12]}"
    try:
        _execute(f"CREATE SCHEMA {schema}")
    except (OSError, TimeoutError) as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"PostgreSQL does not answer: {error}")
    try:
        yield schema
    finally:
        _execute(f"DROP SCHEMA {schema} CASCADE")


def _execute(statement: str) -> None:
    """In a thread of its own: a fixture may be asked for from within a running loop."""
    with ThreadPoolExecutor(1) as apart:
        apart.submit(asyncio.run, _executed(statement)).result()


async def _executed(statement: str) -> None:
    engine = create_async_engine(POSTGRES, connect_args={"timeout": 3})
    try:
        async with engine.begin() as connection:
            await connection.execute(text(statement))
    finally:
        await engine.dispose()
