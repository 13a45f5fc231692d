"""Reads and writes contacts, conversations and messages inside one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.contact_tables import AT_HOME, PROVED_CUSTOMER, at_home
from conversations.conversation_rows import conversation_of, message_of, owner_of, values_of
from conversations.errors import FencedOut, NotFound
from conversations.model import (
    Address,
    Author,
    Button,
    Contact,
    Conversation,
    Message,
    MessageKind,
    new_id,
)
from conversations.prepared_store import Prepared
from conversations.sealing_store import SealingStore, mark_of_address, sealed_columns, sealed_contact
from conversations.search_store import SearchStore
from conversations.tables import addresses, buttons, contact_keys, contacts, conversations, messages, turns

SELECT_CONVERSATION: Select[Any] = select(
    conversations, contacts.c.name.label("contact_name"), PROVED_CUSTOMER.label("customer_id")
).join(contacts, contacts.c.id == conversations.c.contact_id)

# Statements of every turn are built once: building one costs more than running it.
_LOCK = Prepared(SELECT_CONVERSATION.where(conversations.c.id == bindparam("id")).with_for_update(of=conversations))
_LOCK_LATEST = Prepared(
    SELECT_CONVERSATION.where(AT_HOME)
    .order_by(conversations.c.opened_at.desc(), conversations.c.id)
    .limit(1)
    .with_for_update(of=conversations)
)
_LOCK_CONTACT = Prepared(
    select(
        contacts,
        addresses.c.customer_id.label("proved_here"),
        *(addresses.c[name] for name in ("origin_id", "home_channel", "home_account", "home_contact", "retired_at")),
    )
    .join(addresses, addresses.c.contact_id == contacts.c.id)
    .where(
        addresses.c.channel == bindparam("channel"),
        addresses.c.account == bindparam("account"),
        addresses.c.contact == bindparam("contact"),
    )
    .with_for_update(of=addresses)
)
_SAVE = Prepared(
    update(conversations).where(
        conversations.c.id == bindparam("saved_id"),
        conversations.c.status == bindparam("old_status"),
        conversations.c.fence == bindparam("old_fence"),
    )
)
_INSERT_MESSAGE = Prepared(insert(messages))
_INSERT_TURN = Prepared(insert(turns))
_INSERT_CONTACT = Prepared(insert(contacts))
_INSERT_CONVERSATION = Prepared(insert(conversations))
_CLAIM_ADDRESS = {
    name: Prepared(dialect.insert(addresses).on_conflict_do_nothing())
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}


#: What is due later than any pause or lease lasts was written before the clock was set back, and is due now.
CLOCK_WAS_SET_BACK = timedelta(minutes=10)


def free_at(now: datetime) -> Any:
    """The condition that no worker has a conversation's turn."""
    lease = conversations.c.lease_until
    return or_(lease.is_(None), lease <= now, lease > now + CLOCK_WAS_SET_BACK)


@dataclass(frozen=True, slots=True)
class Locked:
    """A conversation whose row is locked until the transaction ends, with what only the service needs to know."""

    conversation: Conversation
    fence: int
    lease_until: datetime | None
    bot_seq: int
    queued_by: str | None
    shown_buttons: tuple[Button, ...]


def at_address(table: Any, address: Address) -> Any:
    """The condition that a row belongs to an address itself."""
    return and_(*(table.c[name] == value for name, value in asdict(address).items()))


def _locked(row: Row[Any] | None) -> Locked:
    if row is None:
        raise NotFound("there is no such conversation; refresh the list and open it again")
    shown = tuple(Button(**button) for button in row.shown_buttons or ())
    return Locked(conversation_of(row), row.fence, row.lease_until, row.bot_seq, row.queued_by, shown)


