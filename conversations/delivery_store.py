"""Reads and writes the inbox, the outbox and the presence of agents inside one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, case, exists, func, insert, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.conversation_rows import message_of
from conversations.conversation_store import CLOCK_WAS_SET_BACK
from conversations.model import (
    HEARTBEATS_MISSED,
    Address,
    InboundMessage,
    Message,
    Presence,
    Receipt,
    Status,
    new_id,
)
from conversations.prepared_store import Prepared
from conversations.sealing_store import SealingStore
from conversations.tables import conversations, inbox, messages, outbox, presence

UNFINISHED = ("new", "running")
UNDELIVERED = ("pending", "sending")

_FIND_RECEIVED = Prepared(
    select(inbox.c.message_id, inbox.c.conversation_id, inbox.c.seq, conversations.c.contact)
    .join(conversations, conversations.c.id == inbox.c.conversation_id)
    .where(
        inbox.c.channel == bindparam("channel"),
        inbox.c.account == bindparam("account"),
        inbox.c.external_id == bindparam("external_id"),
    )
)
_INSERT_INBOX = Prepared(insert(inbox))
_INSERT_OUTBOX = Prepared(insert(outbox))
_SET_INBOX = Prepared(update(inbox).where(inbox.c.message_id == bindparam("of_message")))
_IS_UNFINISHED = or_(*(inbox.c.state == state for state in UNFINISHED))
_ANY_UNFINISHED = Prepared(
    select(inbox.c.message_id).where(inbox.c.conversation_id == bindparam("of"), _IS_UNFINISHED).limit(1)
)
_FIND_WAITING = Prepared(
    select(messages, inbox.c.state, inbox.c.payload, inbox.c.attempts, inbox.c.next_at)
    .join(messages, messages.c.id == inbox.c.message_id)
    .where(inbox.c.conversation_id == bindparam("of"), _IS_UNFINISHED)
    .order_by(inbox.c.seq)
    .limit(1)
)


#: Channel and account of what only another process can send.
Elsewhere = Iterable[tuple[str, str]]


def _deliverable(now: datetime, elsewhere: Elsewhere) -> tuple[Any, ...]:
    """The conditions that a message may be sent now: only a pause after a failed attempt makes it wait."""
    lease = outbox.c.lease_until
    due = or_(outbox.c.next_at <= now, outbox.c.next_at == outbox.c.created_at, outbox.c.state == "sending")
    here = [or_(outbox.c.channel != channel, outbox.c.account != account) for channel, account in elsewhere]
    return due, or_(lease.is_(None), lease <= now, lease > now + CLOCK_WAS_SET_BACK), *here


@dataclass(frozen=True, slots=True)
class Waiting:
    """The lowest unfinished message of a conversation."""

    message: Message
    state: str
    payload: str | None
    attempts: int
    next_at: datetime

    def due(self, now: datetime) -> bool:
        """Whether its turn may be taken."""
        return not now < self.next_at <= now + CLOCK_WAS_SET_BACK


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on its way to a contact; ``doubts`` counts the times it may have arrived unseen."""

    id: str
    address: Address
    message: Message
    attempts: int
    doubts: int
    created_at: datetime
    sent_parts: tuple[str, ...] = ()  #: the channel's ids of the parts that are out already


