"""Schemas of the tests' own on the PostgreSQL of the machine: made once for a run, emptied for each test.

Making and dropping the tables for each test would be most of what such a test costs, and so would emptying all of them.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql+asyncpg://postgres@127.0.0.1:5432/test")
#: Empties what is not empty, and lets every number begin at its start again. Rows are deleted, because TRUNCATE makes new
#: files for a table and each of its indexes, which took most of a test's time; whoever may not switch the checks of foreign
#: keys off for it gets that instead.
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
    IF found <> '{}' AND current_setting('is_superuser') = 'on' THEN
        SET LOCAL session_replication_role = replica;
        FOREACH one IN ARRAY found LOOP
            EXECUTE 'DELETE FROM ' || one;
        END LOOP;
    ELSIF found <> '{}' THEN
        EXECUTE 'TRUNCATE ' || array_to_string(found, ', ') || ' CASCADE';
    END IF;
    FOR one IN SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema() AND last_value IS NOT NULL LOOP
        PERFORM setval(quote_ident(one), 1, false);
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


def apart(work: Coroutine[Any, Any, None]) -> None:
    """Run it in a thread of its own: a fixture may be asked for from within a running loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


def _execute(statement: str) -> None:
    apart(_executed(statement))


async def _executed(statement: str) -> None:
    engine = create_async_engine(POSTGRES, connect_args={"timeout": 3})
    try:
        async with engine.begin() as connection:
            await connection.execute(text(statement))
    finally:
        await engine.dispose()
