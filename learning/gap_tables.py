"""The table of what trainers decided about drafted answers to what the knowledge base does not know."""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, String, Table, Text

from conversations.tables import UtcDateTime

metadata = MetaData()

gap_decisions = Table(  # only added to: the last one about a group counts
    "gap_decisions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("group_id", String(32), nullable=False, index=True),  # of the inbox
    Column("kind", String(16), nullable=False),  # article | merged | rejected | again
    Column("article_id", String(80)),
    Column("language", String(4)),
    Column("contacts", Integer, nullable=False),  # that were affected then
    Column("reason", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by_id", String(64), nullable=False),
    Column("by_name", Text, nullable=False),
)
