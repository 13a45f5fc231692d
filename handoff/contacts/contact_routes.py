"""The staff API of contacts: everything about one, editing, the customer it belongs to, and its tickets."""

from __future__ import annotations

from typing import Any

from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.contact_model import ContactProfile
from conversations.errors import InvalidField
from conversations.sealing_store import typed_by_people
from crm.model import Ticket, TicketStatus, normal_contact_point
from handoff.bodies import check_id, first_values, read_json, read_query
from handoff.contacts.contact_bodies import (
    ContactBody,
    CustomerBody,
    FindQuery,
    HistoryQuery,
    LinkBody,
    TicketBody,
    TicketUpdateBody,
)
from handoff.contacts.contact_records import (
    Writing,
    account_of,
    contact_json,
    customers_like,
    history_json,
    profile_json,
)
from handoff.contacts.contact_telling import add_telling_routes, tell_of_ticket
from handoff.customer_json import record_json
from handoff.errors import Refused
from handoff.guard import answer
from handoff.staff_side import StaffSide
from handoff.store import Session

_PAGE = 10
_FOUND = 10


def add_contact_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route below ``/staff/api/contacts`` but merging, and the search for customers."""
    desk = side.conversations

    async def contact(request: Request, session: Session, contact_id: str) -> HTTPResponse:
        return answer(await contact_json(side, session, await find_contact(side, contact_id), _PAGE))

    async def conversations(request: Request, session: Session, contact_id: str) -> HTTPResponse:
        query = read_query(HistoryQuery, first_values(request.args))
        profile = await find_contact(side, contact_id)
        together = await desk.contacts_of(profile)
        return answer(await history_json(side, session, together, query.cursor, query.limit))

    async def edit(request: Request, session: Session, contact_id: str) -> HTTPResponse:
        body = read_json(ContactBody, request.content_type, request.body)
        found = check_id(contact_id, "contact")
        before = await find_contact(side, contact_id)
        values = await side.veil.unmasked(body.values(), profile_json(before), session.member, before.id)
        try:
            changed = await desk.edit_contact(found, session.member.agent, body.revision, values)
        except InvalidField as error:
            raise Refused(400, error.code, f"{str(error).capitalize()}.", detail=error.field) from error
        return answer({"contact": profile_json(changed)})

    async def edit_customer(request: Request, session: Session, contact_id: str) -> HTTPResponse:
        body = read_json(CustomerBody, request.content_type, request.body)
        profile = await find_contact(side, contact_id)
        if profile.customer_id is None:
            # A changed phone or e-mail is where codes are sent: an agent's guess must not open an account.
            raise Refused(
                403, "not_verified", "Account details can be changed once the customer has proved who they are."
            )
        async with Writing():
            before = await side.crm.find_customer(profile.customer_id)
            key = (body.key, f"console:{session.member.id}")
            shown = record_json(before) if before else {}
            values = await side.veil.unmasked({body.field: body.value}, shown, session.member, profile.id)
            customer = await side.crm.update_contact(
                profile.customer_id, body.field, values[body.field], key, revision=body.revision
            )
        old, new = getattr(before, body.field, None), getattr(customer, body.field)
        if old != new:
            data = {"customer_id": customer.id, "field": body.field}
            personal = {"old": old, "new": new}
            await desk.record_of_contact("customer_edited", session.member.agent, profile.id, data, personal)
        return answer({"customer": record_json(customer)})

    async def link(request: Request, session: Session, contact_id: str) -> HTTPResponse:
        body = read_json(LinkBody, request.content_type, request.body)
        found = check_id(contact_id, "contact")
        async with Writing():
            customer = await side.crm.find_customer(body.customer_id)
        if customer is None:
            raise Refused(404, "not_found", "There is no such customer. Search again.")
        linked = await desk.link_customer(found, session.member.agent, customer.id)
        return answer({"contact": profile_json(linked)})

    async def unlink(request: Request, session: Session, contact_id: str) -> HTTPResponse:
        unlinked = await desk.unlink_customer(check_id(contact_id, "contact"), session.member.agent)
        return answer({"contact": profile_json(unlinked)})

    async def open_ticket(request: Request, session: Session, contact_id: str) -> HTTPResponse:
        body = read_json(TicketBody, request.content_type, request.body)
        profile = await find_contact(side, contact_id)
        where = await _conversation_of(side, session, profile, body.conversation_id)
        point = await _contact_point(side, profile, body.contact_point)
        async with Writing():
            ticket = await side.crm.open_ticket(
                body.text,
                profile.language or "zh",
                (body.key, f"console:{session.member.id}"),
                customer_id=profile.known_as,
                contact_point=point,
                order_number=body.order_number,
                priority=body.priority,
                subject=body.subject,
            )
        await desk.note_ticket(
            profile.id, session.member.agent, ticket.number, ticket.subject, opened=True, conversation_id=where
        )
        return answer({"ticket": record_json(ticket)}, 201)

    async def update_ticket(request: Request, session: Session, contact_id: str, number: str) -> HTTPResponse:
        body = read_json(TicketUpdateBody, request.content_type, request.body)
        profile = await find_contact(side, contact_id)
        where = await _conversation_of(side, session, profile, body.conversation_id)
        before = await _ticket_of(side, profile, number)
        async with Writing():
            ticket = await side.crm.update_ticket(
                before.number,
                session.member.name,
                (body.key, f"console:{session.member.id}"),
                revision=body.revision,
                status=TicketStatus(body.status) if body.status else None,
                priority=body.priority,
                comment=body.comment,
            )
        if ticket != before:
            await desk.note_ticket(
                profile.id, session.member.agent, ticket.number, ticket.subject, opened=False, conversation_id=where
            )
            await tell_of_ticket(side, profile, before, ticket, body.comment, body.key)
        return answer({"ticket": record_json(ticket)})

    async def customers(request: Request, session: Session) -> HTTPResponse:
        query = read_query(FindQuery, first_values(request.args))
        if not query.q.strip():
            raise Refused(400, "bad_request", "Type a name, a phone number, an e-mail address or an order number.")
        found, available = await customers_like(side, query.q.strip(), _FOUND)
        return answer({"customers": [record_json(one) for one in found], "crm_available": available})

    base = "contacts/<contact_id>"
    for method, route, handler in (
        ("GET", base, contact),
        ("POST", base, edit),
        ("GET", f"{base}/conversations", conversations),
        ("POST", f"{base}/customer", edit_customer),
        ("POST", f"{base}/link", link),
        ("POST", f"{base}/unlink", unlink),
        ("POST", f"{base}/tickets", open_ticket),
        ("POST", f"{base}/tickets/<number>", update_ticket),
        ("GET", "customers", customers),
    ):
        side.guard.add(blueprint, method, route, handler)
    add_telling_routes(blueprint, side)


async def find_contact(side: StaffSide, contact_id: str) -> ContactProfile:
    """The contact of a path, or the one it was merged into; raises ``Refused`` or ``NotFound``."""
    return await side.conversations.contact_profile(check_id(contact_id, "contact"))


async def _conversation_of(
    side: StaffSide, session: Session, profile: ContactProfile, conversation_id: str | None
) -> str | None:
    """The conversation in which a ticket came up; it must be with this contact or one of the same customer."""
    if conversation_id is None:
        return None
    found = await side.sight.conversation(session.member, conversation_id)
    if found.contact_id not in await side.conversations.contacts_of(profile):
        raise Refused(404, "not_found", "This conversation is with another contact. Reload it.")
    return found.id


async def _contact_point(side: StaffSide, profile: ContactProfile, given: str) -> str | None:
    """How people reach a contact about a ticket: as given, else the account's, else what the addresses say."""
    if given.strip():
        point = normal_contact_point(given)
        if point is None:
            raise Refused(
                400, "invalid_field", "This is neither a phone number nor an e-mail address.", detail="contact_point"
            )
        return point
    typed = [one.address.contact for one in profile.addresses if typed_by_people(one.address.contact)]
    known = next((point for one in typed if (point := normal_contact_point(one))), None)
    if known is None and profile.known_as is None:
        raise Refused(
            400, "invalid_field", "Say how to reach them: a phone number or an e-mail address.", detail="contact_point"
        )
    return known


async def _ticket_of(side: StaffSide, profile: ContactProfile, number: str) -> Ticket:
    """The ticket of a path, if it is this contact's."""
    _, _, tickets, available = await account_of(side, profile, await side.conversations.contacts_of(profile))
    if not available:
        raise Refused(503, "crm_down", "The customer system does not answer. Try again: nothing is done twice.")
    found: Any = next((one for one in tickets if one.number == number), None)
    if not isinstance(found, Ticket):
        raise Refused(404, "not_found", "This contact has no such ticket. Reload the contact.")
    return found
