"""The tables of replays: what was run on which model, what would have gone otherwise, and how trainers judged it."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

from conversations.tables import UtcDateTime

metadata = MetaData()

replays = Table(
    "replays",
    metadata,
    Column("id", String(32), primary_key=True),  # of the job that runs it
    Column("candidate", String(80), nullable=False),
    Column("options", JSON, nullable=False),  # turns, thresholds, channels, languages, precision
    Column("figures", JSON(none_as_null=True)),  # None until it is done
    Column("digest", String(64)),
    Column("sample", Integer, nullable=False, server_default="0", default=0),  # how many changes are to be judged
    Column("created_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
    Column("by_id", String(64), nullable=False),
    Column("by_name", Text, nullable=False),
    Index("ix_replays_candidate", "candidate", "created_at"),
)

#: One row per turn that would have gone otherwise; nobody's words are here.
replay_changes = Table(
    "replay_changes",
    metadata,
    Column("replay_id", ForeignKey("replays.id", ondelete="CASCADE"), primary_key=True),
    Column("turn_id", String(32), primary_key=True),  # the contact's message
    Column("conversation_id", String(32), nullable=False, index=True),
    Column("seq", Integer, nullable=False),
    Column("channel", String(64), nullable=False),
    Column("language", String(8), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(16), nullable=False),  # the first of its kinds
    Column("kinds", JSON, nullable=False),
    Column("stops", Boolean, nullable=False),  # the contact would have noticed, so the conversation was left there
    Column("before", JSON, nullable=False),
    Column("after", JSON, nullable=False),
    Column("intent", String(80)),  # before, for filters
    Column("intent_after", String(80)),
    Column("rating", Integer),
    Column("resolution", String(16)),  # verified | assumed | refuted
    Column("handed_off", Boolean, nullable=False),
    Column("risky", Boolean, nullable=False),
    Column("rank", Integer, nullable=False),  # in which order they are judged
    Column("verdict", String(8)),  # better | worse | same
    Column("judged_at", UtcDateTime),
    Column("judged_by", String(64)),
    Column("judged_name", Text),
    Column("held_by", String(64)),  # who has it before them
    Column("held_until", UtcDateTime),
    Index("ix_replay_changes_rank", "replay_id", "rank"),
)

#: One row, if anybody ever changed it.
replay_budget = Table(
    "replay_budget",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("revision", Integer, nullable=False),
    Column("worse_percent", Float, nullable=False),
    Column("least_judged", Integer, nullable=False),
    Column("least_turns", Integer, nullable=False),
    Column("most_days", Integer, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("by_id", String(64), nullable=False),
    Column("by_name", Text, nullable=False),
)
