"""Reads and writes the audit chain and the keys of its personal parts inside one transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.contact_tables import contact_merges, contact_tickets
from conversations.episode_tables import ratings
from conversations.link_tables import link_codes
from conversations.search_store import SearchStore
from conversations.tables import (
    addresses,
    audit_entries,
    audit_head,
    audit_keys,
    buttons,
    contacts,
    conversations,
    inbox,
    messages,
    outbox,
    turns,
)

_RESERVE = (
    update(audit_head)
    .where(audit_head.c.id == 1)
    .values(n=audit_head.c.n + bindparam("count"))
    .returning(audit_head.c.n, audit_head.c.hash)
)
_SET_HEAD = update(audit_head).where(audit_head.c.id == bindparam("row"))
_INSERT_ENTRY = insert(audit_entries)


class AuditStore:
    """The chain as rows."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert

    async def reserve(self, count: int, genesis: str) -> tuple[int, str]:
        """Take the next ``count`` numbers and the last hash; other writers wait here until this one commits."""
        row = (await self._connection.execute(_RESERVE, {"count": count})).first()
        if row is None:
            await self._connection.execute(
                self._insert(audit_head).values(id=1, n=0, hash=genesis).on_conflict_do_nothing()
            )
            row = (await self._connection.execute(_RESERVE, {"count": count})).one()
        return row.n - count + 1, row.hash

    async def add(self, entries: list[dict[str, Any]]) -> None:
        """Insert entries (n, conversation_id, body, hash) and make the last one the head."""
        await self._connection.execute(_INSERT_ENTRY, entries)
        await self._connection.execute(_SET_HEAD, {"row": 1, "hash": entries[-1]["hash"]})

    async def find_head(self) -> tuple[int, str] | None:
        """Number and hash of the last entry as the service knows it."""
        row = (await self._connection.execute(select(audit_head.c.n, audit_head.c.hash))).first()
        return None if row is None else (row.n, row.hash)

    async def highest(self) -> int:
        """The highest entry number there is, 0 if none."""
        return (await self._connection.execute(select(func.max(audit_entries.c.n)))).scalar() or 0

    async def entries(self, after: int = 0, conversation_id: str | None = None) -> AsyncIterator[Any]:
        """Entries in order, as rows with n, conversation_id, body and hash."""
        while True:
            query = select(audit_entries).where(audit_entries.c.n > after).order_by(audit_entries.c.n).limit(500)
            if conversation_id is not None:
                query = query.where(audit_entries.c.conversation_id == conversation_id)
            rows = (await self._connection.execute(query)).all()
            for row in rows:
                yield row
            if len(rows) < 500:
                return
            after = rows[-1].n

    async def find_key(self, contact_id: str) -> bytes | None:
        """The wrapped key of a contact, None once it was destroyed."""
        found = await self._connection.execute(
            select(audit_keys.c.wrapped).where(audit_keys.c.contact_id == contact_id)
        )
        return found.scalar()

    async def add_key(self, contact_id: str, wrapped: bytes) -> None:
        """Store the wrapped key of a contact."""
        await self._connection.execute(insert(audit_keys).values(contact_id=contact_id, wrapped=wrapped))

    async def erase(self, contact_ids: list[str], now: Any) -> list[str]:
        """Destroy keys, words, names and addresses of a contact and of those merged into it.

        Returns the ids of files that must go too.
        """
        theirs = select(conversations.c.id).where(conversations.c.contact_id.in_(contact_ids))
        of_theirs = messages.c.conversation_id.in_(theirs)
        rows = await self._connection.execute(select(messages.c.attachments).where(of_theirs))
        files = [attachment["id"] for found in rows.scalars() if found for attachment in found]
        nobody = f"erased-{contact_ids[0]}"
        of_them = or_(contact_merges.c.source_id.in_(contact_ids), contact_merges.c.target_id.in_(contact_ids))
        for statement in (
            delete(audit_keys).where(audit_keys.c.contact_id.in_(contact_ids)),
            delete(contact_tickets).where(contact_tickets.c.contact_id.in_(contact_ids)),
            update(contact_merges).where(of_them).values(moved={}, before={}, after={}),
            delete(outbox).where(outbox.c.message_id.in_(select(messages.c.id).where(of_theirs))),
            delete(turns).where(turns.c.conversation_id.in_(theirs)),
            delete(buttons).where(buttons.c.conversation_id.in_(theirs)),
            update(inbox)
            .where(inbox.c.conversation_id.in_(theirs))
            .values(payload=None, external_id="erased-" + inbox.c.message_id),
            update(ratings).where(ratings.c.conversation_id.in_(theirs)).values(comment=""),
            update(messages)
            .where(of_theirs)
            .values(text="", attachments=None, citations=None, buttons=None, external_id=None),
            delete(link_codes).where(
                tuple_(link_codes.c.channel, link_codes.c.account, link_codes.c.contact).in_(
                    select(addresses.c.channel, addresses.c.account, addresses.c.contact).where(
                        addresses.c.contact_id.in_(contact_ids)
                    )
                )
            ),
            delete(addresses).where(addresses.c.contact_id.in_(contact_ids)),
            update(conversations)
            .where(conversations.c.contact_id.in_(contact_ids))
            .values(
                contact=nobody + "-" + conversations.c.id,
                reply_to=None,
                preview="",
                callback_ticket=None,
                contact_point=None,
                callback_due=False,
                snooze_reason=None,
                handoff_summary=None,
            ),
            update(contacts)
            .where(contacts.c.id.in_(contact_ids))
            .values(
                name=None,
                named_by=None,
                customer_id=None,
                note=None,
                tier=None,
                linked_customer_id=None,
                linked_by=None,
                linked_at=None,
                erased_at=now,
            ),
        ):
            await self._connection.execute(statement)
        for contact_id in contact_ids:
            await SearchStore(self._connection).forget_contact(contact_id)
        return files
