"""What the fields of the staff's JSON hold: which are personal as a whole, and which are never looked into."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from personal_data.kinds import Kind
from personal_data.masks import mask_of

#: First parts of routes (or the first two) that speak of the desk itself: its staff, its words, its channels, figures without people.
OF_THE_DESK = frozenset(
    {
        "agents", "api-keys", "canned", "demo", "examples", "files", "filters", "handoff-rules", "knowledge", "labels", "macros", "me",
        "model-tests", "models/versions", "openapi.json", "presence", "prompts", "reports/catalogue", "reports/cost", "reports/digests", "reports/figures",
        "reviews/cards", "reviews/people", "second-factor", "sessions", "sight", "sign-in", "sign-out",
        "staff-accounts", "synonyms", "teams", "trials", "views",
    }
)  # fmt: skip
#: What members wrote themselves and are about to send, or asked with the names of colleagues; masks would be sent with it.
OWN_WORDS = frozenset({("POST", "conversations/<conversation_id>/translate-reply"), ("POST", "reports/ask")})
#: What is shown in clear on purpose: the data subject's own copy, and what is revealed with an entry in the audit trail.
WHOLE = frozenset(
    {
        ("GET", "contacts/<contact_id>/export"),
        ("POST", "conversations/<conversation_id>/reveal"),
        ("POST", "contacts/<contact_id>/reveal"),
    }
)
#: Quoted from articles, which everybody may read.
PUBLISHED = frozenset({"citations", "passages", "retrieval", "articles"})
#: Of agent assist: taken from other contacts' conversations, and masked for everybody by ``handoff/assist/masking.py``
#: already, which knows the shop's own numbers and leaves them.
MASKED_FOR_OTHERS = frozenset({"similar", "suggestion"})
#: Never words of anybody.
PLAIN = frozenset(
    {
        "id", "url", "cursor", "csrf", "status", "kind", "author", "channel", "account", "language", "media_type", "type",
        "agent_name", "offered_name", "preview_author", "sentiment_label", "handoff_reason", "tier", "level", "currency",
        "linked_by", "snoozed_by", "recalled_by", "resolved_by", "by_name", "number", "order_number", "hash", "previous",
        "model", "model_id", "live_model", "candidate_model", "model_before", "models_loaded", "missing_on", "bot_problem",
        "intent", "route", "policy", "country", "payment_method",
        "canonical", "computed", "signature", "signed_text", "public_key", "fingerprint",  # of proofs, exactly as hashed
    }
)  # fmt: skip
#: Personal as a whole, by their names; also names of entities, slots and details of a summary.
_REACH = "reach"
FIELDS: dict[str, Kind | str] = {
    "contact_name": Kind.NAME, "recipient": Kind.NAME, "person": Kind.NAME, "invoice_title": Kind.NAME,
    "phone": Kind.PHONE, "email": Kind.EMAIL, "contact_point": _REACH, "contact_address": _REACH, "contact_value": _REACH, "shown": _REACH,
    "sent_to": _REACH, "new_address": Kind.ADDRESS, "id_card": Kind.ID_CARD, "bank_card": Kind.BANK_CARD,
    "plate": Kind.PLATE, "identity_proof": Kind.PHONE, "ip": Kind.IP, "passport": Kind.PASSPORT,
}  # fmt: skip
#: Fields that mean something else in other forms.
_TOLD_BY_FORM = frozenset({"name", "value", "author_name", "email", "address"})
_PERSON = ("phone", "addresses", "linked_customer_id", "source_id", "contact_id")


#: A moment as JSON says it; its digits look like a telephone number now and then.
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?")


@lru_cache(maxsize=4096)
def plain(name: str) -> bool:
    """Whether a field never holds anybody's words."""
    return name in PLAIN or name.endswith(("_at", "_id", "_until", "_ids", "_since"))


def kind_of(name: str, form: Mapping[str, Any]) -> Kind | str | None:
    """What a field of a form is as a whole; None where its words have to be read."""
    if name not in _TOLD_BY_FORM:
        return FIELDS.get(name)
    if name == "name" and isinstance(form.get("value"), str):
        return None
    if name == "value":
        named = form.get("entity") or form.get("name") or form.get("field")
        return Kind.ADDRESS if named == "address" else FIELDS.get(str(named))
    if name == "name":
        return Kind.NAME if any(one in form for one in _PERSON) and "role" not in form else None
    if name == "author_name":
        return Kind.NAME if form.get("author") == "contact" else None
    if name == "email" and "role" in form:
        return None  # a member of staff's
    if name == "address":
        return _REACH if "channel" in form else Kind.ADDRESS
    return FIELDS.get(name)


def mask_of_field(kind: Kind | str, value: str) -> tuple[Kind, str]:
    """The mask over a whole field, and what it hides; what is no address of a person stays."""
    if kind != _REACH:
        return Kind(kind), mask_of(Kind(kind), value)
    place, colon, contact = value.rpartition(":")
    if "@" in contact:
        return Kind.EMAIL, f"{place}{colon}{mask_of(Kind.EMAIL, contact)}"
    if re.fullmatch(r"\+?[\d\s().-]{6,}", contact):
        return Kind.PHONE, f"{place}{colon}{mask_of(Kind.PHONE, contact)}"
    return Kind.NAME, value
