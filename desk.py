"""Everything that runs in one service process, started in order and stopped the other way round."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import structlog

import failpoints
import settings as desk_settings
from connectors.base import Connector
from connectors.channels import Channels
from connectors.event_webhook import EventWebhook
from connectors.shared_buckets import SharedBuckets
from connectors.typing_signs import TypingSigns
from connectors.webchat.visitors import Visitors
from conversations.attachments import Attachments
from conversations.audit_check import Checkpoints
from conversations.backlog import Backlog
from conversations.channel_health import ChannelHealth
from conversations.dialogue import RasaDialogue
from conversations.engine import Engine
from conversations.erased_elsewhere import ErasedElsewhere
from conversations.export import Exporter, Sink
from conversations.export_sinks import stream_at
from conversations.hours import BusinessHours
from conversations.hub import LocalHub
from conversations.key_rotation import KeyRotation
from conversations.lease_store import LeaseStore
from conversations.living import Living
from conversations.outbox import Outbox
from conversations.proactive_sending import ProactiveSender
from conversations.signals import Signals
from conversations.store import Database
from conversations.sweeper import Sweeper
from conversations.work_leases import WorkLeases
from crm.codes import SmtpCodeSender
from crm.store import SqlCrm
from handoff.access.identity_store import IdentityStore
from handoff.access.oidc_provider import Client, Provider
from handoff.access.oidc_sign_in import ProviderSignIn, Rules
from handoff.access.provider_routes import CALLBACK, SIGNED_OUT
from handoff.guard import API
from handoff.roles import Role
from handoff.sign_in import SignIn
from handoff.staff_side import StaffSide
from handoff.store import StaffStore
from knowledge_base.generation.writer import AnswerWriter
from knowledge_base.knowledge_base import KnowledgeBase
from monitoring.state import State
from monitoring.watchers import WatchedConversations, Watchers
from pages import Web
from personal_data.finding import find
from personal_data.masks import Find, masked
from setting_rules import role_claim

log = structlog.get_logger()


@dataclass
class Desk:
    """Everything that runs in one service process."""

    settings: desk_settings.Settings
    database: Database
    hub: LocalHub
    conversations: WatchedConversations
    dialogue: RasaDialogue
    engine: Engine
    signals: Signals
    outbox: Outbox
    telling: ProactiveSender
    channels: Channels
    typing: TypingSigns
    health: ChannelHealth
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
    state: State
    watchers: Watchers
    stopping: asyncio.Event
    erased_elsewhere: ErasedElsewhere
    lock: IO[str] | None = field(default=None, repr=False)  #: None where others use the database too
    exporter: Exporter | None = None
    limits: SharedBuckets | None = None  #: counted together with other service processes
    living: Living | None = None  #: only where several processes share the database
    following: asyncio.Task[None] | None = None
    warming: asyncio.Task[int] | None = None
    indexing: asyncio.Task[int] | None = None
    sealing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to work on what is waiting, also from before the last stop."""
        await self.hub.start()
        await self.erased_elsewhere.start()
        if self.lock is not None:  # nobody else can be at work on this database
            await self.conversations.recover()
            failpoints.reach("after_recovery")
        if self.living is not None:
            await self.living.start()
        await self.engine.start()
        await self.outbox.start()
        await self.telling.start()
        await self.sweeper.start()
        await self.backlog.start()
        await self.staff.start()
        await self.health.start((one.channel, one.account) for one in self.channels.connectors)
        await self.channels.start(self.outbox.undelivered, self.conversations.reached)
        await self.state.start()
        if self.exporter is not None:
            await self.exporter.start()
        self.warming = asyncio.create_task(self.knowledge_base.prepare_answers(), name="prepare answers")
        self.indexing = asyncio.create_task(self.conversations.fill_search_index(), name="fill search index")
        self.sealing = asyncio.create_task(self._seal_older(), name="seal older values")

    async def stop(self) -> None:
        """Finish running turns, write everything down, let go of every resource."""
        for task in (self.warming, self.indexing, self.sealing, self.following):
            if task is not None:
                task.cancel()
        if self.exporter is not None:
            await self.exporter.stop()
        await self.channels.stop()
        await self.typing.close()
        await self.backlog.stop()
        await self.erased_elsewhere.stop()
        failpoints.reach("during_drain")
        await self.engine.stop()
        await self.signals.close()
        await self.telling.stop()
        await self.outbox.stop()
        await self.channels.close()
        await self.health.stop()
        await self.sweeper.stop()
        await self.staff.close()
        await self.checkpoints.write_if_due(self.database, at_once=True)
        await self.writer.close()
        await self.knowledge_base.close()
        await self.dialogue.close()
        if self.smtp is not None:
            await self.smtp.close()
        if self.living is not None:
            await self.living.stop()
        await self.hub.close()
        if self.limits is not None:
            await self.limits.close()
        await self.state.stop()
        await self.watchers.spans.close()
        await self.database.close()
        if self.lock is not None:
            self.lock.close()

    async def _seal_older(self) -> None:
        await KeyRotation(self.database).seal_older()
        await self.staff.attachments.seal_older()


