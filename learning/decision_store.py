"""Writes what trainers decide about groups, and who decided what meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from learning.inbox_store import InboxStore
from learning.inbox_tables import mishap_decisions, mishap_groups, mishaps


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided about some messages of a group."""

    id: str
    group_id: str
    kind: str  #: assign, new_intent, out_of_scope, gap, done, ignored or new
    intent: str | None
    examples: int
    state: str  #: begun, made, undoing or undone
    before: Mapping[str, str]  #: message id -> the state it had
    edit_id: str | None
    at: datetime
    by_id: str
    by_name: str
    undone_at: datetime | None = None
    undone_by: str | None = None

    def about(self, message_ids: Collection[str]) -> Decision:
        """The same, as if it had been about these messages only."""
        return replace(self, before={one: state for one, state in self.before.items() if one in message_ids})


class DecisionStore:
    """Statements of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock_group(self, group_id: str) -> Any:
        """The row of a group, which nobody else changes until the transaction ends; None without one."""
        query = select(mishap_groups).where(mishap_groups.c.id == group_id).with_for_update()
        return (await self._connection.execute(query)).first()

    async def states_of(self, group_id: str, message_ids: Collection[str] | None, upto: int | None) -> dict[str, str]:
        """The states of a group's messages: of the given ones, or of those that came up to an entry."""
        query = select(mishaps.c.message_id, mishaps.c.state).where(mishaps.c.group_id == group_id)
        if message_ids is not None:
            query = query.where(mishaps.c.message_id.in_(list(message_ids)))
        if upto is not None:
            query = query.where(mishaps.c.arrived <= upto)
        return {row.message_id: row.state for row in await self._connection.execute(query)}

    async def note_change(self, group_id: str, change: str, by_name: str, at: datetime) -> None:
        """Somebody did something to a group, so whoever looked at it before has to look again."""
        values: dict[str, Any] = {"change": change, "changed_by": by_name, "changed_at": at}
        chosen = update(mishap_groups).where(mishap_groups.c.id == group_id)
        await self._connection.execute(chosen.values(revision=mishap_groups.c.revision + 1, **values))

    async def note_done(self, group_id: str, at: datetime) -> None:
        """Messages of a group are done: what comes from now on has come again."""
        values = {"done_at": at, "again_at": None, "again_model": None}
        await self._connection.execute(update(mishap_groups).where(mishap_groups.c.id == group_id).values(**values))

    async def add(self, decision: Decision) -> None:
        """Keep a decision."""
        values = {name: getattr(decision, name) for name in Decision.__slots__}
        await self._connection.execute(insert(mishap_decisions).values(**values | {"before": dict(decision.before)}))

    async def change(self, decision_id: str, **values: Any) -> None:
        """Note how far a decision is."""
        await self._connection.execute(
            update(mishap_decisions).where(mishap_decisions.c.id == decision_id).values(**values)
        )

    async def drop(self, decision_id: str) -> None:
        """A decision was not made after all."""
        await self._connection.execute(mishap_decisions.delete().where(mishap_decisions.c.id == decision_id))

    async def set_states(
        self, group_id: str, states: Mapping[str, str], decision_id: str | None, by_name: str, at: datetime
    ) -> None:
        """Give messages their states, and the group what these add up to."""
        values = {"decision_id": decision_id, "changed_by": by_name, "changed_at": at}
        for state in sorted(set(states.values())):
            chosen = [message_id for message_id, wanted in states.items() if wanted == state]
            for start in range(0, len(chosen), 500):
                some = update(mishaps).where(mishaps.c.message_id.in_(chosen[start : start + 500]))
                await self._connection.execute(some.values(state=state, **values))
        await InboxStore(self._connection).settle(group_id)

    async def find(self, decision_id: str) -> Decision | None:
        """A decision, locked until the transaction ends."""
        query = select(mishap_decisions).where(mishap_decisions.c.id == decision_id).with_for_update()
        row = (await self._connection.execute(query)).first()
        return None if row is None else _decision(row)

    async def of_group(self, group_id: str, limit: int) -> list[Decision]:
        """What was decided about a group, the latest first."""
        d = mishap_decisions.c
        query = select(mishap_decisions).where(d.group_id == group_id).order_by(d.at.desc(), d.id).limit(limit)
        return [_decision(row) for row in await self._connection.execute(query)]

    async def unfinished(self, before: datetime) -> list[Decision]:
        """Decisions that were begun before a time and of which nobody knows how they ended."""
        d = mishap_decisions.c
        query = select(mishap_decisions).where(d.state.in_(["begun", "undoing"]), d.at < before).order_by(d.at)
        return [_decision(row) for row in await self._connection.execute(query)]

    async def decided_since(self, decision_id: str, message_ids: Sequence[str]) -> str | None:
        """Who decided about some of these messages after a decision; None where nobody did."""
        m = mishaps.c
        for start in range(0, len(message_ids), 500):
            query = select(m.changed_by).where(
                m.message_id.in_(message_ids[start : start + 500]),
                (m.decision_id != decision_id) | m.decision_id.is_(None),
            )
            found = (await self._connection.execute(query.limit(1))).first()
            if found is not None:
                return found[0] or ""
        return None


def _decision(row: Any) -> Decision:
    return Decision(**{name: row._mapping[name] for name in Decision.__slots__})
