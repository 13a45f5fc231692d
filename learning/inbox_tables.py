"""The tables of the trainers' inbox: messages that went wrong, their groups, what was decided, and how far was read."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy import false as sqlalchemy_false

from conversations.tables import UtcDateTime

metadata = MetaData()

mishap_groups = Table(
    "mishap_groups",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("state", String(8), nullable=False),  # new | done | ignored: what its messages add up to
    Column("medoid", String(32), nullable=False),  # the message that stands for the group
    Column("centre", LargeBinary, nullable=False),  # the mean of its messages' vectors
    Column("weight", Integer, nullable=False),  # of how many
    Column("created_at", UtcDateTime, nullable=False),
    Column("revision", Integer, nullable=False, server_default="0", default=0),  # counts what people did to it
    Column("changed_at", UtcDateTime),
    Column("changed_by", Text),
    Column("change", String(16)),  # the last thing that somebody did
    Column("done_at", UtcDateTime),
    Column("again_at", UtcDateTime),  # a similar message came after it was done
    Column("again_model", String(80)),
    Column("merged_into", String(32)),
    # what the messages that are in the group's state add up to, so that lists need not count them
    Column("messages", Integer, nullable=False, server_default="1", default=1),
    Column("contacts", Integer, nullable=False, server_default="1", default=1),
    Column("cost", Integer, nullable=False, server_default="0", default=0),
    Column("first_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("upto", BigInteger, nullable=False, server_default="0", default=0),
    Column("figures", JSON(none_as_null=True)),
    Index("ix_mishap_groups_state", "state", "last_at"),
)

mishaps = Table(
    "mishaps",
    metadata,
    Column("message_id", String(32), primary_key=True),
    Column("group_id", ForeignKey("mishap_groups.id"), nullable=False),
    Column("state", String(8), nullable=False),  # new | done | ignored
    Column("conversation_id", String(32), nullable=False, index=True),
    Column("seq", Integer, nullable=False),
    Column("contact_id", String(32), nullable=False, index=True),
    Column("episode_id", String(32)),
    Column("channel", String(64), nullable=False),
    Column("language", String(8), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("reasons", Integer, nullable=False),  # the bits of learning.reasons.Reason
    Column("intent", String(80)),
    Column("confidence", Float),
    Column("answer_limit", Float),
    Column("clarify_limit", Float),
    Column("route", String(80)),
    Column("model_id", String(80)),
    Column("rating", Integer),
    Column("handed_off", Boolean, nullable=False, server_default=sqlalchemy_false(), default=False),
    Column("arrived", BigInteger, nullable=False),  # the number of the audit entry that brought it
    Column("decision_id", String(32)),  # what decided it last
    Column("changed_at", UtcDateTime),
    Column("changed_by", Text),
    Index("ix_mishaps_group", "group_id", "state", "at"),
    Index("ix_mishaps_at", "at"),
)

mishap_vectors = Table(  # apart, so that lists do not read them
    "mishap_vectors",
    metadata,
    Column("message_id", ForeignKey("mishaps.message_id", ondelete="CASCADE"), primary_key=True),
    Column("encoder", String(80), nullable=False),
    Column("vector", LargeBinary, nullable=False),  # float16
)

mishap_decisions = Table(
    "mishap_decisions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("group_id", String(32), nullable=False, index=True),
    Column("kind", String(16), nullable=False),  # assign | new_intent | out_of_scope | gap | done | ignored | new
    Column("intent", String(80)),
    Column("examples", Integer, nullable=False, default=0),  # how many went into the book
    Column("state", String(8), nullable=False),  # begun | made | undoing | undone
    Column("before", JSON, nullable=False),  # message id -> the state it had
    Column("edit_id", Text),  # in the book of examples
    Column("at", UtcDateTime, nullable=False),
    Column("by_id", String(64), nullable=False),
    Column("by_name", Text, nullable=False),
    Column("undone_at", UtcDateTime),
    Column("undone_by", Text),
    Index("ix_mishap_decisions_kind", "kind", "state", "at"),
)

learning_positions = Table(
    "learning_positions",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("n", BigInteger, nullable=False),  # of the last audit entry that was read
    Column("updated_at", UtcDateTime, nullable=False),
)
