"""Reads the inbox as trainers see it: groups with what they cost, and the messages of one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from learning.inbox_tables import mishap_decisions, mishap_groups, mishaps
from learning.reasons import Reason

STATES = ("new", "done", "ignored")
SORTS = ("frequent", "newest", "cost")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which messages are looked at; the groups of these are listed."""

    state: str = "new"
    reasons: Reason | None = None  #: any of these; None: all
    language: str | None = None
    channel: str | None = None
    since: datetime | None = None
    groups: Sequence[str] | None = None  #: only these, as a search found them


@dataclass(frozen=True, slots=True)
class Group:
    """Messages of one wish, and what it cost that the bot did not serve it."""

    id: str
    state: str
    medoid: str
    revision: int
    messages: int
    contacts: int
    first_at: datetime
    last_at: datetime
    upto: int  #: the number of the last entry that brought one of its messages
    by_reason: dict[str, int]
    by_language: dict[str, int]
    mean_rating: float | None
    rated: int  #: parts of conversations
    handoffs: int
    changed_at: datetime | None
    changed_by: str | None
    change: str | None
    done_at: datetime | None
    again_at: datetime | None
    again_model: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """One message of a group; its words are read from the conversation."""

    message_id: str
    group_id: str
    state: str
    conversation_id: str
    seq: int
    contact_id: str
    channel: str
    language: str
    at: datetime
    reasons: int
    intent: str | None
    confidence: float | None
    answer_limit: float | None
    clarify_limit: float | None
    route: str | None
    model_id: str | None
    rating: int | None
    handed_off: bool
    arrived: int
    decision_id: str | None
    changed_at: datetime | None
    changed_by: str | None


@dataclass(frozen=True, slots=True)
class Gap:
    """What the knowledge base was found not to know."""

    decision_id: str
    group_id: str
    at: datetime
    by_name: str
    message_ids: tuple[str, ...]
    contacts: int


class InboxListStore:
    """Queries of one transaction."""

    def __init__(self, connection: AsyncConnection, seen: ColumnElement[bool] | None = None) -> None:
        """``seen`` says which messages whoever looks may see."""
        self._connection = connection
        self._seen = true() if seen is None else seen

    async def counts(self) -> dict[str, int]:
        """How many groups are in each state."""
        query = (
            select(mishap_groups.c.state, func.count())
            .where(mishap_groups.c.merged_into.is_(None))
            .group_by(mishap_groups.c.state)
        )
        found = {row[0]: int(row[1]) for row in await self._connection.execute(query)}
        return {state: found.get(state, 0) for state in STATES}

    async def channels(self) -> list[str]:
        """The channels of messages in the inbox."""
        query = select(mishaps.c.channel).where(self._seen).distinct().order_by(mishaps.c.channel)
        return list((await self._connection.execute(query)).scalars())

    async def groups(self, filters: Filters, sort: str, limit: int, offset: int = 0) -> tuple[list[Group], int]:
        """A page of the groups that have such messages, with all of their figures, and how many there are."""
        g = mishap_groups.c
        chosen = [g.state == filters.state, g.merged_into.is_(None)]
        if filters.groups is not None:
            chosen.append(g.id.in_(list(filters.groups)))
        wanted = conditions(filters)
        if wanted:
            chosen.append(g.id.in_(select(mishaps.c.group_id).where(*wanted)))
        order = {
            "frequent": (g.contacts.desc(), g.messages.desc(), g.last_at.desc()),
            "newest": (g.last_at.desc(),),
            "cost": (g.cost.desc(), g.contacts.desc(), g.last_at.desc()),
        }[sort]
        ids = select(g.id).where(*chosen).order_by(*order, g.id)
        found = list((await self._connection.execute(ids)).scalars())
        page = found[offset : offset + limit]
        rows = await self._connection.execute(select(*_SHOWN).where(g.id.in_(page)))
        kept = {row.id: _group(row) for row in rows}
        return [kept[one] for one in page], len(found)

    async def find_group(self, group_id: str) -> Group | None:
        """A group, or in its place the one it was merged into."""
        query = select(mishap_groups.c.id, mishap_groups.c.merged_into).where(mishap_groups.c.id == group_id)
        found = (await self._connection.execute(query)).first()
        if found is None:
            return None
        if found.merged_into is not None:
            return await self.find_group(found.merged_into)
        row = (await self._connection.execute(select(*_SHOWN).where(mishap_groups.c.id == group_id))).one()
        return _group(row)

    async def items(self, group_id: str, limit: int, states: Collection[str] = STATES) -> list[Item]:
        """The messages of a group, the newest first."""
        query = (
            select(mishaps)
            .where(mishaps.c.group_id == group_id, mishaps.c.state.in_(list(states)), self._seen)
            .order_by(mishaps.c.at.desc(), mishaps.c.message_id)
            .limit(limit)
        )
        rows = await self._connection.execute(query)
        return [Item(**{name: row._mapping[name] for name in Item.__slots__}) for row in rows]

    async def gaps(self, limit: int) -> list[Gap]:
        """What was sent to the knowledge base as missing, the newest first."""
        d = mishap_decisions.c
        query = select(mishap_decisions).where(d.kind == "gap", d.state == "made").order_by(d.at.desc()).limit(limit)
        decisions = (await self._connection.execute(query)).all()
        ids = [row.id for row in decisions]
        told = select(mishaps.c.decision_id, mishaps.c.message_id, mishaps.c.contact_id).where(
            mishaps.c.decision_id.in_(ids), self._seen
        )
        of: dict[str, list[tuple[str, str]]] = {}
        for row in await self._connection.execute(told.order_by(mishaps.c.at.desc(), mishaps.c.message_id)):
            of.setdefault(row.decision_id, []).append((row.message_id, row.contact_id))
        return [
            Gap(
                row.id, row.group_id, row.at, row.by_name, tuple(one for one, _ in of[row.id]),
                len({contact for _, contact in of[row.id]}),
            )
            for row in decisions
            if row.id in of
        ]  # fmt: skip


#: What a group's figures are before they were counted.
_FIGURES: dict[str, Any] = {"by_reason": {}, "by_language": {}, "mean_rating": None, "rated": 0, "handoffs": 0}
_SHOWN = tuple(
    column for column in mishap_groups.c if column.name not in ("centre", "weight", "created_at", "merged_into")
)


def conditions(filters: Filters) -> list[Any]:
    """What a message has to be like, so that its group is listed."""
    m = mishaps.c
    found: list[Any] = []
    if filters.reasons:
        found.append(m.reasons.bitwise_and(int(filters.reasons)) != 0)
    if filters.language is not None:
        found.append(m.language == filters.language)
    if filters.channel is not None:
        found.append(m.channel == filters.channel)
    if filters.since is not None:
        found.append(m.at >= filters.since)
    if found and filters.state == "new":  # what was done before in a group that came again is not to be done again
        found.append(m.state == "new")
    return found


def _group(row: Any) -> Group:
    values = dict(row._mapping)
    figures = values.pop("figures") or {}
    values.pop("cost")
    return Group(**values, **{name: figures.get(name, empty) for name, empty in _FIGURES.items()})
