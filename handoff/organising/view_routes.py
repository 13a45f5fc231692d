"""The staff API of views: the console's lists and counts, and saved filters."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import ValidationError
from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.json_form import moment
from conversations.model import Page
from handoff.bodies import check_id, read_json
from handoff.errors import Refused
from handoff.guard import answer
from handoff.organising.filter_store import SavedFilter
from handoff.organising.organise_bodies import SORTS, Conditions, FilterBody, FilterCountBody, FilterOrderBody, stored
from handoff.organising.view_store import COUNTED, Reader, available_conditions, filter_condition, view_condition
from handoff.roles import OVERSEERS
from handoff.staff_side import StaffSide
from handoff.store import Session

MAX_FILTERS = 50  #: of one member


def add_view_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add ``views`` and every route below ``filters``."""

    async def views(request: Request, session: Session) -> HTTPResponse:
        reader = await reader_of(side, session)
        counts, since, filters, channels = await asyncio.gather(
            side.views.count_views(reader),
            side.views.waiting_since(reader),
            side.filters.visible_to(session.member.id),
            side.views.channels(),
        )
        counted = await asyncio.gather(*(_count(side, reader, one) for one in filters))
        return answer(
            {
                "counts": counts,
                "waiting_since": moment(since),
                "filters": [filter_json(one, session) | {"count": n} for one, n in zip(filters, counted, strict=True)],
                "counted_to": COUNTED,
                "in_teams": bool(reader.team_ids),
                "conditions": available_conditions(),
                "channels": channels,
                "labels_by_agents": side.labels_by_agents,
            }
        )

    async def add(request: Request, session: Session) -> HTTPResponse:
        body = read_json(FilterBody, request.content_type, request.body)
        _may_share(session, body.shared)
        if await side.filters.count_of(session.member.id) >= MAX_FILTERS:
            raise Refused(409, "too_many", f"You have {MAX_FILTERS} filters already. Delete one you do not need.")
        now = side.conversations.now()
        filter_id = await side.filters.add(
            session.member.id, body.name, body.shared, stored(body.conditions), body.sort, now
        )
        return answer({"filter": await _shown(side, session, filter_id)}, 201)

    async def change(request: Request, session: Session, filter_id: str) -> HTTPResponse:
        body = read_json(FilterBody, request.content_type, request.body)
        found = await _own(side, session, filter_id)
        if body.shared != found.shared:
            _may_share(session, True)
        values = {"name": body.name, "shared": body.shared, "conditions": stored(body.conditions), "sort": body.sort}
        await side.filters.change(found.id, side.conversations.now(), **values)
        return answer({"filter": await _shown(side, session, found.id)})

    async def delete(request: Request, session: Session, filter_id: str) -> HTTPResponse:
        found = await _own(side, session, filter_id)
        await side.filters.remove(found.id)
        return answer({})

    async def order(request: Request, session: Session) -> HTTPResponse:
        body = read_json(FilterOrderBody, request.content_type, request.body)
        mine = [one for one in await side.filters.visible_to(session.member.id) if _may_edit(session, one)]
        known = {one.id for one in mine}
        wanted = [filter_id for filter_id in dict.fromkeys(body.ids) if filter_id in known]
        await side.filters.order(wanted + [one.id for one in mine if one.id not in wanted])
        return answer({})

    async def count(request: Request, session: Session) -> HTTPResponse:
        body = read_json(FilterCountBody, request.content_type, request.body)
        reader = await reader_of(side, session)
        return answer({"count": await side.views.count(filter_condition(body.conditions, reader))})

    for method, route, handler in (
        ("GET", "views", views),
        ("POST", "filters", add),
        ("POST", "filters/order", order),
        ("POST", "filters/count", count),
        ("POST", "filters/<filter_id>", change),
        ("POST", "filters/<filter_id>/delete", delete),
    ):
        side.guard.add(blueprint, method, route, handler)


async def read_view(
    side: StaffSide, session: Session, view: str, sort: str | None, cursor: str | None, limit: int
) -> Page:
    """A page of a view or saved filter; raises ``Refused`` with 404 for a filter that is not the member's to see.

    The waiting conversations come in serving order unless another one is asked for.
    """
    if view == "queued" and sort is None:
        sight = side.sight.of(session.member)
        return await side.conversations.list_conversations(view, session.member.id, cursor, limit, sight)
    reader = await reader_of(side, session)
    if view.startswith("filter:"):
        found = await _find(side, session, view.removeprefix("filter:"))
        condition = filter_condition(_conditions(found), reader)
        sort = sort or found.sort
    else:
        condition = view_condition(view, reader)
    chosen = sort if sort in SORTS else "newest"
    return await side.views.page(condition, chosen, reader, cursor, limit)


async def reader_of(side: StaffSide, session: Session) -> Reader:
    """Whose views they are, with the teams of the member."""
    teams = side.teams.roster().teams_of(session.member.id)
    sight = side.sight.of(session.member)
    return Reader(session.member.id, tuple(team.id for team in teams), side.conversations.now(), sight)


def filter_json(found: SavedFilter, session: Session) -> dict[str, Any]:
    """A saved filter as the console shows it."""
    return {
        "id": found.id,
        "name": found.name,
        "shared": found.shared,
        "owner_name": found.owner_name,
        "mine": found.owner_id == session.member.id,
        "editable": _may_edit(session, found),
        "conditions": found.conditions,
        "sort": found.sort,
    }


async def _count(side: StaffSide, reader: Reader, found: SavedFilter) -> int | None:
    try:
        return await side.views.count(filter_condition(_conditions(found), reader))
    except Refused:
        return None  # saved by a newer desk; it can be opened and mended


def _conditions(found: SavedFilter) -> Conditions:
    try:
        return Conditions.model_validate(found.conditions)
    except ValidationError:
        raise Refused(
            409, "filter_outdated", f'The filter "{found.name}" asks for something this desk does not know. Edit it.'
        ) from None


async def _find(side: StaffSide, session: Session, filter_id: str) -> SavedFilter:
    found = await side.filters.find(check_id(filter_id, "filter"))
    if found is None or not (found.shared or found.owner_id == session.member.id):
        raise Refused(404, "not_found", "There is no such filter. It may have been deleted or made private.")
    return found


async def _own(side: StaffSide, session: Session, filter_id: str) -> SavedFilter:
    found = await _find(side, session, filter_id)
    if not _may_edit(session, found):
        raise Refused(403, "forbidden", f"{found.owner_name} shares this filter; only they or a supervisor change it.")
    return found


def _may_edit(session: Session, found: SavedFilter) -> bool:
    return found.owner_id == session.member.id or (found.shared and session.member.role in OVERSEERS)


def _may_share(session: Session, shared: bool) -> None:
    if shared and session.member.role not in OVERSEERS:
        raise Refused(403, "forbidden", "Only supervisors and admins share filters. Save it for yourself.")


async def _shown(side: StaffSide, session: Session, filter_id: str) -> dict[str, Any]:
    found = await _find(side, session, filter_id)
    reader = await reader_of(side, session)
    return filter_json(found, session) | {"count": await _count(side, reader, found)}
