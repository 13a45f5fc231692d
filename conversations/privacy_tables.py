"""The table of erased contacts: what of them has to go where, and the receipt once all of it is gone."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, Integer, String, Table

from conversations.tables import UtcDateTime, metadata

erasures = Table(  # nothing personal: ids and numbers
    "erasures",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("contact_id", String(32), index=True),  # None: conversations that became too old
    Column("by", String(80), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("contacts", JSON, nullable=False),  # the contact and those merged into it
    Column("conversations", JSON, nullable=False),
    Column("files", JSON, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("trackers", Integer, nullable=False, default=0),  # conversations that bots had kept
    Column("done_at", UtcDateTime),
    Column("receipt", JSON(none_as_null=True)),
)
Index(
    "ix_erasures_unfinished",
    erasures.c.asked_at,
    sqlite_where=erasures.c.done_at.is_(None),
    postgresql_where=erasures.c.done_at.is_(None),
)
