"""What a contact is to the desk besides a name: profile, addresses, merges, and who may be the same person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from conversations.model import Address, Conversation, Rating

TIERS = ("standard", "silver", "gold", "vip")
MAX_NAME = 200
MAX_NOTE = 4000
#: What an agent may change of a contact.
NOBODYS_TIER = "standard"  #: of contacts of whom nothing is known
FIELDS = ("name", "language", "tier", "note")


@dataclass(frozen=True, slots=True)
class ReachedAt:
    """An address of a contact; ``customer_id`` is who was proved there."""

    address: Address
    customer_id: str | None
    origin_id: str | None  #: the contact it belonged to before a merge
    unreachable: bool = False  #: the contact blocked us there, or left; as the last delivery found it


@dataclass(frozen=True, slots=True)
class ContactProfile:
    """A contact as staff know it."""

    id: str
    name: str | None
    language: str | None
    tier: str | None  #: set by an agent; None: whatever the customer's account says
    note: str
    customer_id: str | None  #: proved by the contact
    linked_customer_id: str | None  #: what an agent thinks; proves nothing
    linked_by: str | None
    linked_at: datetime | None
    named_by: str | None
    merged_into: str | None
    shared: bool  #: whether it holds merged contacts
    revision: int
    created_at: datetime
    erased_at: datetime | None
    unasked_at: datetime | None = None  #: since when they do not want to be asked for ratings
    addresses: tuple[ReachedAt, ...] = ()

    @property
    def known_as(self) -> str | None:
        """The customer it belongs to: the proved one, else the one an agent linked."""
        return self.customer_id or self.linked_customer_id


@dataclass(frozen=True, slots=True)
class ContactMerge:
    """A contact that was put into another one, with everything needed to take it out again."""

    id: str
    source_id: str
    target_id: str
    by_id: str
    by_name: str
    at: datetime
    moved: Mapping[str, Any]
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Past:
    """A conversation in a contact's history: its first words, and what the contact thought of it."""

    conversation: Conversation
    first_words: str
    rating: Rating | None


@dataclass(frozen=True, slots=True)
class Holding:
    """How much belongs to a contact, and so moves when it is merged."""

    addresses: int
    conversations: int
    open: int
    messages: int
    ratings: int
    labels: int
    tickets: int


@dataclass(frozen=True, slots=True)
class SamePerson:
    """A contact that may be the same person; ``why`` is "customer", "phone", "email" or "found"."""

    profile: ContactProfile
    why: str
    last_at: datetime | None = None
    conversations: int = 0


def tier_that_counts(own: str | None, accounts: str | None) -> str:
    """How much the desk hurries for a contact: what an agent set by hand goes before what their account says."""
    return own or accounts or NOBODYS_TIER
