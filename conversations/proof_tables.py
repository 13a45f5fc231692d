"""Tables of who was proved where in a way that links places, what was parted again, and which site signatures were used."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text

from conversations.sealed_tables import SealedAddress
from conversations.tables import UtcDateTime, metadata

_ADDRESS = (("channel", String(64)), ("account", String(128)), ("contact", SealedAddress))

proofs = Table(
    "proofs",
    metadata,
    *(Column(name, kind, primary_key=True) for name, kind in _ADDRESS),
    Column("customer_id", Text, nullable=False),
    Column("proved_by", String(16), nullable=False),  # "code", "channel" or "site"
    Column("proved_at", UtcDateTime, nullable=False),
    Column("link_due_at", UtcDateTime),  # when to look for other places of the same customer; empty: done
    Index("ix_proofs_customer_id", "customer_id"),
    Index("ix_proofs_link_due_at", "link_due_at"),
)

link_refusals = Table(  # pairs of addresses that were parted; nothing links them again but the contact's own code
    "link_refusals",
    metadata,
    Column("one", SealedAddress, primary_key=True),  # the lesser of the two, as text
    Column("other", SealedAddress, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_link_refusals_other", "other"),
)

used_signatures = Table(  # a site's signature works for the browser that brought it first
    "used_signatures",
    metadata,
    Column("signature_hash", String(64), primary_key=True),  # SHA-256 in hexadecimal
    Column("visitor", SealedAddress, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)
