"""The table of how far the export of events has come."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table

from conversations.tables import UtcDateTime, metadata

export_positions = Table(
    "export_positions",
    metadata,
    Column("target", String(200), primary_key=True),  # where events go, without any secret
    Column("n", BigInteger, nullable=False),  # the last audit entry that arrived there
    Column("updated_at", UtcDateTime, nullable=False),
)
