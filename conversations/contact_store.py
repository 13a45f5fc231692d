"""Reads and writes contacts inside one transaction: profiles, addresses, history and proofs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, func, insert, or_, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.contact_model import ContactProfile, ReachedAt
from conversations.contact_tables import contact_tickets
from conversations.conversation_store import at_address
from conversations.errors import NotFound
from conversations.model import Address, Author, MessageKind, Status
from conversations.reach_store import is_unreachable
from conversations.sealing_store import sealed_contact
from conversations.search_store import SearchStore
from conversations.tables import addresses, contacts, conversations, messages

_MOST_MERGED = 100  # a chain of merges longer than this is a loop that cannot be
_FIRST_WORDS = 120
_COLUMNS = [name for name in ContactProfile.__dataclass_fields__ if name not in ("addresses", "note")]
GONE = "there is no such contact; reload the conversation"


class ContactStore:
    """Contacts as rows."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock(self, *contact_ids: str) -> None:
        """Keep arriving messages, turns and edits waiting: addresses, then conversations, then the contacts themselves.

        A message that waits at its address finds its contact anew afterwards, so it lands where it belongs.
        """
        here = (addresses.c.channel, addresses.c.account, addresses.c.contact)
        for query in (
            select(*here).where(addresses.c.contact_id.in_(contact_ids)).order_by(*here),
            select(conversations.c.id).where(conversations.c.contact_id.in_(contact_ids)).order_by(conversations.c.id),
            select(contacts.c.id).where(contacts.c.id.in_(contact_ids)).order_by(contacts.c.id),
        ):
            (await self._connection.execute(query.with_for_update(key_share=True))).all()

    async def find(self, contact_id: str) -> ContactProfile | None:
        """A contact with its addresses."""
        row = (await self._connection.execute(select(contacts).where(contacts.c.id == contact_id))).first()
        return None if row is None else profile_of(row, await self.addresses_of(contact_id))

    async def get(self, contact_id: str) -> ContactProfile:
        """A contact; raises ``NotFound``."""
        found = await self.find(contact_id)
        if found is None:
            raise NotFound(GONE)
        return found

    async def several(self, contact_ids: Sequence[str]) -> list[ContactProfile]:
        """Those of the contacts that stand by themselves, in the order given."""
        rows = await self._connection.execute(
            select(contacts).where(
                contacts.c.id.in_(list(contact_ids)), contacts.c.merged_into.is_(None), contacts.c.erased_at.is_(None)
            )
        )
        known = {row.id: row for row in rows}
        return [profile_of(known[one], await self.addresses_of(one)) for one in contact_ids if one in known]

    async def root_of(self, contact_id: str) -> str:
        """The contact in which this one goes on, itself unless it was merged."""
        for _ in range(_MOST_MERGED):
            query = select(contacts.c.merged_into).where(contacts.c.id == contact_id)
            into = (await self._connection.execute(query)).scalar()
            if into is None:
                break
            contact_id = into
        return contact_id

    async def family_of(self, contact_id: str) -> list[str]:
        """A contact and every one that was merged into it, directly or through others."""
        family, newest = [contact_id], [contact_id]
        while newest and len(family) < _MOST_MERGED:
            query = select(contacts.c.id).where(contacts.c.merged_into.in_(newest))
            newest = [one for one in (await self._connection.execute(query)).scalars() if one not in family]
            family += newest
        return family

    async def update(self, contact_id: str, **values: Any) -> None:
        """Change a contact and count the change."""
        counted = {"revision": contacts.c.revision + 1}
        sealed = await sealed_contact(self._connection, contact_id, values)
        await self._connection.execute(update(contacts).where(contacts.c.id == contact_id).values(**sealed, **counted))
        if values.keys() & {"name", "merged_into"}:
            await SearchStore(self._connection).put_contact(contact_id)

    async def addresses_of(self, contact_id: str) -> tuple[ReachedAt, ...]:
        """Where a contact can be reached, always in the same order."""
        rows = await self._connection.execute(select(addresses).where(addresses.c.contact_id == contact_id))
        found = (
            ReachedAt(
                Address(row.channel, row.account, row.contact),
                row.customer_id,
                row.origin_id,
                unreachable=is_unreachable(row.unreachable_at, row.wrote_at),
            )
            for row in rows
        )
        return tuple(sorted(found, key=lambda one: tuple(asdict(one.address).values())))

    async def own_tier(self, contact_id: str) -> str | None:
        """The tier that an agent gave a contact."""
        found: str | None = (
            await self._connection.execute(select(contacts.c.tier).where(contacts.c.id == contact_id))
        ).scalar()
        return found

    async def note_proof(self, contact_id: str, address: Address, customer_id: str) -> None:
        """The contact proved to be this customer, at this address."""
        await self._connection.execute(
            update(contacts)
            .where(contacts.c.id == contact_id)
            .values(customer_id=customer_id, revision=contacts.c.revision + 1)
        )
        await self._connection.execute(
            update(addresses)
            .where(
                at_address(addresses, address),
                addresses.c.contact_id.in_(select(contacts.c.id).where(contacts.c.shared)),
            )
            .values(customer_id=customer_id)
        )

    async def with_customer(self, customer_id: str) -> list[str]:
        """Contacts of a customer: those who proved it, and those whom an agent linked."""
        belongs = or_(
            contacts.c.customer_id == customer_id,
            and_(contacts.c.customer_id.is_(None), contacts.c.linked_customer_id == customer_id),
        )
        rows = await self._connection.execute(
            select(contacts.c.id).where(belongs, contacts.c.merged_into.is_(None)).order_by(contacts.c.created_at)
        )
        return list(rows.scalars())

    async def open_conversations(self, contact_id: str) -> list[str]:
        """The conversations of a contact that are not finished, in the order in which they are locked."""
        rows = await self._connection.execute(
            select(conversations.c.id)
            .where(conversations.c.contact_id == contact_id, conversations.c.status != Status.RESOLVED.value)
            .order_by(conversations.c.id)
        )
        return list(rows.scalars())

    async def first_words(self, conversation_ids: Sequence[str]) -> dict[str, str]:
        """By conversation, what the contact wrote first."""
        if not conversation_ids:
            return {}
        first = (
            select(messages.c.conversation_id, func.min(messages.c.seq).label("seq"))
            .where(
                messages.c.conversation_id.in_(list(conversation_ids)),
                messages.c.author == Author.CONTACT.value,
                messages.c.kind == MessageKind.TEXT.value,
                messages.c.text != "",
            )
            .group_by(messages.c.conversation_id)
            .subquery()
        )
        here = and_(messages.c.conversation_id == first.c.conversation_id, messages.c.seq == first.c.seq)
        rows = await self._connection.execute(
            select(messages.c.conversation_id, messages.c.text).select_from(messages).join(first, here)
        )
        return {row.conversation_id: " ".join(row.text.split())[:_FIRST_WORDS] for row in rows}

    async def add_ticket(self, contact_id: str, number: str, now: datetime) -> bool:
        """Note that a ticket is about this contact; False when that was known."""
        known = select(contact_tickets.c.number).where(contact_tickets.c.number == number)
        if (await self._connection.execute(known)).first() is not None:
            return False
        await self._connection.execute(
            insert(contact_tickets).values(number=number, contact_id=contact_id, opened_at=now)
        )
        return True

    async def tickets_of(self, contact_ids: Sequence[str]) -> list[str]:
        """The numbers of tickets that agents opened for these contacts, or that promise them a callback, newest first."""
        theirs = list(contact_ids)
        opened = select(contact_tickets.c.number, contact_tickets.c.opened_at.label("at")).where(
            contact_tickets.c.contact_id.in_(theirs)
        )
        promised = select(conversations.c.callback_ticket, conversations.c.queued_at).where(
            conversations.c.contact_id.in_(theirs), conversations.c.callback_ticket.is_not(None)
        )
        both = union_all(opened, promised).subquery()
        rows = await self._connection.execute(
            select(both.c.number).group_by(both.c.number).order_by(func.max(both.c.at).desc()).limit(50)
        )
        return list(rows.scalars())


def profile_of(row: Row[Any], reached_at: tuple[ReachedAt, ...]) -> ContactProfile:
    """The contact in a row of ``contacts``."""
    values = {name: row._mapping[name] for name in _COLUMNS}
    return ContactProfile(**values, note=row.note or "", addresses=reached_at)
