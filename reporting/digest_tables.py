"""The tables of digests: what is sent regularly, and every sending of it; figures only, nothing of contacts."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Table, Text

from conversations.tables import UtcDateTime
from reporting.alert_tables import metadata

digests = Table(
    "digests",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("rhythm", String(8), nullable=False),  # daily | weekly | monthly
    Column("day", Integer, nullable=False),  # weekly: 1 is Monday; monthly: 1 to 28; daily: 0
    Column("clock", String(5), nullable=False),  # "08:00" of the desk's time zone
    Column("language", String(2), nullable=False),  # zh | en
    Column("metrics", JSON, nullable=False),
    Column("way", String(8), nullable=False),  # email | webhook
    Column("addresses", JSON, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("since", UtcDateTime, nullable=False),  # what was due before is not sent
    Column("last_day", String(10)),  # the local day whose digest was put in line last
    Column("by_name", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

#: One row for each recipient; what it says is kept, so that a repeat says the same.
digest_sendings = Table(
    "digest_sendings",
    metadata,
    Column("id", String(90), primary_key=True),  # the receiver knows a repeat by it
    Column("digest_id", String(32), nullable=False),
    Column("way", String(8), nullable=False),
    Column("address", Text, nullable=False),
    Column("since", String(10), nullable=False),
    Column("until", String(10), nullable=False),
    Column("content", JSON, nullable=False),  # subject, text, html; or body
    Column("state", String(8), nullable=False),  # waiting | sent | dead
    Column("attempts", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("error", String(200)),
    Index("ix_digest_sendings_of", "digest_id", "created_at"),
    Index("ix_digest_sendings_due", "state", "due_at"),
)
