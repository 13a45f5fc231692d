"""The table of what only one of several service processes may hold: a connection, a piece of work, its own name."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table

from conversations.tables import metadata

leases = Table(
    "leases",
    metadata,
    Column("name", String(200), primary_key=True),  # channel/account, a kind of work, or process/id
    Column("owner", String(64)),  # None: it was given back
    Column("fence", BigInteger, nullable=False),  # counts owners
    Column("beat", BigInteger, nullable=False),  # counts signs of life of this owner
)
