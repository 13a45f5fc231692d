"""The gate every staff route passes: origin, session, CSRF token, role; and the one place where failures become JSON.

A route that ``handoff/roles.py`` does not know cannot be added.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog
from sanic import Blueprint, Request
from sanic.exceptions import SanicException
from sanic.response import HTTPResponse, JSONResponse, json

from conversations.errors import (
    AlreadyAssigned,
    AlreadyMerged,
    AlreadyRated,
    AnsweredMeanwhile,
    AtCapacity,
    ConversationError,
    FileRefused,
    IllegalTransition,
    InvalidField,
    InvalidMessage,
    NotAssigned,
    NotFound,
    NotYours,
    TooLate,
)
from conversations.store import is_outage
from handoff.access.sight_book import SightBook
from handoff.errors import Refused
from handoff.roles import ENROLLING, POLICY, PUBLIC, allowed
from handoff.sign_in import SignIn, csrf_fits
from handoff.store import Session, Stage
from handoff.veil import Veil

API = "/staff/api"
PLAIN_COOKIE = "frontdesk_session"
SECURE_COOKIE = "__Host-frontdesk"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_LOCAL_ORIGIN = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?")
_EVERY_INTERFACE = "0.0.0.0"  # noqa: S104  # the default address of a service in a container, never one a browser shows
_STATUS: dict[type[ConversationError], int] = {
    NotFound: 404,
    AlreadyAssigned: 409,
    AlreadyMerged: 409,
    NotAssigned: 403,
    IllegalTransition: 409,
    AlreadyRated: 409,
    AnsweredMeanwhile: 409,
    NotYours: 403,
    TooLate: 409,
    InvalidMessage: 400,
    FileRefused: 400,
    InvalidField: 400,
}

#: A handler that has sent its answer bit by bit returns None.
Handler = Callable[..., Coroutine[Any, Any, HTTPResponse | None]]
Handlers = Mapping[tuple[str, str], Handler]  #: by method and route
Result = TypeVar("Result")
_FINISH_SECONDS = 5.0
log = structlog.get_logger()


class Guard:
    """Adds routes to a blueprint so that only the right people reach them."""

    def __init__(self, sign_in: SignIn, public_url: str, sight: SightBook, veil: Veil) -> None:
        self.sign_in = sign_in
        self._sight = sight
        self._veil = veil
        address = urlsplit(public_url)
        self.secure = address.scheme == "https"
        self._origin = f"{address.scheme}://{address.netloc}".lower()
        self._local = address.hostname in {*_LOOPBACK, _EVERY_INTERFACE} and not self.secure
        self.cookie = SECURE_COOKIE if self.secure else PLAIN_COOKIE
        self.handlers: dict[tuple[str, str], Handler] = {}  #: what was let in, for whoever describes it
        self._under_way: set[asyncio.Task[Any]] = set()

    def add(self, blueprint: Blueprint, method: str, route: str, handler: Handler) -> None:
        """Open ``method /staff/api/route``; raises ``LookupError`` when no table knows it or its ids."""
        if (method, route) in PUBLIC:
            wrapped = self._public(handler)
        elif (method, route) in POLICY:
            wrapped = self._guarded(method, route, handler)
        else:
            raise LookupError(f"{method} {route} has no entry in handoff/roles.py, so nobody may use it")
        self.handlers[method, route] = handler
        name = f"{method}_{route}".replace("/", "_").replace("<", "").replace(">", "").replace("-", "_")
        # Said here, Sanic need not read every handler's source for it when the desk starts.
        blueprint.add_route(wrapped, f"/{route}", methods=[method], name=name, error_format="json")

    def check_origin(self, request: Request, *, required: bool = False) -> None:
        """Refuse requests that another site makes with a member's browser; browsers always name the origin of writes."""
        origin = request.headers.get("origin")
        if origin is None:
            if required or request.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
                raise Refused(403, "foreign_origin", "This request came from another site. Open the console itself.")
        elif not self._own(origin.lower(), request.host.lower()):
            raise Refused(
                403, "foreign_origin", f"Open the console at {self._origin}, or set PUBLIC_URL to the address you use."
            )

    def check_transport(self) -> None:
        """Refuse to set a cookie that a network could read."""
        if not self.secure and not self._local:
            raise Refused(
                403, "https_needed", "Signing in needs https. Set PUBLIC_URL to the https address of the desk."
            )

    async def session_of(self, request: Request, *, active: bool = True, enrolling: bool = False) -> Session:
        """The session behind the request's cookie; raises ``Refused``: 401, or 403 while a second factor is missing."""
        stages = (Stage.OPEN, Stage.ENROL)
        session = await self.sign_in.find_session(request.cookies.get(self.cookie), active=active, stages=stages)
        if session is None:
            raise Refused(401, "signed_out", "Your session has ended. Sign in again.")
        if session.stage is Stage.ENROL and not enrolling:
            raise Refused(403, "second_factor_needed", "Set up two-step sign-in first; your role needs it.")
        return session

    def set_cookie(self, response: HTTPResponse, token: str) -> None:
        """Give the browser its session, or take it away with an empty token."""
        response.add_cookie(
            self.cookie,
            token,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="Lax",
            max_age=None if token else 0,
        )

    async def carry_out(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do something whole, also when the server stops who waits for it: it does when a browser goes away."""
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    async def finish(self) -> None:
        """Wait a few seconds for what is being carried out; the desk must come to its end."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=_FINISH_SECONDS)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # nobody may be there any more to hear of it

    def _own(self, origin: str, host: str) -> bool:
        if origin == self._origin:
            return True
        return self._local and origin == f"http://{host}" and _LOCAL_ORIGIN.fullmatch(origin) is not None

    def _public(self, handler: Handler) -> Handler:
        async def run(request: Request) -> HTTPResponse | None:
            if request.method == "GET":
                return await handler(request)
            self.check_origin(request)
            return await self.carry_out(handler(request))

        return _answering(run)

    def _guarded(self, method: str, route: str, handler: Handler) -> Handler:
        check_sight = self._sight.check_of(route)

        async def run(request: Request, **path: str) -> HTTPResponse | None:
            if method != "GET":
                self.check_origin(request)
            session = await self.session_of(request, enrolling=(method, route) in ENROLLING)
            if method != "GET" and not csrf_fits(session, request.headers.get("x-csrf-token")):
                raise Refused(403, "csrf", "The X-CSRF-Token header is missing or stale. Reload the console.")
            if not allowed(session.member.role, method, route):
                raise Refused(403, "forbidden", f"The role {session.member.role} may not do this. Ask a supervisor.")
            await check_sight(session.member, path)
            work = handler(request, session, **path)
            response = await (work if method == "GET" else self.carry_out(work))
            if isinstance(response, JSONResponse):
                seen = await self._veil.over(response.raw_body, session.member, method, route, path)
                if seen is not response.raw_body:
                    response.set_body(seen)
            return response

        return _answering(run)


def browser_of(request: Request) -> str:
    """What the browser calls itself, for the list of one's sessions."""
    said = str(request.headers.get("user-agent", ""))
    return said.encode("utf-8", "replace").decode()  # bytes that are no UTF-8 cannot be kept


def answer(data: Any, status: int = 200) -> HTTPResponse:
    """A JSON answer that no cache may keep."""
    return json(data, status=status, headers={"Cache-Control": "no-store"})


def file_headers(name: str) -> dict[str, str]:
    """Of a file that is kept under this name by who asked for it, and by no cache."""
    return {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}


def refused_form(error: ConversationError | Refused) -> dict[str, str]:
    """Why one of several things could not be done, in the shape of every error."""
    form = {"code": error.code, "message": str(error) or (inspect.getdoc(error) or "").split("\n")[0]}
    return form | ({"detail": error.detail} if isinstance(error, AtCapacity | FileRefused) else {})


def refusal(error: Exception) -> HTTPResponse:
    """The JSON answer to a failure; what is not ours to explain is logged and said to be our fault."""
    retry_after: int | None = None
    if isinstance(error, Refused):
        status, code, message, retry_after = error.status, error.code, error.message, error.retry_after_seconds
    elif isinstance(error, ConversationError):
        status, code = _STATUS.get(type(error), 409), error.code
        message = str(error) or (inspect.getdoc(error) or "").split("\n")[0]
    elif isinstance(error, SanicException) and error.status_code < 500:
        status, message = error.status_code, str(error) or "The request cannot be read."
        code = {404: "not_found", 405: "wrong_method", 413: "too_large"}.get(status, "bad_request")
    elif is_outage(error):
        log.error("staff_api_unavailable", error=type(error).__name__)
        status, code, retry_after = 503, "unavailable", 2
        message = "The desk cannot read or store anything right now. Try again in a moment."
    else:
        log.error("staff_api_failed", exc_info=error)
        status, code, message = 500, "internal", "Something failed on our side and was logged. Try again in a moment."
    form: dict[str, Any] = {"code": code, "message": message}
    if isinstance(error, Refused | AtCapacity | FileRefused) and error.detail is not None:
        form["detail"] = error.detail
    response = answer({"error": form}, status)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _answering(run: Handler) -> Handler:
    async def answering(request: Request, **path: str) -> HTTPResponse | None:
        try:
            return await run(request, **path)
        except Exception as error:
            return refusal(error)

    return answering
