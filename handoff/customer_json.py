"""The JSON form of contacts, customers, orders and tickets as the console shows them: their fields, by the same names."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from enum import Enum
from typing import Any

from conversations.json_form import moment
from conversations.model import Contact
from crm.model import Customer, Order, Ticket


def record_json(record: Contact | Customer | Order | Ticket) -> dict[str, Any]:
    """A record with times in UTC as browsers read them; amounts stay in the smallest unit of their currency."""
    return {name: _plain(value) for name, value in asdict(record).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value
