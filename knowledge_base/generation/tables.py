"""The tables of prompts: versions that are never changed, and which of them was in use since when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Column, DateTime, ForeignKeyConstraint, Integer, MetaData, String, Table, Text
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeDecorator


class UtcTime(TypeDecorator[datetime]):
    """Aware UTC times on both databases; SQLite itself would give back naive ones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times, which would be taken for local ones."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times must be aware")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give every time its zone back."""
        if not isinstance(value, datetime):
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()

prompt_versions = Table(
    "prompt_versions",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("template", Text, nullable=False),
    Column("values", JSON, nullable=False),
    Column("note", Text, nullable=False),
    Column("author_id", String(32), nullable=False),
    Column("author", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

prompt_activations = Table(  # the highest ordinal of a name says which version is in use
    "prompt_activations",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("author_id", String(32), nullable=False),
    Column("author", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    ForeignKeyConstraint(["name", "version"], ["prompt_versions.name", "prompt_versions.version"]),
)
