"""The reports of one desk: what is asked, counted from facts within what the asker sees."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from conversations.audit import AuditEntry, AuditLog
from conversations.chain_follower import Progress, at_once
from conversations.model import Agent, utc_now
from conversations.sight import Sight
from conversations.store import Database
from conversations.work_leases import WorkLeases
from reporting.answers import Answer, Change, Costs, CountedUnit, Figure, Row, Units
from reporting.catalogue import METRICS, TIMES, Form
from reporting.cost_store import CostStore
from reporting.counting import COUNTINGS
from reporting.figure_store import FigureStore
from reporting.following import FactFollower
from reporting.periods import every_key
from reporting.query import MOST_ROWS, Query
from reporting.significance import CERTAIN, p_of
from reporting.tallies import Tally, merged

#: Figures counted at the same time in one process: a page is faster with two, and the rest of the desk reads as well.
_AT_ONCE = 2
__all__ = ["Answer", "Change", "Costs", "CountedUnit", "Figure", "Reports", "Row", "Units"]


class Reports:
    """Follows the audit chain in the background and answers from the facts made of it."""

    def __init__(
        self,
        database: Database,
        leases: WorkLeases,
        zone: ZoneInfo,
        now: Callable[[], datetime] = utc_now,
        *,
        give_way: Callable[[], Awaitable[None]] = at_once,
    ) -> None:
        self._database = database
        self.zone = zone
        self.now = now
        self.follower = FactFollower(database, leases, zone, now=now, give_way=give_way)
        self._counting = asyncio.Semaphore(_AT_ONCE)

    async def start(self) -> None:
        """Begin to follow."""
        await self.follower.start()

    async def close(self) -> None:
        """Stop following."""
        await self.follower.stop()

    async def answer(self, query: Query, sight: Sight, *, compare: bool = True) -> Answer:
        """The figure, its rows, and how it changed against the period of the same length right before."""
        counting, form = COUNTINGS[query.metric], METRICS[query.metric].form
        before: Tally | None = None
        async with self._counting, self._database.read() as connection:
            store = FigureStore(connection, self.now())
            tallies = await store.tallies(query, sight)
            if compare:
                before = merged((await store.tallies(_before(query), sight)).values())
            costs = await CostStore(connection).find() if form is Form.MONEY else Costs()

        def figure(tally: Tally) -> Figure:
            return tally.figure(form, tail=counting.tail, fewest=counting.fewest, each=costs.saved)

        whole = merged(tallies.values())
        rows, rest = _rows(query, tallies, figure)
        return Answer(
            query=query,
            total=figure(whole),
            rows=rows,
            other=figure(merged(rest)) if rest else None,
            change=None if before is None else _change(form, figure, whole, before),
            behind=(await self.progress()).behind,
            hidden="few" if 0 < whole.count < counting.fewest else None,
        )

    async def units(
        self,
        query: Query,
        sight: Sight,
        *,
        key: str | None = None,
        part: Literal["all", "part"] = "all",
        offset: int = 0,
        limit: int = 50,
    ) -> Units:
        """The very things that a figure counts, or the row ``key`` of it; ``part`` leaves out the rest of a share."""
        async with self._database.read() as connection:
            store = FigureStore(connection, self.now())
            total, units = await store.units(query, sight, key, part == "part", offset, limit)
        return Units(total, tuple(units))

    async def progress(self) -> Progress:
        """How far the facts are behind the desk."""
        return await self.follower.progress()

    async def lag(self) -> tuple[int, float]:
        """How many entries the facts are behind the desk, and for how many seconds the oldest of them waits."""
        return await self.follower.lag()

    async def costs(self) -> Costs:
        """What a conversation costs, as the company says."""
        async with self._database.read() as connection:
            return await CostStore(connection).find()

    async def set_costs(self, costs: Costs, by: Agent, audit: AuditLog) -> Costs:
        """Keep what a conversation costs, with an entry in the audit chain."""
        now = self.now()
        async with self._database.write() as connection:
            store = CostStore(connection)
            before = await store.find()
            await store.put(costs, by.name, now)
            names = ("human_per_conversation", "bot_per_conversation", "currency")
            data = {name: {"before": getattr(before, name), "after": getattr(costs, name)} for name in names}
            await audit.append(connection, now, [AuditEntry("report_costs_changed", f"agent:{by.id}", data=data)])
        return replace(costs, changed_by=by.name, changed_at=now)


def _before(query: Query) -> Query:
    days = (query.until - query.since).days + 1
    until = query.since - timedelta(days=1)
    return replace(query, since=until - timedelta(days=days - 1), until=until, by=None, top=None)


def _rows(
    query: Query, tallies: Mapping[str, Tally], figure: Callable[[Tally], Figure]
) -> tuple[tuple[Row, ...], list[Tally]]:
    """The rows in their order, and what is beyond the last of them."""
    if query.by is None:
        return (), []
    found = dict(tallies)
    if query.by in TIMES:
        found = {key: tallies.get(key, Tally()) for key in every_key(query)}
        if query.top is None:
            return tuple(Row(key, figure(tally)) for key, tally in found.items()), []
    figures = {key: figure(tally) for key, tally in found.items()}

    def rank(key: str) -> tuple[bool, float, int, str]:
        value = figures[key].value
        signed = 0.0 if value is None else value if query.lowest else -value
        return value is None, signed, -found[key].count, key

    order = sorted(found, key=rank)
    shown = query.top or MOST_ROWS
    return tuple(Row(key, figures[key]) for key in order[:shown]), [found[key] for key in order[shown:]]


def _change(form: Form, figure: Callable[[Tally], Figure], now: Tally, before: Tally) -> Change:
    current, previous = figure(now), figure(before)
    if current.value is None or previous.value is None:
        return Change(previous, None, None, None)
    p = p_of(form, now, before)
    return Change(previous, current.value - previous.value, None if p is None else p < CERTAIN, p)
