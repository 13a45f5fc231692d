"""The staff API of digests: figures that are sent regularly, by e-mail or to a program."""

from __future__ import annotations

from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.sight import EVERYTHING
from handoff.bodies import read_json
from handoff.errors import Refused, refused_for
from handoff.guard import answer
from handoff.roles import OVERSEERS
from handoff.staff_side import StaffSide
from handoff.store import Session
from handoff.supervising.digest_bodies import DigestBody
from reporting.digest_sending import DigestError, Digests

_STATUS = {"not_found": 404, "changed": 409, "no_mail_server": 409}


def add_digest_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route below ``/staff/api/reports/digests``."""

    def sees_all(session: Session) -> bool:
        return side.sight.of(session.member) == EVERYTHING

    def require_all(session: Session) -> Digests:
        if not sees_all(session):
            message = "Digests tell of the whole desk. Ask a supervisor who sees every conversation."
            raise Refused(403, "narrowed", message)
        return _digests(side)

    async def listed(request: Request, session: Session) -> HTTPResponse:
        digests = _digests(side)
        may = session.member.role in OVERSEERS and sees_all(session)
        secret = digests.secret if may else None
        return answer({"digests": await digests.listed(), "mails": digests.mails, "may_change": may, "secret": secret})

    async def add(request: Request, session: Session) -> HTTPResponse:
        return await saved(request, session, "")

    async def change(request: Request, session: Session, digest_id: str) -> HTTPResponse:
        return await saved(request, session, digest_id)

    async def saved(request: Request, session: Session, digest_id: str) -> HTTPResponse:
        body = read_json(DigestBody, request.content_type, request.body)
        wanted = body.digest(digest_id)
        if not digest_id and wanted.revision:
            raise Refused(400, "bad_request", "A new digest is based on revision 0.")
        try:
            return answer({"digest": await require_all(session).save(wanted, session.member.agent)})
        except DigestError as refused:
            raise refused_for(refused, _STATUS) from None

    async def delete(request: Request, session: Session, digest_id: str) -> HTTPResponse:
        try:
            await require_all(session).delete(digest_id, session.member.agent)
        except DigestError as refused:
            raise refused_for(refused, _STATUS) from None
        return answer({"deleted": True})

    async def send(request: Request, session: Session, digest_id: str) -> HTTPResponse:
        try:
            return answer({"digest": await require_all(session).send(digest_id, session.member.agent)})
        except DigestError as refused:
            raise refused_for(refused, _STATUS) from None

    async def preview(request: Request, session: Session) -> HTTPResponse:
        body = read_json(DigestBody, request.content_type, request.body)
        return answer(await require_all(session).preview(body.digest()))

    for method, route, handler in (
        ("GET", "reports/digests", listed),
        ("POST", "reports/digests", add),
        ("POST", "reports/digests/preview", preview),
        ("POST", "reports/digests/<digest_id>", change),
        ("POST", "reports/digests/<digest_id>/delete", delete),
        ("POST", "reports/digests/<digest_id>/send", send),
    ):
        side.guard.add(blueprint, method, route, handler)


def _digests(side: StaffSide) -> Digests:
    found: Digests | None = side.overview.digests
    if found is None:
        raise Refused(404, "not_found", "This desk sends no digests.")
    return found
