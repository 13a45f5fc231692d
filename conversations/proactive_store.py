"""Reads and writes what contacts are told without being asked, and what they do not want, inside one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.conversation_store import at_address
from conversations.model import Address
from conversations.prepared_store import Prepared
from conversations.proactive_tables import FORGOTTEN, proactive_choices, proactive_messages
from conversations.reach_store import is_unreachable
from conversations.sealing import DESK
from conversations.sealing_store import Marks, SealingStore
from conversations.tables import addresses, contacts, messages, outbox

EVERY_KIND = "*"
OPEN = ("waiting", "sending")
#: How long a channel may come back and say that it did not deliver after all.
TAKEN_BACK_WITHIN = timedelta(hours=24)
_HERE = and_(*(addresses.c[name] == bindparam(f"at_{name}") for name in ("channel", "account", "contact")))
_NOTE_WROTE = Prepared(update(addresses).where(_HERE).values(wrote_at=bindparam("now")))


@dataclass(frozen=True, slots=True)
class Told:
    """One message that nobody asked for, from the event to what became of it."""

    id: str
    owner: str
    request_hash: str
    kind: str
    recipient: Mapping[str, str]
    facts: Mapping[str, str]
    tried: tuple[Mapping[str, str], ...]  #: address, how and reason of every attempt that failed
    state: str  #: waiting, sending, sent, unknown or not_sent
    reason: str | None
    created_at: datetime
    due_at: datetime
    expires_at: datetime
    settled_at: datetime | None
    contact_id: str | None
    channel: str | None
    account: str | None
    how: str | None  #: free, template, or kept where contacts read the transcript
    conversation_id: str | None
    seq: int | None
    begun_at: datetime | None

    def was_tried(self, address: Address, how: str) -> bool:
        """Whether an address has refused it in this way."""
        return any(one["address"] == str(address) and one["how"] == how for one in self.tried)


@dataclass(frozen=True, slots=True)
class Ended:
    """What the outbox made of a message, and where."""

    id: str
    state: str
    error: str | None
    address: Address


@dataclass(frozen=True, slots=True)
class Place:
    """An address of a contact, with what channels want to know before they are written to unasked."""

    address: Address
    contact_id: str
    wrote_at: datetime | None
    unreachable_at: datetime | None

    @property
    def unreachable(self) -> bool:
        """Whether the channel said that nothing arrives there, and the contact has not written since."""
        return is_unreachable(self.unreachable_at, self.wrote_at)


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind that a contact does not want, since when, and who said so."""

    kind: str
    off_at: datetime
    off_by: str


