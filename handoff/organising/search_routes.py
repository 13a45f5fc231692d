"""The staff API of search: conversations for the list, and messages for the search page."""

from __future__ import annotations

import asyncio

import structlog
from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.json_form import moment
from conversations.search_store import SearchFilter
from conversations.searching import Hit
from crm.model import Customer
from handoff.bodies import SearchQuery, first_values, read_query
from handoff.conversation_routes import CRM_SECONDS, listed_json
from handoff.customer_json import record_json
from handoff.errors import Refused
from handoff.guard import answer
from handoff.organising.organise_bodies import MessageSearchQuery
from handoff.staff_side import StaffSide
from handoff.store import Session

log = structlog.get_logger()


def add_search_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add ``search`` and ``search/messages``."""
    desk = side.conversations

    async def search(request: Request, session: Session) -> HTTPResponse:
        query = read_query(SearchQuery, first_values(request.args))
        text = _asked(query.q)
        customers, crm_available = await _customers(side, text, query.limit)
        ids = [customer.id for customer in customers]
        sight = side.sight.of(session.member)
        matches = await desk.search_conversations(text, ids, query.limit, desk.now(), sight)
        found = await side.views.conversations([match.conversation_id for match in matches], sight)
        matches = [match for match in matches if match.conversation_id in found]
        listed = await listed_json(side, session.member.id, [found[match.conversation_id] for match in matches])
        for form, match in zip(listed, matches, strict=True):
            form["match"] = _match_json(match.hit) if match.hit is not None else None
        return answer(
            {
                "conversations": listed,
                "customers": [record_json(one) for one in customers],
                "crm_available": crm_available,
                "cursor": None,
            }
        )

    async def messages(request: Request, session: Session) -> HTTPResponse:
        query = read_query(MessageSearchQuery, first_values(request.args))
        sight = side.sight.of(session.member)
        wanted = SearchFilter(query.author, query.channel, query.since, query.until, sight)
        page, total = await desk.search_messages(
            _asked(query.q), wanted, desk.now(), offset=query.offset, limit=query.limit
        )
        found = await side.views.conversations([hit.conversation_id for hit in page], sight)
        listed = await listed_json(side, session.member.id, list(found.values()))
        following = query.offset + query.limit
        return answer(
            {
                "hits": [_match_json(hit) | {"conversation_id": hit.conversation_id} for hit in page],
                "conversations": {form["id"]: form for form in listed},
                "found": total,
                "next_offset": following if following < total else None,
            }
        )

    for method, route, handler in (("GET", "search", search), ("GET", "search/messages", messages)):
        side.guard.add(blueprint, method, route, handler)


def _asked(text: str) -> str:
    if not text.strip():
        raise Refused(400, "bad_request", "Type what to look for.")
    return text.strip()


def _match_json(hit: Hit) -> dict[str, object]:
    return {
        "seq": hit.seq,
        "author": hit.author,
        "author_name": hit.author_name,
        "kind": hit.kind,
        "created_at": moment(hit.created_at),
        "snippet": hit.snippet,
        "marks": [list(mark) for mark in hit.marks],
    }


async def _customers(side: StaffSide, text: str, limit: int) -> tuple[list[Customer], bool]:
    """Customers that fit; a CRM that fails must not keep anybody from finding conversations."""
    try:
        async with asyncio.timeout(CRM_SECONDS):
            return await side.crm.search_customers(text, limit), True
    except Exception as error:
        log.warning("crm_unavailable", error=error)
        return [], False
