"""Where a message that nobody asked for could go: the addresses of whoever it is for, in the order in which they are tried."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from conversations.contact_store import ContactStore
from conversations.model import Address, OutboundMessage
from conversations.proactive_store import Place, ProactiveStore, Told
from conversations.store import Database


class Ways(Protocol):
    """The channels, as far as messages that nobody asked for are concerned."""

    def way(self, address: Address, told: Mapping[str, Any]) -> str | None:
        """How an address may be written to now: "free", "template", "kept" where it is read later; None: not at all."""
        ...

    def repeatable(self, address: Address) -> bool:
        """Whether a message that is sent again is not shown twice there."""
        ...

    def mail_to(self, email: str) -> Address | None:
        """Where a mail to somebody goes; None without a mailbox."""
        ...

    async def deliver(self, address: Address, message: OutboundMessage) -> str:
        """Send an ordinary message; raises a ``SendError``."""
        ...

    async def tell(self, address: Address, message: OutboundMessage, told: Mapping[str, Any]) -> str:
        """Send a message that nobody asked for, in the way that is open now; raises a ``SendError``."""
        ...


@dataclass(frozen=True, slots=True)
class Account:
    """What the shop knows of a customer and the desk needs for telling them something."""

    customer_id: str
    email: str | None
    language: str | None


async def _nobody(_: str) -> Account | None:
    return None


@dataclass(frozen=True, slots=True)
class Accounts:
    """Asks the shop; the app passes both in."""

    of_customer: Callable[[str], Awaitable[Account | None]] = _nobody
    of_order: Callable[[str], Awaitable[Account | None]] = _nobody


@dataclass(frozen=True, slots=True)
class Aim:
    """Where a message could go, in order, and whom it is for."""

    places: tuple[Place, ...] = ()
    contact_ids: tuple[str, ...] = ()
    language: str | None = None
    missing: str | None = None  #: why there is nobody


class Aiming:
    """Asks the desk and the shop where somebody is reached."""

    def __init__(self, database: Database, ways: Ways, accounts: Accounts) -> None:
        self._database = database
        self._ways = ways
        self._accounts = accounts

    async def aim(self, told: Told) -> Aim:
        """Where they wrote last first, then their other addresses, then the shop's e-mail address; raises what the shop's system raises.

        An order is told only where its customer proved who they are: an agent's guess must not tell anybody of it.
        """
        whom = told.recipient
        account = await self._account(whom)
        if "order" in whom and account is None:
            return Aim(missing="unknown_order")
        async with self._database.read() as connection:
            store = ProactiveStore(connection)
            places: list[Place] = []
            if contact_id := whom.get("contact_id"):
                contacts = ContactStore(connection)
                profile = await contacts.find(await contacts.root_of(contact_id))
                if profile is None or profile.erased_at is not None:
                    return Aim(missing="erased")
                places += await store.places_of(profile.id)
                if profile.customer_id is not None and not profile.shared:
                    account = await self._accounts.of_customer(profile.customer_id)
            if text := whom.get("address"):
                address = read_address(text)
                places.append(await store.place(address) or Place(address, "", None, None))
            customer_id = whom.get("customer") or (account.customer_id if account and "order" in whom else None)
            if customer_id is not None:
                places += await store.places_of_customer(customer_id)
            for email in (whom.get("email"), account.email if account else None):
                mail = self._ways.mail_to(email) if email else None
                if mail is not None:
                    places.append(await store.place(mail) or Place(mail, "", None, None))
        places = list({one.address: one for one in reversed(places)}.values())[::-1]
        ids = tuple(dict.fromkeys(one.contact_id for one in places if one.contact_id))
        return Aim(tuple(places), ids, account.language if account else None, None if places else "no_address")

    async def _account(self, whom: Mapping[str, str]) -> Account | None:
        if order := whom.get("order"):
            return await self._accounts.of_order(order)
        customer = whom.get("customer")
        return await self._accounts.of_customer(customer) if customer else None


def read_address(text: str) -> Address:
    """The address that ``str`` wrote: channel, account and contact with colons between them."""
    channel, _, rest = text.partition(":")
    account, _, contact = rest.partition(":")
    return Address(channel, account, contact)