class ProactiveStore:
    """Rows of proactive messages, choices, and when contacts wrote where."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert

    # -- messages

    async def add(self, key: str, **values: Any) -> bool:
        """Insert a message; False where its owner used this key before."""
        sealing = SealingStore(self._connection)
        sealed = await sealing.sealed(proactive_messages, values["id"], DESK, values)
        row = (
            sealed
            | names_in(sealing.marks, values["recipient"])
            | {"key": hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest(), "state": "waiting"}
        )
        added = await self._connection.execute(self._insert(proactive_messages).values(**row).on_conflict_do_nothing())
        return added.rowcount == 1

    async def find_by_key(self, owner: str, key: str) -> Told | None:
        """What an owner told under a key."""
        hashed = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        return await self._first(and_(proactive_messages.c.owner == owner, proactive_messages.c.key == hashed))

    async def find(self, id: str, *, lock: bool = False) -> Told | None:
        """A message by its id."""
        return await self._first(proactive_messages.c.id == id, lock=lock)

    async def at(self, conversation_id: str, seq: int) -> Told | None:
        """The message that stands at a place of a transcript."""
        here = and_(proactive_messages.c.conversation_id == conversation_id, proactive_messages.c.seq == seq)
        return await self._first(here)

    async def due(self, now: datetime, limit: int) -> list[str]:
        """Messages that are to be looked at, in the order of their time."""
        due = and_(proactive_messages.c.state == "waiting", proactive_messages.c.due_at <= now)
        query = select(proactive_messages.c.id).where(due).order_by(proactive_messages.c.due_at).limit(limit)
        return list((await self._connection.execute(query)).scalars())

    async def ended(self, now: datetime, limit: int) -> list[Ended]:
        """What the outbox is done with, also where a channel took it back later."""
        table = proactive_messages
        done = and_(table.c.state == "sending", outbox.c.state.in_(("sent", "dead", "unknown", "recalled")))
        late = and_(table.c.state == "sent", table.c.settled_at > now - TAKEN_BACK_WITHIN, outbox.c.state == "dead")
        query = (
            select(table.c.id, outbox)
            .join(messages, and_(messages.c.conversation_id == table.c.conversation_id, messages.c.seq == table.c.seq))
            .join(outbox, outbox.c.message_id == messages.c.id)
            .where(or_(done, late))
            .limit(limit)
        )
        return [
            Ended(row[0], row.state, row.error, Address(row.channel, row.account, row.contact))
            for row in await self._connection.execute(query)
        ]

    async def change(self, id: str, **values: Any) -> None:
        """Write columns of a message."""
        values = await SealingStore(self._connection).sealed(proactive_messages, id, DESK, values)
        await self._connection.execute(update(proactive_messages).where(proactive_messages.c.id == id).values(**values))

    async def settle(self, id: str, state: str, now: datetime, *, reason: str | None = None, **values: Any) -> bool:
        """Note what became of a message that is not settled yet; False when it was."""
        settled = await self._connection.execute(
            update(proactive_messages)
            .where(proactive_messages.c.id == id, proactive_messages.c.state.in_(OPEN))
            .values(state=state, reason=reason, settled_at=now, begun_at=None, **values)
        )
        return settled.rowcount == 1

    async def under_way(self, family: Collection[str]) -> list[Told]:
        """What some contacts are just being told."""
        theirs = and_(proactive_messages.c.contact_id.in_(family), proactive_messages.c.state == "sending")
        rows = await self._connection.execute(select(proactive_messages).where(theirs))
        return [_told(row) for row in rows]

    async def take_back(self, told: Told) -> bool:
        """Take a message out of the outbox; False when it is being sent, or was."""
        here = and_(messages.c.conversation_id == told.conversation_id, messages.c.seq == told.seq)
        theirs = select(messages.c.id).where(here)
        waits = and_(outbox.c.message_id.in_(theirs), outbox.c.state == "pending", outbox.c.doubts == 0)
        stopped = await self._connection.execute(update(outbox).where(waits).values(state="recalled", lease_until=None))
        if stopped.rowcount == 1:
            await self._connection.execute(update(messages).where(here).values(delivery_failed=True))
        return stopped.rowcount == 1

    async def said_since(self, family: Collection[str], since: datetime) -> list[datetime]:
        """When some contacts were told something after a moment, the earliest first."""
        table = proactive_messages
        query = select(table.c.due_at).where(
            table.c.contact_id.in_(family), table.c.state.in_(("sending", "sent", "unknown")), table.c.due_at > since
        )
        return list((await self._connection.execute(query.order_by(table.c.due_at))).scalars())

    async def latest(self, family: Collection[str], limit: int) -> list[Told]:
        """The newest messages to some contacts, sent or not."""
        table = proactive_messages
        query = select(table).where(table.c.contact_id.in_(family)).order_by(table.c.created_at.desc()).limit(limit)
        return [_told(row) for row in await self._connection.execute(query)]

    # -- choices

    async def is_off(self, family: Collection[str], *kinds: str) -> bool:
        """Whether one of some contacts does not want one of these kinds."""
        off = and_(proactive_choices.c.contact_id.in_(family), proactive_choices.c.kind.in_(kinds))
        return (
            await self._connection.execute(select(proactive_choices.c.kind).where(off).limit(1))
        ).first() is not None

    async def choices(self, family: Collection[str]) -> list[Choice]:
        """What some contacts do not want, each kind once."""
        query = select(proactive_choices).where(proactive_choices.c.contact_id.in_(family))
        rows = await self._connection.execute(query.order_by(proactive_choices.c.off_at))
        found = {row.kind: Choice(row.kind, row.off_at, row.off_by) for row in rows}
        return [found[kind] for kind in sorted(found)]

    async def turn_off(self, family: Collection[str], kind: str, by: str, now: datetime) -> None:
        """None of these contacts wants a kind any more; who said so first is kept."""
        rows = [{"contact_id": one, "kind": kind, "off_at": now, "off_by": by} for one in sorted(family)]
        await self._connection.execute(self._insert(proactive_choices).values(rows).on_conflict_do_nothing())

    async def turn_on(self, family: Collection[str], kind: str) -> None:
        """These contacts want a kind again."""
        off = and_(proactive_choices.c.contact_id.in_(family), proactive_choices.c.kind == kind)
        await self._connection.execute(delete(proactive_choices).where(off))

    # -- where contacts are reached

    async def note_wrote(self, address: Address, now: datetime) -> None:
        """A contact wrote here; from now on channels count how long we may answer."""
        here = {"at_channel": address.channel, "at_account": address.account, "at_contact": address.contact}
        await _NOTE_WROTE.run(self._connection, here | {"now": now})

    async def places_of(self, contact_id: str) -> list[Place]:
        """Every address of a contact, where they wrote last first."""
        return await self._places(addresses.c.contact_id == contact_id)

    async def places_of_customer(self, customer_id: str) -> list[Place]:
        """The addresses at which a customer proved who they are: an agent's guess must not tell anybody of an order."""
        own = and_(contacts.c.shared.is_(False), contacts.c.customer_id == customer_id)
        return await self._places(or_(own, and_(contacts.c.shared, addresses.c.customer_id == customer_id)))

    async def place(self, address: Address) -> Place | None:
        """One address, if somebody is known there."""
        return next(iter(await self._places(at_address(addresses, address))), None)

    async def _places(self, condition: Any) -> list[Place]:
        query = (
            select(addresses)
            .join(contacts, contacts.c.id == addresses.c.contact_id)
            .where(condition, contacts.c.erased_at.is_(None))
        )
        found = [
            Place(Address(row.channel, row.account, row.contact), row.contact_id, row.wrote_at, row.unreachable_at)
            for row in await self._connection.execute(query)
        ]
        found.sort(key=lambda one: str(one.address))
        return sorted(found, key=lambda one: one.wrote_at.timestamp() if one.wrote_at else 0.0, reverse=True)

    async def erase(self, contact_id: str) -> None:
        """Forget what an erased contact was told and wanted; what still waits is not sent."""
        table = proactive_messages
        theirs = table.c.contact_id == contact_id
        named = table.c.named_contact == contact_id
        await self._connection.execute(
            update(table)
            .where(or_(theirs, named), table.c.state.in_(OPEN))
            .values(state="not_sent", reason="erased", settled_at=func.coalesce(table.c.settled_at, table.c.due_at))
        )
        await self._connection.execute(update(table).where(or_(theirs, named)).values(**FORGOTTEN))
        await self._connection.execute(delete(proactive_choices).where(proactive_choices.c.contact_id == contact_id))

    async def _first(self, condition: Any, *, lock: bool = False) -> Told | None:
        query = select(proactive_messages).where(condition)
        row = (await self._connection.execute(query.with_for_update() if lock else query)).first()
        return None if row is None else _told(row)


def _told(row: Row[Any]) -> Told:
    values = {name: row._mapping[name] for name in Told.__dataclass_fields__}
    filled = {"recipient": row.recipient or {}, "facts": row.facts or {}, "tried": tuple(row.tried or ())}
    return Told(**values | filled)


def names_in(marks: Marks, recipient: Mapping[str, str]) -> dict[str, str | None]:
    """The columns by which an erasure finds whom an event names."""
    return {
        "named_contact": recipient.get("contact_id"),
        "named_address_mark": marks.of_address(recipient.get("address")),
        "named_email_mark": marks.of_point(recipient.get("email")),
    }


def request_hash(parts: Sequence[str]) -> str:
    """What makes two events the same event."""
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


async def erase(connection: AsyncConnection, contact_id: str) -> None:
    """Forget a contact's notifications and wishes, as part of an erasure."""
    await ProactiveStore(connection).erase(contact_id)
