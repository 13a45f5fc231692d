"""The staff API of second factors: the second step of a sign-in, one's own factor, and what admins see and reset."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field
from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.json_form import moment
from handoff.bodies import Body, check_id, read_json
from handoff.errors import Refused
from handoff.guard import answer
from handoff.sign_in import Ticket
from handoff.staff_side import StaffSide, session_json
from handoff.store import Session, Stage, Way

_FRESH = timedelta(minutes=10)


class CodeBody(Body):
    """Six digits of the app, or a recovery code."""

    code: Annotated[str, Field(min_length=1, max_length=32)]


class BeginBody(Body):
    """The password once more: a session left open must not be enough to change who can sign in."""

    password: Annotated[str, Field(max_length=1024)] = ""


def add_second_factor_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add ``/staff/api/sign-in/code``, ``/staff/api/second-factor…`` and the reset of one."""
    guard, factors = side.guard, side.second_factors

    def opened(ticket: Ticket, more: dict[str, Any] | None = None) -> HTTPResponse:
        response = answer(session_json(ticket.session) | (more or {}))
        guard.set_cookie(response, ticket.token)
        return response

    async def second_step(request: Request) -> HTTPResponse:
        body = read_json(CodeBody, request.content_type, request.body)
        guard.check_transport()
        session = await side.sign_in.find_session(request.cookies.get(guard.cookie), stages=(Stage.CODE,))
        if session is None:
            raise Refused(401, "signed_out", "This sign-in took too long. Begin again with your password.")
        member = session.member
        try:
            how = await factors.check(member, body.code)
        except Refused as error:
            await _note_refusal(session, error)
            raise
        ticket = await side.sign_in.open(session)
        await side.conversations.record("signed_in", member.agent, {"second_factor": how})
        left = (await factors.state_of(member)).codes_left
        return opened(ticket, {"recovery_codes_left": left} if how == "recovery_code" else None)

    async def state(request: Request, session: Session) -> HTTPResponse:
        found = await factors.state_of(session.member)
        return answer(asdict(found) | {"since": moment(found.since) if found.since else None})

    async def begin(request: Request, session: Session) -> HTTPResponse:
        body = read_json(BeginBody, request.content_type, request.body)
        if session.stage is Stage.OPEN:  # one that is being enrolled has given the password a moment ago
            await _same_person(request, session, body.password)
        return answer(asdict(await factors.begin(session.member)))

    async def confirm(request: Request, session: Session) -> HTTPResponse:
        body = read_json(CodeBody, request.content_type, request.body)
        codes = await factors.confirm(session.member, body.code)
        ticket = await side.sign_in.open(session)
        await side.store.close_sessions_of(session.member.id, keep=ticket.session.id_hash)
        await side.conversations.record("second_factor_on", session.member.agent)
        if session.stage is Stage.ENROL:
            await side.conversations.record("signed_in", session.member.agent, {"second_factor": "enrolled"})
        return opened(ticket, {"recovery_codes": list(codes)})

    async def renew(request: Request, session: Session) -> HTTPResponse:
        body = read_json(CodeBody, request.content_type, request.body)
        await _code_of(session, body.code)
        codes = await factors.renew_codes(session.member)
        await side.conversations.record("recovery_codes_renewed", session.member.agent)
        return answer({"recovery_codes": list(codes)})

    async def remove(request: Request, session: Session) -> HTTPResponse:
        body = read_json(CodeBody, request.content_type, request.body)
        if factors.required_of(session.member.role):
            raise Refused(409, "second_factor_required", "Your role may not sign in without the second step.")
        await _code_of(session, body.code)
        await factors.remove(session.member.id)
        await side.conversations.record("second_factor_off", session.member.agent)
        return answer({})

    async def reset(request: Request, session: Session, staff_id: str) -> HTTPResponse:
        check_id(staff_id, "account")
        if staff_id == session.member.id:
            raise Refused(
                409, "own_second_factor", "Ask another admin, or run `python -m handoff staff reset-second-factor`."
            )
        if await side.store.find(staff_id) is None:
            raise Refused(404, "not_found", "There is no such account. Reload the list.")
        had = await factors.remove(staff_id)
        await side.store.close_sessions_of(staff_id)
        await side.conversations.record("second_factor_reset", session.member.agent, {"staff_id": staff_id, "had": had})
        return answer({})

    async def _same_person(request: Request, session: Session, password: str) -> None:
        if session.way is Way.PROVIDER:  # they may have no password; a moment ago the provider answered for them
            if side.sign_in.now() - session.created_at > _FRESH:
                raise Refused(403, "sign_in_again", "Sign out, sign in again, and set this up within ten minutes.")
            return
        try:
            await side.sign_in.check_password_of(session.member, password, request.client_ip)
        except Refused as error:
            # 401 would say that the session has ended.
            raise Refused(
                403 if error.status == 401 else error.status,
                "wrong_password" if error.status == 401 else error.code,
                "This is not your password. Try again." if error.status == 401 else error.message,
                error.retry_after_seconds,
            ) from None

    async def _note_refusal(session: Session, error: Refused) -> None:
        if error.status != 429:  # a locked account fills no trail
            await side.conversations.record("second_factor_refused", session.member.agent, {"code": error.code})

    async def _code_of(session: Session, code: str) -> None:
        try:
            await factors.check(session.member, code)
        except Refused as error:
            await _note_refusal(session, error)
            if error.status == 401:
                raise Refused(403, error.code, error.message) from None
            raise

    for method, route, handler in (
        ("POST", "sign-in/code", second_step),
        ("GET", "second-factor", state),
        ("POST", "second-factor/begin", begin),
        ("POST", "second-factor/confirm", confirm),
        ("POST", "second-factor/recovery-codes", renew),
        ("POST", "second-factor/remove", remove),
        ("POST", "staff-accounts/<staff_id>/second-factor/reset", reset),
    ):
        guard.add(blueprint, method, route, handler)
