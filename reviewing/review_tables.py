"""The tables of reviews: versions of scorecards, samples, and who reviewed what.

What reviewers, agents and deciders wrote may quote the contact, so it is sealed with the contact's key and goes with it.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy import false as sqlalchemy_false

from conversations.sealed_tables import SealedJson, SealedWords
from conversations.tables import UtcDateTime

metadata = MetaData()

review_cards = Table(
    "review_cards",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("form", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("by_id", String(64), nullable=False),
    Column("by_name", Text, nullable=False),
)

review_samples = Table(
    "review_samples",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("title", Text, nullable=False),
    Column("kind", String(16), nullable=False),  # random | targeted | calibration
    Column("subject", String(8), nullable=False),  # bot | human
    Column("card_id", String(32), nullable=False),
    Column("card_version", Integer, nullable=False),
    Column("drawn", JSON, nullable=False),  # seed, stratum, period, criteria, each: all it takes to draw the same again
    Column("drawn_of", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("by_id", String(64), nullable=False),
    Column("by_name", Text, nullable=False),
)

reviews = Table(
    "reviews",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("sample_id", ForeignKey("review_samples.id"), nullable=False),
    Column("conversation_id", String(32), nullable=False, index=True),
    Column("contact_id", String(32), nullable=False, index=True),
    Column("subject", String(8), nullable=False),
    Column("reviewer_id", String(64), nullable=False),
    Column("reviewer_name", Text, nullable=False),
    Column("card_id", String(32), nullable=False),
    Column("card_version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("agent_id", String(64)),
    Column("agent_name", Text),
    Column("team_id", String(32)),
    Column("people", JSON, nullable=False),
    Column("calibrates", Boolean, nullable=False, server_default=sqlalchemy_false(), default=False),
    Column("state", String(16), nullable=False),
    Column("answers", JSON, nullable=False),
    Column("said", SealedJson("reviews", "said")),
    Column("score", Float),
    Column("passed", Boolean),
    Column("failed_by", JSON, nullable=False),
    Column("revision", Integer, nullable=False, default=0),
    Column("submitted_at", UtcDateTime),
    Column("dispute", SealedWords("reviews", "dispute"), nullable=False),
    Column("disputed_at", UtcDateTime),
    Column("decision", SealedWords("reviews", "decision"), nullable=False),
    Column("decided_at", UtcDateTime),
    Column("decided_by_id", String(64)),
    Column("decided_by_name", Text),
    Column("answers_before", JSON(none_as_null=True)),
    Column("score_before", Float),
    UniqueConstraint("sample_id", "conversation_id", "reviewer_id"),
    Index("ix_reviews_reviewer", "reviewer_id", "state"),
    Index("ix_reviews_agent", "agent_id", "state"),
    Index("ix_reviews_submitted", "submitted_at"),
)
