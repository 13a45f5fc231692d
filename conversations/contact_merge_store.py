"""Moves what belongs to one contact to another and back, inside one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.contact_model import ContactMerge, ContactProfile, Holding, SamePerson
from conversations.contact_store import ContactStore
from conversations.contact_tables import contact_merges, contact_tickets
from conversations.conversation_store import at_address
from conversations.episode_tables import ratings
from conversations.model import Address, Status
from conversations.organising_tables import conversation_labels
from conversations.sealing_store import SealingStore
from conversations.search_store import SearchStore
from conversations.segmenting import Search
from conversations.tables import addresses, contacts, conversations

_IN_COLUMNS = tuple(ContactMerge.__dataclass_fields__)
SUGGESTED = 10


class ContactMergeStore:
    """Contacts that become one, as rows."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def move_in(self, source: ContactProfile, target: ContactProfile) -> dict[str, Any]:
        """Give everything of the source to the target; returns what moved, for moving it back."""
        moved = {
            "addresses": [
                asdict(one.address) | {"customer_id": one.customer_id, "origin_id": one.origin_id}
                for one in source.addresses
            ],
            "conversations": await self._ids(conversations.c.id, conversations.c.contact_id == source.id),
            "tickets": await self._ids(contact_tickets.c.number, contact_tickets.c.contact_id == source.id),
        }
        if not target.shared:  # from here on proofs count by address
            await self._connection.execute(
                update(addresses).where(addresses.c.contact_id == target.id).values(customer_id=target.customer_id)
            )
        proof = {} if source.shared else {"customer_id": source.customer_id}
        for table, more in ((addresses, proof), (conversations, {"revision": conversations.c.revision + 1})):
            origin = func.coalesce(table.c.origin_id, source.id)
            await self._connection.execute(
                update(table)
                .where(table.c.contact_id == source.id)
                .values(contact_id=target.id, origin_id=origin, **more)
            )
        await self._connection.execute(
            update(contact_tickets).where(contact_tickets.c.contact_id == source.id).values(contact_id=target.id)
        )
        return moved

    async def move_out(
        self, source: ContactProfile, target: ContactProfile, moved: Mapping[str, Any]
    ) -> tuple[list[str], list[str | None]]:
        """Give back what moved and what came to its addresses since; returns the conversations, and the proofs there."""
        ids, proofs = list(moved["conversations"]), []
        for one in moved["addresses"]:
            here = _at(addresses, one) & (addresses.c.contact_id == target.id)
            row = (await self._connection.execute(select(addresses).where(here))).first()
            if row is None:
                continue
            proofs.append(row.customer_id)
            proof = row.customer_id if source.shared else None
            values = {"contact_id": source.id, "origin_id": one["origin_id"], "customer_id": proof}
            await self._connection.execute(update(addresses).where(here).values(**values))
            since = _at(conversations, one) & (conversations.c.contact_id == target.id)
            ids += await self._ids(conversations.c.id, since)
        ids = list(dict.fromkeys(ids))
        for one in moved.get("carried", ()):  # what was kept at the other's address goes back to where it began
            theirs = and_(conversations.c.id == one["id"], conversations.c.contact_id == target.id)
            place = {name: one[name] for name in ("channel", "account", "contact")}
            values = place | {"opened_at": datetime.fromisoformat(one["opened_at"]), "reply_to": None}
            await self._connection.execute(update(conversations).where(theirs).values(**values))
        theirs = and_(conversations.c.id.in_(ids), conversations.c.contact_id == target.id)
        moving = await self._ids(conversations.c.id, theirs)
        origin = func.nullif(conversations.c.origin_id, source.id)
        await self._connection.execute(
            update(conversations)
            .where(conversations.c.id.in_(moving))
            .values(contact_id=source.id, origin_id=origin, revision=conversations.c.revision + 1)
        )
        await self._connection.execute(
            update(contact_tickets).where(contact_tickets.c.number.in_(moved["tickets"])).values(contact_id=source.id)
        )
        return moving, proofs

    async def forget_proofs(self, contact_id: str) -> list[str]:
        """A contact that holds no merged ones any more keeps one proof, its own; returns those of its addresses."""
        own = addresses.c.contact_id == contact_id
        proofs = await self._ids(addresses.c.customer_id, own & addresses.c.customer_id.is_not(None))
        await self._connection.execute(update(addresses).where(own).values(customer_id=None))
        return proofs

    async def holding(self, contact_id: str) -> Holding:
        """How much belongs to a contact."""
        own = conversations.c.contact_id == contact_id
        theirs = select(conversations.c.id).where(own)
        counts = select(
            func.count(), func.count().filter(conversations.c.status != Status.RESOLVED.value), func.sum(conversations.c.last_seq)
        ).where(own)  # fmt: skip
        total, open_now, said = (await self._connection.execute(counts)).one()
        return Holding(
            await self._count(addresses, addresses.c.contact_id == contact_id),
            total,
            open_now,
            int(said or 0),
            await self._count(ratings, ratings.c.conversation_id.in_(theirs)),
            await self._count(conversation_labels, conversation_labels.c.conversation_id.in_(theirs)),
            await self._count(contact_tickets, contact_tickets.c.contact_id == contact_id),
        )

    async def add_merge(self, merge: ContactMerge) -> None:
        """Insert a merge."""
        sealed = await SealingStore(self._connection).sealed(contact_merges, merge.id, merge.target_id, asdict(merge))
        await self._connection.execute(insert(contact_merges).values(**sealed))

    async def note_carried(self, merge: ContactMerge, carried: Mapping[str, Any]) -> None:
        """Add to what moved a conversation that is kept at another address since, and where it was before."""
        moved = {**merge.moved, "carried": [*merge.moved.get("carried", ()), carried]}
        store = SealingStore(self._connection)
        values = await store.sealed(contact_merges, merge.id, merge.target_id, {"moved": moved})
        await self._connection.execute(update(contact_merges).where(contact_merges.c.id == merge.id).values(**values))

    async def note_ticket(self, contact_id: str, number: str, origin_id: str) -> None:
        """A ticket came up in a conversation that a merged contact began: it goes back with it."""
        standing = select(contact_merges).where(contact_merges.c.undone_at.is_(None))
        while origin_id != contact_id:
            row = (await self._connection.execute(standing.where(contact_merges.c.source_id == origin_id))).first()
            if row is None:
                return
            merge = _merge_of(row)
            moved = {**merge.moved, "tickets": [*merge.moved.get("tickets", ()), number]}
            values = await SealingStore(self._connection).sealed(
                contact_merges, merge.id, merge.target_id, {"moved": moved}
            )
            await self._connection.execute(
                update(contact_merges).where(contact_merges.c.id == merge.id).values(**values)
            )
            origin_id = merge.target_id

    async def find_merge(self, merge_id: str) -> ContactMerge | None:
        """A merge that stands."""
        standing = and_(contact_merges.c.id == merge_id, contact_merges.c.undone_at.is_(None))
        row = (await self._connection.execute(select(contact_merges).where(standing))).first()
        return None if row is None else _merge_of(row)

    async def merges_into(self, contact_id: str) -> list[ContactMerge]:
        """Merges that stand and lead to this contact, the newest first."""
        rows = await self._connection.execute(
            select(contact_merges)
            .where(contact_merges.c.target_id == contact_id, contact_merges.c.undone_at.is_(None))
            .order_by(contact_merges.c.at.desc(), contact_merges.c.id)
        )
        return [_merge_of(row) for row in rows]

    async def end_merge(self, merge_id: str, now: datetime) -> None:
        """The merge was undone; what it moved is not needed any more."""
        values = {"undone_at": now, "moved": {}, "before": {}, "after": {}}
        await self._connection.execute(update(contact_merges).where(contact_merges.c.id == merge_id).values(**values))

    async def contact_points(self, contact_id: str) -> list[str]:
        """Phone numbers and e-mail addresses that a contact left in conversations."""
        left = conversations.c.contact_point
        query = select(left).where(conversations.c.contact_id == contact_id, left.is_not(None))
        points = (await self._connection.execute(query.order_by(conversations.c.opened_at))).scalars()
        return sorted({one for one in points if one})

    async def same_person(
        self, contact_id: str, customer_id: str | None, phones: Collection[str], emails: Collection[str]
    ) -> list[SamePerson]:
        """Contacts of the same proved customer, or with the same phone or e-mail; never by name."""
        found: dict[str, str] = {}
        marks = SealingStore(self._connection).marks
        reasons: list[tuple[str, Any]] = []
        if customer_id is not None:
            reasons.append(("customer", contacts.c.customer_id == customer_id))
        for why, points in (("phone", phones), ("email", emails)):
            if points:
                marked = [marks.of_point(one) for one in points]
                reached = select(addresses.c.contact_id).where(addresses.c.point_mark.in_(marked))
                left = select(conversations.c.contact_id).where(conversations.c.contact_point_mark.in_(marked))
                reasons.append((why, or_(contacts.c.id.in_(reached), contacts.c.id.in_(left))))
        for why, condition in reasons:
            query = select(contacts.c.id).where(
                condition, contacts.c.id != contact_id, contacts.c.merged_into.is_(None)
            )
            for one in (await self._connection.execute(query.limit(SUGGESTED))).scalars():
                found.setdefault(one, why)
        return await self._described(found)

    async def search(self, asked: Search, customer_ids: Sequence[str], besides: str) -> list[SamePerson]:
        """Contacts by name or address, and those of some customers."""
        store = SearchStore(self._connection)
        ids = await store.find_contacts(asked, 2 * SUGGESTED) if asked.asks else []
        for customer_id in customer_ids:
            ids += await ContactStore(self._connection).with_customer(customer_id)
        return await self._described({one: "found" for one in dict.fromkeys(ids) if one != besides})

    async def _described(self, why: Mapping[str, str]) -> list[SamePerson]:
        profiles = (await ContactStore(self._connection).several(list(why)))[:SUGGESTED]
        rows = await self._connection.execute(
            select(
                conversations.c.contact_id, func.max(conversations.c.updated_at).label("at"), func.count().label("n")
            )
            .where(conversations.c.contact_id.in_([one.id for one in profiles]))
            .group_by(conversations.c.contact_id)
        )
        known = {row.contact_id: row for row in rows}
        return [
            SamePerson(one, why[one.id], known[one.id].at, known[one.id].n)
            if one.id in known
            else SamePerson(one, why[one.id])
            for one in profiles
        ]

    async def _ids(self, column: Any, condition: Any) -> list[str]:
        return list((await self._connection.execute(select(column).where(condition).order_by(column))).scalars())

    async def _count(self, table: Any, condition: Any) -> int:
        query = select(func.count()).select_from(table).where(condition)
        return int((await self._connection.execute(query)).scalar_one())


def _at(table: Any, place: Mapping[str, Any]) -> Any:
    return at_address(table, Address(place["channel"], place["account"], place["contact"]))


def _merge_of(row: Row[Any]) -> ContactMerge:
    return ContactMerge(**{name: row._mapping[name] for name in _IN_COLUMNS})
