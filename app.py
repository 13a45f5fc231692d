"""The service: builds every object, wires them, mounts the routes and serves; the only file that knows everybody."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace

import structlog
from sanic import Config, HTTPResponse, Request, Sanic
from sanic import json as json_response
from sanic.exceptions import SanicException
from sanic.response import file, html, redirect

import logs
import settings as desk_settings
from actions import ActionSettings, build_executors
from actions.webhook import build_blueprint as action_route
from connectors.accounts import connectors_of
from connectors.base import Connector, Means
from connectors.channels import Channels, pushed
from connectors.desk import Forms
from connectors.door import Door
from connectors.rest import RestConnector
from connectors.rest_routes import rest_api
from connectors.speech import Speech
from connectors.webchat.connector import WebchatConnector
from connectors.webchat.pages import PAGE_POLICY, demo_shop, widget_file
from connectors.webchat.routes import webchat
from connectors.webchat.tokens import VisitorTokens
from connectors.webchat.visitors import Visitors
from connectors.webhooks import webhooks
from conversations.attachments import Attachments
from conversations.audit import AuditLog
from conversations.audit_check import CHECKPOINTS, Checkpoints, signing_key
from conversations.backlog import Backlog
from conversations.conversations import Conversations
from conversations.dialogue import RasaDialogue
from conversations.engine import Engine, Sweeper
from conversations.episodes import rating_rules
from conversations.errors import ConversationError
from conversations.hours import BusinessHours
from conversations.hub import Hub, LocalHub, RedisHub
from conversations.idempotency_store import IdempotencyKeys
from conversations.json_form import conversation_json, message_json
from conversations.model import utc_now
from conversations.outbox import Outbox
from conversations.signals import Signals
from conversations.store import Database
from conversations.turn_model import Feeling, Thresholds
from crm.codes import MailboxCodeSender, SmtpCodeSender
from crm.mailbox_page import mailbox_page
from crm.store import SqlCrm
from handoff.assist.assist_side import open_assist
from handoff.demo import DemoSignIn, close_demo_staff, ensure_demo_order, ensure_demo_staff
from handoff.mount import staff_blueprints
from handoff.organising.filter_store import FilterStore
from handoff.prompt_desk import PromptDesk
from handoff.routing import Routing
from handoff.sign_in import SignIn
from handoff.staff_side import StaffSide
from handoff.store import StaffStore
from handoff.teams.demo_teams import ensure_demo_teams
from handoff.watching import signals_of
from handoff.writing.demo_writing import ensure_demo_writing
from knowledge_base.generation.endpoint import ChatEndpoint
from knowledge_base.generation.prompt_store import PromptStore
from knowledge_base.generation.prompts import Said
from knowledge_base.generation.writer import MAX_HISTORY, AnswerWriter
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.page_links import PageLinks
from knowledge_base.synonym_book import SynonymBook
from knowledge_base.synonym_store import SynonymStore
from knowledge_base.visiting import visit
from migrations.schema import migrate
from sentiment.reading import sentiment_reader

KB_STYLES = Path(__file__).resolve().parent / "knowledge_base" / "static" / "kb.css"
DEMO_PROMPT_VALUES = {"answer_en": {"shop_name": "Kite Electronics"}, "answer_zh": {"shop_name": "风筝数码"}}
LARGEST_BODY = 11 * 1024 * 1024  # an upload of 10 MiB and its form
log = structlog.get_logger()
Web = Sanic[Config, SimpleNamespace]


@dataclass
class Desk:
    """Everything that runs in one service process."""

    settings: desk_settings.Settings
    database: Database
    hub: Hub
    conversations: Conversations
    dialogue: RasaDialogue
    engine: Engine
    signals: Signals
    outbox: Outbox
    channels: Channels
    sweeper: Sweeper
    backlog: Backlog
    checkpoints: Checkpoints
    knowledge_base: KnowledgeBase
    writer: AnswerWriter
    crm: SqlCrm
    smtp: SmtpCodeSender | None
    mailbox: Path
    staff: StaffSide
    web: Web
    warming: asyncio.Task[int] | None = None
    indexing: asyncio.Task[int] | None = None

    async def start(self) -> None:
        """Begin to work on what is waiting, also from before the last stop."""
        await self.hub.start()
        await self.engine.start()
        await self.outbox.start()
        await self.sweeper.start()
        await self.backlog.start()
        await self.staff.start()
        await self.channels.start(self.outbox.undelivered)
        self.warming = asyncio.create_task(self.knowledge_base.prepare_answers(), name="prepare answers")
        self.indexing = asyncio.create_task(self.conversations.fill_search_index(), name="fill search index")

    async def stop(self) -> None:
        """Finish running turns, write everything down, let go of every resource."""
        for task in (self.warming, self.indexing):
            if task is not None:
                task.cancel()
        await self.channels.stop()
        await self.backlog.stop()
        await self.engine.stop()
        await self.signals.close()
        await self.outbox.stop()
        await self.channels.close()
        await self.sweeper.stop()
        await self.staff.close()
        await self.checkpoints.write_if_due(self.database, at_once=True)
        await self.writer.close()
        await self.knowledge_base.close()
        await self.dialogue.close()
        if self.smtp is not None:
            await self.smtp.close()
        await self.hub.close()
        await self.database.close()


async def build(settings: desk_settings.Settings) -> Desk:
    """Open the database, the index and the encoders, and wire the rooms together."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database.open(settings.database_url)
    await migrate(database.engine)
    knowledge_base = await KnowledgeBase.open(
        settings.data_dir, settings.qdrant_url, settings.encoder, reranker=settings.reranker
    )
    knowledge_base.quoter.links = PageLinks(settings.key_for("article pages"))
    synonyms = SynonymBook(SynonymStore(database.engine), knowledge_base)
    await synonyms.refresh()
    mailbox = settings.data_dir / "demo_mailbox.jsonl"
    smtp = SmtpCodeSender(settings.smtp_url, settings.smtp_from) if settings.smtp_url else None
    crm = SqlCrm(database.engine, smtp or MailboxCodeSender(mailbox), settings.key_for("codes"))
    hub: Hub = RedisHub(settings.redis_url) if settings.redis_url else LocalHub()
    hours = BusinessHours.parse(settings.business_hours)
    routing = await Routing.open(database, crm)
    rest = RestConnector(settings.rest_api_keys)
    files = settings.data_dir / "files"
    attachments = Attachments(database, files, settings.key_for("file links"), base_url=settings.public_url)
    accounts = desk_settings.read_channels(settings.channels_file)
    others = connectors_of(accounts, Means(settings.public_url, attachments, utc_now, attachments.signed_url))
    connectors: Sequence[Connector] = (WebchatConnector(hub), rest, *others)
    conversations = Conversations(
        database,
        hub,
        AuditLog(settings.key_for("audit")),
        is_open=hours.is_open,
        opens_at=hours.opens_at,
        open_callback=routing.open_callback,
        surroundings=routing.surroundings,
        pushes=pushed(connectors),
        agent_grace_seconds=settings.grace_seconds,
        recall_seconds=settings.recall_seconds,
        ratings=rating_rules(settings.ask_nps, settings.ask_rating_when_idle, settings.rating_hours),
    )
    dialogue = RasaDialogue(settings.bot_urls, settings.bot_secret)
    gate = settings.retrieval_gate or knowledge_base.gate
    limits = Thresholds(settings.answer_threshold, settings.clarify_threshold, gate)
    endpoint = None
    if settings.llm_url and settings.llm_model:
        seconds = settings.llm_timeout_seconds
        endpoint = ChatEndpoint(settings.llm_url, settings.llm_model, settings.llm_key, timeout_seconds=seconds)
    signals = signals_of(conversations, crm, endpoint, sentiment_reader(settings.data_dir / "sentiment", Feeling))
    engine = Engine(
        conversations,
        dialogue,
        lambda: {"zh": limits, "en": limits},
        workers=settings.concurrent_turns,
        audiences=settings.audiences_of,
        products_in=lambda text: [asdict(name) for name in synonyms.rules.products_in(text)],
        signals=signals,
    )
    channels = Channels(connectors, Door(conversations, attachments, Speech.at(*settings.speech)))
    backlog = Backlog(database)
    checkpoints = Checkpoints(settings.data_dir / CHECKPOINTS, signing_key(settings.data_dir), utc_now)
    sweeper = Sweeper(
        conversations,
        checkpoint=lambda: checkpoints.write_if_due(database),
        daily=crm.purge,
        refresh=lambda: asyncio.gather(synonyms.refresh(), routing.teams.refresh()),
    )
    staff_store = StaffStore(database)
    sign_in = SignIn(staff_store)
    demo_sign_ins: Sequence[DemoSignIn] = ()
    if settings.demo:
        demo_sign_ins = await ensure_demo_staff(staff_store, sign_in.passwords, settings.demo_password)
        await ensure_demo_teams(routing.teams, staff_store)
        await ensure_demo_order(staff_store, FilterStore(database), conversations)
    else:
        await close_demo_staff(staff_store)
    prompts = PromptStore(database.engine)
    await prompts.ensure_defaults(DEMO_PROMPT_VALUES if settings.demo else None)

    async def said_before(conversation_id: str, message_id: str) -> list[Said]:
        said = await conversations.said_before(conversation_id, message_id, MAX_HISTORY)
        return [Said(one.author.value, one.text) for one in said]

    writer = await AnswerWriter.open(endpoint, prompts, knowledge_base.sentence_vectors, said_before)
    assist = await open_assist(
        conversations, crm, knowledge_base, settings.data_dir, settings.qdrant_url, engine.try_out, writer,
        endpoint if settings.translation else None, settings.audiences_of, limits.retrieval,
    )  # fmt: skip
    staff = StaffSide(
        database,
        conversations,
        crm,
        attachments,
        settings.public_url,
        prompts=PromptDesk(prompts, writer, knowledge_base, limits.retrieval),
        store=staff_store,
        sign_in=sign_in,
        demo_sign_ins=demo_sign_ins,
        knowledge_status=knowledge_base.status,
        synonyms=synonyms,
        teams=routing.teams,
        labels_by_agents=settings.labels_by_agents,
        time_zone=settings.time_zone,
        rules=signals.book,
        assist=assist,
    )
    if settings.demo:
        await ensure_demo_writing(staff)
    desk = Desk(
        settings, database, hub, conversations, dialogue, engine, signals, Outbox(conversations, channels.deliver),
        channels, sweeper, backlog, checkpoints, knowledge_base, writer, crm, smtp, mailbox, staff, Sanic("frontdesk", configure_logging=False),
    )  # fmt: skip
    forms = Forms(
        lambda message: message_json(message, for_contact=True),
        lambda conversation: conversation_json(conversation, for_contact=True),
    )
    visitors = Visitors(conversations, attachments, forms, VisitorTokens(settings.secret_key), elsewhere=bool(others))
    act = ActionSettings(knowledge_base.gate)
    executor, dry_executor = build_executors(crm, knowledge_base, act, writer if writer.configured else None)
    for blueprint in (
        webhooks(connectors, channels.door, backlog.full),
        rest_api(rest, conversations, hub, IdempotencyKeys(database), forms, backlog.full),
        webchat(conversations, hub, visitors, attachments, settings.public_url, settings.allowed_origins),
        widget_file(),
        action_route(executor, settings.action_secret, dry_executor),
        *staff_blueprints(staff),
    ):
        desk.web.blueprint(blueprint)
    mount_pages(desk)
    return desk


