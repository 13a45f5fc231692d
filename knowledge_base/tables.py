"""The tables of the knowledge base in the service's database: what trainers teach it beside the articles."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Integer, MetaData, String, Table
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

synonyms = Table(
    "kb_synonyms",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),  # synonym or product
    Column("language", String(4), nullable=False),  # zh, en or both
    Column("term", String(80), nullable=False),
    Column("means", String(80), nullable=False),
    Column("two_way", Boolean, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("updated_by", String(120), nullable=False),
)

#: One row: raised by every change, and taken by every writer first, so that two changes are never checked side by side.
synonym_revision = Table(
    "kb_synonym_revision",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
)
