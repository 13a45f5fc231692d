"""Reads facts for an export page by page, each page going on in the key where the last one ended."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, case, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.sight import Scope, Sight
from conversations.sight_store import within
from conversations.tables import contacts, conversations, messages
from reporting.query import Query
from reporting.tables import (
    fact_citations,
    fact_episodes,
    fact_messages,
    fact_turns,
    fact_waits,
)

Place = tuple[Any, ...]  #: the key of the last row of a page


class ExportRows:
    """The rows of one table within a period, in the order of ``key``, which begins with the day."""

    def __init__(self, table: Table, key: Sequence[str]) -> None:
        self.table = table
        self.key = tuple(table.c[name] for name in key)

    def chosen(self, query: Query, sight: Sight) -> Any:
        """Everything that is asked for and seen."""
        c, day = self.table.c, self.key[0]
        wanted: list[ColumnElement[bool]] = [
            day.between(query.since.toordinal(), query.until.toordinal()),
            *(c[name].in_(keys) for name, keys in sorted(query.filters.items()) if keys),
        ]
        found = select().select_from(self.table)
        if sight.scope is not Scope.EVERYTHING:
            found = found.join(conversations, conversations.c.id == c.conversation_id)
            wanted.append(within(sight))
        return found.where(and_(*wanted))

    def place_of(self, row: Any) -> Place:
        """Where a row stands."""
        return tuple(getattr(row, column.name) for column in self.key)

    def after(self, place: Place) -> ColumnElement[bool]:
        """What comes after a place, said so that the index is entered right there."""
        return tuple_(*self.key) > tuple_(
            *(literal(value, one.type) for one, value in zip(self.key, place, strict=True))
        )


class ExportStore:
    """Statements of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def count(self, rows: ExportRows, query: Query, sight: Sight) -> int:
        """How many rows there are."""
        counted = rows.chosen(query, sight).add_columns(func.count())
        return int((await self._connection.execute(counted)).scalar_one())

    async def page(self, rows: ExportRows, query: Query, sight: Sight, after: Place | None, limit: int) -> list[Any]:
        """The next rows, whole."""
        listed = rows.chosen(query, sight).add_columns(*rows.table.c)
        if after is not None:
            listed = listed.where(rows.after(after))
        return list(await self._connection.execute(listed.order_by(*rows.key).limit(limit)))

    async def people(self, conversation_ids: Collection[str]) -> dict[str, Any]:
        """With whom conversations are, and in what state: ``name``, ``channel``, ``account``, ``contact``, ``status``."""
        c = conversations.c
        query = (
            select(c.id, c.status, c.channel, c.account, c.contact, contacts.c.name)
            .join(contacts, contacts.c.id == c.contact_id)
            .where(c.id.in_(sorted(conversation_ids)))
        )
        return {row.id: row for row in await self._connection.execute(query)}

    async def words(self, message_ids: Collection[str]) -> dict[str, str]:
        """What was said in messages."""
        query = select(messages.c.id, messages.c.text).where(
            messages.c.id.in_(sorted(message_ids)), messages.c.recalled_at.is_(None)
        )
        return {row.id: row.text for row in await self._connection.execute(query)}

    async def sums(self, conversation_ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """What conversations add up to, by the names of the columns in the export."""
        m, t, e, w, a = (
            one.c for one in (fact_messages, fact_turns, fact_episodes, fact_waits, fact_citations)
        )  # fmt: skip
        human, bot = e.served == "human", e.served == "bot"
        summed: list[tuple[Table, dict[str, ColumnElement[Any]]]] = [
            (fact_messages, {
                "contact_messages": _many(m.author == "contact"), "bot_messages": _many(m.author == "bot"),
                "agent_messages": _many(m.author == "agent"),
            }),
            (fact_turns, {
                "turns": func.count(), "missed_turns": _many(t.missed), "failed_turns": _many(t.failed),
                "answered_turns": _many(t.knowledge == "answered"),
                "unanswered_turns": _many(t.knowledge == "missed"), "labelled_turns": _many(t.correct.is_not(None)),
                "correct_turns": _many(t.correct), "latency_ms_total": func.sum(t.latency_ms),
            }),
            (fact_episodes, {
                "bot_episodes": _many(bot), "human_episodes": _many(human),
                "bot_seconds": _total(bot, e.seconds), "handle_seconds": _total(human, e.seconds),
                "asked": _many(e.asked), "rated": _many(e.answered),
                "bot_score": func.max(case((bot, e.score))), "human_score": func.max(case((human, e.score))),
                "bot_nps": func.max(case((bot, e.nps))), "human_nps": func.max(case((human, e.nps))),
            }),
            (fact_waits, {
                "waits": func.count(), "handoffs": _many(w.by_bot), "waits_taken": _many(w.waited_seconds.is_not(None)),
                "waited_seconds_total": func.sum(w.waited_seconds), "promises": _many(w.in_time.is_not(None)),
                "promises_kept": _many(w.in_time),
            }),
            (fact_citations, {"citations": func.count(), "disliked_citations": _many(a.disliked)}),
        ]  # fmt: skip
        found: dict[str, dict[str, Any]] = {one: {} for one in conversation_ids}
        for table, columns in summed:
            own = table.c.conversation_id
            query = select(own, *(one.label(name) for name, one in columns.items()))
            for row in await self._connection.execute(query.where(own.in_(sorted(conversation_ids))).group_by(own)):
                found[row.conversation_id] |= {name: getattr(row, name) for name in columns}
        return found


def _many(which: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((which, 1), else_=0))


def _total(which: ColumnElement[bool], value: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.sum(case((which, value), else_=0))
