"""What the tests of this room are built from: a clock, contacts, a scripted bot, and a desk on a real database."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.audit import AuditLog
from conversations.conversations import Conversations
from conversations.engine import Engine
from conversations.hub import LocalHub
from conversations.model import (
    Address,
    Agent,
    Author,
    Conversation,
    HandoffReason,
    InboundMessage,
    Message,
    Rating,
    Receipt,
)
from conversations.store import Database
from conversations.teams import Roster, Team
from conversations.turn_model import Reply, TurnRequest, TurnResult
from conversations.turns import Claim
from conversations.verbs import Surroundings
from crm.model import normal_contact_point

LIN = Agent("agent-lin", "Lin")
MAX = Agent("agent-max", "Max")
EVE = Agent("agent-eve", "Eve")  # a supervisor
_numbers = itertools.count(1)


def team(id: str = "default", **more: Any) -> Team:
    """A team of everybody, unless told otherwise."""
    names = {"name_zh": f"{id}组", "name_en": id}
    return Team(id, **{**names, **more})


class Clock:
    """Time that moves only when told to, plus a millisecond a look so that nothing happens at once."""

    def __init__(self) -> None:
        self._now = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self._now += timedelta(milliseconds=1)
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class Bot:
    """A dialogue that says what the test scripts, and remembers what it was asked."""

    def __init__(self) -> None:
        self.requests: list[TurnRequest] = []
        self.answer: Callable[[TurnRequest], TurnResult | Exception] = echo
        self.gate: asyncio.Event | None = None  #: when set, answers wait for it

    async def respond(self, request: TurnRequest) -> TurnResult:
        self.requests.append(request)
        if self.gate is not None:
            await self.gate.wait()
        outcome = self.answer(request)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def echo(request: TurnRequest) -> TurnResult:
    return TurnResult((Reply(f"you said {request.text}"),), {"language": "en", "intent": "echo", "confidence": 0.9})


def says(text: str, **more: Any) -> TurnResult:
    return TurnResult((Reply(text, **more),), {"language": "en", "route": "task"})


def hands_off(_request: TurnRequest | None = None) -> TurnResult:
    return says("I'll get someone.", handoff=HandoffReason.ASKED_FOR_PERSON.value)


def address(contact: str = "visitor-1", channel: str = "telegram") -> Address:
    return Address(channel, "default", contact)


def inbound(text: str = "hello", contact: str = "visitor-1", **more: Any) -> InboundMessage:
    external_id = more.pop("external_id", None) or f"external-{next(_numbers)}"
    return InboundMessage(address(contact), external_id, text, **{"language": "en", **more})


class Crash(Exception):
    """The process dies here."""


class CrashingAudit(AuditLog):
    """An audit log at which the next transaction dies, after everything else of it was written."""

    def __init__(self) -> None:
        super().__init__(b"k" * 32)
        self.armed = False

    async def append(self, connection: AsyncConnection, at: datetime, entries: Any) -> None:
        if self.armed:
            self.armed = False
            raise Crash
        await super().append(connection, at, entries)


class TestDesk:
    """Conversations with everything replaceable: clock, hours, the bot."""

    __test__ = False

    def __init__(self, database: Database, clock: Clock, **options: Any) -> None:
        self.database = database
        self.clock = clock
        self.open = True
        self.tickets: list[str] = []
        self.filed: dict[str, tuple[str | None, str]] = {}  #: ticket -> how to reach the contact, what they said
        self.closed: list[str] = []  #: callback tickets that were closed
        self.roster = Roster.plain()
        self.tiers: dict[str, str] = {}
        surroundings = Surroundings(
            lambda: self.roster, self._tier_of, normal_contact_point, self._file_callback, self._close_callback
        )
        self.hub = LocalHub()
        self.bot = Bot()
        self.conversations = Conversations(
            database,
            self.hub,
            options.pop("audit", None) or AuditLog(b"k" * 32),
            now=clock,
            is_open=lambda _now: self.open,
            opens_at=lambda now: now + timedelta(hours=9),
            open_callback=self._open_callback,
            **{"surroundings": surroundings, **options},
        )

    async def _open_callback(self, conversation: Conversation) -> str:
        self.tickets.append(conversation.id)
        return f"TK{100000 + len(self.tickets)}"

    async def _file_callback(self, conversation: Conversation, ticket: str, words: str) -> None:
        self.filed[ticket] = (conversation.contact_point, words)

    async def _close_callback(self, conversation: Conversation, ticket: str) -> bool:
        self.closed.append(ticket)
        return True

    async def _tier_of(self, customer_id: str) -> str:
        return self.tiers[customer_id]

    async def at_the_desk(self, *agents: Agent) -> None:
        """These agents show up, or are still there."""
        for agent in agents:
            await self.conversations.agent_seen(agent.id, agent.name)

    async def get(self, conversation_id: str) -> Conversation:
        return await self.conversations.get_conversation(conversation_id)

    def engine(self, **options: Any) -> Engine:
        quick = {"poll_seconds": 0.02, "first_retry_seconds": 0.001, "drain_seconds": 2.0}
        return Engine(self.conversations, self.bot, lambda: {}, **{**quick, **options})

    async def send(self, text: str = "hello", contact: str = "visitor-1", **more: Any) -> Receipt:
        return await self.conversations.receive(inbound(text, contact, **more))

    async def answer(self, result: TurnResult | None = None) -> None:
        """Let the bot answer everything that is due, without an engine."""
        for claim in await self.conversations.claim_turns(100):
            following: Claim | None = claim
            while following is not None:
                following = await self.conversations.commit_turn(following, result or says("fine"), self.clock())

    async def queued(self, text: str = "a person please", contact: str = "visitor-1") -> str:
        """A conversation that waits for an agent."""
        receipt = await self.send(text, contact)
        await self.answer(hands_off())
        return receipt.conversation_id

    async def assigned(self, agent: Agent = LIN, contact: str = "visitor-1") -> str:
        """A conversation an agent has accepted."""
        conversation_id = await self.queued(contact=contact)
        await self.conversations.assign(conversation_id, agent, over_capacity=True)
        return conversation_id

    async def said(self, conversation_id: str, author: Author | None = None) -> list[str]:
        """The texts of a conversation, of one author or all."""
        messages = await self.conversations.messages(conversation_id)
        return [message.text for message in messages if author is None or message.author is author]

    async def last(self, conversation_id: str) -> Message:
        return (await self.conversations.messages(conversation_id))[-1]


async def until(condition: Callable[[], Coroutine[Any, Any, bool]], seconds: float = 10.0) -> None:
    """Wait until something is so; fails the test if it never is."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110  # what is waited for is in a database
            await asyncio.sleep(0.005)


async def last_rating(conversations: Conversations, conversation_id: str) -> Rating | None:
    """What the contact said last about a conversation, if they did."""
    rated = [one.rating for one in await conversations.episodes(conversation_id) if one.rating is not None]
    return rated[-1] if rated else None