async def erase_again(conversations: WatchedConversations, attachments: Attachments) -> None:
    """Repeat what was erased after the backup was made from which this database may come."""
    assert conversations.erasure_ledger is not None
    again = await conversations.erase_again(await asyncio.to_thread(conversations.erasure_ledger.read))
    for erasure in again:
        for file in erasure.files:
            await attachments.remove(file)
    if again:
        log.warning("contacts were erased again: this database is older than their erasure", erasures=len(again))


def provider_sign_in_of(
    settings: desk_settings.Settings, database: Database, sign_in: SignIn, staff: StaffStore
) -> ProviderSignIn | None:
    """Sign-in with the company's provider, where the settings name one."""
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        return None
    base = settings.public_url.rstrip("/")
    client = Client(
        settings.oidc_issuer,
        settings.oidc_client_id,
        settings.oidc_client_secret,
        settings.oidc_scopes,
        f"{base}{API}/{CALLBACK}",
        f"{base}{SIGNED_OUT}",
    )
    claim, pairs = role_claim(settings.oidc_roles)
    rules = Rules(
        claim,
        tuple((value, Role(role)) for value, role in pairs),
        settings.oidc_provision,
        tuple(filter(None, map(str.strip, settings.oidc_mfa_acr.split(",")))),
        settings.oidc_name_zh,
        settings.oidc_name_en,
    )
    key = settings.key_for("sign-in with a provider")
    return ProviderSignIn(Provider(client), rules, sign_in, staff, IdentityStore(database), key)


def share_limits(url: str | None, sharing: Iterable[Connector | Visitors]) -> SharedBuckets | None:
    """Let what is limited be counted together with the other service processes, where there is a Redis for that."""
    if url is None:
        return None
    buckets = SharedBuckets(url)
    for one in sharing:
        one.share_limits(buckets)
    return buckets


def run_beside(desk: Desk, alone: WorkLeases, finder: Find = find) -> None:
    """Add what runs only where it is set up: the export, and signs of life where several processes share the database."""
    desk.exporter = exporter_of(desk.settings, desk.database, alone, finder)
    if not desk.database.is_sqlite:
        desk.living = Living(LeaseStore(desk.database), alone.holder, desk.conversations.free_turns_of)


def hours_of(name: str, written: str) -> BusinessHours:
    """The hours that a setting names; hours that cannot be read stop the start."""
    try:
        return BusinessHours.parse(written)
    except ValueError as error:
        raise desk_settings.BadSetting(f"Settings stop the start:\n  {name}: {error}") from None


def exporter_of(
    settings: desk_settings.Settings, database: Database, alone: WorkLeases, finder: Find = find
) -> Exporter | None:
    """What carries events to where the settings say; a target that cannot be used stops the start."""
    url = settings.export_url
    if url is None:
        return None
    try:
        posted = url.startswith(("https://", "http://"))
        sink: Sink = EventWebhook(url, settings.export_secret or "") if posted else stream_at(url)
    except ValueError as error:
        raise desk_settings.BadSetting(f"Settings stop the start:\n  {error}") from None
    hide = (lambda text: masked(text, finder=finder).text) if settings.export_masked else str
    return Exporter(database, alone, sink, with_text=settings.export_text, hide=hide)
