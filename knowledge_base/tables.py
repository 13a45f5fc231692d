"""The tables of the knowledge base in the service's database: what trainers teach it beside the articles."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, DateTime, Index, Integer, MetaData, String, Table, Text
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

#: Articles that are edited in the desk; what only lies in files has no row.
articles = Table(
    "kb_articles",
    metadata,
    Column("id", String(80), primary_key=True),  # the same in every language
    Column("language", String(4), primary_key=True),
    Column("revision", Integer, nullable=False),  # the newest version
    Column("live", Integer),  # the version that is published; None: none is
    Column("archived", Boolean, nullable=False),
    Column("origin", String(16), nullable=False),  # desk | file | upload | gap
    Column("source", Text, nullable=False, server_default="", default=""),  # name of the file it was read from
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", String(120), nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("updated_by", String(120), nullable=False),
    Column("reviewed_at", UtcTime, nullable=False),  # when somebody last said that it still holds
    Column("published_at", UtcTime),
)

#: Never changed, only added to.
article_versions = Table(
    "kb_article_versions",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("language", String(4), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("hash", String(16), nullable=False),  # as the index names its content
    Column("content", JSON, nullable=False),
    Column("restores", Integer),  # the older version whose content it took
    Column("reason", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("by_id", String(64), nullable=False),
    Column("by_name", String(120), nullable=False),
)

#: One row, as for synonyms: every change raises it, and every process follows it with its index.
library_revision = Table(
    "kb_library_revision",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
)

#: Pairs of sentences of which somebody said that they do not contradict each other.
agreements = Table(
    "kb_agreements",
    metadata,
    Column("pair", String(32), primary_key=True),  # a hash of both sentences
    Column("at", UtcTime, nullable=False),
    Column("by_name", String(120), nullable=False),
)
Index("ix_kb_article_versions_at", article_versions.c.at)
