"""Counts what became of the conversations that began on each version since a comparison began."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.episode_tables import episodes, ratings
from conversations.episodes import Kind
from conversations.model import Status
from conversations.tables import conversations, turns
from learning.inbox_tables import mishaps
from learning.reasons import Reason

CONTAINED, HANDED_OFF, RUNNING = "contained", "handed_off", "running"


@dataclass(slots=True)
class Counts:
    """What one version's conversations add up to; the bot's part of each counts."""

    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)  #: of handoffs
    scores: Counter[int] = field(default_factory=Counter)
    turns: Counter[int] = field(default_factory=Counter)  #: how many conversations had so many answers
    misses: Counter[int] = field(default_factory=Counter)  #: how many had so many messages without an answer


class ComparisonStore:
    """Reads the counts inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def counts(self, models: Sequence[str], since: datetime) -> dict[str, Counts]:
        """By version, over conversations that were opened since then."""
        found = {name: Counts() for name in models}
        outcome = case(
            (episodes.c.ended_by == "handoff", literal(HANDED_OFF)),
            (episodes.c.ended_by == "resolved", literal(CONTAINED)),
            (conversations.c.status == Status.QUEUED.value, literal(HANDED_OFF)),
            (episodes.c.ended_at.is_(None), literal(RUNNING)),
            else_=literal("other"),  # merged or given back by hand
        )
        for row in await self._rows(models, since, outcome, conversations.c.handoff_reason):
            model, became, reason, often = row
            found[model].outcomes[became] += often
            if became == HANDED_OFF:
                found[model].reasons[reason or "unknown"] += often
        rated = _bots(models, since, ratings.c.score).join(ratings, ratings.c.episode_id == episodes.c.id)
        for model, score, often in await self._grouped(rated.where(ratings.c.score.is_not(None)), 2):
            found[model].scores[score] += often
        answers = func.count(turns.c.turn_id)
        answered = _bots(models, since, episodes.c.id, answers).join(turns, _during(turns.c.started_at, turns))
        for model, number, often in await self._histogram(answered):
            found[model].turns[number] += often
        without = func.count(mishaps.c.message_id)
        missed = _bots(models, since, episodes.c.id, without).join(
            mishaps,
            (mishaps.c.conversation_id == episodes.c.conversation_id)
            & (mishaps.c.episode_id == episodes.c.id)
            & (mishaps.c.reasons.op("&")(int(Reason.MISSED)) != 0),
        )
        for model, number, often in await self._histogram(missed):
            found[model].misses[number] += often
        for one in found.values():
            one.misses[0] = sum(one.outcomes.values()) - sum(one.misses.values())
        return found

    async def _rows(self, models: Sequence[str], since: datetime, *columns: Any) -> Any:
        return await self._grouped(_bots(models, since, *columns), 1 + len(columns))

    async def _grouped(self, query: Select[Any], columns: int) -> Any:
        inner = query.subquery()
        names = list(inner.c)[:columns]
        return (await self._connection.execute(select(*names, func.count()).group_by(*names))).all()

    async def _histogram(self, query: Select[Any]) -> Any:
        inner = query.group_by(episodes.c.model, episodes.c.id).subquery()
        model, _, number = list(inner.c)
        return (await self._connection.execute(select(model, number, func.count()).group_by(model, number))).all()


def _bots(models: Sequence[str], since: datetime, *columns: Any) -> Select[Any]:
    """The bot's first part of each conversation that was opened since then."""
    return (
        select(episodes.c.model, *(column.label(f"column_{place}") for place, column in enumerate(columns)))
        .select_from(episodes)
        .join(conversations, conversations.c.id == episodes.c.conversation_id)
        .where(
            episodes.c.kind == Kind.BOT.value,
            episodes.c.number == 1,
            episodes.c.model.in_(list(models)),
            conversations.c.opened_at >= since,
        )
    )


def _during(moment: Any, table: Any) -> Any:
    until = episodes.c.ended_at.is_(None) | (moment <= episodes.c.ended_at)
    return (table.c.conversation_id == episodes.c.conversation_id) & (moment >= episodes.c.started_at) & until
