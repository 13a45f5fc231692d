"""Which kinds of entity answer a form's question, and which intents ask for a task of their own."""

from __future__ import annotations

#: Tasks about one order.
ORDER_TASKS = frozenset({"order_status", "change_address", "cancel_order", "return_refund", "request_invoice"})
#: All tasks.
TASKS = ORDER_TASKS | {"open_ticket", "ticket_status", "update_contact"}

#: The entity (or entities) that answers a form's question for a slot.
ANSWERS = {
    "order_number": {"order_number"},
    "ticket_number": {"ticket_number"},
    "identity_proof": {"last4", "code", "identity_proof"},
    "contact_point": {"email", "phone"},
    "contact_value": {"email", "phone"},
    "order_item": {"product"},
    "invoice_kind": {"invoice_kind"},
    "contact_field": {"contact_field"},
}
