"""The tables of second factors, their recovery codes, identities at a provider, and API keys."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, LargeBinary, String, Table, Text

from conversations.tables import UtcDateTime
from handoff.tables import metadata

__all__ = ["api_keys", "identities", "metadata", "recovery_codes", "second_factors", "used_states"]

second_factors = Table(
    "staff_second_factors",
    metadata,
    Column("staff_id", ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True),
    Column("secret", LargeBinary, nullable=False),  # sealed with a key that is not in the database
    Column("begun_at", UtcDateTime, nullable=False),
    Column("confirmed_at", UtcDateTime),  # None: shown, but no code of it was seen yet
    Column("last_step", BigInteger, nullable=False, default=0),  # the newest 30 seconds whose code was used
)

recovery_codes = Table(
    "staff_recovery_codes",
    metadata,
    Column("staff_id", ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True),
    Column("code_hash", String(64), primary_key=True),
    Column("used_at", UtcDateTime),
)

identities = Table(
    "staff_identities",
    metadata,
    Column("issuer", String(255), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("staff_id", ForeignKey("staff.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("linked_at", UtcDateTime, nullable=False),
)

used_states = Table(
    "staff_used_states",
    metadata,
    Column("state_hash", String(64), primary_key=True),  # of a sign-in with a provider that has come back
    Column("used_at", UtcDateTime, nullable=False, index=True),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("key_hash", String(64), nullable=False, unique=True),  # SHA-256 of 256 random bits
    Column("name", Text, nullable=False),
    Column("begins_with", String(16), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(64), nullable=False),  # a member's id, or "command line"
    Column("expires_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)
