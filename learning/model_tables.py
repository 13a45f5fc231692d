"""The tables of models: their versions, the long work done for them, and which of them serves."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, MetaData, String, Table, Text

from conversations.tables import UtcDateTime

metadata = MetaData()

#: One row per archive that training left; ``made`` is what the seal signs beside the archive.
model_versions = Table(
    "model_versions",
    metadata,
    Column("name", String(80), primary_key=True),  # the archive's name without .tar.gz
    Column("model_id", String(64), index=True),  # as traces of versions from before name it
    Column("sha256", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),  # ready | gone
    Column("made_at", UtcDateTime, nullable=False),
    Column("by_id", String(64)),  # None: made by hand, with make train
    Column("by_name", Text),
    Column("note", Text, nullable=False, server_default="", default=""),
    Column("data_hash", String(64), nullable=False),
    Column("made", JSON, nullable=False),  # profile, pipeline hash, examples by language, seconds
    Column("metrics", JSON(none_as_null=True)),  # the few figures that lists show
    Column("tracked_as", Text),  # its run in MLflow
)

#: Training, testing, cross-validation and replay: queued here, run by a bot.
learning_jobs = Table(
    "learning_jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),  # train | test | cross_validate | replay
    Column("state", String(16), nullable=False),  # queued | running | done | failed | cancelled
    Column("model", String(80), index=True),  # the version it is about or has made
    Column("options", JSON, nullable=False),
    Column("progress", JSON(none_as_null=True)),  # share, step, note
    Column("result", JSON(none_as_null=True)),
    Column("problem", Text),
    Column("attempts", Integer, nullable=False, server_default="0", default=0),
    Column("bot", Text),  # the address of the bot that runs it
    Column("by_id", String(64), nullable=False),
    Column("by_name", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Index("ix_learning_jobs_state", "state", "created_at"),
)

#: One row: what new conversations begin with.
model_serving = Table(
    "model_serving",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("revision", Integer, nullable=False),
    Column("live", String(80), nullable=False),
    Column("candidate", String(80)),
    Column("share", Integer, nullable=False, server_default="0", default=0),  # percent of new conversations
    Column("since", UtcDateTime, nullable=False),
)

#: How it came to be so, newest last.
model_changes = Table(
    "model_changes",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("by_id", String(64)),
    Column("by_name", Text),
    Column("what", String(16), nullable=False),  # promote | compare | stop | rollback | found
    Column("live", String(80), nullable=False),
    Column("before", String(80)),  # what was live
    Column("candidate", String(80)),
    Column("share", Integer, nullable=False, server_default="0", default=0),
    Column("replay_id", String(32)),  # the replay that let it pass
    Column("note", Text, nullable=False, server_default="", default=""),
)
