"""Customers and what they bought. Money is in the smallest unit of its currency (cents, 分), times are aware UTC."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

#: ``(turn_id, action)``: the same key never writes twice and always gets the first result.
WriteKey = tuple[str, str]


LEVELS = ("standard", "silver", "gold", "black")  #: lowest first
TIERS = ("standard", "silver", "gold", "vip")  #: what a customer is worth to the shop, least first
TICKET_PRIORITIES = ("low", "normal", "high", "urgent")


class OrderStatus(StrEnum):
    """How far an order has come."""

    UNPAID = "unpaid"
    PAID = "paid"
    PACKED = "packed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"


class TicketStatus(StrEnum):
    """Who has to do something about a ticket."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"  #: for the customer
    RESOLVED = "resolved"


class TicketKind(StrEnum):
    """Where a ticket came from."""

    PROBLEM = "problem"
    RETURN = "return"
    CALLBACK = "callback"


class ReturnReason(StrEnum):
    """Why something comes back; the reason decides the days, the outcome and who pays the parcel."""

    UNOPENED = "unopened"  #: changed their mind, still sealed
    CHANGED_MIND = "changed_mind"  #: opened, complete with all parts
    FAULTY = "faulty"
    WRONG_ITEM = "wrong_item"
    DAMAGED = "damaged"

    @property
    def our_fault(self) -> bool:
        """Whether the shop pays the way back."""
        return self in {ReturnReason.FAULTY, ReturnReason.WRONG_ITEM, ReturnReason.DAMAGED}


@dataclass(frozen=True, slots=True)
class Customer:
    """Someone with an account; at least one of ``phone`` and ``email`` is set."""

    id: str
    name: str
    phone: str | None
    email: str | None
    language: str
    country: str  #: ISO code; decides currency and local time
    level: str  #: standard, silver, gold or black
    points: int
    created_at: datetime
    tier: str = "standard"  #: one of ``TIERS``: how much the desk hurries for them
    revision: int = 0  #: counts changes of name, phone and e-mail

    @property
    def audiences(self) -> tuple[str, ...]:
        """For whom articles may be written that this customer may read: members, and each level up to their own."""
        reached = LEVELS[: LEVELS.index(self.level) + 1] if self.level in LEVELS else ()
        return ("member", *reached)


@dataclass(frozen=True, slots=True)
class OrderItem:
    """One line of an order; ``line`` counts from 1."""

    line: int
    product: str
    product_zh: str
    quantity: int
    unit_price: int
    hygiene: bool = False  #: worn in or on the ear: comes back only unopened or faulty

    def name(self, language: str) -> str:
        """The product's name in that language."""
        return self.product_zh if language == "zh" else self.product


@dataclass(frozen=True, slots=True)
class ShipmentEvent:
    """One scan of a parcel, in both languages."""

    at: datetime
    text_zh: str
    text_en: str

    def text(self, language: str) -> str:
        """What happened, in that language."""
        return self.text_zh if language == "zh" else self.text_en


@dataclass(frozen=True, slots=True)
class Shipment:
    """A parcel with its history, oldest event first."""

    carrier: str  #: SF, JD, YTO or DHL
    tracking_number: str
    expected_on: date | None
    events: tuple[ShipmentEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """An order with its lines and its parcel."""

    number: str
    customer_id: str
    status: OrderStatus
    currency: str
    items: tuple[OrderItem, ...]
    shipping_fee: int
    total: int
    payment_method: str
    recipient: str
    phone: str
    address: str
    country: str
    placed_at: datetime
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    shipment: Shipment | None = None

    def item(self, line: int) -> OrderItem | None:
        """The line with that number."""
        return next((item for item in self.items if item.line == line), None)


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice; ``issued_at`` is None while it is being made."""

    number: str
    order_number: str
    kind: str  #: personal or company
    title: str
    tax_number: str | None
    sent_to: str
    requested_at: datetime
    issued_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """Something written on a ticket; ``author`` is "customer" or the name of a colleague."""

    author: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TicketEvent:
    """Something that changed on a ticket; ``author`` is "customer" or the name of a colleague."""

    author: str
    field: str  #: status or priority
    old: str
    new: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Ticket:
    """Something people at the shop must look after."""

    number: str
    kind: TicketKind
    customer_id: str | None  #: None for someone without an account
    contact_point: str | None
    order_number: str | None
    language: str
    subject: str
    text: str
    status: TicketStatus
    priority: str  #: low, normal, high or urgent
    opened_at: datetime
    updated_at: datetime
    comments: tuple[Comment, ...] = ()
    revision: int = 0  #: counts changes of status and priority
    events: tuple[TicketEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class ReturnTerms:
    """What a return would mean, before it is asked for."""

    outcome: str  #: refund or exchange
    shipping_fee: int  #: what the customer pays for the way back, in the order's currency
    last_day: date


@dataclass(frozen=True, slots=True)
class Return:
    """An accepted return; people follow it up on its ticket."""

    order_number: str
    line: int
    reason: ReturnReason
    terms: ReturnTerms
    ticket_number: str


@dataclass(frozen=True, slots=True)
class Proof:
    """Somebody proved to be behind an order, ticket or contact point; without account, only of ``reference``."""

    reference: str
    customer_id: str | None


def utc_now() -> datetime:
    """The current aware UTC time."""
    return datetime.now(UTC)


def find_number(text: str, prefix: str, digits: int) -> str | None:
    """A number such as ``KT20261234`` in text people typed (lower case, full width, spaces, dashes), or None."""
    flat = unicodedata.normalize("NFKC", text).upper()
    spaced = r"[\s\-–—_.]*".join([*prefix, rf"(?P<d>(?:\d[\s\-–—_.]*){{{digits}}})"])
    match = re.search(rf"(?<![A-Z0-9]){spaced}(?!\d)", flat)
    return prefix + re.sub(r"\D", "", match["d"]) if match else None


def normal_phone(text: str) -> str | None:
    """A phone number as it is stored (mainland mobiles without country code, others ``+…``), or None."""
    flat = re.sub(r"[\s\-–—().]", "", unicodedata.normalize("NFKC", text))
    flat = re.sub(r"^(\+|00)86(?=1\d{10}$)", "", flat)
    flat = re.sub(r"^00", "+", flat)
    return flat if re.fullmatch(r"1[3-9]\d{9}|\+[1-9]\d{7,14}", flat) else None


def normal_email(text: str) -> str | None:
    """An e-mail address in lower case, or None."""
    flat = unicodedata.normalize("NFKC", text).strip().lower()
    good = len(flat) <= 254 and re.fullmatch(r"[a-z0-9._%+\-]{1,64}@(?:[a-z0-9\-]+\.)+[a-z]{2,24}", flat)
    return flat if good else None


def normal_contact_point(text: str) -> str | None:
    """The e-mail address or phone number that ``text`` is or contains, or None."""
    whole = normal_email(text) or normal_phone(text)
    if whole:
        return whole
    flat = unicodedata.normalize("NFKC", text)
    email = re.search(r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9.\-]{1,200}\.[A-Za-z]{2,24}", flat)
    if email:
        return normal_email(email[0])
    phone = re.search(r"(?<!\d)(?:\+|00)?\d[\d\s\-().]{8,20}\d", flat)
    return normal_phone(phone[0]) if phone else None
