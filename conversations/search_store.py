"""The search index as rows: what is written into it with each message, and what it finds, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Select,
    String,
    Text,
    and_,
    bindparam,
    cast,
    column,
    delete,
    exists,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    table,
    text,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.blind_index import Mark, postgres_query, postgres_terms, sqlite_query, sqlite_terms
from conversations.model import Author, Message, MessageKind
from conversations.organising_tables import search_documents
from conversations.prepared_store import Prepared
from conversations.sealing_store import SealingStore, typed_by_people
from conversations.segmenting import Search, Terms, terms_of
from conversations.sight import EVERYTHING, Scope, Sight
from conversations.sight_store import within
from conversations.tables import addresses, contacts, conversations, messages

#: What people and the bot said; changes of state and rating requests would only be in the way.
SEARCHED = (MessageKind.TEXT, MessageKind.NOTE)
_index = table("search_index", column("rowid"))
_MERGED_PAGES = 64
_INSERT = Prepared(insert(search_documents))
_SHOWN = [
    messages.c[name]
    for name in ("id", "conversation_id", "seq", "author", "author_name", "kind", "text", "attachments", "created_at")
]


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """Which messages to look at; ``author`` is "contact", "bot", "agent" or "note"."""

    author: str | None = None
    channel: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    sight: Sight = EVERYTHING  #: whose search it is


@dataclass(frozen=True, slots=True)
class IndexedMessage:
    """A message that contains the terms of a search."""

    id: str
    conversation_id: str
    seq: int
    author: str
    author_name: str | None
    kind: str
    text: str
    created_at: datetime


class SearchStore:
    """The index inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._sqlite = connection.dialect.name == "sqlite"
        self._insert: Any = sqlite.insert if self._sqlite else postgresql.insert

    async def add_messages(self, new: Iterable[Message]) -> None:
        """Index messages of this moment."""
        rows = []
        mark = self._mark
        for message in new:
            if message.kind in SEARCHED:
                names = [attachment.name for attachment in message.attachments]
                row = self._row(mark, message.id, message.conversation_id, message.kind.value, message.text, names)
                rows += [row] if row else []
        if rows:
            await _INSERT.run_each(self._connection, rows)

    async def put_contact(self, contact_id: str) -> None:
        """Index a contact by name and by the addresses that people would type: phone numbers, e-mail, handles."""
        await self._connection.execute(delete(search_documents).where(search_documents.c.contact_id == contact_id))
        query = select(contacts.c.name).where(contacts.c.id == contact_id, contacts.c.merged_into.is_(None))
        row = (await self._connection.execute(query)).first()
        known = await self._connection.execute(select(addresses.c.contact).where(addresses.c.contact_id == contact_id))
        words = [row.name] if row is not None and row.name else []
        for address in known.scalars():
            if typed_by_people(address):
                words += [address, *_ends_of_number(address)]
        terms = terms_of("\n".join(words))
        if terms.placed:
            values = {"kind": "contact", "contact_id": contact_id, "terms": self._terms(terms, self._mark)}
            await _INSERT.run(self._connection, values)

    async def forget_contact(self, contact_id: str) -> None:
        """Take a contact and everything said with them out of the index; ``merge_deleted`` then takes it off the disk."""
        theirs = select(conversations.c.id).where(conversations.c.contact_id == contact_id)
        of_theirs = or_(search_documents.c.contact_id == contact_id, search_documents.c.conversation_id.in_(theirs))
        await self._connection.execute(delete(search_documents).where(of_theirs))

    async def forget_conversation(self, conversation_id: str) -> None:
        """Take what was said in a conversation out of the index."""
        await self._connection.execute(
            delete(search_documents).where(search_documents.c.conversation_id == conversation_id)
        )

    async def merge_deleted(self, *, first: bool) -> bool:
        """SQLite: rewrite some pages of the index without what was deleted; whether nothing is left to do."""
        total = text("SELECT total_changes()")
        before = (await self._connection.execute(total)).scalar_one()
        pages = -_MERGED_PAGES if first else _MERGED_PAGES  # negative: begin to merge everything into one
        await self._connection.execute(
            text("INSERT INTO search_index(search_index, rank) VALUES ('merge', :pages)"), {"pages": pages}
        )
        after = (await self._connection.execute(total)).scalar_one()
        return bool(after - before < 2)

    async def find_messages(self, search: Search, wanted: SearchFilter, limit: int) -> list[IndexedMessage]:
        """The newest messages that contain every part of a search."""
        conditions = _conditions(wanted)
        hits = self._matching(search, (search_documents.c.id, search_documents.c.message_id), joined=bool(conditions))
        hits = hits.where(search_documents.c.message_id.is_not(None), *conditions)
        newest = hits.limit(limit).subquery()  # joined only with what is ranked
        rows = await self._connection.execute(
            select(*_SHOWN).join(newest, newest.c.message_id == messages.c.id).order_by(newest.c.id.desc())
        )
        return [
            IndexedMessage(
                row.id,
                row.conversation_id,
                row.seq,
                row.author,
                row.author_name,
                row.kind,
                "\n".join([row.text, *(one["name"] for one in row.attachments or ())]).strip(),
                row.created_at,
            )
            for row in rows
        ]

    async def find_contacts(self, search: Search, limit: int, sight: Sight = EVERYTHING) -> list[str]:
        """Contacts whose name or address contains every part of a search, the newest first."""
        query = self._matching(search, (search_documents.c.contact_id,), joined=False)
        query = query.where(search_documents.c.kind == "contact")
        if sight.scope is not Scope.EVERYTHING:
            query = query.where(
                exists().where(conversations.c.contact_id == search_documents.c.contact_id, within(sight))
            )
        rows = await self._connection.execute(query.limit(limit))
        return list(rows.scalars())

    async def conversations_about(
        self,
        contact_ids: Sequence[str],
        customer_ids: Sequence[str],
        number: str,
        limit: int,
        sight: Sight = EVERYTHING,
    ) -> list[str]:
        """Conversations with these contacts or customers, or that have this ticket number or id; the newest first."""
        about = [conversations.c.callback_ticket == number.upper(), conversations.c.id == number.lower()]
        if contact_ids:
            about.append(conversations.c.contact_id.in_(contact_ids))
        if customer_ids:
            about.append(contacts.c.customer_id.in_(customer_ids))
        rows = await self._connection.execute(
            select(conversations.c.id)
            .join(contacts, contacts.c.id == conversations.c.contact_id)
            .where(or_(*about), within(sight))
            .order_by(conversations.c.updated_at.desc(), conversations.c.id)
            .limit(limit)
        )
        return list(rows.scalars())

    async def index_older(self, before: tuple[datetime, str] | None, limit: int) -> tuple[datetime, str] | None:
        """Index up to ``limit`` messages that are not, from the newest back; returns where to go on, None at the end."""
        query = select(messages).where(
            messages.c.kind.in_([kind.value for kind in SEARCHED]),
            ~exists().where(search_documents.c.message_id == messages.c.id),
        )
        if before is not None:
            query = query.where(tuple_(messages.c.created_at, messages.c.id) < tuple_(*_literals(before)))
        query = query.order_by(messages.c.created_at.desc(), messages.c.id.desc()).limit(limit)
        found = (await self._connection.execute(query)).all()
        lowest = (await self._connection.execute(select(func.min(search_documents.c.id)))).scalar()
        place = min(lowest if lowest is not None else 1, 1) - 1
        rows = []
        mark = self._mark
        for message in found:
            names = [one["name"] for one in message.attachments or ()]
            row = self._row(mark, message.id, message.conversation_id, message.kind, message.text, names)
            if row:
                rows.append(row | {"id": place})
                place -= 1
        if rows:  # another process may index the same ones
            await self._connection.execute(self._insert(search_documents).on_conflict_do_nothing(), rows)
        return (found[-1].created_at, found[-1].id) if len(found) == limit else None

    async def unindexed_contacts(self, after: str, limit: int) -> list[str]:
        """Contacts that are to be indexed: they have a name and are not yet, or their terms were taken away; by id."""
        emptied = exists().where(
            search_documents.c.contact_id == contacts.c.id, cast(search_documents.c.terms, Text) == ""
        )
        rows = await self._connection.execute(
            select(contacts.c.id)
            .where(
                contacts.c.id > after,
                or_(
                    emptied,
                    and_(
                        contacts.c.name.is_not(None),
                        ~exists().where(search_documents.c.contact_id == contacts.c.id),
                    ),
                ),
            )
            .order_by(contacts.c.id)
            .limit(limit)
        )
        return list(rows.scalars())

    def _matching(self, search: Search, columns: Sequence[Any], *, joined: bool) -> Select[Any]:
        """Documents that contain every part, newest first; ``joined``: with their messages and conversations."""
        source: Any = search_documents
        if self._sqlite:
            source = _index.join(search_documents, search_documents.c.id == _index.c.rowid)
            match = literal_column("search_index").op("MATCH")(sqlite_query(search, self._mark))
            order = _index.c.rowid.desc()
        else:
            # Written into the statement, so that the planner knows how rare the terms are.
            asked = bindparam("asked", postgres_query(search, self._mark), String, literal_execute=True)
            match = search_documents.c.terms.op("@@")(cast(asked, TSQUERY))
            order = search_documents.c.id.desc()
        if joined:
            source = source.join(messages, messages.c.id == search_documents.c.message_id)
            source = source.join(conversations, conversations.c.id == messages.c.conversation_id)
        return select(*columns).select_from(source).where(match).order_by(order)

    def _row(
        self, mark: Mark, message_id: str, conversation_id: str, kind: str, said: str, names: Sequence[str]
    ) -> dict[str, Any] | None:
        terms = terms_of("\n".join([said, *names]))
        if not terms.placed:
            return None
        values = {"message_id": message_id, "conversation_id": conversation_id, "kind": kind}
        return values | {"terms": self._terms(terms, mark)}

    def _terms(self, terms: Terms, mark: Mark) -> str:
        return sqlite_terms(terms, mark) if self._sqlite else postgres_terms(terms, mark)

    @property
    def _mark(self) -> Mark:
        return SealingStore(self._connection).marks.of_term


def _ends_of_number(address: str) -> list[str]:
    """A phone number as people give it: without the code of the country or the area, or its last four digits."""
    digits = "" if "@" in address else "".join(character for character in address if character.isdigit())
    return [digits[-length:] for length in (11, 10, 8, 7, 4) if length < len(digits)]


def _conditions(wanted: SearchFilter) -> list[Any]:
    conditions: list[Any] = []
    if wanted.author == "note":
        conditions.append(messages.c.kind == MessageKind.NOTE.value)
    elif wanted.author is not None:
        conditions.append(and_(messages.c.kind == MessageKind.TEXT.value, messages.c.author == Author(wanted.author)))
    if wanted.sight.scope is not Scope.EVERYTHING:
        conditions.append(within(wanted.sight))
    if wanted.channel is not None:
        conditions.append(conversations.c.channel == wanted.channel)
    if wanted.since is not None:
        conditions.append(messages.c.created_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(messages.c.created_at < wanted.until)
    return conditions


def _literals(before: tuple[datetime, str]) -> tuple[Any, Any]:
    at, message_id = before
    return literal(at, messages.c.created_at.type), literal(message_id)
