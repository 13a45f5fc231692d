"""Tables of codes with which contacts go on at another address."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table

from conversations.tables import UtcDateTime, metadata

_ADDRESS = (("channel", 64), ("account", 128), ("contact", 512))

link_codes = Table(
    "link_codes",
    metadata,
    Column("code_hash", String(64), primary_key=True),  # SHA-256 in hexadecimal
    *(Column(name, String(size), nullable=False) for name, size in _ADDRESS),  # whoever asked for the code
    Column("expires_at", UtcDateTime, nullable=False),
)

link_tries = Table(  # codes that were wrong
    "link_tries",
    metadata,
    Column("id", String(32), primary_key=True),
    *(Column(name, String(size), nullable=False) for name, size in _ADDRESS),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_link_tries_at", "at"),
)
