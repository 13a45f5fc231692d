"""The tables of the handoff room: who works here, who is signed in, failed sign-ins, and what each agent has seen."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text

from conversations.tables import UtcDateTime

metadata = MetaData()

staff = Table(
    "staff",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("email", String(254), nullable=False, unique=True),  # lower case
    Column("name", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("active", Boolean, nullable=False, default=True),
    Column("languages", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("skills", JSON, nullable=False, server_default="[]", default=list),
    Column("capacity", Integer),  # conversations at once; None: as their teams say
    Column("password_until", UtcDateTime),  # until when a password is taken where passwords are off
    Column("sees", String(16)),  # a ``Scope``; None: as is said of their role
)

staff_sessions = Table(
    "staff_sessions",
    metadata,
    Column("id_hash", String(64), primary_key=True),  # the id itself exists only in the browser
    Column("staff_id", ForeignKey("staff.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("csrf", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("stage", String(8), nullable=False, server_default="open", default="open"),  # a ``Stage``
    Column("way", String(8), nullable=False, server_default="password", default="password"),  # a ``Way``
    Column("ip", String(64), nullable=False, server_default="", default=""),
    Column("browser", String(200), nullable=False, server_default="", default=""),  # as it calls itself
)

sign_in_buckets = Table(
    "staff_sign_in_buckets",
    metadata,
    Column("bucket", String(64), primary_key=True),  # a hash: failed sign-ins name people who may not work here
    Column("failures", Integer, nullable=False),
    Column("locked_until", UtcDateTime),
    Column("updated_at", UtcDateTime, nullable=False, index=True),
)

seen_marks = Table(
    "staff_seen_marks",
    metadata,
    Column("staff_id", ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True),
    Column("conversation_id", String(32), primary_key=True),
    Column("seq", Integer, nullable=False),
    Index("ix_staff_seen_marks_conversation", "conversation_id"),
)

saved_filters = Table(
    "saved_filters",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner_id", ForeignKey("staff.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("conditions", JSON, nullable=False),
    Column("sort", String(16), nullable=False),
    Column("place", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
