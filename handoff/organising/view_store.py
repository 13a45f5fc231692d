"""Reads the console's views and saved filters: pages that stay right while conversations change, and counts."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, not_, or_, select, true

from conversations.contact_tables import PROVED_CUSTOMER
from conversations.conversation_rows import conversation_of
from conversations.model import PRIORITIES, Conversation, Page, Status
from conversations.organising_tables import conversation_labels, staff_notices
from conversations.reading_store import takes_part
from conversations.sight import EVERYTHING, Sight
from conversations.sight_store import within
from conversations.store import Database
from conversations.tables import UtcDateTime, contacts, conversations
from crm.tables import customers
from handoff.organising.organise_bodies import Conditions, moment_of
from handoff.tables import seen_marks

COUNTED = 1000  #: a saved filter with more is "1000 or more"
SENTIMENT_LIMIT = 0.25
_CHANNELS_SECONDS = 60.0
_Condition = ColumnElement[bool]
_NEVER = datetime.fromisoformat("9999-12-31T00:00:00+00:00")
_open = conversations.c.status != Status.RESOLVED.value
_awake = conversations.c.snoozed_until.is_(None)
_RANK = case(
    *((conversations.c.manual_priority == level, rank) for rank, level in enumerate(PRIORITIES)),
    else_=0,
)
_WAITING: Any = func.coalesce(conversations.c.waiting_since, literal(_NEVER, UtcDateTime()), type_=UtcDateTime())
#: Sort → the column, and whether the greatest comes first. The id decides between equals.
_SORTS: dict[str, tuple[Any, bool]] = {
    "newest": (conversations.c.updated_at, True),
    "oldest": (conversations.c.updated_at, False),
    "waiting": (_WAITING, False),
    "priority": (_RANK, True),
    "opened": (conversations.c.opened_at, True),
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose views these are; ``team_ids`` are the teams they belong to."""

    member_id: str
    team_ids: tuple[str, ...]
    now: datetime
    sight: Sight = EVERYTHING  #: which conversations exist for them


def view_condition(view: str, reader: Reader) -> _Condition:
    """What belongs to a built-in view."""
    mine = and_(
        conversations.c.status == Status.ASSIGNED.value,
        or_(conversations.c.agent_id == reader.member_id, takes_part(reader.member_id)),
    )
    mentioned = exists().where(
        staff_notices.c.conversation_id == conversations.c.id,
        staff_notices.c.staff_id == reader.member_id,
        staff_notices.c.kind == "mention",
    )
    return {
        "mine": and_(mine, _awake),
        "queued": and_(conversations.c.status == Status.QUEUED.value, _awake),
        "team": and_(conversations.c.team_id.in_(reader.team_ids), _open, _awake),
        "bot": conversations.c.status == Status.BOT.value,
        "all": _open,
        "snoozed": and_(_open, conversations.c.snoozed_until.is_not(None)),
        "mentions": mentioned,
        "resolved": conversations.c.status == Status.RESOLVED.value,
    }[view] & within(reader.sight)


def filter_condition(asked: Conditions, reader: Reader) -> _Condition:
    """What a saved filter lets through; only the conditions of ``Conditions`` ever become SQL."""
    columns = conversations.c
    terms: list[_Condition] = [within(reader.sight)]
    for values, column in (
        (asked.status, columns.status),
        (asked.channel, columns.channel),
        (asked.language, columns.language),
        (asked.priority, columns.manual_priority),
        (asked.handoff_reason, columns.handoff_reason),
    ):
        if values:
            terms.append(column.in_(values))
    if asked.label:
        terms.append(_labelled(asked.label, asked.every_label))
    if asked.agent:
        terms.append(_one_of(columns.agent_id, asked.agent, {"me": reader.member_id}))
    if asked.team:
        terms.append(_one_of(columns.team_id, asked.team, {}))
    if asked.waiting_longer_minutes is not None:
        since = reader.now - timedelta(minutes=asked.waiting_longer_minutes)
        terms.append(and_(columns.waiting_since <= since, _open))
    if asked.sentiment:
        terms.append(_feeling(asked.sentiment))
    if asked.tier:
        theirs = contacts.c.customer_id.in_(select(customers.c.id).where(customers.c.tier.in_(asked.tier)))
        terms.append(or_(contacts.c.tier.in_(asked.tier), and_(contacts.c.tier.is_(None), theirs)))
    terms += _between(columns.opened_at, asked.created_after, asked.created_before, asked.created_within_days, reader)
    terms += _between(columns.updated_at, asked.updated_after, asked.updated_before, asked.updated_within_days, reader)
    if asked.unread:
        terms.append(columns.last_seq > func.coalesce(_seen(reader), 0))
    if asked.snoozed is not None:
        terms.append(columns.snoozed_until.is_not(None) if asked.snoozed else _awake)
    return and_(true(), *terms)


