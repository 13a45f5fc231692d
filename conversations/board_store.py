"""Reads the board of everything that is open, in few steps whose cost grows with what is open and listed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.model import Status
from conversations.queue_store import SERVING_ORDER
from conversations.sight import Sight
from conversations.sight_store import within
from conversations.tables import UtcDateTime, contacts, conversations, turns

_columns = conversations.c
OPEN = (Status.BOT.value, Status.QUEUED.value, Status.ASSIGNED.value)
SNOOZED = "snoozed"
#: As the board speaks of it: what is put aside waits for nobody, whoever has it.
_state = case((_columns.snoozed_until.is_not(None), SNOOZED), else_=_columns.status)
#: Promised a first answer and still without one: who was answered waits since a later moment, or for nothing.
_PROMISED = and_(
    _columns.snoozed_until.is_(None),
    _columns.status.in_((Status.QUEUED.value, Status.ASSIGNED.value)),
    _columns.sla_due_at.is_not(None),
    _columns.waiting_since <= _columns.queued_at,
)
_LISTED = (
    "id", "contact_id", "status", "last_seq", "revision", "channel", "account", "language", "team_id", "agent_id",
    "agent_name", "opened_at", "updated_at", "queued_at", "waiting_since", "told_seconds", "told_at", "sentiment",
    "sentiment_label", "handoff_reason", "preview", "preview_author", "manual_priority", "tier", "offered_to",
    "offered_name", "offered_until", "participants", "snoozed_until",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are listed; ``ids`` are listed whatever the rest says. None does not limit."""

    state: str | None = None  #: "bot", "queued", "assigned" or "snoozed"
    team_id: str | None = None
    agent_id: str | None = None
    channel: str | None = None
    ids: tuple[str, ...] | None = None
    limit: int = 300

    def fits(self, group: Group) -> bool:
        """Whether the conversations of a group are among those asked for."""
        asked = ((self.state, group.state), (self.team_id, group.team_id))
        also = ((self.agent_id, group.agent_id), (self.channel, group.channel))
        return all(wanted is None or wanted == there for wanted, there in (*asked, *also))


@dataclass(frozen=True, slots=True)
class Group:
    """How many conversations are in the same state with the same team and agent on the same channel."""

    state: str
    team_id: str | None
    agent_id: str | None
    channel: str
    number: int
    queued_since: datetime | None  #: the first of them
    unanswered_since: datetime | None  #: the first contact among them who waits for an answer
    late: int  #: promises of a first answer that are broken
    at_risk: int  #: those that soon will be


class BoardStore:
    """Reads inside a transaction of the caller, who sees ``sight``."""

    def __init__(self, connection: AsyncConnection, sight: Sight) -> None:
        self._connection = connection
        self._seen = and_(_columns.status.in_(OPEN), within(sight))

    async def at_one_moment(self) -> None:
        """Let everything read from here on be of the same moment; to be called first."""
        if self._connection.dialect.name == "postgresql":  # SQLite does so by itself
            await self._connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))

    async def groups(self, now: datetime, margins: Mapping[str, timedelta], otherwise: timedelta) -> list[Group]:
        """Everything that is open, counted; ``margins`` say by team from how long before its end a promise is at risk."""
        soon = literal(now + otherwise, UtcDateTime())
        by_team = [(_columns.team_id == one, literal(now + own, UtcDateTime())) for one, own in margins.items()]
        risky = case(*by_team, else_=soon) if by_team else soon
        over = _columns.sla_due_at <= literal(now, UtcDateTime())
        keys = (_state.label("state"), _columns.team_id, _columns.agent_id, _columns.channel)
        rows = await self._connection.execute(
            select(
                *keys,
                func.count(),
                func.min(case((_state == Status.QUEUED.value, _columns.queued_at))),
                func.min(case((_state != SNOOZED, _columns.waiting_since))),
                func.sum(case((and_(_PROMISED, over), 1), else_=0)),
                func.sum(case((and_(_PROMISED, ~over, _columns.sla_due_at <= risky), 1), else_=0)),
            )
            .where(self._seen)
            .group_by(*keys)
        )
        return [Group(*row) for row in rows]

    async def listed(self, wanted: Wanted) -> Sequence[Mapping[str, Any]]:
        """The rows asked for: the queue as it is served, who waits for an answer, then what moved last."""
        if wanted.limit == 0 or wanted.ids == ():
            return []
        place = case(
            (_state == Status.QUEUED.value, 0),
            (and_(_state != SNOOZED, _columns.waiting_since.is_not(None)), 1),
            (_state != SNOOZED, 2),
            else_=3,
        )
        rank, queued, _ = SERVING_ORDER
        waits = case((place == 0, rank), (place == 1, _columns.waiting_since))
        rows = await self._connection.execute(
            select(
                *(_columns[name] for name in _LISTED),
                contacts.c.name.label("contact_name"),
                _state.label("state"),
                case((_PROMISED, _columns.sla_due_at)).label("promise_at"),
            )
            .join(contacts, contacts.c.id == _columns.contact_id)
            .where(self._seen, *_conditions(wanted))
            .order_by(place, waits, queued, _columns.updated_at.desc(), _columns.id)
            .limit(wanted.limit)
        )
        return [row._asdict() for row in rows]

    async def last_turns(self, conversation_ids: Collection[str]) -> dict[str, str]:
        """By conversation, the id of the bot's last turn."""
        if not conversation_ids:
            return {}
        last = (
            select(turns.c.conversation_id, func.max(turns.c.in_seq).label("in_seq"))
            .where(turns.c.conversation_id.in_(list(conversation_ids)))
            .group_by(turns.c.conversation_id)
            .subquery()
        )
        same = and_(turns.c.conversation_id == last.c.conversation_id, turns.c.in_seq == last.c.in_seq)
        rows = await self._connection.execute(select(turns.c.conversation_id, turns.c.turn_id).join(last, same))
        return {row.conversation_id: row.turn_id for row in rows}

    async def traces(self, turn_ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """By turn, why the bot answered as it did."""
        if not turn_ids:
            return {}
        rows = await self._connection.execute(
            select(turns.c.turn_id, turns.c.trace).where(turns.c.turn_id.in_(list(turn_ids)))
        )
        return {row.turn_id: row.trace for row in rows}


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    if wanted.ids is not None:
        return [_columns.id.in_(wanted.ids)]
    asked = (
        (_state, wanted.state),
        (_columns.team_id, wanted.team_id),
        (_columns.agent_id, wanted.agent_id),
        (_columns.channel, wanted.channel),
    )
    return [or_(column == value) for column, value in asked if value is not None]
