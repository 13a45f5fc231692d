"""The tables of what agents need not type again: canned replies and macros."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Integer, String, Table, Text, UniqueConstraint

from conversations.tables import UtcDateTime
from handoff.tables import metadata

canned_replies = Table(
    "canned_replies",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(32), nullable=False),  # a member's id, or "" for everybody
    Column("shortcut", String(32), nullable=False),
    Column("title_zh", Text, nullable=False),
    Column("title_en", Text, nullable=False),
    Column("text_zh", Text, nullable=False),
    Column("text_en", Text, nullable=False),
    Column("uses", Integer, nullable=False, default=0),
    Column("last_used_at", UtcDateTime),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("updated_by", Text, nullable=False),
    UniqueConstraint("owner", "shortcut"),
)

macros = Table(
    "macros",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(32), nullable=False, index=True),  # a member's id, or "" for everybody
    Column("title_zh", Text, nullable=False),
    Column("title_en", Text, nullable=False),
    Column("steps", JSON, nullable=False),
    Column("uses", Integer, nullable=False, default=0),
    Column("last_used_at", UtcDateTime),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("updated_by", Text, nullable=False),
)
