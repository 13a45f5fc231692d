"""The shop's policies as arithmetic: what an order still allows, and on which terms. No database here."""

from __future__ import annotations

import re
import string
from datetime import datetime, timedelta

from crm.errors import (
    AlreadyShipped,
    BadValue,
    HygieneRule,
    InvoiceTooLate,
    NotDelivered,
    NotPaid,
    OrderClosed,
    ReturnTooLate,
    TicketMove,
)
from crm.model import Customer, Invoice, Order, OrderItem, OrderStatus, ReturnReason, ReturnTerms, TicketStatus

RETURN_DAYS = 7
EXCHANGE_DAYS = 15
INVOICE_DAYS = 365
TITLE_DAYS = 30
FREE_RETURN_LEVELS = frozenset({"gold", "black"})
#: What one unit of a currency is in CNY, as the shop prices it.
RATES = {"CNY": 1.0, "HKD": 0.92, "SGD": 5.4, "GBP": 9.3, "EUR": 7.8}
RETURN_FEE_CNY = 1200
#: Where a ticket can go from each status; a finished one is taken up again before it can wait for anybody.
TICKET_MOVES: dict[TicketStatus, frozenset[TicketStatus]] = {
    TicketStatus.OPEN: frozenset({TicketStatus.IN_PROGRESS, TicketStatus.WAITING, TicketStatus.RESOLVED}),
    TicketStatus.IN_PROGRESS: frozenset({TicketStatus.OPEN, TicketStatus.WAITING, TicketStatus.RESOLVED}),
    TicketStatus.WAITING: frozenset({TicketStatus.OPEN, TicketStatus.IN_PROGRESS, TicketStatus.RESOLVED}),
    TicketStatus.RESOLVED: frozenset({TicketStatus.OPEN, TicketStatus.IN_PROGRESS}),
}
#: Full-width letters and digits only: a company's full-width brackets are part of its name.
_HALF_WIDTH = {ord(c) + 0xFEE0: ord(c) for c in string.ascii_letters + string.digits}


def check_changeable(order: Order) -> None:
    """Raise unless address and cancellation are still possible, which ends when the parcel leaves the warehouse."""
    if order.status in {OrderStatus.CANCELLED, OrderStatus.RETURNED}:
        raise OrderClosed(order.status)
    if order.status in {OrderStatus.SHIPPED, OrderStatus.DELIVERED}:
        raise AlreadyShipped(order.number)


def check_returnable(order: Order) -> None:
    """Raise unless the order is in the customer's hands."""
    if order.status in {OrderStatus.CANCELLED, OrderStatus.RETURNED}:
        raise OrderClosed(order.status)
    if order.status is not OrderStatus.DELIVERED or order.delivered_at is None:
        raise NotDelivered(order.number)


def return_terms(order: Order, item: OrderItem, reason: ReturnReason, level: str, now: datetime) -> ReturnTerms:
    """What a return of this line for this reason means today; raises the rule that forbids it."""
    check_returnable(order)
    assert order.delivered_at is not None
    if item.hygiene and reason is ReturnReason.CHANGED_MIND:
        raise HygieneRule(order.number)
    days = EXCHANGE_DAYS if reason.our_fault else RETURN_DAYS
    if now > order.delivered_at + timedelta(days=days):
        raise ReturnTooLate(days)
    refund = now <= order.delivered_at + timedelta(days=RETURN_DAYS)
    free = reason.our_fault or level in FREE_RETURN_LEVELS
    return ReturnTerms(
        outcome="refund" if refund else "exchange",
        shipping_fee=0 if free else round(RETURN_FEE_CNY / RATES[order.currency]),
        last_day=(order.delivered_at + timedelta(days=days)).date(),
    )


def check_invoiceable(order: Order, now: datetime) -> None:
    """Raise unless the order can have an invoice."""
    if order.status in {OrderStatus.CANCELLED, OrderStatus.RETURNED}:
        raise OrderClosed(order.status)
    if order.status is OrderStatus.UNPAID:
        raise NotPaid(order.number)
    if now > order.placed_at + timedelta(days=INVOICE_DAYS):
        raise InvoiceTooLate(INVOICE_DAYS)


def check_title_change(invoice: Invoice, now: datetime) -> None:
    """Raise when an issued invoice is too old for another title."""
    if invoice.issued_at is not None and now > invoice.issued_at + timedelta(days=TITLE_DAYS):
        raise InvoiceTooLate(TITLE_DAYS)


def invoice_title(kind: str, text: str) -> tuple[str, str | None]:
    """Title and tax number from what was typed; a company needs both. Raises ``BadValue`` for what is missing."""
    flat = " ".join(text[:300].translate(_HALF_WIDTH).split())
    number = re.search(r"(?<![A-Za-z0-9])(?=(?:[A-Za-z]*\d){6})[A-Za-z0-9]{8,20}(?![A-Za-z0-9])", flat)
    if kind == "personal":
        if not 1 <= len(flat) <= 100:
            raise BadValue("title")
        return flat, None
    if number is None:
        raise BadValue("tax_number")
    label = r"(?i)(纳税人识别号|納稅人識別號|统一社会信用代码|統一社會信用代碼|统一编号|統一編號|税号|稅號|tax\s*(number|no\.?|id)|vat\s*(number|no\.?|id)?)\s*[:：]?\s*$"
    before = re.sub(label, "", flat[: number.start()].strip(" ,，;；"))
    title = (before + " " + flat[number.end() :]).strip(" ,，;；:。.")
    if not 2 <= len(title) <= 100:
        raise BadValue("title")
    return title, number[0].upper()


def check_ticket_move(source: TicketStatus, target: TicketStatus) -> None:
    """Raise unless a ticket can go from one status to the other."""
    if target not in TICKET_MOVES[source]:
        raise TicketMove(source.value, target.value)


def new_address(text: str) -> str:
    """A delivery address cleaned up; raises ``BadValue`` when a courier could not use it."""
    flat = " ".join(text.split()).strip(" ,，。.")
    letters = sum(character.isalpha() for character in flat)
    if not 6 <= len(flat) <= 200 or letters < 4 or re.search(r"https?://", flat):
        raise BadValue("address")
    return flat


def account_address(customer: Customer) -> str:
    """Where the shop writes to this customer: the e-mail address, else the phone."""
    return customer.email or customer.phone or ""
