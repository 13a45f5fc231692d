"""The tables of what is known of contacts besides themselves: who was merged with whom, and which tickets are theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    and_,
    bindparam,
    case,
    func,
    select,
    type_coerce,
)

from conversations.sealed_tables import SealedJson
from conversations.tables import UtcDateTime, addresses, contacts, conversations, metadata

contact_merges = Table(
    "contact_merges",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("source_id", ForeignKey("contacts.id"), nullable=False, index=True),
    Column("target_id", ForeignKey("contacts.id"), nullable=False, index=True),
    Column("by_id", String(64), nullable=False),
    Column("by_name", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column(
        "moved", SealedJson("contact_merges", "moved", otherwise="{}"), nullable=False
    ),  # addresses, conversations and tickets that came from the source
    Column(
        "before", SealedJson("contact_merges", "before", otherwise="{}"), nullable=False
    ),  # what the target was; personal, so emptied when it is erased
    Column("after", SealedJson("contact_merges", "after", otherwise="{}"), nullable=False),  # what the merge made of it
    Column("undone_at", UtcDateTime),
)
_standing = contact_merges.c.undone_at.is_(None)
Index(
    "uq_contact_merges_standing",
    contact_merges.c.source_id,
    unique=True,
    sqlite_where=_standing,
    postgresql_where=_standing,
)

contact_tickets = Table(  # tickets that agents opened for a contact who need not have an account
    "contact_tickets",
    metadata,
    Column("number", String(32), primary_key=True),
    Column("contact_id", ForeignKey("contacts.id"), nullable=False, index=True),
    Column("opened_at", UtcDateTime, nullable=False),
)

#: Who was proved to write in a conversation. A contact that holds merged ones was proved at some of its addresses only:
#: that an agent takes two for one person proves nothing.
PROVED_CUSTOMER = case(
    (
        contacts.c.shared,
        select(addresses.c.customer_id)
        .where(
            addresses.c.channel == conversations.c.channel,
            addresses.c.account == conversations.c.account,
            addresses.c.contact == conversations.c.contact,
        )
        .correlate(conversations)
        .scalar_subquery(),
    ),
    else_=contacts.c.customer_id,
)


_PARTS = ("channel", "account", "contact")


def _home(name: str, given: Mapping[str, Any]) -> Any:
    """A part of the home of an address, or of the address itself if it is linked to none."""
    known = select(addresses.c[f"home_{name}"]).where(*(addresses.c[part] == given[part] for part in _PARTS))
    return func.coalesce(known.scalar_subquery(), type_coerce(given[name], addresses.c[name].type))


def at_home(given: Mapping[str, Any]) -> Any:
    """The condition that a conversation belongs to an address (its parts by name) or to the home of that address."""
    return and_(*(conversations.c[name] == _home(name, given) for name in _PARTS))


#: The same for the address in the parameters of a statement.
AT_HOME = at_home({name: bindparam(name) for name in _PARTS})
