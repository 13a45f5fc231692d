"""What the tests of proactive messages are built from: channels with windows, an outbox by hand, and a shop."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from conversations.audit_store import AuditStore
from conversations.contact_store import ContactStore
from conversations.conversations import Conversations
from conversations.delivery_store import Delivery, DeliveryStore
from conversations.errors import ContactUnreachable, WindowClosed
from conversations.model import Address, InboundMessage, OutboundMessage
from conversations.outbox import Outbox
from conversations.proactive import Proactive
from conversations.proactive_aiming import Account, Accounts
from conversations.proactive_catalogue import Catalogue
from conversations.proactive_delivery import ProactiveDelivery
from conversations.proactive_sending import Hours, ProactiveSender
from conversations.proactive_store import ProactiveStore, Told
from tests.conversations.builders import TestDesk, inbound, says

SHIPPED = {"order": "KT20260301", "carrier": "SF", "tracking": "SF100200300"}


@dataclass
class Channels:
    """Channels by name: how long each may be written to, which have templates, and what they do with messages."""

    now: Callable[[], datetime]
    windows: dict[str, timedelta] = field(default_factory=dict)
    templates: set[str] = field(default_factory=set)
    read_later: set[str] = field(default_factory=lambda: {"webchat"})
    repeatable_ones: set[str] = field(default_factory=lambda: {"email"})
    mailbox: bool = True
    blocked: set[str] = field(default_factory=set)  #: contacts
    fails: list[Exception] = field(default_factory=list)  #: for the next sends
    sent: list[tuple[str, str, str]] = field(default_factory=list)  #: address, way, text
    last_form: Mapping[str, Any] = field(default_factory=dict)

    def way(self, address: Address, told: Mapping[str, Any]) -> str | None:
        if address.channel in self.read_later:
            return "kept"
        window = self.windows.get(address.channel)
        wrote_at = told["wrote_at"]
        if window is None or (wrote_at is not None and self.now() - wrote_at < window):
            return "free"
        return "template" if address.channel in self.templates else None

    def repeatable(self, address: Address) -> bool:
        return address.channel in self.repeatable_ones

    def mail_to(self, email: str) -> Address | None:
        return Address("email", "default", email) if self.mailbox else None

    async def deliver(self, address: Address, message: OutboundMessage) -> str:
        return self._take(address, "answer", message.text)

    async def tell(self, address: Address, message: OutboundMessage, told: Mapping[str, Any]) -> str:
        self.last_form = told
        way = self.way(address, told)
        if way is None:
            raise WindowClosed("the window is closed")
        return self._take(address, way, message.text)

    def _take(self, address: Address, way: str, text: str) -> str:
        if self.fails and way != "answer":
            raise self.fails.pop(0)
        if address.contact in self.blocked:
            raise ContactUnreachable("bot was blocked by the user")
        self.sent.append((str(address), way, text))
        return f"external-{len(self.sent)}"

    @property
    def told(self) -> list[tuple[str, str, str]]:
        """What was sent without being asked for."""
        return [one for one in self.sent if one[1] != "answer"]


class Telling:
    """Proactive messages on a test desk, moved on by hand."""

    def __init__(self, desk: TestDesk, *, per_day: int = 5) -> None:
        self.desk = desk
        self.conversations: Conversations = desk.conversations
        self.channels = Channels(desk.clock)
        self.accounts: dict[str, Account] = {}
        self.orders: dict[str, str] = {}
        self.shop_answers = True
        self.open = True
        self.proactive = Proactive(
            desk.conversations, Catalogue.read(None), key=b"k" * 32, public_url="https://desk.example"
        )
        hours = Hours(lambda _now: self.open, lambda now: now + timedelta(hours=9))
        accounts = Accounts(self._account, self._order)
        self.sender = ProactiveSender(self.proactive, self.channels, accounts, hours, per_day=per_day)
        self.delivery = ProactiveDelivery(self.proactive, self.channels, hours)
        self.outbox = Outbox(desk.conversations, self.delivery.deliver, jitter=lambda: 1.0)

    async def _account(self, customer_id: str) -> Account | None:
        if not self.shop_answers:
            raise OSError("the shop is down")
        return self.accounts.get(customer_id)

    async def _order(self, number: str) -> Account | None:
        return await self._account(self.orders.get(number, ""))

    async def shipped(self, key: str = "ship-1", **recipient: str) -> Told:
        """The shop says that an order was shipped."""
        return (await self.proactive.tell("shop", key, "order_shipped", recipient, SHIPPED))[0]

    async def go_on(self, rounds: int = 4) -> None:
        """Let everything happen that happens by itself now."""
        for _ in range(rounds):
            await self.sender.work()
            await self.send_out()
        await self.sender.work()

    async def send_out(self) -> None:
        """One round of the outbox."""
        now = self.desk.clock()
        async with self.desk.database.write() as connection:
            claimed: list[Delivery] = await DeliveryStore(connection).claim_deliveries(
                now, now + timedelta(seconds=60), 50
            )
        for delivery in claimed:
            await self.outbox._send(delivery)

    async def state(self, told: Told) -> tuple[str, str | None]:
        found = await self.find(told)
        return found.state, found.reason

    async def find(self, told: Told) -> Told:
        async with self.desk.database.read() as connection:
            found = await ProactiveStore(connection).find(told.id)
        assert found is not None
        return found

    async def contact_of(self, conversation_id: str) -> str:
        return (await self.desk.get(conversation_id)).contact_id

    async def proves(self, conversation_id: str, customer_id: str) -> None:
        """The contact of a conversation proves who they are."""
        conversation = await self.desk.get(conversation_id)
        async with self.desk.database.write() as connection:
            await ContactStore(connection).note_proof(conversation.contact_id, conversation.address, customer_id)


async def known(telling: Telling, contact: str = "visitor-1", channel: str = "telegram", **more: str) -> str:
    """A contact who wrote once and was answered; their conversation."""
    message = inbound("hello", contact, **more)
    message = InboundMessage(Address(channel, "default", contact), message.external_id, "hello", language="en")
    receipt = await telling.conversations.receive(message)
    await telling.desk.answer(says("hi"))
    return receipt.conversation_id


async def entries(desk: TestDesk, kind: str) -> list[dict[str, Any]]:
    async with desk.database.read() as connection:
        found = [json.loads(row.body) async for row in AuditStore(connection).entries()]
    return [one for one in found if one["kind"] == kind]
