"""The staff API of several agents in one conversation, and of offers that an agent does not take."""

from __future__ import annotations

from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from handoff.bodies import ColleagueBody, InviteBody, read_json
from handoff.conversation_routes import moved_json, open_conversation
from handoff.errors import Refused
from handoff.roles import DESK
from handoff.staff_side import StaffSide
from handoff.store import Session


def add_company_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add the verbs of participants and offers below ``/staff/api/conversations``."""
    desk = side.conversations

    async def decline(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        found = await open_conversation(side, conversation_id)
        return await moved_json(side, session, await desk.decline_offer(found.id, session.member.agent))

    async def invite(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        body = read_json(InviteBody, request.content_type, request.body)
        found = await open_conversation(side, conversation_id)
        colleague = await side.store.find(body.agent_id)
        if colleague is None or not colleague.active or colleague.role not in DESK:
            raise Refused(404, "not_found", "Nobody at the desk has that id. Choose an agent from the list.")
        invited = await desk.invite(found.id, session.member.agent, colleague.agent, body.note)
        return await moved_json(side, session, invited)

    async def join(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        found = await open_conversation(side, conversation_id)
        return await moved_json(side, session, await desk.join(found.id, session.member.agent))

    async def leave(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        found = await open_conversation(side, conversation_id)
        return await moved_json(side, session, await desk.leave(found.id, session.member.agent))

    async def remove(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        body = read_json(ColleagueBody, request.content_type, request.body)
        found = await open_conversation(side, conversation_id)
        return await moved_json(side, session, await desk.remove(found.id, session.member.agent, body.agent_id))

    async def barge_in(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        found = await open_conversation(side, conversation_id)
        return await moved_json(side, session, await desk.barge_in(found.id, session.member.agent))

    async def take_over(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        found = await open_conversation(side, conversation_id)
        return await moved_json(side, session, await desk.take_over(found.id, session.member.agent))

    for route, handler in (
        ("decline", decline),
        ("invite", invite),
        ("join", join),
        ("leave", leave),
        ("remove", remove),
        ("barge-in", barge_in),
        ("take-over", take_over),
    ):
        side.guard.add(blueprint, "POST", f"conversations/<conversation_id>/{route}", handler)
