"""Tables of codes with which contacts go on at another address."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table

from conversations.sealed_tables import SealedAddress
from conversations.tables import UtcDateTime, metadata

_ADDRESS = (("channel", String(64)), ("account", String(128)), ("contact", SealedAddress))

link_codes = Table(
    "link_codes",
    metadata,
    Column("code_hash", String(64), primary_key=True),  # SHA-256 in hexadecimal
    *(Column(name, kind, nullable=False) for name, kind in _ADDRESS),  # whoever asked for the code
    Column("expires_at", UtcDateTime, nullable=False),
)

link_tries = Table(  # codes that were wrong
    "link_tries",
    metadata,
    Column("id", String(32), primary_key=True),
    *(Column(name, kind, nullable=False) for name, kind in _ADDRESS),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_link_tries_at", "at"),
)
