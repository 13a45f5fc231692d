"""Reads the queue and writes how long each wait was expected to be and was, inside one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.callbacks import CLOSING
from conversations.conversation_rows import conversation_of
from conversations.conversation_store import SELECT_CONVERSATION
from conversations.model import Conversation, Status, new_id
from conversations.tables import UtcDateTime, conversations, queue_stays

#: Waiting now; one that is put aside waits for nobody.
QUEUED = and_(conversations.c.status == Status.QUEUED.value, conversations.c.snoozed_until.is_(None))
#: The serving order; conversations queued before there were ranks are served by when they came.
SERVING_ORDER = (
    func.coalesce(conversations.c.rank_at, conversations.c.queued_at),
    conversations.c.queued_at,
    conversations.c.id,
)


def served_after(rank_at: datetime, queued_at: datetime, conversation_id: str) -> ColumnElement[bool]:
    """Whatever comes in the serving order after such a place, whether or not anybody is there still."""
    rank, queued, own_id = SERVING_ORDER
    at, since = literal(rank_at, UtcDateTime()), literal(queued_at, UtcDateTime())
    level = or_(queued > since, and_(queued == since, own_id > conversation_id))
    return or_(rank > at, and_(rank == at, level))


class Stay(NamedTuple):
    """One wait in a queue, as it was told and as it was."""

    team_id: str
    queued_at: datetime
    expected_seconds: int | None
    ended_at: datetime | None
    outcome: str | None


class QueueStore:
    """Who waits, in what order, and how long it took others."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def queue(self, limit: int = 2000) -> list[Conversation]:
        """The waiting conversations of every team in serving order."""
        rows = await self._connection.execute(SELECT_CONVERSATION.where(QUEUED).order_by(*SERVING_ORDER).limit(limit))
        return [conversation_of(row) for row in rows]

    async def offered(self) -> list[Conversation]:
        """The waiting conversations that an agent is invited to take, or was."""
        rows = await self._connection.execute(
            SELECT_CONVERSATION.where(QUEUED, conversations.c.offered_to.is_not(None))
        )
        return [conversation_of(row) for row in rows]

    async def count_ahead(self, team_id: str | None, rank_at: datetime, queued_at: datetime, besides: str) -> int:
        """How many of a team's waiting conversations are served before one of that rank."""
        rank = SERVING_ORDER[0]
        before = or_(rank < rank_at, and_(rank == rank_at, conversations.c.queued_at < queued_at))
        counted = await self._connection.execute(
            select(func.count())
            .select_from(conversations)
            .where(QUEUED, conversations.c.team_id == team_id, conversations.c.id != besides, before)
        )
        return int(counted.scalar_one())

    async def recent_accepts(self, team_id: str, since: datetime, limit: int = 20) -> list[datetime]:
        """When agents last took conversations of a team, newest first."""
        rows = await self._connection.execute(
            select(conversations.c.assigned_at)
            .where(conversations.c.assigned_at > since, conversations.c.team_id == team_id)
            .order_by(conversations.c.assigned_at.desc())
            .limit(limit)
        )
        return [at for at in rows.scalars() if at is not None]

    async def recent_stays(self, team_id: str, since: datetime, limit: int = 20) -> list[tuple[float, int, int]]:
        """A team's last waits that an agent ended: seconds, place at the beginning, agents on duty then."""
        rows = await self._connection.execute(
            select(queue_stays.c.queued_at, queue_stays.c.ended_at, queue_stays.c.place, queue_stays.c.agents)
            .where(
                queue_stays.c.team_id == team_id,
                queue_stays.c.queued_at > since,
                queue_stays.c.outcome == "accepted",
                queue_stays.c.expected_seconds.is_not(None),
            )
            .order_by(queue_stays.c.queued_at.desc())
            .limit(limit)
        )
        return [((row.ended_at - row.queued_at).total_seconds(), row.place, row.agents) for row in rows]

    async def begin_stay(self, conversation_id: str, **values: Any) -> None:
        """Note that a wait begins, and what the contact was told."""
        await self._connection.execute(
            insert(queue_stays).values(id=new_id(), conversation_id=conversation_id, **values)
        )

    async def end_stay(self, conversation_id: str, outcome: str, now: datetime) -> None:
        """Note that the wait is over, and how it ended."""
        await self._connection.execute(
            update(queue_stays)
            .where(queue_stays.c.conversation_id == conversation_id, queue_stays.c.ended_at.is_(None))
            .values(ended_at=now, outcome=outcome[:32])
        )

    async def last_agent(self, contact_id: str) -> str | None:
        """Who served a contact last, in any conversation."""
        agent = func.coalesce(conversations.c.agent_id, conversations.c.previous_agent)
        row = await self._connection.execute(
            select(agent)
            .where(conversations.c.contact_id == contact_id, agent.is_not(None))
            .order_by(conversations.c.assigned_at.desc())
            .limit(1)
        )
        found: str | None = row.scalar()
        return found

    async def stays(self, since: datetime, limit: int = 50_000) -> list[Stay]:
        """Every wait that began since a moment, oldest first."""
        rows = await self._connection.execute(
            select(
                queue_stays.c.team_id,
                queue_stays.c.queued_at,
                queue_stays.c.expected_seconds,
                queue_stays.c.ended_at,
                queue_stays.c.outcome,
            )
            .where(queue_stays.c.queued_at >= since)
            .order_by(queue_stays.c.queued_at)
            .limit(limit)
        )
        return [Stay(*row) for row in rows]

    async def callbacks_due(self, limit: int) -> list[Conversation]:
        """Conversations whose callback ticket must still learn what the contact said."""
        return await self._callbacks(func.coalesce(conversations.c.callback_state, "") != CLOSING, limit)

    async def callbacks_closing(self, limit: int) -> list[Conversation]:
        """Conversations that are over and whose callback ticket is to be closed."""
        return await self._callbacks(conversations.c.callback_state == CLOSING, limit)

    async def _callbacks(self, which: ColumnElement[bool], limit: int) -> list[Conversation]:
        rows = await self._connection.execute(
            # In no fixed order, so that tickets which always fail cannot keep all others from their turn.
            SELECT_CONVERSATION.where(conversations.c.callback_due.is_(True), which)
            .order_by(func.random())
            .limit(limit)
        )
        return [conversation_of(row) for row in rows]

    async def callback_filed(self, conversation: Conversation, ticket: str | None) -> None:
        """The ticket holds everything up to here, unless the contact has written on meanwhile."""
        await self._connection.execute(
            update(conversations)
            .where(
                conversations.c.id == conversation.id,
                conversations.c.last_seq == conversation.last_seq,
                func.coalesce(conversations.c.callback_state, "") != CLOSING,
            )
            .values(callback_due=False, callback_ticket=ticket)
        )

    async def with_participants(self) -> list[Conversation]:
        """Assigned conversations in which somebody besides the assignee takes part or is invited."""
        assigned = conversations.c.status == Status.ASSIGNED.value
        rows = await self._connection.execute(
            SELECT_CONVERSATION.where(assigned, conversations.c.participants.is_not(None))
        )
        return [conversation_of(row) for row in rows]
