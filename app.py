"""The service: builds every object, wires them and mounts the routes; the only file that knows everybody."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import IO
from zoneinfo import ZoneInfo

import structlog
from sanic import Sanic

import data_lock
import failpoints
import logs
import settings as desk_settings
from actions import ActionSettings, build_executors
from actions.webhook import build_blueprint as action_route
from channels_file import read_channels, secrets_of
from connectors.accounts import connectors_of
from connectors.base import Connector, Means
from connectors.channels import Channels, pushed
from connectors.desk import Forms
from connectors.door import Door
from connectors.event_routes import events_api, unsubscribe_page
from connectors.key_limits import KeyLimits
from connectors.overview import Overview
from connectors.rest import RestConnector
from connectors.rest_routes import rest_api
from connectors.signed_posts import SignedPosts
from connectors.speech import Speech
from connectors.typing_signs import TypingSigns
from connectors.unasked_ways import UnaskedWays
from connectors.unreadables import FOLDER as UNREADABLE
from connectors.unreadables import Unreadables
from connectors.webchat.connector import WebchatConnector
from connectors.webchat.pages import widget_file
from connectors.webchat.routes import webchat
from connectors.webchat.site_identity import SiteIdentity
from connectors.webchat.tokens import VisitorTokens
from connectors.webchat.visitors import Visitors
from connectors.webhooks import webhooks
from conversations import soundness
from conversations.attachments import Attachments
from conversations.audit import AuditLog
from conversations.audit_bundle import Bundler
from conversations.audit_check import CHECKPOINTS, PUBLIC_KEY, Checkpoints, signing_key, verifier_of
from conversations.backlog import Backlog
from conversations.channel_health import ChannelHealth
from conversations.dialogue import RasaDialogue
from conversations.engine import Engine
from conversations.episodes import rating_rules
from conversations.erased_elsewhere import ErasedElsewhere
from conversations.erasing import Keepers, Periods
from conversations.erasure_ledger import ErasureLedger
from conversations.hub import LocalHub, RedisHub
from conversations.idempotency_store import IdempotencyKeys
from conversations.json_form import conversation_json, message_json
from conversations.key_rotation import open_keys
from conversations.lease_store import LeaseStore
from conversations.model import utc_now
from conversations.outbox import Outbox
from conversations.proactive import Proactive
from conversations.proactive_catalogue import Catalogue
from conversations.proactive_delivery import ProactiveDelivery
from conversations.proactive_sending import Hours, ProactiveSender
from conversations.store import Database
from conversations.sweeper import Sweeper
from conversations.turn_model import Feeling, Thresholds
from conversations.work_leases import WorkLeases
from crm.codes import MailboxCodeSender, SmtpCodeSender
from crm.store import SqlCrm
from crm.vouching import Vouching
from desk import Desk, erase_again, hours_of, provider_sign_in_of, run_beside, share_limits
from handoff.access.api_keys import ApiKeys
from handoff.assist.assist_side import open_assist
from handoff.channels.channel_desk import ChannelDesk
from handoff.demo_desk import keep_demo_desk
from handoff.learning.studio import open_studio
from handoff.mount import staff_blueprints
from handoff.prompt_desk import PromptDesk
from handoff.routing import Routing
from handoff.shop_accounts import shop_accounts
from handoff.sign_in import SignIn
from handoff.staff_side import StaffSide
from handoff.store import StaffStore
from handoff.supervising.overview import open_overview
from handoff.watching import signals_of
from handoff.writing.demo_writing import ensure_demo_writing
from knowledge_base.generation.masking import OpenCall, masked_call
from knowledge_base.generation.prompt_store import PromptStore
from knowledge_base.generation.prompts import Said
from knowledge_base.generation.writer import MAX_HISTORY, AnswerWriter
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.library import Library
from knowledge_base.library_store import LibraryStore
from knowledge_base.page_links import PageLinks
from knowledge_base.synonym_book import SynonymBook
from knowledge_base.synonym_store import SynonymStore
from knowledge_base.watching import follow
from learning.limit_book import LimitBook
from learning.model_choice import Served
from migrations.schema import migrate
from monitoring.collectors import Collectors
from monitoring.meter import Meter
from monitoring.page import mount_metrics
from monitoring.spans import open_spans
from monitoring.state import Parts, State
from monitoring.watchers import WatchedConversations, WatchedEndpoint, Watchers
from openapi.serving import public_description
from openapi.staff_api import describe_staff_api
from pages import Shown, mount_pages
from personal_data.finding import Finder
from personal_data.names import NameModels
from reporting.posting import NotTaken
from sentiment.reading import sentiment_reader
from serving import serve

DEMO_PROMPT_VALUES = {"answer_en": {"shop_name": "Kite Electronics"}, "answer_zh": {"shop_name": "风筝数码"}}
_DRAIN_TURNS_SECONDS, _DRAIN_DELIVERIES_SECONDS = 14.0, 5.0
log = structlog.get_logger()


async def build(settings: desk_settings.Settings, collectors: Collectors | None = None) -> Desk:
    """Open the database, the index and the encoders, and wire the rooms together."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    lock = data_lock.hold(settings.database_url)
    checked = data_lock.database_file(settings.database_url)
    if checked is not None:
        await soundness.check_file(checked)
    meter = Meter(collectors or Collectors())
    watchers = Watchers(meter, open_spans(settings.otel_exporter_otlp_endpoint, settings.otel_traces_sampler_arg))
    database = Database.open(settings.database_url)
    database.on_commit = meter.committed
    await migrate(database.engine)
    await soundness.check_tail(database, settings.data_dir / CHECKPOINTS, settings.data_dir / PUBLIC_KEY)
    alone = WorkLeases(database)
    # What the first process makes, the next ones find; on SQLite there is only one.
    async with contextlib.nullcontext() if database.is_sqlite else alone.turn("start-up"):
        return await _wired(settings, database, alone, meter, watchers, lock)


