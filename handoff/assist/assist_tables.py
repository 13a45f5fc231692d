"""The tables of agent assist: which cards were shown and what became of them, which conversations have a digest, and
what was translated."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, String, Table, Text, UniqueConstraint
from sqlalchemy import false as sqlalchemy_false

from conversations.sealed_tables import SealedWords
from conversations.tables import UtcDateTime
from handoff.tables import metadata

cards = Table(
    "assist_cards",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("conversation_id", String(32), nullable=False),
    Column("contact_id", String(32), nullable=False, index=True),
    Column("seq", Integer, nullable=False),  # the contact's message it was shown for
    Column("agent_id", String(32), nullable=False),
    Column("kind", String(16), nullable=False),  # suggestion | phrased | bot | passage | similar
    Column("source", String(400), nullable=False),  # passage, conversation or turn it comes from
    Column("place", Integer, nullable=False),  # the key that inserts it
    Column("text", Text),  # what it would insert; forgotten once it is known what became of it
    Column("citations", JSON(none_as_null=True)),
    Column("score", Float),
    Column("took_ms", Float),  # from the request to the card
    Column("shown_at", UtcDateTime, nullable=False),
    Column("inserted_at", UtcDateTime),
    Column("outcome", String(16)),  # unchanged | edited | rejected | ignored; null: nothing was answered yet
    Column("decided_at", UtcDateTime),
    Column("distance", Float),  # edits from the card to what was sent, 0 to 1
    Column("reason", String(24)),  # why it was rejected
    Column("message_id", String(32)),  # the reply that decided it
    UniqueConstraint("agent_id", "conversation_id", "seq", "kind", "source", name="uq_assist_cards_shown"),
    Index("ix_assist_cards_open", "conversation_id", "agent_id", "outcome"),
    Index("ix_assist_cards_shown_at", "shown_at"),
)

digests = Table(
    "assist_digests",
    metadata,
    Column("conversation_id", String(32), primary_key=True),
    Column("form", String(80), primary_key=True, index=True),  # the encoder and the index its vector is in
    Column("contact_id", String(32), nullable=False, index=True),
    Column("erased", Boolean, nullable=False, server_default=sqlalchemy_false(), default=False),  # its vector has to go
    Column("intent", String(64)),  # null: nothing was asked, so there is no vector
    Column("indexed_at", UtcDateTime, nullable=False),
)

translations = Table(
    "message_translations",
    metadata,
    Column("message_id", String(32), primary_key=True),
    Column("language", String(8), primary_key=True),
    Column("model", String(200), primary_key=True),
    Column("contact_id", String(32), nullable=False, index=True),
    Column("text", SealedWords("message_translations", "text", "message_id"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

originals = Table(  # what an agent wrote before it was translated for the contact
    "message_originals",
    metadata,
    Column("message_id", String(32), primary_key=True),
    Column("conversation_id", String(32), nullable=False, index=True),
    Column("contact_id", String(32), nullable=False, index=True),
    Column("text", SealedWords("message_originals", "text", "message_id"), nullable=False),
    Column("language", String(8), nullable=False),
    Column("model", String(200), nullable=False),
)
