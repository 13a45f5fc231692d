"""The tables of facts: flat rows without personal data, from which every figure is counted; and what a conversation costs.

``day`` is the number of the day in the desk's time zone (``date.toordinal``) and ``hour`` the hour there, reckoned when
the fact is written, so that no database needs to know time zones. What is not known is empty, never missing, in the
columns that figures are broken down by. Rows are kept in the order of days, as every figure is about a period.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
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
    false,
)

from conversations.store import Database
from conversations.tables import UtcDateTime

metadata = MetaData()


def _parts() -> list[Column[Any]]:
    """What most figures can be broken down by."""
    return [
        Column("channel", String(64), nullable=False),
        Column("team", String(32), nullable=False),
        Column("agent", String(64), nullable=False),
        Column("language", String(8), nullable=False),
        Column("intent", String(80), nullable=False),
        Column("model", String(80), nullable=False),
    ]


def _place() -> list[Column[Any]]:
    """When it was, there; the days lead the key, so that a period lies together."""
    return [
        Column("day", Integer, primary_key=True, autoincrement=False),
        Column("hour", SmallInteger, nullable=False),
        Column("at", UtcDateTime, nullable=False),
    ]


fact_conversations = Table(
    "fact_conversations",
    metadata,
    Column("conversation_id", String(32), primary_key=True),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("opened_day", Integer, nullable=False),
    Column("opened_hour", SmallInteger, nullable=False),
    Column("resolved_at", UtcDateTime),
    Column("resolved_day", Integer),
    Column("resolved_hour", SmallInteger),
    *_parts(),
    Column("reason", String(32), nullable=False),  # of its first handoff
    Column("bot_answered", Boolean, nullable=False),
    Column("agent_wrote", Boolean, nullable=False),
    Column("handed_off", Boolean, nullable=False),  # the bot gave it to people at least once
    Column("held", Boolean, nullable=False),  # an agent had it at least once
    Column("resolution", String(8), nullable=False),  # verified | assumed | refuted, of the last episode
    Column("response_seconds", Integer),  # until the first thing an agent said
    Column("again", Boolean, nullable=False),  # the contact opened another one within seven days
    Index("ix_fact_conversations_opened", "opened_day"),
    Index("ix_fact_conversations_resolved", "resolved_day"),
)

fact_messages = Table(
    "fact_messages",
    metadata,
    *_place(),
    Column("message_id", String(32), primary_key=True),
    Column("conversation_id", String(32), nullable=False, index=True),
    Column("seq", Integer, nullable=False),
    *_parts(),
    Column("author", String(8), nullable=False),  # contact | bot | agent
    Index("ix_fact_messages_hour", "day", "hour"),  # as below
    Index("ix_fact_messages_channel", "day", "channel"),
    sqlite_with_rowid=False,
)

fact_turns = Table(
    "fact_turns",
    metadata,
    *_place(),
    Column("turn_id", String(32), primary_key=True),
    Column("conversation_id", String(32), nullable=False, index=True),
    Column("seq", Integer, nullable=False),
    *_parts(),
    Column("missed", Boolean, nullable=False),  # nothing the bot knows was near enough
    # whether something the bot tried did not work
    Column("failed", Boolean, nullable=False, server_default=false()),
    Column("knowledge", String(8), nullable=False),  # answered | missed, of what the articles were searched for
    Column("latency_ms", Integer, nullable=False),
    Column("confidence", Float),
    Column("correct", Boolean),  # whether it was right, where somebody's word or choice tells
    # What a page asks of hundreds of thousands of rows is counted along an index, in its order.
    Index("ix_fact_turns_intent", "day", "intent", "missed", "knowledge", "latency_ms"),
    Index("ix_fact_turns_model", "day", "model", "missed", "latency_ms"),
    Index("ix_fact_turns_hour", "day", "hour", "missed", "latency_ms"),
    sqlite_with_rowid=False,
)
_judged = fact_turns.c.correct.is_not(None)  # few of all turns, and all that accuracy is about
Index(
    "ix_fact_turns_judged",
    fact_turns.c.day,
    fact_turns.c.intent,
    fact_turns.c.model,
    fact_turns.c.correct,
    fact_turns.c.confidence,
    sqlite_where=_judged,
    postgresql_where=_judged,
)
Index(  # few of all turns, too
    "ix_fact_turns_failed",
    fact_turns.c.day,
    fact_turns.c.intent,
    sqlite_where=fact_turns.c.failed,
    postgresql_where=fact_turns.c.failed,
)

fact_citations = Table(
    "fact_citations",
    metadata,
    *_place(),
    Column("turn_id", String(32), primary_key=True),
    Column("article", String(64), primary_key=True),
    Column("conversation_id", String(32), nullable=False, index=True),
    Column("seq", Integer, nullable=False),
    *_parts(),
    Column("disliked", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

fact_episodes = Table(  # those that have ended
    "fact_episodes",
    metadata,
    *_place(),
    Column("episode_id", String(32), primary_key=True),
    Column("conversation_id", String(32), nullable=False, index=True),
    *_parts(),
    Column("served", String(8), nullable=False),  # bot | human
    Column("asked", Boolean, nullable=False),
    Column("answered", Boolean, nullable=False),
    Column("score", SmallInteger),
    Column("nps", SmallInteger),
    Column("seconds", Integer, nullable=False),
    sqlite_with_rowid=False,
)

fact_waits = Table(
    "fact_waits",
    metadata,
    *_place(),
    Column("wait_id", String(32), primary_key=True),
    Column("conversation_id", String(32), nullable=False, index=True),
    *_parts(),
    Column("reason", String(32), nullable=False),
    Column("by_bot", Boolean, nullable=False),  # it came from the bot, not from an agent
    Column("waited_seconds", Integer),  # only where an agent took it
    Column("error_seconds", Integer),  # how far that is from what the contact was told, where they were told
    Column("in_time", Boolean),  # whether the first answer kept the promise, once that is known
    Column("due_at", UtcDateTime),  # until when it may still be kept
    sqlite_with_rowid=False,
)

#: Every table of facts, by its name.
FACTS: dict[str, Table] = {
    table.name: table
    for table in (fact_conversations, fact_messages, fact_turns, fact_citations, fact_episodes, fact_waits)
}

report_positions = Table(
    "report_positions",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("n", BigInteger, nullable=False),  # of the last audit entry that was read
    Column("zone", String(64), nullable=False),  # the time zone by which days were reckoned
    Column("updated_at", UtcDateTime, nullable=False),
)

report_costs = Table(  # one row: what the figures of savings are reckoned with
    "report_costs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("human_per_conversation", Float, nullable=False),
    Column("bot_per_conversation", Float, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", Text, nullable=False),
)


async def create_tables(database: Database) -> None:
    """Create what is missing, for databases that no migration made."""
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
