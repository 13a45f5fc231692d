"""The inbox for those who do not see every conversation: only messages of what they see, and figures of only these."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, case, distinct, func, not_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.sight import Scope, Sight
from conversations.sight_store import within
from conversations.tables import conversations
from learning.inbox_list_store import STATES, Filters, Group, InboxListStore, conditions
from learning.inbox_store import InboxStore
from learning.inbox_tables import mishaps


def seen_by(sight: Sight) -> ColumnElement[bool]:
    """That a row of ``mishaps`` belongs to a conversation that the member sees."""
    if sight.scope is Scope.EVERYTHING:
        return true()
    return mishaps.c.conversation_id.in_(select(conversations.c.id).where(within(sight)))


def inbox_list(connection: AsyncConnection, sight: Sight) -> InboxListStore:
    """What lists the inbox for somebody."""
    if sight.scope is Scope.EVERYTHING:
        return InboxListStore(connection)
    return NarrowedInboxStore(connection, sight)


class NarrowedInboxStore(InboxListStore):
    """The same queries; a group is what its seen messages make it, and one without any does not exist."""

    def __init__(self, connection: AsyncConnection, sight: Sight) -> None:
        super().__init__(connection, seen_by(sight))

    async def counts(self) -> dict[str, int]:
        """How many groups are in each state."""
        states = self._states()
        query = select(states.c.place, func.count()).group_by(states.c.place)
        found = {STATES[row[0]]: int(row[1]) for row in await self._connection.execute(query)}
        return {state: found.get(state, 0) for state in STATES}

    async def groups(self, filters: Filters, sort: str, limit: int, offset: int = 0) -> tuple[list[Group], int]:
        """A page of the groups that have such messages, and how many there are."""
        m, states = mishaps.c, self._states()
        counted = [self._seen, *([m.state == "new"] if filters.state == "new" else [])]
        parts = (
            select(
                m.group_id,
                func.max(case((m.handed_off, 1), else_=0)).label("off"),
                func.max(m.rating).label("rating"),
            )
            .where(*counted)
            .group_by(m.group_id, func.coalesce(m.episode_id, m.conversation_id))
            .subquery()
        )
        low = case((parts.c.rating <= 2, 1), else_=0)
        costs = (
            select(parts.c.group_id, (func.sum(parts.c.off) + func.sum(low)).label("cost"))
            .group_by(parts.c.group_id)
            .subquery()
        )
        sums = (
            select(
                m.group_id,
                func.count().label("messages"),
                func.count(distinct(m.contact_id)).label("contacts"),
                func.max(m.at).label("last_at"),
            )
            .where(*counted)
            .group_by(m.group_id)
            .subquery()
        )
        s = sums.c
        order = {
            "frequent": (s.contacts.desc(), s.messages.desc(), s.last_at.desc()),
            "newest": (s.last_at.desc(),),
            "cost": (costs.c.cost.desc(), s.contacts.desc(), s.last_at.desc()),
        }[sort]
        chosen: list[Any] = [states.c.place == STATES.index(filters.state)]
        if filters.groups is not None:
            chosen.append(s.group_id.in_(list(filters.groups)))
        wanted = conditions(filters)
        if wanted:
            chosen.append(s.group_id.in_(select(m.group_id).where(self._seen, *wanted)))
        ids = (
            select(s.group_id)
            .join(states, states.c.group_id == s.group_id)
            .join(costs, costs.c.group_id == s.group_id)
            .where(*chosen)
            .order_by(*order, s.group_id)
        )
        found = list((await self._connection.execute(ids)).scalars())
        page = [await self.find_group(one) for one in found[offset : offset + limit]]
        return [one for one in page if one is not None], len(found)

    async def find_group(self, group_id: str) -> Group | None:
        """A group as its seen messages make it; None where there is none of them."""
        group = await super().find_group(group_id)
        if group is None:
            return None
        m = mishaps.c
        hidden = select(m.message_id).where(m.group_id == group.id, not_(self._seen)).limit(1)
        if (await self._connection.execute(hidden)).first() is None:
            return group
        states = self._states()
        place = select(states.c.place).where(states.c.group_id == group.id)
        found = (await self._connection.execute(place)).scalar()
        if found is None:
            return None
        figures = await InboxStore(self._connection).figures(group.id, STATES[found], self._seen)
        del figures["cost"]
        stands = (
            select(m.message_id)
            .where(m.group_id == group.id, self._seen)
            .order_by((m.message_id == group.medoid).desc(), m.at.desc(), m.message_id)
            .limit(1)
        )
        medoid = (await self._connection.execute(stands)).scalar_one()
        # When it came again is a message's own time, perhaps that of one they do not see.
        return replace(
            group, state=STATES[found], medoid=medoid, again_at=None, again_model=None,
            **(figures.pop("figures") | figures),
        )  # fmt: skip

    def _states(self) -> Any:
        """What the seen messages of each group add up to, as a place in ``STATES``: the same as ``state_of``."""
        m = mishaps.c
        place = func.min(case(*((m.state == state, number) for number, state in enumerate(STATES))))
        return select(m.group_id, place.label("place")).where(self._seen).group_by(m.group_id).subquery()


async def seen_messages(connection: AsyncConnection, sight: Sight, group_id: str) -> set[str]:
    """Those of the messages of a group that a member sees."""
    query = select(mishaps.c.message_id).where(mishaps.c.group_id == group_id, seen_by(sight))
    return set((await connection.execute(query)).scalars())
