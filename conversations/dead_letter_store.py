"""Reads and settles what could not be delivered, inside one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.conversation_rows import message_of
from conversations.model import Address, Message
from conversations.sight import EVERYTHING, Scope, Sight
from conversations.sight_store import within
from conversations.tables import contacts, conversations, messages, outbox

GIVEN_UP = ("dead", "unknown")
#: Written out in the statement: only so does SQLite see that the index of what was given up is meant.
_given_up = outbox.c.state.in_(bindparam("given_up", GIVEN_UP, expanding=True, literal_execute=True))


@dataclass(frozen=True, slots=True)
class Choice:
    """Which dead letters are meant; what is None does not limit."""

    channel: str | None = None
    account: str | None = None
    state: str | None = None  #: dead | unknown
    up_to: int | None = None  #: ordinal of the newest one that was shown
    after: int | None = None  #: ordinal of the last one that was dealt with, going from the oldest on
    sight: Sight = EVERYTHING  #: whose choice it is

    def conditions(self) -> list[Any]:
        """The choice as SQL."""
        wanted = (
            (outbox.c.channel, self.channel),
            (outbox.c.account, self.account),
            (outbox.c.state, self.state),
        )
        limits = [] if self.up_to is None else [outbox.c.ordinal <= self.up_to]
        limits += [] if self.after is None else [outbox.c.ordinal > self.after]
        limits += _seen_by(self.sight)
        return [_given_up, *(column == value for column, value in wanted if value is not None), *limits]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that did not reach its contact, or of which nobody knows."""

    ordinal: int
    id: str
    state: str
    address: Address
    message: Message
    contact_name: str | None
    error: str | None
    attempts: int


class Count(NamedTuple):
    """How many dead letters an account has in a state."""

    channel: str
    account: str
    state: str
    number: int


class Settled(NamedTuple):
    """A dead letter that was dealt with, and with whose key what is said of it is sealed."""

    id: str
    state: str
    message: Message
    contact_id: str


class DeadLetterStore:
    """What the outbox gave up."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def page(self, choice: Choice, before: int | None, limit: int) -> list[DeadLetter]:
        """The newest ones, or those before an ordinal."""
        older = [] if before is None else [outbox.c.ordinal < before]
        rows = await self._connection.execute(
            select(
                outbox.c.ordinal,
                outbox.c.id.label("outbox_id"),
                outbox.c.state,
                outbox.c.channel,
                outbox.c.account,
                outbox.c.contact,
                outbox.c.error,
                outbox.c.attempts,
                contacts.c.name.label("contact_name"),
                messages,
            )
            .join(messages, messages.c.id == outbox.c.message_id)
            .join(conversations, conversations.c.id == messages.c.conversation_id)
            .join(contacts, contacts.c.id == conversations.c.contact_id)
            .where(*choice.conditions(), *older)
            .order_by(outbox.c.ordinal.desc())
            .limit(limit)
        )
        return [
            DeadLetter(
                ordinal=row.ordinal,
                id=row.outbox_id,
                state=row.state,
                address=Address(row.channel, row.account, row.contact),
                message=message_of(row),
                contact_name=row.contact_name,
                error=row.error,
                attempts=row.attempts,
            )
            for row in rows
        ]

    async def counts(self, sight: Sight = EVERYTHING) -> list[Count]:
        """How many there are to be seen, by account and state."""
        columns = (outbox.c.channel, outbox.c.account, outbox.c.state)
        rows = await self._connection.execute(
            select(*columns, func.count()).where(_given_up, *_seen_by(sight)).group_by(*columns).order_by(*columns)
        )
        return [Count(*row) for row in rows]

    async def oldest(self, choice: Choice, limit: int) -> list[tuple[int, str]]:
        """Ordinals and ids, oldest first."""
        rows = await self._connection.execute(
            select(outbox.c.ordinal, outbox.c.id).where(*choice.conditions()).order_by(outbox.c.ordinal).limit(limit)
        )
        return [(row.ordinal, row.id) for row in rows]

    async def settle(self, ids: Sequence[str], state: str, sight: Sight = EVERYTHING, **values: Any) -> list[Settled]:
        """Give dead letters another state; those that are none any more, or not to be seen, are left alone."""
        chosen = (_given_up, outbox.c.id.in_(ids), *_seen_by(sight))
        before = await self._connection.execute(select(outbox.c.id, outbox.c.state).where(*chosen).with_for_update())
        was = {row.id: row.state for row in before}
        if not was:
            return []
        await self._connection.execute(
            update(outbox).where(outbox.c.id.in_(list(was))).values(state=state, lease_until=None, **values)
        )
        sealed_for = func.coalesce(conversations.c.origin_id, conversations.c.contact_id).label("sealed_for")
        rows = await self._connection.execute(
            select(messages, outbox.c.id.label("outbox_id"), sealed_for)
            .join(outbox, outbox.c.message_id == messages.c.id)
            .join(conversations, conversations.c.id == messages.c.conversation_id)
            .where(outbox.c.id.in_(list(was)))
            .order_by(outbox.c.ordinal)
        )
        return [Settled(row.outbox_id, was[row.outbox_id], message_of(row), row.sealed_for) for row in rows]

    async def replay(self, ids: Sequence[str], now: datetime, sight: Sight = EVERYTHING) -> list[Settled]:
        """Queue dead letters again, each at its old place."""
        settled = await self.settle(
            ids, "pending", sight, attempts=0, doubts=0, next_at=now, created_at=now, error=None
        )
        going = messages.c.id.in_([one.message.id for one in settled])
        await self._connection.execute(update(messages).where(going).values(delivery_failed=False))
        return settled


def _seen_by(sight: Sight) -> list[Any]:
    if sight.scope is Scope.EVERYTHING:
        return []
    theirs = (
        select(messages.c.id)
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(messages.c.id == outbox.c.message_id, within(sight))
        .correlate(outbox)
    )
    return [theirs.exists()]
