"""Counts facts inside one transaction: grouped in the database, within what the asker sees."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, and_, case, cast, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.sight import Scope, Sight
from conversations.sight_store import within
from conversations.tables import contacts, conversations
from reporting.answers import CountedUnit
from reporting.catalogue import METRICS, TIMES, Form
from reporting.counting import COUNTINGS, Counting
from reporting.periods import key_of_day, key_of_hour
from reporting.query import Query, QueryError
from reporting.tallies import BINS, Tally

_PARTS = ("channel", "language", "intent", "team", "agent")


class FigureStore:
    """Statements of one transaction."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def tallies(self, query: Query, sight: Sight) -> dict[str, Tally]:
        """The sums of every row; of a question without rows there is one, named ""."""
        counting, form = COUNTINGS[query.metric], METRICS[query.metric].form
        by = query.by
        group: list[ColumnElement[Any]] = []
        if by is not None:
            group = [counting.hour if by == "hour" else counting.day if by in TIMES else counting.table.c[by]]
            if any([one.name for one in index.columns][:2] == ["day", by] for index in counting.table.indexes):
                group.append(counting.day)  # by the order of an index, which spares sorting everything
        spreads = form in (Form.SECONDS, Form.MILLISECONDS)
        if form is Form.ERROR:
            group.append(_bin_of(counting))
        statement = select(*[one.label(f"g{place}") for place, one in enumerate(group)], *_sums(counting, form))
        statement = self._chosen(statement, query, counting, sight)
        if group:
            statement = statement.group_by(*reversed(group)) if form is not Form.ERROR else statement.group_by(*group)
        found: dict[str, Tally] = {}
        for row in await self._connection.execute(statement):
            key = "" if by is None else _key(row[0], by)
            tally = Tally(row.many, int(row.part or 0), int(row.against or 0))
            if spreads and row.spread:
                tally.spread.update(map(int, row.spread.split(",")))
            if form is Form.ERROR:
                tally.bins[int(row[len(group) - 1])] = (row.many, int(row.part or 0), float(row.confidence or 0))
            if row.many:
                found.setdefault(key, Tally()).add(tally)
        return found

    async def units(
        self, query: Query, sight: Sight, key: str | None, only_part: bool, offset: int, limit: int
    ) -> tuple[int, list[CountedUnit]]:
        """How many things a figure counts, and some of them, the newest first."""
        counting = COUNTINGS[query.metric]
        more: list[ColumnElement[bool]] = []
        if key is not None:
            more.append(_in_row(query, counting, key))
        if only_part and counting.part is not None:
            more.append(counting.part)
        counted = self._chosen(select(func.count()), query, counting, sight, more)
        total = int((await self._connection.execute(counted)).scalar_one())
        c = counting.table.c
        value: ColumnElement[Any] = literal(1)
        if counting.value is not None:
            value = counting.value
        elif counting.part is not None:
            value = case((counting.part, 1), else_=0)
        columns = [c.conversation_id, counting.at.label("moment"), *(c[name] for name in _PARTS), value.label("value")]
        if "seq" in c:
            columns.append(c.seq)
        columns += [conversations.c.status, conversations.c.contact_id, contacts.c.name.label("contact_name")]
        listed = self._chosen(select(*columns), query, counting, sight, more, with_contact=True)
        listed = listed.order_by(counting.at.desc(), counting.unit).offset(offset).limit(limit)
        units = [
            CountedUnit(
                conversation_id=row.conversation_id, at=row.moment, channel=row.channel, language=row.language,
                intent=row.intent, team=row.team, agent=row.agent,
                status=row.status, contact_id=row.contact_id, contact_name=row.contact_name, seq=row.seq if "seq" in c else None, value=None if row.value is None else float(row.value),
            )
            for row in await self._connection.execute(listed)
        ]  # fmt: skip
        return total, units

    def _chosen(
        self,
        statement: Any,
        query: Query,
        counting: Counting,
        sight: Sight,
        more: Sequence[ColumnElement[bool]] = (),
        *,
        with_contact: bool = False,
    ) -> Any:
        c = counting.table.c
        wanted = [
            counting.day.between(query.since.toordinal(), query.until.toordinal()),
            counting.counted(self._now),
            *(c[name].in_(keys) for name, keys in sorted(query.filters.items()) if keys),
            *more,
        ]
        statement = statement.select_from(counting.table)
        if with_contact or sight.scope is not Scope.EVERYTHING:
            statement = statement.join(conversations, conversations.c.id == c.conversation_id)
        if with_contact:
            statement = statement.join(contacts, contacts.c.id == conversations.c.contact_id)
        if sight.scope is not Scope.EVERYTHING:
            wanted.append(within(sight))
        return statement.where(and_(*wanted))


def _sums(counting: Counting, form: Form) -> list[ColumnElement[Any]]:
    nothing: ColumnElement[Any] = literal(0)
    part = nothing if counting.part is None else func.sum(case((counting.part, 1), else_=0))
    against = nothing if counting.against is None else func.sum(case((counting.against, 1), else_=0))
    confidence = func.sum(counting.value) if form is Form.ERROR else nothing
    spread: ColumnElement[Any] = nothing
    if form in (Form.SECONDS, Form.MILLISECONDS):
        # One text for each group: many times faster to fetch than as many rows.
        spread = func.aggregate_strings(cast(counting.value, String), ",")
    return [
        spread.label("spread"),
        func.count().label("many"),
        part.label("part"),
        against.label("against"),
        confidence.label("confidence"),
    ]


def _bin_of(counting: Counting) -> ColumnElement[Any]:
    assert counting.value is not None
    edges = [(counting.value >= place / BINS, place) for place in range(BINS - 1, 0, -1)]
    return case(*edges, else_=0)


def _key(value: Any, by: str) -> str:
    if by == "hour":
        return key_of_hour(value)
    return key_of_day(value, by) if by in TIMES else str(value)


def _in_row(query: Query, counting: Counting, key: str) -> ColumnElement[bool]:
    """That a fact is counted in one row."""
    by = query.by
    if by is None:
        raise QueryError("no_such_row", "This figure was not broken down.", key)
    if by not in TIMES:
        found: ColumnElement[bool] = counting.table.c[by] == key
        return found
    if by == "hour":
        if key not in {key_of_hour(hour) for hour in range(24)}:
            raise QueryError("no_such_row", "There is no such hour.", key)
        return counting.hour == int(key)
    days = [day for day in range(query.since.toordinal(), query.until.toordinal() + 1) if key_of_day(day, by) == key]
    if not days:
        raise QueryError("no_such_row", "That is not in the period.", key)
    if by == "weekday":
        return (counting.day + 6) % 7 + 1 == int(key)
    return counting.day.between(days[0], days[-1])
