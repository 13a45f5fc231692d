"""The tables of the CRM, for SQLite and PostgreSQL, and how their rows become the model's values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Boolean, Column, Date, DateTime, ForeignKey, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import JSON, TypeDecorator

from crm.model import (
    Comment,
    Customer,
    Invoice,
    Order,
    OrderItem,
    OrderStatus,
    Shipment,
    ShipmentEvent,
    Ticket,
    TicketEvent,
    TicketKind,
    TicketStatus,
)


class UtcTime(TypeDecorator[datetime]):
    """Aware UTC times on both databases; SQLite itself would give back naive ones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times, which would be taken for local ones."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times must be aware")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give every time its zone back."""
        if not isinstance(value, datetime):
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()

customers = Table(
    "crm_customers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("phone", String(20), unique=True),
    Column("email", String(254), unique=True),
    Column("language", String(2), nullable=False),
    Column("country", String(2), nullable=False),
    Column("level", String(10), nullable=False),
    Column("points", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("tier", String(10), nullable=False, server_default="standard"),
    Column("revision", Integer, nullable=False, server_default="0", default=0),
)
orders = Table(
    "crm_orders",
    metadata,
    Column("number", String(16), primary_key=True),
    Column("customer_id", ForeignKey("crm_customers.id"), nullable=False),
    Column("status", String(12), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("shipping_fee", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("payment_method", String(30), nullable=False),
    Column("recipient", String(120), nullable=False),
    Column("phone", String(20), nullable=False),
    Column("address", String(300), nullable=False),
    Column("country", String(2), nullable=False),
    Column("placed_at", UtcTime, nullable=False),
    Column("paid_at", UtcTime),
    Column("shipped_at", UtcTime),
    Column("delivered_at", UtcTime),
    Index("crm_orders_by_customer", "customer_id", "placed_at"),
)
order_items = Table(
    "crm_order_items",
    metadata,
    Column("order_number", ForeignKey("crm_orders.number"), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("product", String(80), nullable=False),
    Column("product_zh", String(80), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("unit_price", Integer, nullable=False),
    Column("hygiene", Boolean, nullable=False),
)
shipments = Table(
    "crm_shipments",
    metadata,
    Column("order_number", ForeignKey("crm_orders.number"), primary_key=True),
    Column("carrier", String(10), nullable=False),
    Column("tracking_number", String(24), nullable=False, unique=True),
    Column("expected_on", Date),
)
shipment_events = Table(
    "crm_shipment_events",
    metadata,
    Column("order_number", ForeignKey("crm_shipments.order_number"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("text_zh", String(200), nullable=False),
    Column("text_en", String(200), nullable=False),
)
invoices = Table(
    "crm_invoices",
    metadata,
    Column("number", String(16), primary_key=True),
    Column("order_number", ForeignKey("crm_orders.number"), nullable=False, unique=True),
    Column("kind", String(10), nullable=False),
    Column("title", String(120), nullable=False),
    Column("tax_number", String(24)),
    Column("sent_to", String(254), nullable=False),
    Column("requested_at", UtcTime, nullable=False),
    Column("issued_at", UtcTime),
)
tickets = Table(
    "crm_tickets",
    metadata,
    Column("number", String(16), primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("customer_id", ForeignKey("crm_customers.id"), index=True),
    Column("contact_point", Text),
    Column("order_number", String(16)),
    Column("language", String(2), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Column("status", String(12), nullable=False),
    Column("priority", String(8), nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("revision", Integer, nullable=False, server_default="0", default=0),
)
ticket_comments = Table(
    "crm_ticket_comments",
    metadata,
    Column("ticket_number", ForeignKey("crm_tickets.number"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("author", String(120), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
)
ticket_events = Table(
    "crm_ticket_events",
    metadata,
    Column("ticket_number", ForeignKey("crm_tickets.number"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("author", String(120), nullable=False),
    Column("field", String(12), nullable=False),
    Column("old", String(12), nullable=False),
    Column("new", String(12), nullable=False),
    Column("at", UtcTime, nullable=False),
)
returns = Table(
    "crm_returns",
    metadata,
    Column("order_number", ForeignKey("crm_orders.number"), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("reason", String(16), nullable=False),
    Column("outcome", String(10), nullable=False),
    Column("shipping_fee", Integer, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("ticket_number", ForeignKey("crm_tickets.number"), nullable=False),
)
writes = Table(
    "crm_writes",
    metadata,
    Column("turn_id", String(64), primary_key=True),
    Column("action", String(120), primary_key=True),
    Column("result", JSON(none_as_null=True)),
    Column("at", UtcTime, nullable=False),
)
counters = Table(
    "crm_counters",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("value", Integer, nullable=False),
)
#: Wrong answers, and codes asked for, per subject; unknown subjects are counted just the same.
attempts = Table(
    "crm_attempts",
    metadata,
    Column("subject", String(80), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("since_at", UtcTime, nullable=False),
    Column("locked_until_at", UtcTime),
)
codes = Table(
    "crm_codes",
    metadata,
    Column("reference_hash", String(64), primary_key=True),
    Column("customer_id", String(32)),
    Column("known", Boolean, nullable=False),
    Column("code_hash", String(64), nullable=False),
    Column("attempts_left", Integer, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)

Row = Mapping[Any, Any]


def customer_of(row: Row) -> Customer:
    """A customer from a row of ``customers``."""
    return Customer(**{column.name: row[column.name] for column in customers.columns})


def order_of(row: Row, items: Iterable[Row], events: Iterable[Row]) -> Order:
    """An order from its row joined with its parcel, and the rows that belong to both."""
    values = {column.name: row[column.name] for column in orders.columns}
    parcel = None
    if row["carrier"] is not None:
        history = tuple(ShipmentEvent(e["at"], e["text_zh"], e["text_en"]) for e in events)
        expected: date | None = row["expected_on"]
        parcel = Shipment(row["carrier"], row["tracking_number"], expected, history)
    lines = tuple(
        OrderItem(i["line"], i["product"], i["product_zh"], i["quantity"], i["unit_price"], i["hygiene"]) for i in items
    )
    return Order(**{**values, "status": OrderStatus(row["status"])}, items=lines, shipment=parcel)


def invoice_of(row: Row) -> Invoice:
    """An invoice from a row of ``invoices``."""
    return Invoice(**{column.name: row[column.name] for column in invoices.columns})


def ticket_of(row: Row, comments: Iterable[Row], events: Iterable[Row] = ()) -> Ticket:
    """A ticket from its row, its comments and what changed on it."""
    values = {column.name: row[column.name] for column in tickets.columns}
    values |= {"status": TicketStatus(row["status"]), "kind": TicketKind(row["kind"])}
    said = tuple(Comment(c["author"], c["text"], c["at"]) for c in comments)
    changed = tuple(TicketEvent(e["author"], e["field"], e["old"], e["new"], e["at"]) for e in events)
    return Ticket(**values, comments=said, events=changed)