class ConversationStore:
    """What a change of a conversation needs from the database."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert

    async def lock_contact(self, address: Address, name: str | None, language: str | None, now: datetime) -> Contact:
        """The contact at an address, new or known; messages from one address wait in line here."""
        here = asdict(address)
        row = await _LOCK_CONTACT.first(self._connection, here)
        if row is None:
            made = new_id()
            contact = {"id": made, "name": name, "language": language, "created_at": now}
            await _INSERT_CONTACT.run(self._connection, await sealed_contact(self._connection, made, contact))
            mark = {"point_mark": mark_of_address(self._connection, address.contact)}
            claim = _CLAIM_ADDRESS[self._connection.dialect.name]
            # someone else's first message was quicker
            if not await claim.run(self._connection, here | mark | {"contact_id": made}):
                await self._connection.execute(contacts.delete().where(contacts.c.id == made))
                await self._connection.execute(contact_keys.delete().where(contact_keys.c.contact_id == made))
            row = await _LOCK_CONTACT.first(self._connection, here)
            if name or mark["point_mark"]:
                await SearchStore(self._connection).put_contact(row.id)
        name = row.name if row.named_by else name or row.name
        if name != row.name:
            await self.update_contact(row.id, name=name)
        return Contact(
            row.id,
            name,
            row.language,
            row.proved_here if row.shared else row.customer_id,
            row.created_at,
            row.origin_id,
            Address(row.home_channel, row.home_account, row.home_contact) if row.home_channel else None,
            row.retired_at,
        )

    async def lock_latest(self, address: Address) -> Locked | None:
        """The newest conversation at an address, open or resolved."""
        found = await _LOCK_LATEST.first(self._connection, asdict(address))
        return None if found is None else _locked(found)

    async def lock(self, conversation_id: str) -> Locked:
        """The conversation, locked; raises ``NotFound``."""
        found = await _LOCK.first(self._connection, {"id": conversation_id})
        if found is None:  # or it went to another contact just while this waited for it
            found = await _LOCK.first(self._connection, {"id": conversation_id})
        return _locked(found)

    async def find(self, conversation_id: str) -> Locked:
        """The conversation as it is, without a lock; raises ``NotFound``."""
        query = SELECT_CONVERSATION.where(conversations.c.id == conversation_id)
        return _locked((await self._connection.execute(query)).first())

    async def lock_claimable(self, conversation_ids: Iterable[str], now: datetime) -> list[Locked]:
        """Those of the conversations that nobody works on; skips the ones another process is just taking."""
        rows = await self._connection.execute(
            SELECT_CONVERSATION.where(conversations.c.id.in_(list(conversation_ids)), free_at(now)).with_for_update(
                of=conversations, skip_locked=True
            )
        )
        return [_locked(row) for row in rows]

    async def add_conversation(self, conversation: Conversation, values: dict[str, Any]) -> None:
        """Insert a new conversation."""
        row = values_of(conversation) | values
        await _INSERT_CONVERSATION.run(self._connection, await self._sealed(conversation, row))

    async def save_conversation(self, before: Locked, after: Conversation, values: dict[str, Any]) -> None:
        """Write a conversation back, only if nobody changed its status or took its turn meanwhile."""
        old = before.conversation.status.value
        expected = {"saved_id": after.id, "old_status": old, "old_fence": before.fence}
        old_values, row = values_of(before.conversation), values_of(after) | values
        same = [name for name in sealed_columns(conversations) if name in row and row[name] == old_values.get(name)]
        for name in same:  # what is sealed already stays as it is
            del row[name]
        if await _SAVE.run(self._connection, await self._sealed(after, row) | expected) != 1:
            raise FencedOut("another worker changed this conversation; its result counts")

    async def _sealed(self, conversation: Conversation, row: dict[str, Any]) -> dict[str, Any]:
        store = SealingStore(self._connection)
        if "contact_point" in row:
            row["contact_point_mark"] = store.marks.of_point(row["contact_point"])
        return await store.sealed(conversations, conversation.id, owner_of(conversation), row)

    async def add_messages(self, new: Sequence[tuple[Message, str | None]], owner: str) -> None:
        """Insert messages, sealed for their owner, each with the client's own id of it or None."""
        rows = [
            {
                "id": message.id,
                "conversation_id": message.conversation_id,
                "seq": message.seq,
                "author": message.author.value,
                "kind": message.kind.value,
                "text": message.text,
                "created_at": message.created_at,
                "author_id": message.author_id,
                "author_name": message.author_name,
                "buttons": [asdict(button) for button in message.buttons] or None,
                "citations": [asdict(citation) for citation in message.citations] or None,
                "attachments": [asdict(attachment) for attachment in message.attachments] or None,
                "external_id": message.external_id,
                "client_msg_id": client_msg_id,
                "turn_id": message.turn_id,
                "delivery_failed": False,
                "asks": message.asks,
            }
            for message, client_msg_id in new
        ]
        store = SealingStore(self._connection)
        written = []
        for (message, _), row in zip(new, rows, strict=True):
            # Colleagues' names are no secret of the contact's.
            openly = {} if message.author is Author.CONTACT else {"author_name": row.pop("author_name")}
            written.append(await store.sealed(messages, message.id, owner, row) | openly)
        await _INSERT_MESSAGE.run_each(self._connection, written)
        await SearchStore(self._connection).add_messages(message for message, _ in new)

    async def add_buttons(self, rows: list[dict[str, str]]) -> None:
        """Insert buttons: id, conversation_id, title, payload."""
        await self._connection.execute(insert(buttons), rows)

    async def add_turn(self, values: dict[str, Any], owner: str) -> None:
        """Insert a finished turn, sealed for its owner."""
        await _INSERT_TURN.run(
            self._connection, await SealingStore(self._connection).sealed(turns, values["turn_id"], owner, values)
        )

    async def find_button(self, button_id: str, address: Address) -> tuple[str, str, str] | None:
        """Conversation, title and payload of a button this contact was shown."""
        row = await self._connection.execute(
            select(buttons.c.conversation_id, buttons.c.title, buttons.c.payload)
            .join(conversations, conversations.c.id == buttons.c.conversation_id)
            .where(buttons.c.id == button_id, or_(at_address(conversations, address), at_home(asdict(address))))
        )
        found = row.first()
        return None if found is None else (found.conversation_id, found.title, found.payload)

    async def find_client_message(self, conversation_id: str, author_id: str, client_msg_id: str) -> Message | None:
        """What an agent already sent under this id."""
        row = await self._connection.execute(
            select(messages).where(
                messages.c.conversation_id == conversation_id,
                messages.c.author_id == author_id,
                messages.c.client_msg_id == client_msg_id,
            )
        )
        found = row.first()
        return None if found is None else message_of(found)

    async def get_message(self, message_id: str) -> Message:
        """One message by id."""
        return message_of((await self._connection.execute(select(messages).where(messages.c.id == message_id))).one())

    async def find_message(self, conversation_id: str, seq: int) -> Message | None:
        """The message at a place of a conversation."""
        here = (messages.c.conversation_id == conversation_id, messages.c.seq == seq)
        found = (await self._connection.execute(select(messages).where(*here))).first()
        return None if found is None else message_of(found)

    async def recall_message(self, message: Message, by: str, at: datetime) -> Message:
        """Mark a message as taken back and return it so."""
        values = {"recalled_at": at, "recalled_by": by}
        await self._connection.execute(update(messages).where(messages.c.id == message.id).values(**values))
        return replace(message, recalled_at=at, recalled_by=by)

    async def last_said(self, conversation_id: str) -> Message | None:
        """The last text both sides see."""
        query = select(messages).where(
            messages.c.conversation_id == conversation_id,
            messages.c.kind == MessageKind.TEXT.value,
            messages.c.recalled_at.is_(None),
        )
        found = (await self._connection.execute(query.order_by(messages.c.seq.desc()).limit(1))).first()
        return None if found is None else message_of(found)

    async def agent_said(self, conversation_id: str, after_seq: int) -> tuple[str, ...]:
        """What agents told the contact after a message, oldest first."""
        rows = await self._connection.execute(
            select(messages.c.text)
            .where(
                messages.c.conversation_id == conversation_id,
                messages.c.seq > after_seq,
                messages.c.author == Author.AGENT.value,
                messages.c.kind == MessageKind.TEXT.value,
                messages.c.recalled_at.is_(None),
            )
            .order_by(messages.c.seq)
        )
        return tuple(rows.scalars())

    async def update_contact(self, contact_id: str, **values: Any) -> None:
        """Note something about a contact."""
        sealed = await sealed_contact(self._connection, contact_id, values)
        await self._connection.execute(update(contacts).where(contacts.c.id == contact_id).values(**sealed))
        if "name" in values:
            await SearchStore(self._connection).put_contact(contact_id)
