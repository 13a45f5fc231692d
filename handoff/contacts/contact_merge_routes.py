"""The staff API of contacts that are one person: whom to merge with, what would happen, merging and separating."""

from __future__ import annotations

from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.contact_model import ContactProfile
from handoff.access.sight_book import Kind
from handoff.bodies import check_id, first_values, read_json, read_query
from handoff.contacts.contact_bodies import FindQuery, MergeContactBody, SeparateBody
from handoff.contacts.contact_records import account_of, customers_like, holding_json, profile_json, same_person_json
from handoff.contacts.contact_routes import find_contact
from handoff.customer_json import record_json
from handoff.guard import answer
from handoff.roles import OVERSEERS
from handoff.staff_side import StaffSide
from handoff.store import Session

_CUSTOMERS = 10


def add_contact_merge_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add the routes of candidates, preview, merge and separation."""
    desk = side.conversations

    async def candidates(request: Request, session: Session, contact_id: str) -> HTTPResponse:
        query = read_query(FindQuery, first_values(request.args))
        profile = await find_contact(side, contact_id)
        text, available = query.q.strip(), True
        if text:
            customers, available = await customers_like(side, text, _CUSTOMERS)
            found = await desk.search_contacts(text, [one.id for one in customers], profile.id)
        else:
            found = await desk.same_person(profile, await _reached_at(side, profile))
        seen = await desk.seen_contacts(side.sight.of(session.member), [one.profile.id for one in found])
        found = [one for one in found if one.profile.id in seen]
        return answer({"candidates": [same_person_json(one) for one in found], "crm_available": available})

    async def preview(request: Request, session: Session, contact_id: str, source_id: str) -> HTTPResponse:
        target = await find_contact(side, contact_id)
        seen = await desk.preview_merge(check_id(source_id, "contact"), target.id)
        sides = []
        for profile, holds in ((seen.source, seen.source_holds), (seen.target, seen.target_holds)):
            customer, *_ = await account_of(side, profile, [profile.id])
            account = record_json(customer) if customer else None
            sides.append({"contact": profile_json(profile), "customer": account, "holds": holding_json(holds)})
        return answer({"source": sides[0], "target": sides[1], "refused": seen.refused})

    async def merge(request: Request, session: Session, contact_id: str) -> HTTPResponse:
        body = read_json(MergeContactBody, request.content_type, request.body)
        target_id = check_id(contact_id, "contact")
        await side.sight.require(session.member, Kind.CONTACT, body.source_id)
        merged = await desk.merge_contacts(body.source_id, target_id, session.member.agent)
        profile = await desk.contact_profile(target_id)
        return answer({"contact": profile_json(profile), "merge_id": merged.id})

    async def separate(request: Request, session: Session, contact_id: str) -> HTTPResponse:
        body = read_json(SeparateBody, request.content_type, request.body)
        target_id = check_id(contact_id, "contact")
        oversees = session.member.role in OVERSEERS
        undone = await desk.separate_contacts(body.merge_id, session.member.agent, of=target_id, oversees=oversees)
        profile = await desk.contact_profile(target_id)
        return answer({"contact": profile_json(profile), "separated": undone.source_id})

    base = "contacts/<contact_id>"
    for method, route, handler in (
        ("GET", f"{base}/candidates", candidates),
        ("GET", f"{base}/merge/<source_id>", preview),
        ("POST", f"{base}/merge", merge),
        ("POST", f"{base}/separate", separate),
    ):
        side.guard.add(blueprint, method, route, handler)


async def _reached_at(side: StaffSide, profile: ContactProfile) -> tuple[str, ...]:
    """Phone and e-mail of the customer whom the contact proved to be."""
    if profile.customer_id is None:
        return ()
    customer, *_ = await account_of(side, profile, [profile.id])
    return tuple(filter(None, (customer.phone, customer.email))) if customer else ()
