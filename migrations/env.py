"""Alembic's entry: one history of migrations for the tables of every room, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from migrations.schema import METADATAS

target_metadata: list[MetaData] = list(METADATAS)


def render_item(kind: str, item: object, _: object) -> str | bool:
    """Write a room's own time type as what it is in the database, so that old migrations need no code of today."""
    if kind == "type" and type(item).__name__ in {"UtcDateTime", "UtcTime"}:
        return "sa.DateTime(timezone=True)"
    return False


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=target_metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=False,
        render_item=render_item,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_with_engine(url: str) -> None:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    import settings

    asyncio.run(run_with_engine(context.config.get_main_option("sqlalchemy.url") or settings.load().database_url))
