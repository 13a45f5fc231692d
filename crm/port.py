"""The port of the CRM: what the bot's actions and the console need from whatever system holds the customers."""

from __future__ import annotations

from typing import Protocol

from crm.model import (
    Customer,
    Invoice,
    Order,
    Proof,
    Return,
    ReturnReason,
    ReturnTerms,
    Ticket,
    TicketStatus,
    WriteKey,
)


class Crm(Protocol):
    """Customers, orders and tickets. Writes are idempotent by ``key`` and raise a ``CrmError`` a rule stands behind."""

    async def find_customer(self, customer_id: str) -> Customer | None:
        """The customer with that id."""

    async def search_customers(self, text: str, limit: int = 20) -> list[Customer]:
        """Customers by part of their name, phone or e-mail, or by an order or ticket number."""

    async def find_order(self, number: str) -> Order | None:
        """The order with that number."""

    async def orders_of(self, customer_id: str, limit: int = 5) -> list[Order]:
        """A customer's latest orders, newest first."""

    async def find_ticket(self, number: str) -> Ticket | None:
        """The ticket with that number."""

    async def tickets_of(self, customer_id: str) -> list[Ticket]:
        """A customer's tickets, the one that changed last first."""

    async def find_invoice(self, order_number: str) -> Invoice | None:
        """The invoice of an order."""

    async def verify_last4(self, reference: str, last4: str, key: WriteKey) -> Proof | None:
        """Who stands behind an order or ticket, if the digits end their phone number; raises ``Locked``.

        None means wrong digits or no such number: nobody can tell which.
        """

    async def start_code(self, reference: str, key: WriteKey) -> bool:
        """Send a one-time code to whoever stands behind an order, ticket, contact point or customer id.

        False when too many codes were asked for; True otherwise, also when nobody stands behind the reference.
        """

    async def code_pending(self, reference: str) -> bool:
        """Whether a code was asked for that can still be typed."""

    async def check_code(self, reference: str, code: str, key: WriteKey) -> Proof | None:
        """Who stands behind the reference, if the code is right; None when wrong; raises ``CodeExpired``."""

    async def change_address(self, customer_id: str, order_number: str, address: str, key: WriteKey) -> Order:
        """Send an order elsewhere; possible until it leaves the warehouse."""

    async def cancel_order(self, customer_id: str, order_number: str, key: WriteKey) -> Order:
        """Cancel an order and refund what was paid; possible until it leaves the warehouse."""

    async def quote_return(self, customer_id: str, order_number: str, line: int, reason: ReturnReason) -> ReturnTerms:
        """What a return would mean today; raises the rule that forbids it."""

    async def request_return(
        self, customer_id: str, order_number: str, line: int, reason: ReturnReason, key: WriteKey
    ) -> Return:
        """Start a return of one line, followed up on a ticket."""

    async def request_invoice(
        self, customer_id: str, order_number: str, kind: str, title: str, key: WriteKey
    ) -> Invoice:
        """Ask for an invoice, or correct the title of one; ``title`` of a company includes its tax number."""

    async def open_ticket(
        self,
        text: str,
        language: str,
        key: WriteKey,
        *,
        customer_id: str | None = None,
        contact_point: str | None = None,
        order_number: str | None = None,
        priority: str = "normal",
        subject: str | None = None,
    ) -> Ticket:
        """Open a ticket in an account, or for a stranger who can be reached at ``contact_point``."""

    async def open_callback_ticket(self, contact: str, language: str, key: WriteKey) -> Ticket:
        """Open a ticket that asks people to get back to ``contact``, as written, outside of office hours."""

    async def file_callback(
        self, number: str, text: str, *, contact_point: str | None = None, customer_id: str | None = None
    ) -> Ticket:
        """Write on a callback ticket what is wanted, how to reach them and whose it is; again with more is harmless."""

    async def close_callback(self, number: str, author: str, key: WriteKey) -> bool:
        """Resolve a callback ticket; False where it was resolved already."""

    async def update_ticket(
        self,
        number: str,
        author: str,
        key: WriteKey,
        *,
        revision: int | None = None,
        status: TicketStatus | None = None,
        priority: str | None = None,
        comment: str = "",
    ) -> Ticket:
        """Move a ticket on, give it another priority, or say something on it that its customer may read."""

    async def update_contact(
        self, customer_id: str, field: str, value: str, key: WriteKey, *, revision: int | None = None
    ) -> Customer:
        """Change a customer's name, phone or email; with ``revision`` only if nobody changed them since."""