def mount_pages(desk: Desk) -> None:
    """Routes that belong to no room: health, articles, the demo's pages, errors and security headers."""
    web = desk.web
    web.config.REQUEST_MAX_SIZE = LARGEST_BODY
    web.config.WEBSOCKET_MAX_SIZE = 64 * 1024
    web.config.FALLBACK_ERROR_FORMAT = "json"
    web.config.ACCESS_LOG = False
    web.config.MOTD = False
    web.config.GRACEFUL_SHUTDOWN_TIMEOUT = 5.0

    @web.get("/health/live")
    async def live(_: Request) -> HTTPResponse:
        return json_response({"status": "ok"})

    @web.get("/health/ready")
    async def ready(_: Request) -> HTTPResponse:
        parts = {"database": await answers(desk.database), "bot": await desk.dialogue.health()}
        fine = all(parts.values())
        return json_response({"status": "ok" if fine else "not ready", **parts}, status=200 if fine else 503)

    @web.get("/kb/<language:str>/<article_id:str>")
    async def article(request: Request, language: str, article_id: str) -> HTTPResponse:
        guard = desk.staff.guard
        staff = await guard.sign_in.find_session(request.cookies.get(guard.cookie), active=False) is not None
        token = str(request.args.get("k", ""))
        seen = visit(desk.knowledge_base, article_id, language, token, utc_now(), staff=staff)
        if seen.location:
            return redirect(seen.location)
        # What one visitor may see must not be kept for the next.
        return html(seen.html, status=seen.status, headers={"cache-control": "private, no-cache"})

    @web.get("/static/kb.css")
    async def article_styles(_: Request) -> HTTPResponse:
        return await file(KB_STYLES)

    if desk.settings.demo:
        web.blueprint(demo_shop())

        @web.get("/demo/mailbox")
        async def mailbox(_: Request) -> HTTPResponse:
            return html(mailbox_page(desk.mailbox))

    @web.exception(Exception)
    async def explain(request: Request, error: Exception) -> HTTPResponse:
        if isinstance(error, SanicException) and error.status_code < 500:
            return problem(error.status_code, CODES.get(error.status_code, "bad_request"), str(error) or "Bad request.")
        if isinstance(error, SanicException) and error.status_code == 503:
            return problem(503, "unavailable", str(error), retry_after=2)
        if isinstance(error, ConversationError):
            return problem(409, error.code, str(error))
        log.error("request failed", path=request.path, exc_info=error)
        return problem(500, "internal_error", "Something failed here and was logged; try again in a moment.")

    @web.on_response  # type: ignore[untyped-decorator]
    async def protect(request: Request, response: HTTPResponse) -> None:
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)


CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 429: "too_fast"}
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
        log.error("database does not answer", error=str(error))
        return False


async def serve(settings: desk_settings.Settings) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is running."""
    desk = await build(settings)
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    server = await desk.web.create_server(settings.host, settings.port, return_asyncio_server=True)
    assert server is not None, "create_server returns the server when asked to"
    await server.startup()  # type: ignore[no-untyped-call]
    await server.before_start()  # type: ignore[no-untyped-call]
    await desk.start()
    await server.start_serving()  # type: ignore[no-untyped-call]
    await server.after_start()  # type: ignore[no-untyped-call]
    # What is loaded stays; looking through it for garbage would hold up turns for tenths of a second.
    gc.collect()
    gc.freeze()
    log.info("serving", url=settings.public_url)
    await stopping.wait()
    log.info("stopping")
    await server.before_stop()  # type: ignore[no-untyped-call]
    server.close()  # type: ignore[no-untyped-call]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(20):
            await desk.stop()
    await server.after_stop()  # type: ignore[no-untyped-call]
    log.info("stopped")


def main() -> None:
    """Read the settings and serve."""
    settings = desk_settings.load()
    logs.as_json(settings.log_level)
    asyncio.run(serve(settings))


if __name__ == "__main__":
    main()
