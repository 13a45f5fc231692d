"""The tables of the learning room."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

from conversations.tables import UtcDateTime

metadata = MetaData()

#: What trainers did to the examples. ``files`` holds each file before and after until the edit is done or taken back.
example_edits = Table(
    "example_edits",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("at", UtcDateTime, nullable=False),
    Column("by_id", String(64), nullable=False),
    Column("by_name", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("changes", JSON, nullable=False),
    Column("intents", Text, nullable=False),  # |order_status|greet|, to find the edits of one
    Column("undoes", String(32), index=True),
    Column("state", String(16), nullable=False),  # pending, done or taken_back
    Column("files", LargeBinary),
    Index("ix_example_edits_state", "state"),
    Index("ix_example_edits_at", "at"),
)
