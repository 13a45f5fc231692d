"""The table of how channel accounts are doing: one row for each account and service process."""

from __future__ import annotations

from sqlalchemy import JSON, Column, String, Table, Text

from conversations.tables import UtcDateTime, metadata

channel_health = Table(
    "channel_health",
    metadata,
    Column("channel", String(64), primary_key=True),
    Column("account", String(128), primary_key=True),
    Column("process", String(32), primary_key=True),
    Column("connection", String(16)),  # connecting | connected | broken; None: holds none, or holds it no more
    Column("received_at", UtcDateTime),
    Column("sent_at", UtcDateTime),
    Column("fine_at", UtcDateTime),  # when the channel last proved that the account's settings are right
    Column("error_code", String(64)),
    Column("error", Text),
    Column("error_at", UtcDateTime),
    Column("refusal", Text),  # why a request that claimed to come from the channel was not believed
    Column("refused_at", UtcDateTime),
    Column("errors", JSON, nullable=False),  # minute -> how many, of the last hour
    Column("refusals", JSON, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False, index=True),  # when the process last wrote
)
