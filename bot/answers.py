"""Which kinds of entity answer a form's question."""

from __future__ import annotations

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
