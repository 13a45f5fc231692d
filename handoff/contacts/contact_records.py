"""A contact with everything that belongs to it, read for the console from the conversations and the customer system."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import structlog

from conversations.contact_model import ContactMerge, ContactProfile, Holding, Past, SamePerson
from conversations.json_form import conversation_json, moment, rating_json
from conversations.sealing_store import typed_by_people
from crm.errors import BadValue, ChangedMeanwhile, ContactInUse, CrmError, NotFound, TicketMove
from crm.model import Customer, Order, Ticket
from handoff.contacts.contact_telling import telling_json
from handoff.conversation_routes import CRM_SECONDS
from handoff.customer_json import record_json
from handoff.errors import Refused
from handoff.roles import OVERSEERS
from handoff.staff_side import StaffSide
from handoff.store import Session

_ORDERS = 10
_CRM_WRITE_SECONDS = 10.0
log = structlog.get_logger()


async def contact_json(side: StaffSide, session: Session, profile: ContactProfile, limit: int) -> dict[str, Any]:
    """The whole pane: profile, account, tickets, the beginning of the history, and merges that can be taken back."""
    together = await side.conversations.contacts_of(profile)
    (customer, orders, tickets, available), history, merges, telling = await asyncio.gather(
        account_of(side, profile, together),
        history_json(side, session, together, None, limit),
        side.conversations.merges_of_contact(profile.id),
        telling_json(side, profile.id),
    )
    seen = await side.conversations.seen_contacts(side.sight.of(session.member), together)
    return {
        "contact": profile_json(profile),
        "identity": "verified" if profile.customer_id else "linked" if profile.linked_customer_id else "none",
        "customer": record_json(customer) if customer else None,
        "orders": [record_json(order) for order in orders],
        "tickets": [record_json(ticket) for ticket in tickets],
        "crm_available": available,
        "telling": telling,
        "together_with": [one for one in together if one != profile.id and one in seen],
        "may_reveal": await side.veil.may_reveal(session.member, profile.id),
        "merges": [merge_json(session, merge, name) for merge, name in merges],
        **history,
    }


async def account_of(
    side: StaffSide, profile: ContactProfile, together: Sequence[str]
) -> tuple[Customer | None, list[Order], list[Ticket], bool]:
    """Account, orders and tickets; a CRM that fails or is slow must not keep the agent from the contact."""
    numbers = await side.conversations.tickets_of_contacts(together)
    if profile.known_as is None and not numbers:
        return None, [], [], True
    try:
        async with asyncio.timeout(CRM_SECONDS):
            customer, orders, tickets = None, [], []
            if profile.known_as is not None:
                customer = await side.crm.find_customer(profile.known_as)
                orders = await side.crm.orders_of(profile.known_as, _ORDERS)
                tickets = await side.crm.tickets_of(profile.known_as)
            known = {ticket.number for ticket in tickets}
            for number in numbers:
                ticket = await side.crm.find_ticket(number) if number not in known else None
                tickets += [ticket] if ticket is not None else []
    except Exception as error:
        log.warning("crm_unavailable", contact_id=profile.id, error=error)
        return None, [], [], False
    return customer, orders, sorted(tickets, key=lambda one: one.updated_at, reverse=True), True


async def history_json(
    side: StaffSide, session: Session, contact_ids: Sequence[str], cursor: str | None, limit: int
) -> dict[str, Any]:
    """A page of conversations that this member may read."""
    past, following = await side.conversations.history(contact_ids, cursor, limit, side.sight.of(session.member))
    return {"conversations": [past_json(one) for one in past], "cursor": following}


async def customers_like(side: StaffSide, text: str, limit: int) -> tuple[list[Customer], bool]:
    """Customers that fit, and whether the CRM answered."""
    try:
        async with asyncio.timeout(CRM_SECONDS):
            return await side.crm.search_customers(text, limit), True
    except Exception as error:
        log.warning("crm_unavailable", error=error)
        return [], False


class Writing:
    """``async with Writing():`` around a write to the customer system turns its failures into refusals."""

    def __init__(self) -> None:
        self._timeout = asyncio.timeout(_CRM_WRITE_SECONDS)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as late:
            error = late
        if isinstance(error, CrmError):
            raise refusal_of(error) from error
        if isinstance(error, Exception) and not isinstance(error, Refused):
            log.warning("crm_unavailable", error=error)
            raise Refused(
                503, "crm_down", "The customer system does not answer. Try again: nothing is done twice."
            ) from error


def refusal_of(error: CrmError) -> Refused:
    """Why the customer system did not do it, naming the field where it is about one."""
    if isinstance(error, BadValue):
        return Refused(400, "invalid_field", f"This is not a usable {error.field}. Correct it.", detail=error.field)
    if isinstance(error, ContactInUse):
        field = str(error)
        return Refused(409, "contact_in_use", f"Another account already uses this {field}.", detail=field)
    if isinstance(error, ChangedMeanwhile):
        return Refused(409, "changed_meanwhile", "Somebody changed this meanwhile. Compare, then save again.")
    if isinstance(error, TicketMove):
        return Refused(409, "ticket_move", f"{error}. Take it up again first.".capitalize())
    if isinstance(error, NotFound):
        return Refused(404, "not_found", "The customer system does not know this any more. Reload the contact.")
    return Refused(409, error.code, str(error) or "The customer system refused this.")


def profile_json(profile: ContactProfile) -> dict[str, Any]:
    """A contact for staff; the random ids of web visitors mean nothing to people."""
    return {
        "id": profile.id,
        "name": profile.name,
        "language": profile.language,
        "tier": profile.tier,
        "note": profile.note,
        "customer_id": profile.customer_id,
        "linked_customer_id": profile.linked_customer_id,
        "linked_by": profile.linked_by,
        "linked_at": moment(profile.linked_at),
        "revision": profile.revision,
        "created_at": moment(profile.created_at),
        "erased": profile.erased_at is not None,
        "addresses": [
            {
                "channel": one.address.channel,
                "account": one.address.account,
                "shown": one.address.contact if typed_by_people(one.address.contact) else None,
                "verified": (one.customer_id if profile.shared else profile.customer_id) is not None,
                "unreachable": one.unreachable,
            }
            for one in profile.addresses
        ],
    }


def past_json(past: Past) -> dict[str, Any]:
    """A conversation of the history."""
    rating = rating_json(past.rating) if past.rating else None
    return conversation_json(past.conversation) | {"first_words": past.first_words, "rating": rating}


def merge_json(session: Session, merge: ContactMerge, name: str | None) -> dict[str, Any]:
    """A merge that stands, and whether this member may take it back."""
    may = merge.by_id == session.member.id or session.member.role in OVERSEERS
    addresses = merge.moved.get("addresses", ())
    return {
        "id": merge.id,
        "source_id": merge.source_id,
        "name": name,
        "channels": list(dict.fromkeys(one["channel"] for one in addresses)),
        "by_name": merge.by_name,
        "by_contact": merge.by_id == "contact",  # ``by_name`` says how: "/link", "proof" or "sign_in"
        "at": moment(merge.at),
        "may_separate": may,
    }


def same_person_json(one: SamePerson) -> dict[str, Any]:
    """A contact to choose from."""
    seen = {"why": one.why, "last_at": moment(one.last_at), "conversations": one.conversations}
    return profile_json(one.profile) | seen


def holding_json(holding: Holding) -> dict[str, int]:
    """How much belongs to a contact."""
    return asdict(holding)
