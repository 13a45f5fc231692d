"""The tables of thresholds: what each turn showed about them, in numbers only, and the versions that were applied."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

from conversations.tables import UtcDateTime

metadata = MetaData()

#: One row per message on which a threshold decided; none of its words.
limit_cases = Table(
    "limit_cases",
    metadata,
    Column("message_id", String(32), primary_key=True),
    Column("conversation_id", String(32), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("language", String(8), nullable=False),
    Column("model_id", String(80)),
    Column("top", String(80)),  # the intent that came first, whatever was done with it
    Column("score", Float),  # None: the thresholds of the intent had no say
    Column("retrieval", Float),  # None: nothing was searched
    Column("band", SmallInteger),  # learning.limit_cases.Band
    Column("done", SmallInteger, nullable=False),  # learning.limit_cases.Done
    Column("act_wrong", Boolean),  # whether acting on ``top`` was, or would have been, wrong; None: nobody knows
    Column("answer_wrong", Boolean),  # the same of the article that was quoted
    Column("helped", Boolean),  # whether the question back led to what was meant
    Column("evidence", String(16)),  # how that is known
    Column("answer_limit", Float),  # the thresholds that were in force
    Column("clarify_limit", Float),
    Column("retrieval_limit", Float),
    Index("ix_limit_cases_at", "language", "at"),
)

#: What was applied, newest last; a version is never changed, going back is another version.
limit_versions = Table(
    "limit_versions",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by_id", String(64), nullable=False),
    Column("by_name", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("limits", JSON, nullable=False),  # language -> answer, clarify, retrieval; what is missing is the setting's
    Column("restores", Integer),  # the version whose limits these are again; 0 is the settings
    Column("basis", JSON(none_as_null=True)),  # the costs and what was expected of it
)

#: What the model made of labelled lines that it was not trained with, the last time it was asked.
limit_checks = Table(
    "limit_checks",
    metadata,
    Column("language", String(8), primary_key=True),
    Column("model_id", String(80), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("scored", JSON, nullable=False),  # pairs of a score and whether the first intent was the right one
)