async def _wired(
    settings: desk_settings.Settings,
    database: Database,
    alone: WorkLeases,
    meter: Meter,
    watchers: Watchers,
    lock: IO[str] | None,
) -> Desk:
    knowledge_base = await KnowledgeBase.open(
        settings.index_home, settings.qdrant_url, settings.encoder, reranker=settings.reranker, patient=True
    )
    knowledge_base.quoter.links = PageLinks(settings.key_for("article pages"))
    synonyms = SynonymBook(SynonymStore(database.engine), knowledge_base)
    await synonyms.refresh()
    library = Library(LibraryStore(database.engine), knowledge_base)
    await library.refresh()
    mailbox = settings.data_dir / "demo_mailbox.jsonl"
    smtp = SmtpCodeSender(settings.smtp_url, settings.smtp_from) if settings.smtp_url else None
    crm = SqlCrm(database.engine, smtp or MailboxCodeSender(mailbox), settings.key_for("codes"))
    vouching = Vouching(crm, settings.vouched_proof)
    hub: LocalHub = RedisHub(settings.redis_url) if settings.redis_url else LocalHub()
    hours = hours_of("BUSINESS_HOURS", settings.business_hours)
    routing = await Routing.open(database, crm)
    api_keys, files = ApiKeys.of(database), settings.data_dir / "files"
    key_limits = KeyLimits(settings.rest_per_second, settings.rest_wrong_keys)
    rest = RestConnector(settings.rest_api_keys, find_key=api_keys.find, limits=key_limits)
    attachments = Attachments(database, files, settings.key_for("file links"), base_url=settings.public_url)
    accounts = read_channels(settings.channels_file)
    claims, served = IdempotencyKeys(database).claim, Served()
    others = connectors_of(accounts, Means(settings.public_url, attachments, utc_now, attachments.signed_url, claims))
    widget = WebchatConnector(hub)
    connectors: Sequence[Connector] = (widget, rest, *others)
    conversations = WatchedConversations(
        database,
        hub,
        AuditLog(await open_keys(database, settings.wrapping_keys)),
        is_open=hours.is_open,
        opens_at=hours.opens_at,
        open_callback=routing.open_callback,
        surroundings=replace(
            routing.surroundings, customer_of=vouching.of_point, changed=meter.changed, version_of=served.version_of
        ),
        pushes=pushed(connectors),
        agent_grace_seconds=settings.grace_seconds,
        recall_seconds=settings.recall_seconds,
        turn_lease_seconds=settings.turn_lease_seconds,
        process=alone.holder,
        ratings=rating_rules(settings.ask_nps, settings.ask_rating_when_idle, settings.rating_hours),
    )
    conversations.spans = watchers.spans
    database.on_lost = meter.lost(database.on_lost)
    conversations.erasure_ledger = ErasureLedger(settings.erasure_ledger or settings.data_dir / "erasures.jsonl")
    dialogue = RasaDialogue(settings.bot_urls, settings.bot_secret)
    gate = settings.retrieval_gate or knowledge_base.gate
    limits = Thresholds(settings.answer_threshold, settings.clarify_threshold, gate)
    limit_book = LimitBook(database, conversations.audit, {"zh": limits, "en": limits}, now=conversations.now)
    gate_of = partial(limit_book.gate, otherwise=gate)
    finder, endpoint = Finder(NameModels(settings.models_of_names)).find, None
    if settings.llm_url and settings.llm_model:
        endpoint = WatchedEndpoint(
            settings.llm_url, settings.llm_model, settings.llm_key, timeout_seconds=settings.llm_timeout_seconds
        )
        endpoint.calls = partial(masked_call, finder) if settings.mask_prompts else OpenCall
        endpoint.meter = meter
    signals = signals_of(conversations, crm, endpoint, sentiment_reader(settings.data_dir / "sentiment", Feeling))
    engine = Engine(
        conversations,
        watchers.dialogue(dialogue),
        lambda: dict(limit_book),
        workers=settings.concurrent_turns,
        drain_seconds=_DRAIN_TURNS_SECONDS,
        audiences=settings.audiences_of,
        products_in=lambda text: [asdict(name) for name in synonyms.rules.products_in(text)],
        signals=signals,
        watch=watchers.turn,
    )
    unreadables = Unreadables(settings.data_dir / UNREADABLE, utc_now)
    conversations.erases_places.append(unreadables.erase)
    heard = Speech.at(*settings.speech)
    door = Door(conversations, attachments, heard, goes_on=conversations.goes_on, unreadables=unreadables)
    # On SQLite there is one process, which need not wait for itself after a crash.
    leases = None if database.is_sqlite else LeaseStore(database)
    health = ChannelHealth(database)
    channels = Channels(connectors, door, leases, report=health.note)
    typing = TypingSigns(connectors, hub)
    conversations.on_typing = typing.note
    proactive = Proactive(
        conversations,
        Catalogue.read(settings.proactive_file),
        key=settings.key_for("unsubscribe links"),
        public_url=settings.public_url,
    )
    ways = UnaskedWays(connectors, channels, utc_now)
    quiet = hours_of("PROACTIVE_HOURS", settings.proactive_hours or settings.business_hours)
    may_disturb = Hours(quiet.is_open, quiet.opens_at)
    telling = ProactiveSender(proactive, ways, shop_accounts(crm), may_disturb, per_day=settings.proactive_per_day)
    outbox = Outbox(
        conversations,
        watchers.deliver(ProactiveDelivery(proactive, ways, may_disturb).deliver),
        settled=meter.settled,
        elsewhere=channels.elsewhere,
        drain_seconds=_DRAIN_DELIVERIES_SECONDS,
    )
    overview = Overview(channels, settings.public_url, utc_now)
    backlog = Backlog(database)
    signer = signing_key(settings.data_dir)
    checkpoints = Checkpoints(settings.data_dir / CHECKPOINTS, signer, utc_now)
    periods = Periods(**settings.retention)
    sweeper = Sweeper(
        conversations,
        checkpoint=meter.swept(lambda: checkpoints.write_if_due(database)),
        daily=lambda: asyncio.gather(crm.purge(), conversations.forget_what_is_old(periods)),
        refresh=lambda: asyncio.gather(
            synonyms.refresh(), library.refresh(), routing.teams.refresh(), limit_book.refresh()
        ),
    )
    staff_store = StaffStore(database)
    sign_in = SignIn(staff_store, passwords_taken=settings.password_sign_in)
    demo_password = settings.demo_password if settings.demo else None
    demo_sign_ins = await keep_demo_desk(staff_store, sign_in, demo_password, routing.teams, conversations)
    prompts = PromptStore(database.engine)
    await prompts.ensure_defaults(DEMO_PROMPT_VALUES if settings.demo else None)

    async def said_before(conversation_id: str, message_id: str) -> list[Said]:
        said = await conversations.said_before(conversation_id, message_id, MAX_HISTORY)
        return [Said(one.author.value, one.text) for one in said]

    writer = await AnswerWriter.open(endpoint, prompts, knowledge_base.sentence_vectors, said_before)
    assist = await open_assist(
        conversations, crm, knowledge_base, settings.index_home, settings.qdrant_url, engine.try_out, writer,
        endpoint if settings.translation else None, settings.audiences_of, gate_of,
    )  # fmt: skip
    conversations.keepers = Keepers(
        attachments.remove, dialogue.forget, still_indexed=assist.store.any_digests, sign=signer.sign
    )
    studio = await open_studio(
        conversations, alone, dialogue, engine.try_out, library, synonyms, served, limit_book,
        gate_of, settings.nlu_data, settings.data_dir, settings.time_zone,
        (settings.mlflow_tracking_uri, settings.mlflow_tracking_token, settings.mlflow_experiment_name),
    )  # fmt: skip
    posts = SignedPosts(settings.key_for("signed posts"), NotTaken, private=settings.private_webhooks)
    staff = StaffSide(
        database,
        conversations,
        crm,
        attachments,
        settings.public_url,
        prompts=PromptDesk(prompts, writer, knowledge_base, gate_of),
        second_factor_key=settings.key_for("totp"),
        second_factor_required=settings.totp_required,
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
        proactive=proactive,
        channels=ChannelDesk(overview, health, outbox.letters, conversations),
        api_keys=api_keys,
        personal_data=finder,
        studio=studio,
        overview=await open_overview(conversations, alone, settings.time_zone, settings.public_url, smtp, posts),
        verify_audit=verifier_of(settings.database_url, settings.data_dir),
        audit_bundler=Bundler(database, conversations.audit, settings.data_dir),
        provider=provider_sign_in_of(settings, database, sign_in, staff_store),
        describe=describe_staff_api,
    )
    await erase_again(conversations, attachments)
    if settings.demo:
        await ensure_demo_writing(staff)
    state = State(
        Parts(
            database, hub, dialogue.health, checkpoints, lambda: engine.running, settings.concurrent_turns,
            settings.data_dir, knowledge_base.status, staff.overview.reports.lag,
        ),
        meter.collectors,
    )  # fmt: skip
    desk = Desk(
        settings, database, hub, conversations, dialogue, engine, signals, outbox, telling, channels, typing, health,
        sweeper, backlog, checkpoints, knowledge_base, writer, crm, smtp, mailbox, staff,
        Sanic("frontdesk", configure_logging=False), state, watchers, asyncio.Event(),
        ErasedElsewhere(hub, conversations.audit), lock,
    )  # fmt: skip
    run_beside(desk, alone, finder)
    if settings.articles_dir is not None:
        folder = partial(follow, library, settings.articles_dir, ZoneInfo(settings.time_zone))
        # On a Qdrant server one process loads for all; embedded indexes are each filled by their own process.
        once = alone.while_held("articles", folder) if settings.qdrant_url else folder()
        desk.following = asyncio.create_task(once, name="follow articles")
    forms = Forms(
        lambda message: message_json(message, for_contact=True),
        lambda conversation: conversation_json(conversation, for_contact=True),
    )
    site = SiteIdentity(settings.site_identity_key, vouching.of_site_user)
    tokens = VisitorTokens(settings.secret_key)
    visitors = Visitors(
        conversations,
        attachments,
        forms,
        tokens,
        elsewhere=bool(others),
        site=site,
        refused=meter.visitor_refused,
        heard=lambda: widget.report("received", "", ""),
    )
    desk.limits = share_limits(settings.redis_url, (*connectors, visitors))
    act = ActionSettings(knowledge_base.gate)
    asked = watchers.knowledge(knowledge_base)
    executor, dry_executor, sample_executor = build_executors(crm, asked, act, writer if writer.configured else None)
    full = meter.full(backlog.full)
    for blueprint in (
        webhooks(connectors, channels.door, full),
        rest_api(rest, conversations, hub, IdempotencyKeys(database), forms, full),
        events_api(rest, proactive, full),
        unsubscribe_page(proactive),
        public_description(),
        webchat(conversations, hub, visitors, attachments, settings.public_url, settings.allowed_origins),
        widget_file(),
        action_route(executor, settings.action_secret, dry_executor, watchers.action, sample_executor),
        *staff_blueprints(staff),
    ):
        desk.web.blueprint(blueprint)
    shown = Shown(database, dialogue, knowledge_base, staff, mailbox if settings.demo else None, desk.stopping)
    mount_pages(desk.web, shown)
    places = [(connector.channel, connector.account) for connector in connectors]
    meter.prepare(places)
    mount_metrics(desk.web, state, meter.collectors, settings.metrics_token, settings.public_url, places)
    return desk


def main() -> None:
    """Read the settings and serve."""
    settings = desk_settings.load()
    secrets = (*settings.secrets, *secrets_of(read_channels(settings.channels_file)))
    collectors = Collectors()
    logs.as_json(settings.log_level, secrets, lambda level: collectors.log_lines.labels(level).inc())
    armed = failpoints.arm(os.environ.get("FAILPOINTS", ""))
    if armed:
        log.warning("failpoints are armed: this desk is for tests only", points=armed)
    # SQLite gives the interpreter away with every statement: with Python's own 5 ms a burst of messages would wait longer
    # for threads that compute than for the disk.
    sys.setswitchinterval(0.0005)
    asyncio.run(serve(settings, partial(build, settings, collectors)))


if __name__ == "__main__":
    main()