class DeliveryStore:
    """What comes in and what goes out."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert

    async def find_received(self, inbound: InboundMessage) -> tuple[Receipt, Address] | None:
        """The receipt of an inbound message that was stored before, and whose it was."""
        wanted = {
            "channel": inbound.address.channel,
            "account": inbound.address.account,
            "external_id": inbound.external_id,
        }
        found = await _FIND_RECEIVED.first(self._connection, wanted)
        if found is None:
            return None
        address = Address(inbound.address.channel, inbound.address.account, found.contact)
        return Receipt(found.conversation_id, found.message_id, found.seq, duplicate=True), address

    async def add_inbound(self, inbound: InboundMessage, message: Message, owner: str, **values: Any) -> None:
        """Note that a message arrived, sealed for its owner; ``values`` are its state, payload, attempts and next_at."""
        row = {
            "message_id": message.id,
            "channel": inbound.address.channel,
            "account": inbound.address.account,
            "external_id": inbound.external_id,
            "conversation_id": message.conversation_id,
            "seq": message.seq,
            "received_at": message.created_at,
        }
        sealed = await SealingStore(self._connection).sealed(inbox, message.id, owner, row | values)
        await _INSERT_INBOX.run(self._connection, sealed)

    async def has_unfinished(self, conversation_id: str) -> bool:
        """Whether messages of the conversation still wait for the bot."""
        return await _ANY_UNFINISHED.first(self._connection, {"of": conversation_id}) is not None

    async def find_waiting(self, conversation_id: str) -> Waiting | None:
        """The lowest unfinished message of a conversation."""
        found = await _FIND_WAITING.first(self._connection, {"of": conversation_id})
        if found is None:
            return None
        return Waiting(message_of(found), found.state, found.payload, found.attempts, found.next_at)

    async def set_inbound(self, message_id: str, **values: Any) -> None:
        """Change the state of one inbound message."""
        await _SET_INBOX.run(self._connection, values | {"of_message": message_id})

    async def finish_all(self, conversation_id: str) -> int:
        """Mark every waiting message as shown to people; returns how many there were."""
        done = await self._connection.execute(
            update(inbox)
            .where(inbox.c.conversation_id == conversation_id, inbox.c.state.in_(UNFINISHED))
            .values(state="done")
        )
        return done.rowcount

    async def add_outbound(self, new: Sequence[tuple[Address, Message]]) -> None:
        """Queue messages for delivery, in this order."""
        rows = [
            {
                "id": new_id(),
                "channel": address.channel,
                "account": address.account,
                "contact": address.contact,
                "message_id": message.id,
                "state": "pending",
                "attempts": 0,
                "doubts": 0,
                "next_at": message.created_at,
                "created_at": message.created_at,
            }
            for address, message in new
        ]
        await _INSERT_OUTBOX.run_each(self._connection, rows)

    async def claim_deliveries(
        self,
        now: datetime,
        lease_until: datetime,
        limit: int,
        elsewhere: Elsewhere = (),
        under_way: Collection[str] = (),
    ) -> list[Delivery]:
        """Take the first undelivered message of each address that is due; another process's are skipped.

        So are those ``under_way`` here, whatever a clock that was set back says of their leases.
        """
        earlier = outbox.alias("earlier")
        blocked = exists().where(
            earlier.c.channel == outbox.c.channel,
            earlier.c.account == outbox.c.account,
            earlier.c.contact == outbox.c.contact,
            earlier.c.ordinal < outbox.c.ordinal,
            earlier.c.state.in_(UNDELIVERED),
        )
        rows = await self._connection.execute(
            select(outbox)
            .where(
                outbox.c.state.in_(UNDELIVERED), *_deliverable(now, elsewhere), ~blocked, outbox.c.id.not_in(under_way)
            )
            .order_by(outbox.c.ordinal)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        found = rows.all()
        if not found:
            return []
        await self._connection.execute(
            update(outbox)
            .where(outbox.c.id.in_([row.id for row in found]))
            .values(
                state="sending",
                lease_until=lease_until,
                attempts=outbox.c.attempts + 1,
                doubts=case((outbox.c.state == "sending", outbox.c.doubts + 1), else_=outbox.c.doubts),
            )
        )
        said = await self._messages([row.message_id for row in found])
        return [_delivery(row, said[row.message_id]) for row in found]

    async def _messages(self, message_ids: Iterable[str]) -> dict[str, Message]:
        rows = await self._connection.execute(select(messages).where(messages.c.id.in_(list(message_ids))))
        return {row.id: message_of(row) for row in rows}

    async def settle_delivery(self, delivery: Delivery, state: str, **values: Any) -> bool:
        """Write how a delivery went, if it is still ours; returns whether it was."""
        settled = await self._connection.execute(
            update(outbox)
            .where(outbox.c.id == delivery.id, outbox.c.state == "sending", outbox.c.attempts == delivery.attempts + 1)
            .values(state=state, lease_until=None, **values)
        )
        return settled.rowcount == 1

    async def has_delivery(self, message_id: str) -> bool:
        """Whether the message goes out through the outbox at all."""
        row = await self._connection.execute(select(outbox.c.ordinal).where(outbox.c.message_id == message_id).limit(1))
        return row.first() is not None

    async def cancel_delivery(self, message_id: str) -> bool:
        """Take a message out of the outbox; False when it is being sent, was sent, or may have arrived."""
        stopped = await self._connection.execute(
            update(outbox)
            .where(outbox.c.message_id == message_id, outbox.c.state.in_(("pending", "dead")), outbox.c.doubts == 0)
            .values(state="recalled", lease_until=None)
        )
        return stopped.rowcount == 1

    async def refused_later(self, channel: str, account: str, outbox_id: str, error: str) -> Message | None:
        """Make a dead letter of what the channel took and then could not deliver; its message, or None if that is known."""
        ours = (outbox.c.id == outbox_id, outbox.c.channel == channel, outbox.c.account == account)
        # One that is still being sent goes on; its message is marked all the same.
        taken = outbox.c.state.in_(("sent", "unknown"))
        await self._connection.execute(update(outbox).where(*ours, taken).values(state="dead", error=error))
        message_ids = select(outbox.c.message_id).where(*ours)
        unmarked = update(messages).where(messages.c.id.in_(message_ids), messages.c.delivery_failed.is_(False))
        marked = unmarked.values(delivery_failed=True).returning(messages.c.id)
        message_id = (await self._connection.execute(marked)).scalar()
        if message_id is None:
            return None
        return message_of((await self._connection.execute(select(messages).where(messages.c.id == message_id))).one())

    async def mark_undelivered(self, message_id: str) -> None:
        """Show in the transcript that the contact never got the message."""
        await self._connection.execute(update(messages).where(messages.c.id == message_id).values(delivery_failed=True))

    async def has_deliveries_due(self, now: datetime, elsewhere: Elsewhere = ()) -> bool:
        """Whether anything could be sent now."""
        due = select(outbox.c.ordinal).where(outbox.c.state.in_(UNDELIVERED), *_deliverable(now, elsewhere)).limit(1)
        return (await self._connection.execute(due)).first() is not None

    async def note_work(self, agent_id: str, name: str, now: datetime) -> None:
        """Note that an agent got something to do, so is at the desk; who is away by choice stays away."""
        query = select(presence.c.state, presence.c.last_seen_at).where(presence.c.agent_id == agent_id)
        known = (await self._connection.execute(query)).first()
        chose = known is not None and known.state == "away" and known.last_seen_at >= now - HEARTBEATS_MISSED
        await self.see_agent(agent_id, name, "away" if chose else "online", now)

    async def see_agent(self, agent_id: str, name: str, state: str, now: datetime) -> None:
        """Note that an agent is there; somebody who was not online a moment ago has just come to the desk."""
        values = {"name": name, "state": state, "last_seen_at": now}
        came = or_(presence.c.state != "online", presence.c.last_seen_at < now - HEARTBEATS_MISSED)
        online_at = case((came, now), else_=func.coalesce(presence.c.online_at, now)) if state == "online" else None
        await self._connection.execute(
            self._insert(presence)
            .values(agent_id=agent_id, **values, online_at=now if state == "online" else None)
            .on_conflict_do_update(index_elements=["agent_id"], set_=values | {"online_at": online_at})
        )

    async def forget_the_future(self, now: datetime) -> None:
        """Agents seen later than now were seen before the clock was set back: their time away counts from now."""
        ahead = presence.c.last_seen_at > now + HEARTBEATS_MISSED
        await self._connection.execute(update(presence).where(ahead).values(last_seen_at=now))

    async def seen_in_the_future(self, now: datetime) -> bool:
        """Whether ``forget_the_future`` has anything to do."""
        ahead = presence.c.last_seen_at > now + HEARTBEATS_MISSED
        return (await self._connection.execute(select(presence.c.agent_id).where(ahead).limit(1))).first() is not None

    async def note_agent(self, agent_id: str, **times: datetime) -> None:
        """Note when an agent got or gave away a conversation: ``taken_at``, ``freed_at``."""
        await self._connection.execute(update(presence).where(presence.c.agent_id == agent_id).values(**times))

    async def agents(self, now: datetime | None = None) -> list[Presence]:
        """Everyone who was ever at the desk, with how much they hold, and are invited to take at ``now``."""
        held = (
            select(func.count())
            .where(conversations.c.agent_id == presence.c.agent_id, conversations.c.status == Status.ASSIGNED.value)
            .scalar_subquery()
        )
        offered: Any = literal(0)
        if now is not None:
            offered = (
                select(func.count())
                .where(
                    conversations.c.offered_to == presence.c.agent_id,
                    conversations.c.status == Status.QUEUED.value,
                    conversations.c.offered_until > now,
                )
                .scalar_subquery()
            )
        rows = await self._connection.execute(
            select(presence, held.label("assigned"), offered.label("offered")).order_by(presence.c.name)
        )
        return [Presence(**row._mapping) for row in rows]

    async def load_of(self, agent_id: str, now: datetime) -> tuple[int, int]:
        """How many conversations an agent holds, and how many more are offered to them at ``now``."""
        held = func.count().filter(
            conversations.c.agent_id == agent_id, conversations.c.status == Status.ASSIGNED.value
        )
        offered = func.count().filter(
            conversations.c.offered_to == agent_id,
            conversations.c.status == Status.QUEUED.value,
            conversations.c.offered_until > now,
        )
        theirs = or_(conversations.c.agent_id == agent_id, conversations.c.offered_to == agent_id)
        still_open = conversations.c.status.in_((Status.ASSIGNED.value, Status.QUEUED.value))
        row = (await self._connection.execute(select(held, offered).where(theirs, still_open))).one()
        return int(row[0]), int(row[1])

    async def lock_agent(self, agent_id: str) -> None:
        """Let nobody else offer this agent anything until the transaction ends."""
        await self._connection.execute(
            select(presence.c.agent_id).where(presence.c.agent_id == agent_id).with_for_update()
        )

    async def held_by_lost(self, before: datetime) -> list[tuple[str, str]]:
        """Conversation and agent where the assigned agent was last seen before a moment, or never."""
        rows = await self._connection.execute(
            select(conversations.c.id, conversations.c.agent_id)
            .outerjoin(presence, presence.c.agent_id == conversations.c.agent_id)
            .where(
                conversations.c.status == Status.ASSIGNED.value,
                conversations.c.snoozed_until.is_(None),  # an agent may go home while a conversation sleeps
                or_(
                    presence.c.last_seen_at <= before,
                    and_(presence.c.agent_id.is_(None), conversations.c.assigned_at <= before),
                ),
            )
        )
        return [(row.id, row.agent_id) for row in rows]

    async def agent_lost(self, agent_id: str, before: datetime) -> bool:
        """Whether an agent has not been seen since a moment."""
        row = await self._connection.execute(select(presence.c.last_seen_at).where(presence.c.agent_id == agent_id))
        seen = row.scalar()
        return seen is None or seen <= before


def _delivery(row: Row[Any], message: Message) -> Delivery:
    return Delivery(
        id=row.id,
        address=Address(row.channel, row.account, row.contact),
        message=message,
        attempts=row.attempts,
        doubts=row.doubts + (row.state == "sending"),
        created_at=row.created_at,
        sent_parts=tuple(row.sent_parts or ()),
    )
