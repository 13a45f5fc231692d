"""The tables of episodes: who served the contact in each part of a conversation, and what the contact thought of it."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from conversations.sealed_tables import SealedWords
from conversations.tables import UtcDateTime, metadata

episodes = Table(
    "episodes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("number", Integer, nullable=False),  # 1 is the first of its conversation
    Column("kind", String(8), nullable=False),  # bot | human
    Column("agents", JSON(none_as_null=True)),  # everybody who had it, the last one is credited
    Column("agent_id", String(64)),  # the last of them
    Column("team_id", String(32)),
    Column("intent", String(64)),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("ended_by", String(16)),  # handoff | released | resolved | merged
    Column("model", String(80)),  # the bot's version in it
    Column("asked_at", UtcDateTime),  # when the contact was asked what they think of it
    UniqueConstraint("conversation_id", "number"),
    Index("ix_episodes_ended_at", "ended_at"),
)

ratings = Table(
    "ratings",
    metadata,
    Column("episode_id", ForeignKey("episodes.id"), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False, index=True),
    Column("score", Integer),  # 1 to 5; None: only said whether it was solved
    Column("solved", Boolean),
    Column("nps", Integer),  # 0 to 10
    Column("comment", SealedWords("ratings", "comment", "episode_id"), nullable=False),
    Column("rated_at", UtcDateTime, nullable=False),
    Column("corrected_at", UtcDateTime),
)
