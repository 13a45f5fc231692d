"""Pages and answers that belong to no room: health, published articles, the demo's pages, errors and security headers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import structlog
from sanic import Config, HTTPResponse, Request, Sanic
from sanic import json as json_response
from sanic.exceptions import SanicException
from sanic.response import file, html, redirect

from connectors.webchat.pages import PAGE_POLICY, demo_shop
from conversations.dialogue import RasaDialogue
from conversations.errors import ConversationError
from conversations.model import utc_now
from conversations.store import Database, is_outage
from crm.mailbox_page import mailbox_page
from handoff.staff_side import StaffSide
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.visiting import visit

KB_STYLES = Path(__file__).resolve().parent / "knowledge_base" / "static" / "kb.css"
LARGEST_BODY = 11 * 1024 * 1024  # an upload of 10 MiB and its form
REQUEST_SECONDS = 20  #: for a request to arrive, and one more for each KiB of it
log = structlog.get_logger()
Web = Sanic[Config, SimpleNamespace]


@dataclass(frozen=True)
class Shown:
    """What the pages show, or ask how it does."""

    database: Database
    dialogue: RasaDialogue
    knowledge_base: KnowledgeBase
    staff: StaffSide
    demo_mailbox: Path | None
    stopping: asyncio.Event  #: set once the process was asked to stop


def mount_pages(web: Web, shown: Shown) -> None:
    """Add the routes, the one shape of errors, and the headers of every response."""
    web.config.REQUEST_MAX_SIZE = LARGEST_BODY
    web.config.WEBSOCKET_MAX_SIZE = 64 * 1024
    web.config.FALLBACK_ERROR_FORMAT = "json"
    web.config.ACCESS_LOG = False
    web.config.MOTD = False
    web.config.GRACEFUL_SHUTDOWN_TIMEOUT = 5.0
    web.config.REQUEST_TIMEOUT = REQUEST_SECONDS

    @web.get("/health/live", name="live")
    @web.get("/healthz", name="healthz")
    async def live(_: Request) -> HTTPResponse:
        return json_response({"status": "ok"})

    @web.get("/health/ready", name="ready")
    @web.get("/readyz", name="readyz")
    async def ready(_: Request) -> HTTPResponse:
        if shown.stopping.is_set():  # whoever shares out requests must send none here any more
            return json_response({"status": "stopping"}, status=503)
        database, bots = await answers(shown.database), await shown.dialogue.health()
        fine = database and shown.dialogue.fit(bots)
        # Without articles the desk still takes orders' questions and hands off, so that alone takes no process out.
        knowledge = "ok" if shown.knowledge_base.away is None else "away"
        body = {"status": "ok" if fine else "not ready", "database": database, "bot": bots, "knowledge": knowledge}
        return json_response(body, status=200 if fine else 503)

    @web.get("/kb/<language:str>/<article_id:str>")
    async def article(request: Request, language: str, article_id: str) -> HTTPResponse:
        guard = shown.staff.guard
        staff = await guard.sign_in.find_session(request.cookies.get(guard.cookie), active=False) is not None
        token = str(request.args.get("k", ""))
        seen = visit(shown.knowledge_base, article_id, language, token, utc_now(), staff=staff)
        if seen.location:
            return redirect(seen.location)
        # What one visitor may see must not be kept for the next.
        return html(seen.html, status=seen.status, headers={"cache-control": "private, no-cache"})

    @web.get("/static/kb.css")
    async def article_styles(_: Request) -> HTTPResponse:
        return await file(KB_STYLES)

    if shown.demo_mailbox is not None:
        written = shown.demo_mailbox
        web.blueprint(demo_shop())

        @web.get("/demo/mailbox")
        async def mailbox(_: Request) -> HTTPResponse:
            return html(mailbox_page(written))

    @web.exception(Exception)
    async def explain(request: Request, error: Exception) -> HTTPResponse:
        if isinstance(error, SanicException) and error.status_code < 500:
            return problem(error.status_code, CODES.get(error.status_code, "bad_request"), str(error) or "Bad request.")
        if isinstance(error, SanicException) and error.status_code == 503:
            return problem(503, "unavailable", str(error), retry_after=2)
        if isinstance(error, ConversationError):
            return problem(409, error.code, str(error))
        if is_outage(error):
            log.error("request failed", path=request.path, error=type(error).__name__)
            return problem(
                503, "unavailable", "The desk cannot store anything right now; try again in a moment.", retry_after=2
            )
        log.error("request failed", path=request.path, exc_info=error)
        return problem(500, "internal_error", "Something failed here and was logged; try again in a moment.")

    @web.on_response  # type: ignore[untyped-decorator]
    async def protect(request: Request, response: HTTPResponse) -> None:
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        if shown.staff.guard.secure:
            response.headers.setdefault("strict-transport-security", HSTS)


CODES = {404: "not_found", 405: "method_not_allowed", 408: "too_slow", 413: "too_large", 429: "too_fast"}
HSTS = "max-age=31536000"  #: a year; other names of the same domain are not ours to decide about
SECURITY_HEADERS = {
    "content-security-policy": f"{PAGE_POLICY}; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cross-origin-opener-policy": "same-origin",
}


def problem(status: int, code: str, message: str, retry_after: int | None = None) -> HTTPResponse:
    """The one shape of every error."""
    headers = {"retry-after": str(retry_after)} if retry_after else None
    return json_response({"error": {"code": code, "message": message}}, status=status, headers=headers)


async def answers(database: Database) -> bool:
    """Whether the database takes a read."""
    try:
        async with asyncio.timeout(3), database.read():
            return True
    except Exception as error:
        log.error("database does not answer", error=error)
        return False
