"""The open order or ticket that a handed-off conversation is about, from the CRM."""

from __future__ import annotations

from typing import Any

from conversations.model import Conversation
from crm.model import Order, Ticket, TicketStatus
from crm.port import Crm


class Records:
    """Reads the CRM for summaries; only what belongs to the contact's proved account."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm

    async def about(self, conversation: Conversation, summary: dict[str, Any]) -> dict[str, Any] | None:
        """``{"order", "ticket"}``: the ones that were named, else the newest that are open; None without an account."""
        if conversation.customer_id is None:
            return None
        named = {one["name"]: one["value"] for one in summary.get("details") or ()}
        orders = await self._crm.orders_of(conversation.customer_id)
        tickets = await self._crm.tickets_of(conversation.customer_id)
        order = next((one for one in orders if one.number == named.get("order_number")), None)
        if order is None:
            order = next(
                (one for one in orders if one.status.value not in ("delivered", "cancelled", "returned")), None
            )
        ticket = next((one for one in tickets if one.number == named.get("ticket_number")), None)
        if ticket is None:
            ticket = next((one for one in tickets if one.status is not TicketStatus.RESOLVED), None)
        found = {"order": _order(order) if order else None, "ticket": _ticket(ticket) if ticket else None}
        return found if any(found.values()) else None


def _order(order: Order) -> dict[str, Any]:
    return {
        "number": order.number,
        "status": order.status.value,
        "items": [
            {"zh": item.name("zh"), "en": item.name("en"), "quantity": item.quantity} for item in order.items[:5]
        ],
    }


def _ticket(ticket: Ticket) -> dict[str, Any]:
    return {"number": ticket.number, "status": ticket.status.value, "subject": ticket.subject[:200]}
