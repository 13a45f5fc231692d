"""Counts what alerts are about in one window of time: turns, how contacts feel, handoffs and failed sign-ins."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, case, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.model import Author
from conversations.tables import conversations, messages
from reporting.alert_tables import failed_sign_ins
from reporting.anomalies import Kind, Tally
from reporting.tables import fact_turns, fact_waits

EXAMPLES = 5
Thing = tuple[Kind, str]


@dataclass(slots=True)
class Window:
    """How often each thing happened, and by dimension and value which of it."""

    tallies: dict[Thing, Tally] = field(default_factory=dict)
    parts: dict[Thing, Counter[tuple[str, str]]] = field(default_factory=dict)

    def add(self, thing: Thing, part: int, whole: int, values: dict[str, str | None]) -> None:
        """Count so many more, which have these values."""
        old = self.tallies.get(thing, Tally(0, 0))
        self.tallies[thing] = Tally(old.part + part, old.whole + whole)
        counted = self.parts.setdefault(thing, Counter())
        for dimension, value in values.items():
            if value and part:
                counted[dimension, value] += part

    def tally(self, thing: Thing) -> Tally:
        """How often; nothing is 0 of 0."""
        return self.tallies.get(thing, Tally(0, 0))


class SignalStore:
    """Statements of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def first_at(self) -> datetime | None:
        """When the desk's first conversation was opened."""
        found: datetime | None = (await self._connection.execute(select(func.min(conversations.c.opened_at)))).scalar()
        return found

    async def window(self, since: datetime, until: datetime) -> Window:
        """Everything in ``[since, until)``."""
        found = Window()
        await self._turns(found, since, until)
        await self._feelings(found, since, until)
        await self._handoffs(found, since, until)
        count = select(func.coalesce(func.sum(failed_sign_ins.c.count), 0)).where(
            failed_sign_ins.c.minute >= since, failed_sign_ins.c.minute < until
        )
        found.add((Kind.SIGN_INS, ""), int((await self._connection.execute(count)).scalar_one()), 0, {})
        return found

    async def examples(self, thing: Thing, since: datetime, until: datetime) -> list[str]:
        """Some conversations in which it happened, the latest first."""
        statement = _examples_of(thing, since, until)
        if statement is None:
            return []
        found = [row[0] for row in await self._connection.execute(statement.limit(200))]
        return list(dict.fromkeys(found))[:EXAMPLES]

    async def sign_in_failed(self, at: datetime) -> None:
        """Count a sign-in that was refused."""
        insert: Any = sqlite.insert if self._connection.dialect.name == "sqlite" else postgresql.insert
        new = insert(failed_sign_ins).values(minute=at.replace(second=0, microsecond=0), count=1)
        await self._connection.execute(
            new.on_conflict_do_update(index_elements=["minute"], set_={"count": failed_sign_ins.c.count + 1})
        )

    async def _turns(self, found: Window, since: datetime, until: datetime) -> None:
        c = fact_turns.c
        missed = func.sum(case((c.missed, 1), else_=0))
        broken = func.sum(case((c.failed, 1), else_=0))
        values_of = (c.intent, c.channel, c.language, c.model)
        statement = select(*values_of, func.count(), missed, broken).where(*_within(fact_turns, since, until))
        for intent, channel, language, model, count, lost, failed in await self._connection.execute(
            statement.group_by(*values_of)
        ):
            values = {"channel": channel, "language": language, "model": model}
            if intent:
                found.add((Kind.INTENT, intent), count, 0, values)
            found.add((Kind.MISSES, ""), int(lost), count, values | {"intent": intent})
            found.add((Kind.FAILED_ACTIONS, ""), int(failed), 0, values | {"intent": intent})

    async def _feelings(self, found: Window, since: datetime, until: datetime) -> None:
        c, v = messages.c, conversations.c
        bad = func.sum(case((c.sentiment_label == "negative", 1), else_=0))
        statement = (
            select(v.channel, v.language, v.model, func.count(), bad)
            .join(conversations, v.id == c.conversation_id)
            .where(c.sentiment_label.is_not(None), c.author == Author.CONTACT.value)
            .where(c.created_at >= since, c.created_at < until)
            .group_by(v.channel, v.language, v.model)
        )
        for channel, language, model, count, negative in await self._connection.execute(statement):
            values = {"channel": channel, "language": language, "model": model}
            found.add((Kind.NEGATIVE, ""), int(negative), count, values)

    async def _handoffs(self, found: Window, since: datetime, until: datetime) -> None:
        c = fact_waits.c
        values_of = (c.channel, c.language, c.model, c.intent, c.reason)
        statement = select(*values_of, func.count()).where(*_within(fact_waits, since, until), c.by_bot)
        for channel, language, model, intent, reason, count in await self._connection.execute(
            statement.group_by(*values_of)
        ):
            values = {"channel": channel, "language": language, "model": model, "intent": intent}
            found.add((Kind.HANDOFFS, ""), count, 0, values | {"reason": reason})


def _within(facts: Table, since: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    """The days are by the desk's time zone, which may be one off by UTC; they let the database look only there."""
    days = facts.c.day.between(since.toordinal() - 1, until.toordinal() + 1)
    return (days, facts.c.at >= since, facts.c.at < until)


def _examples_of(thing: Thing, since: datetime, until: datetime) -> Select[Any] | None:
    kind, key = thing
    if kind is Kind.SIGN_INS:
        return None
    if kind is Kind.NEGATIVE:
        m = messages.c
        felt = select(m.conversation_id).where(m.sentiment_label == "negative", m.author == Author.CONTACT.value)
        return felt.where(m.created_at >= since, m.created_at < until).order_by(m.created_at.desc())
    facts = fact_turns if kind in (Kind.INTENT, Kind.MISSES, Kind.FAILED_ACTIONS) else fact_waits
    found = select(facts.c.conversation_id).where(*_within(facts, since, until)).order_by(facts.c.at.desc())
    if kind is Kind.INTENT:
        return found.where(facts.c.intent == key)
    if kind is Kind.MISSES:
        return found.where(facts.c.missed)
    return found.where(facts.c.failed if kind is Kind.FAILED_ACTIONS else facts.c.by_bot)
