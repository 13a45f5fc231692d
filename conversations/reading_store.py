"""Answers the questions of the console and the widget: lists, transcripts, traces, the queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, bindparam, cast, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.contact_tables import AT_HOME
from conversations.conversation_rows import conversation_of, message_of
from conversations.conversation_store import SELECT_CONVERSATION
from conversations.errors import NotFound
from conversations.model import Address, Author, Contact, Conversation, Cursor, Message, MessageKind, Page, Status
from conversations.queue_store import SERVING_ORDER, served_after
from conversations.sight import EVERYTHING, Sight
from conversations.sight_store import within
from conversations.tables import addresses, contacts, conversations, inbox, messages, turns
from conversations.turn_model import Trace

# Statements of every turn are built once: building one costs more than running it.
_LATEST = SELECT_CONVERSATION.where(AT_HOME).order_by(conversations.c.opened_at.desc()).limit(1)
_OPENED_AT = select(conversations.c.opened_at).where(conversations.c.id == bindparam("conversation_id"), AT_HOME)
_SHOWN = (
    select(messages)
    .join(conversations, conversations.c.id == messages.c.conversation_id)
    .where(AT_HOME, messages.c.kind != MessageKind.NOTE.value)
    .limit(bindparam("most"))
)
_LAST_SHOWN = _SHOWN.order_by(conversations.c.opened_at.desc(), messages.c.seq.desc())
_SHOWN_AFTER = _SHOWN.where(
    or_(
        conversations.c.opened_at > bindparam("opened_at"),
        and_(conversations.c.id == bindparam("conversation_id"), messages.c.seq > bindparam("seq")),
    )
).order_by(conversations.c.opened_at, messages.c.seq)

NO_CONVERSATION = "there is no such conversation; refresh the list and open it again"
VIEWS = ("mine", "queued", "bot", "all", "resolved")


class ReadingStore:
    """Reads that need no lock."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get_conversation(self, conversation_id: str) -> Conversation:
        """One conversation; raises ``NotFound``."""
        row = await self._connection.execute(SELECT_CONVERSATION.where(conversations.c.id == conversation_id))
        found = row.first()
        if found is None:
            raise NotFound(NO_CONVERSATION)
        return conversation_of(found)

    async def find_latest(self, address: Address) -> Conversation | None:
        """The newest conversation at an address."""
        row = await self._connection.execute(_LATEST, asdict(address))
        found = row.first()
        return None if found is None else conversation_of(found)

    async def list_conversations(
        self, view: str, agent_id: str, cursor: str | None, limit: int, sight: Sight = EVERYTHING
    ) -> Page:
        """A page of one of ``VIEWS``; the queue is in serving order, everything else newest first."""
        condition = {
            "mine": and_(
                conversations.c.status == Status.ASSIGNED.value,
                or_(conversations.c.agent_id == agent_id, takes_part(agent_id)),
                conversations.c.snoozed_until.is_(None),
            ),
            "queued": and_(conversations.c.status == Status.QUEUED.value, conversations.c.snoozed_until.is_(None)),
            "bot": conversations.c.status == Status.BOT.value,
            "resolved": conversations.c.status == Status.RESOLVED.value,
            "all": conversations.c.status != Status.RESOLVED.value,
        }[view] & within(sight)
        newest = (conversations.c.updated_at.desc(), conversations.c.id)
        if view == "queued":
            return await self._queue(condition, cursor, limit)
        query = SELECT_CONVERSATION.where(condition)
        after = _after(cursor)
        if after is not None:
            at, last_id = after
            query = query.where(
                or_(
                    conversations.c.updated_at < at,
                    and_(conversations.c.updated_at == at, conversations.c.id > last_id),
                )
            )
        rows = await self._connection.execute(query.order_by(*newest).limit(limit + 1))
        found = [conversation_of(row) for row in rows]
        if len(found) <= limit:
            return Page(tuple(found))
        last = found[limit - 1]
        return Page(tuple(found[:limit]), f"{last.updated_at.isoformat()}|{last.id}")

    async def _queue(self, condition: ColumnElement[bool], cursor: str | None, limit: int) -> Page:
        """A page in serving order, which goes on after the place where the last one ended, whoever came and went."""
        query = SELECT_CONVERSATION.where(condition)
        place = _served(cursor)
        if place is not None:
            query = query.where(served_after(*place))
        rows = await self._connection.execute(query.order_by(*SERVING_ORDER).limit(limit + 1))
        found = [conversation_of(row) for row in rows]
        if len(found) <= limit:
            return Page(tuple(found))
        last = found[limit - 1]
        queued_at = last.queued_at or last.updated_at
        rank = last.rank_at or queued_at
        return Page(tuple(found[:limit]), f"{rank.isoformat()}|{queued_at.isoformat()}|{last.id}")

    async def conversations_of_contact(
        self, contact_id: str, limit: int, sight: Sight = EVERYTHING
    ) -> list[Conversation]:
        """Every conversation of a contact, newest first."""
        rows = await self._connection.execute(
            SELECT_CONVERSATION.where(conversations.c.contact_id == contact_id, within(sight))
            .order_by(conversations.c.opened_at.desc())
            .limit(limit)
        )
        return [conversation_of(row) for row in rows]

    async def history(
        self, contact_ids: Sequence[str], cursor: str | None, limit: int, sight: Sight = EVERYTHING
    ) -> Page:
        """A page of the conversations of some contacts, the one opened last first."""
        opened = conversations.c.opened_at
        query = SELECT_CONVERSATION.where(conversations.c.contact_id.in_(list(contact_ids)), within(sight))
        after = _after(cursor)
        if after is not None:
            at, last_id = after
            query = query.where(or_(opened < at, and_(opened == at, conversations.c.id > last_id)))
        rows = await self._connection.execute(query.order_by(opened.desc(), conversations.c.id).limit(limit + 1))
        found = [conversation_of(row) for row in rows]
        if len(found) <= limit:
            return Page(tuple(found))
        last = found[limit - 1]
        return Page(tuple(found[:limit]), f"{last.opened_at.isoformat()}|{last.id}")

    async def idle(self, before: datetime, limit: int) -> list[str]:
        """Conversations with the bot in which nothing happened since a moment and nothing waits."""
        waits = exists().where(inbox.c.conversation_id == conversations.c.id, inbox.c.state.in_(("new", "running")))
        rows = await self._connection.execute(
            select(conversations.c.id)
            .where(conversations.c.status == Status.BOT.value, conversations.c.updated_at <= before, ~waits)
            .limit(limit)
        )
        return list(rows.scalars())

    async def messages(self, conversation_id: str, after_seq: int, limit: int) -> list[Message]:
        """Messages of a conversation after a sequence number, notes included."""
        rows = await self._connection.execute(
            select(messages)
            .where(messages.c.conversation_id == conversation_id, messages.c.seq > after_seq)
            .order_by(messages.c.seq)
            .limit(limit)
        )
        return [message_of(row) for row in rows]

    async def transcript(self, address: Address, after: Cursor | None, limit: int) -> list[Message]:
        """What the contact may see across their conversations at an address; without a cursor, the last messages."""
        here = asdict(address) | {"most": limit}
        place = None if after is None else asdict(address) | {"conversation_id": after.conversation_id}
        opened_at = None if place is None else (await self._connection.execute(_OPENED_AT, place)).scalar()
        if after is None or opened_at is None:
            return [message_of(row) for row in await self._connection.execute(_LAST_SHOWN, here)][::-1]
        later = here | {"opened_at": opened_at, "conversation_id": after.conversation_id, "seq": after.seq}
        return [message_of(row) for row in await self._connection.execute(_SHOWN_AFTER, later)]

    async def said_before(self, conversation_id: str, message_id: str, limit: int) -> list[Message]:
        """The last texts before a message that are neither notes nor the service's own, oldest first."""
        before = select(messages.c.seq).where(messages.c.id == message_id).scalar_subquery()
        query = (
            select(messages)
            .where(
                messages.c.conversation_id == conversation_id,
                messages.c.seq < before,
                messages.c.kind == MessageKind.TEXT.value,
                messages.c.author != Author.SYSTEM.value,
                messages.c.text != "",
                messages.c.recalled_at.is_(None),
            )
            .order_by(messages.c.seq.desc())
            .limit(limit)
        )
        return [message_of(row) for row in (await self._connection.execute(query)).all()][::-1]

    async def messages_at(self, conversation_id: str, seqs: Sequence[int]) -> list[Message]:
        """The messages of a conversation with these sequence numbers, in order."""
        query = select(messages).where(messages.c.conversation_id == conversation_id, messages.c.seq.in_(seqs))
        return [message_of(row) for row in await self._connection.execute(query.order_by(messages.c.seq))]

    async def find_turn(self, turn_id: str) -> Trace | None:
        """Why the bot answered in one turn."""
        row = (await self._connection.execute(select(turns).where(turns.c.turn_id == turn_id))).first()
        return None if row is None else Trace(**{**row._mapping, "out_seqs": tuple(row.out_seqs)})

    async def traces(self, conversation_id: str) -> list[Trace]:
        """Why the bot answered, turn by turn."""
        rows = await self._connection.execute(
            select(turns).where(turns.c.conversation_id == conversation_id).order_by(turns.c.in_seq)
        )
        return [Trace(**{**row._mapping, "out_seqs": tuple(row.out_seqs)}) for row in rows]

    async def find_contact(self, contact_id: str) -> Contact | None:
        """Who a contact is."""
        row = await self._connection.execute(select(contacts).where(contacts.c.id == contact_id))
        found = row.first()
        if found is None:
            return None
        return Contact(found.id, found.name, found.language, found.customer_id, found.created_at)

    async def addresses_of(self, contact_id: str) -> list[Address]:
        """Where a contact can be reached."""
        rows = await self._connection.execute(select(addresses).where(addresses.c.contact_id == contact_id))
        return [Address(row.channel, row.account, row.contact) for row in rows]


def takes_part(agent_id: str) -> Any:
    """Invited, or come to help; the ids in the list are quoted, so that no id is part of another."""
    return cast(conversations.c.participants, Text).contains(f'"{agent_id}"', autoescape=True)


def _served(cursor: str | None) -> tuple[datetime, datetime, str] | None:
    """Rank, time and id of where a page of the queue ended; anything else is its head."""
    rank, _, rest = (cursor or "").partition("|")
    after = _after(rest)
    try:
        moment = datetime.fromisoformat(rank)
    except ValueError:
        return None
    return (moment, *after) if moment.tzinfo and after is not None else None


def _after(cursor: str | None) -> tuple[Any, str] | None:
    if not cursor:
        return None
    at, _, conversation_id = cursor.partition("|")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (moment, conversation_id) if moment.tzinfo else None