def available_conditions() -> list[str]:
    """The conditions this desk can answer; sentiment only where it is measured."""
    names = list(Conditions.model_fields)
    return names if "sentiment" in conversations.c else [name for name in names if name != "sentiment"]


def _labelled(label_ids: Sequence[str], every: bool) -> _Condition:
    def has(*ids: str) -> _Condition:
        return exists().where(
            conversation_labels.c.conversation_id == conversations.c.id, conversation_labels.c.label_id.in_(ids)
        )

    return and_(*(has(label_id) for label_id in label_ids)) if every else has(*label_ids)


def _one_of(column: Any, values: Sequence[str], names: Mapping[str, str]) -> _Condition:
    ids = [names.get(value, value) for value in values if value != "none"]
    parts: list[_Condition] = [column.in_(ids)] if ids else []
    if "none" in values:
        parts.append(column.is_(None))
    return or_(*parts)


def _feeling(wanted: Sequence[str]) -> _Condition:
    if "sentiment" not in conversations.c:
        return not_(true())
    value = conversations.c.sentiment
    parts = {
        "negative": value <= -SENTIMENT_LIMIT,
        "positive": value >= SENTIMENT_LIMIT,
        "neutral": and_(value > -SENTIMENT_LIMIT, value < SENTIMENT_LIMIT),
    }
    return or_(*(parts[name] for name in wanted))


def _between(
    column: Any, after: datetime | None, before: datetime | None, days: int | None, reader: Reader
) -> list[_Condition]:
    terms: list[_Condition] = []
    if after is not None:
        terms.append(column >= after)
    if before is not None:
        terms.append(column < before)
    if days is not None:
        terms.append(column >= reader.now - timedelta(days=days))
    return terms


def _seen(reader: Reader) -> Any:
    return (
        select(seen_marks.c.seq)
        .where(seen_marks.c.conversation_id == conversations.c.id, seen_marks.c.staff_id == reader.member_id)
        .scalar_subquery()
    )


