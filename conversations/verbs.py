"""What the verbs of ``Conversations`` are built on, so that they can live in files of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from conversations.change import Change, Desk
from conversations.contact_model import NOBODYS_TIER, tier_that_counts
from conversations.contact_store import ContactStore
from conversations.hub import Hub
from conversations.listeners import Watcher
from conversations.model import Conversation, Status
from conversations.queueing import is_open, route_of
from conversations.store import Database
from conversations.teams import Roster, Team
from conversations.transcripts import Transcripts
from conversations.turn_model import VersionOf, bots_choice

_CALLBACK_SECONDS = 5.0
_TIER_SECONDS = 1.0
_TIERS_KEPT = 1000
log = structlog.get_logger()


async def _nobody_known(_customer_id: str) -> str:
    return NOBODYS_TIER


def _no_contact_point(_text: str) -> str | None:
    return None


def _nobody_counts(_change: Change) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the routing needs from other rooms, and who counts what happens; the app passes it in.

    ``file_callback`` writes what the contact said, and how to reach them, on the ticket that was promised to them;
    calling it again with more is harmless. ``close_callback`` closes that ticket and says whether it was open; called
    again for the same conversation it says the same.
    """

    roster: Callable[[], Roster] = Roster.plain
    tier_of: Callable[[str], Awaitable[str]] = _nobody_known
    contact_point: Callable[[str], str | None] = _no_contact_point
    file_callback: Callable[[Conversation, str, str], Awaitable[None]] | None = None  #: conversation, ticket, words
    close_callback: Callable[[Conversation, str], Awaitable[bool]] | None = None  #: conversation, ticket
    customer_of: Callable[[str], Awaitable[str | None]] | None = None  #: the one customer with a phone or e-mail
    changed: Callable[[Change], None] = _nobody_counts  #: told of every change that was committed
    version_of: VersionOf = bots_choice  #: the version of the bot's model for a conversation


class Verbs(Transcripts):
    """One transaction per verb, told to the hub after it committed; see ``Conversations``."""

    hub: Hub
    now: Callable[[], datetime]
    routing_wanted: asyncio.Event  #: set when somebody waits or became free
    surroundings: Surroundings
    _desk: Desk
    _grace: timedelta
    _open_callback: Callable[[Conversation], Awaitable[str]] | None

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.routing_wanted = asyncio.Event()
        self.on_outbound: Callable[[], None] | None = None
        self.watcher: Watcher | None = None
        self._tiers: dict[str, str] = {}

    @property
    def desk(self) -> Desk:
        """What a change needs, for those that are made elsewhere and told with ``publish``."""
        return self._desk

    async def publish(self, *changes: Change) -> None:
        """Tell everybody of changes that were committed; the ``news`` of their transaction."""
        for change in changes:
            self.surroundings.changed(change)
            for topic, event in change.events:
                await self.hub.publish(topic, event)
            if change.pushed and self.on_outbound is not None:
                self.on_outbound()
            if change.routable:
                self.routing_wanted.set()
            if change.queued and self.watcher is not None:
                self.watcher.queued(change.conversation.id)

    @asynccontextmanager
    async def _change(self, conversation_id: str) -> AsyncIterator[Change]:
        made: list[Change] = []
        async with self.database.write(news=lambda: self.publish(*made)) as connection:
            made.append(await Change.of(self._desk, connection, conversation_id))
            yield made[0]
            await made[0].save()

    async def _ticket(
        self, conversation_id: str, why: str = "", intent: str | None = None, team: Team | None = None
    ) -> str | None:
        """A callback ticket for a contact who will wait out of hours; opened before the transaction that tells it."""
        conversation = await self.get_conversation(conversation_id)
        await self._know_tier(conversation.customer_id)
        if self._open_callback is None:
            return None
        if team is None:
            async with self.database.read() as connection:
                own = await ContactStore(connection).own_tier(conversation.contact_id)
            tier = tier_that_counts(own, self._tier(conversation.customer_id))
            team = route_of(self._desk, conversation, tier, why, intent, self.now()).team
        if is_open(self._desk, team, self.now()):
            return None
        if conversation.callback_ticket is not None or conversation.status is Status.RESOLVED:
            return conversation.callback_ticket
        try:
            async with asyncio.timeout(_CALLBACK_SECONDS):
                return await self._open_callback(conversation)
        except Exception as error:  # the contact is told something true either way
            log.error("callback_ticket_failed", conversation_id=conversation_id, error=error)
            return None

    def _tier(self, customer_id: str | None) -> str:
        return self._tiers.get(customer_id or "", NOBODYS_TIER)

    async def _know_tier(self, customer_id: str | None) -> None:
        """Ask what a customer is worth before it is needed; a CRM that does not answer keeps nobody waiting."""
        if customer_id is None:
            return
        try:
            async with asyncio.timeout(_TIER_SECONDS):
                self._tiers[customer_id] = await self.surroundings.tier_of(customer_id)
        except Exception as error:
            log.warning("tier_unknown", customer_id=customer_id, error=error)
        while len(self._tiers) > _TIERS_KEPT:
            self._tiers.pop(next(iter(self._tiers)))
