"""The tables of what agents organise with: labels, notices to colleagues, merges, and the search index."""

from __future__ import annotations

from sqlalchemy import DDL, JSON, Column, ForeignKey, Index, Integer, String, Table, Text, event
from sqlalchemy.dialects.postgresql import TSVECTOR

from conversations.tables import UtcDateTime, _big, metadata

labels = Table(
    "labels",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("title", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True),  # the title without case and spacing: no two look the same
    Column("colour", String(16), nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("archived_at", UtcDateTime),
)

conversation_labels = Table(
    "conversation_labels",
    metadata,
    Column("conversation_id", ForeignKey("conversations.id"), primary_key=True),
    Column("label_id", ForeignKey("labels.id"), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_conversation_labels_label", "label_id"),
)

staff_notices = Table(
    "staff_notices",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("staff_id", String(64), nullable=False),
    Column("kind", String(8), nullable=False),  # mention | woke
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("by_name", Text),
    Column("at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime),
    Index("ix_staff_notices_staff", "staff_id", "kind", "conversation_id"),
    Index("ix_staff_notices_conversation", "conversation_id"),
)

merges = Table(
    "merges",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("source_id", ForeignKey("conversations.id"), nullable=False, index=True),
    Column("target_id", ForeignKey("conversations.id"), nullable=False, index=True),
    Column("by_id", String(64), nullable=False),
    Column("by_name", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("before", JSON, nullable=False),  # status and holder of the source, for undoing
    Column("told_at", UtcDateTime),  # when the contact was last told where to go on
    Column("undone_at", UtcDateTime),
)
_standing = merges.c.undone_at.is_(None)
Index("uq_merges_standing", merges.c.source_id, unique=True, sqlite_where=_standing, postgresql_where=_standing)

search_documents = Table(
    "search_documents",
    metadata,
    Column(
        "id", _big, primary_key=True, autoincrement=True
    ),  # grows with time; old rows indexed later count down from 0
    Column("kind", String(8), nullable=False),  # text | note | contact
    Column("message_id", String(32), unique=True),
    Column("conversation_id", String(32), index=True),
    Column("contact_id", String(32), unique=True),  # only of the kind contact
    Column("terms", Text().with_variant(TSVECTOR(), "postgresql"), nullable=False),
    sqlite_autoincrement=True,
)

#: SQLite: an FTS5 index over ``terms``, kept in step by triggers so that no writer can forget it.
SQLITE_INDEX = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS search_index USING fts5("
    "terms, content='search_documents', content_rowid='id', "
    "tokenize='ascii')",
    "CREATE TRIGGER IF NOT EXISTS search_documents_added AFTER INSERT ON search_documents BEGIN "
    "INSERT INTO search_index(rowid, terms) VALUES (new.id, new.terms); END",
    "CREATE TRIGGER IF NOT EXISTS search_documents_deleted AFTER DELETE ON search_documents BEGIN "
    "INSERT INTO search_index(search_index, rowid, terms) VALUES ('delete', old.id, old.terms); END",
    "CREATE TRIGGER IF NOT EXISTS search_documents_changed AFTER UPDATE ON search_documents BEGIN "
    "INSERT INTO search_index(search_index, rowid, terms) VALUES ('delete', old.id, old.terms); "
    "INSERT INTO search_index(rowid, terms) VALUES (new.id, new.terms); END",
)
#: Without the list of pending entries, which every search would read from end to end.
POSTGRES_INDEX = (
    "CREATE INDEX IF NOT EXISTS ix_search_documents_terms ON search_documents USING gin (terms) WITH (fastupdate = off)",
)

for _dialect, _statements in (("sqlite", SQLITE_INDEX), ("postgresql", POSTGRES_INDEX)):
    for _statement in _statements:
        event.listen(search_documents, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]