class ViewStore:
    """The console's lists."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._channels: list[str] = []
        self._channels_until = 0.0
        self._reading_channels = asyncio.Lock()

    async def page(self, condition: _Condition, sort: str, reader: Reader, cursor: str | None, limit: int) -> Page:
        """A page of what fits. Conversations that nobody touches while the pages are read appear exactly once."""
        column, greatest_first = _SORTS[sort]
        place = _Place.read(cursor, sort)
        as_of = place.as_of if place is not None else reader.now
        query: Select[Any] = select(
            conversations,
            contacts.c.name.label("contact_name"),
            PROVED_CUSTOMER.label("customer_id"),
            column.label("sorted_by"),
        ).join(contacts, contacts.c.id == conversations.c.contact_id)
        query = query.where(condition)
        if sort == "oldest":  # what changes meanwhile moves to the end, where it would come a second time
            query = query.where(conversations.c.updated_at <= as_of)
        order = [column.desc() if greatest_first else column.asc()]
        if sort == "priority":
            order.append(conversations.c.updated_at.desc())
        if place is not None:
            query = query.where(place.beyond(column, greatest_first))
        rows = await self._rows(query.order_by(*order, conversations.c.id).limit(limit + 1))
        found = tuple(conversation_of(row) for row in rows[:limit])
        if len(rows) <= limit:
            return Page(found)
        last = rows[limit - 1]
        return Page(found, _Place(sort, last.sorted_by, last.updated_at, last.id, as_of).written())

    async def waiting_since(self, reader: Reader) -> datetime | None:
        """Since when the contact who has waited longest is in the queue."""
        query = select(func.min(conversations.c.queued_at, type_=UtcDateTime())).where(view_condition("queued", reader))
        async with self._database.read() as connection:
            found: datetime | None = (await connection.execute(query)).scalar()
        return found

    async def count_views(self, reader: Reader) -> dict[str, int]:
        """How many conversations each open view holds, in one look at the open ones."""
        names = ("mine", "queued", "team", "bot", "all", "snoozed")
        query = (
            select(*(func.count().filter(view_condition(name, reader)).label(name) for name in names))
            .select_from(conversations)
            .where(_open)
        )
        unseen = select(func.count(staff_notices.c.conversation_id.distinct())).where(
            staff_notices.c.staff_id == reader.member_id,
            staff_notices.c.kind == "mention",
            staff_notices.c.seen_at.is_(None),
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one()
            mentions = (await connection.execute(unseen)).scalar_one()
        return {name: getattr(row, name) for name in names} | {"mentions": int(mentions)}

    async def count(self, condition: _Condition) -> int:
        """How many conversations fit, at most ``COUNTED``."""
        some = (
            select(conversations.c.id)
            .join(contacts, contacts.c.id == conversations.c.contact_id)
            .where(condition)
            .limit(COUNTED)
            .subquery()
        )
        async with self._database.read() as connection:
            return int((await connection.execute(select(func.count()).select_from(some))).scalar_one())

    async def conversations(self, ids: Sequence[str], sight: Sight) -> dict[str, Conversation]:
        """Those of the conversations that exist for somebody, by id."""
        query = select(conversations, contacts.c.name.label("contact_name"), PROVED_CUSTOMER.label("customer_id")).join(
            contacts, contacts.c.id == conversations.c.contact_id
        )
        rows = await self._rows(query.where(conversations.c.id.in_(list(ids)), within(sight)))
        return {row.id: conversation_of(row) for row in rows}

    async def channels(self) -> list[str]:
        """The channels on which anybody has written, as of a minute ago: finding them looks at every conversation."""
        async with self._reading_channels:  # whoever asks meanwhile gets what is being read, not what was there before
            if time.monotonic() >= self._channels_until or not self._channels:
                rows = await self._rows(select(conversations.c.channel).distinct().order_by(conversations.c.channel))
                self._channels = [row.channel for row in rows]
                self._channels_until = time.monotonic() + _CHANNELS_SECONDS
        return self._channels

    async def _rows(self, query: Select[Any]) -> list[Any]:
        async with self._database.read() as connection:
            return list((await connection.execute(query)).all())


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page ended."""

    sort: str
    key: Any
    updated_at: datetime
    id: str
    as_of: datetime

    @classmethod
    def read(cls, cursor: str | None, sort: str) -> _Place | None:
        """The place a cursor names; anything else, also of another sort, is the beginning."""
        if not cursor:
            return None
        try:
            named, key, updated_at, place_id, as_of = json.loads(base64.urlsafe_b64decode(cursor))
            if named != sort or not isinstance(place_id, str):
                return None
            value: Any = int(key) if sort == "priority" else moment_of(key)
            return cls(sort, value, moment_of(updated_at), place_id, moment_of(as_of))
        except (ValueError, TypeError, binascii.Error):
            return None

    def written(self) -> str:
        key = self.key if isinstance(self.key, int) else self.key.isoformat()
        form = [self.sort, key, self.updated_at.isoformat(), self.id, self.as_of.isoformat()]
        return base64.urlsafe_b64encode(json.dumps(form).encode()).decode()

    def beyond(self, column: Any, greatest_first: bool) -> _Condition:
        kind = None if self.sort == "priority" else UtcDateTime()
        key = literal(self.key, kind)
        later = column < key if greatest_first else column > key
        if self.sort == "priority":
            at = literal(self.updated_at, UtcDateTime())
            newer = conversations.c.updated_at < at
            level = and_(conversations.c.updated_at == at, conversations.c.id > self.id)
            return or_(later, and_(column == key, or_(newer, level)))
        return or_(later, and_(column == key, conversations.c.id > self.id))
