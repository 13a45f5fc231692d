"""A small running desk: the real conversations on SQLite, the staff's side in a Sanic server, and a browser's manners."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from conversations.attachments import Attachments
from conversations.audit import AuditLog
from conversations.audit_store import AuditStore
from conversations.conversations import Conversations
from conversations.errors import DialogueUnavailable
from conversations.hub import LocalHub
from conversations.model import Address, Conversation, HandoffReason, InboundMessage, Message, new_id, utc_now
from conversations.store import Database
from conversations.turn_model import Reply, Thresholds, TurnResult
from conversations.work_leases import WorkLeases
from crm.codes import MailboxCodeSender
from crm.store import SqlCrm
from handoff.assist.assist_side import build_assist
from handoff.learning.inbox_side import open_inbox
from handoff.learning.limit_side import open_limits
from handoff.learning.studio import Studio
from handoff.mount import staff_blueprints
from handoff.prompt_desk import PromptDesk
from handoff.roles import Role
from handoff.routing import Routing
from handoff.sign_in import Passwords, SignIn
from handoff.staff_side import StaffSide
from handoff.store import StaffMember, StaffStore
from handoff.supervising.overview import open_overview
from knowledge_base.articles import Article
from knowledge_base.digests import ConversationDigests
from knowledge_base.generation.faithfulness import FaithfulnessChecker
from knowledge_base.generation.prompt_store import PromptStore
from knowledge_base.generation.translator import open_translator
from knowledge_base.generation.writer import AnswerWriter
from knowledge_base.knowledge_base import Answer, Hit
from learning.limit_book import LimitBook
from learning.limit_desk import LimitDesk
from tests.blank_database import blank_database
from tests.knowledge_base.builders import WordEncoder
from tests.learning.replay_bot import create_tables as create_replay_tables
from tests.learning.replay_bot import open_replaying
from tests.web_apps import forget, new_app

PASSWORD = "correct horse battery"
API = "/staff/api"


class Clock:
    """Real time plus what a test adds to it."""

    def __init__(self) -> None:
        self.added = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.added

    def forward(self, **by: float) -> None:
        self.added += timedelta(**by)


class NoArticles:
    """A knowledge base that holds nothing."""

    gate = 0.5

    async def answer(self, text: str, language: str, gate: float | None = None) -> Answer | None:
        return None

    async def search(self, text: str, language: str | None = None, limit: int = 10) -> list[Hit]:
        return []

    def articles(self) -> list[Article]:
        return []

    def status(self) -> dict[str, Any]:
        return {"articles": 0, "entries": 0}


async def nobody_answers(conversation: Conversation, message: Message) -> TurnResult:
    """A bot that is away."""
    raise DialogueUnavailable("the bot is away")


@dataclass
class Browser:
    """One signed-in browser of a member of staff."""

    member: StaffMember
    http: httpx.AsyncClient
    csrf: str

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.http.get(f"{API}/{path}", params=query)

    async def post(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        headers = {"X-CSRF-Token": self.csrf} | more.pop("headers", {})
        return await self.http.post(f"{API}/{path}", json={} if body is None else body, headers=headers, **more)

    @asynccontextmanager
    async def live(self) -> AsyncIterator[Live]:
        base = str(self.http.base_url).rstrip("/")
        cookie = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        address = base.replace("http", "ws", 1) + f"{API}/live"
        async with connect(address, additional_headers={"Cookie": cookie}, origin=base, max_queue=None) as connection:  # type: ignore[arg-type]
            live = Live(connection)
            yield live


@dataclass
class Live:
    """A live socket that a test reads event by event."""

    connection: ClientConnection

    async def send(self, **frame: Any) -> None:
        await self.connection.send(json.dumps(frame))

    async def next_of_any(self) -> dict[str, Any]:
        """The next event, whatever it is."""
        return dict(json.loads(await self.connection.recv()))

    async def next(self, kind: str, seconds: float = 5.0, **where: Any) -> dict[str, Any]:
        """The next event of a kind whose fields are as given; others are skipped."""
        async with asyncio.timeout(seconds):
            while True:
                event = json.loads(await self.connection.recv())
                if event["type"] == kind and all(event.get(name) == value for name, value in where.items()):
                    return dict(event)


class Desk:
    """Everything a test of the staff's side needs."""

    def __init__(
        self, database: Database, side: StaffSide, store: StaffStore, crm: SqlCrm, clock: Clock, base: str
    ) -> None:
        self.database = database
        self.side = side
        self.store = store
        self.crm = crm
        self.clock = clock
        self.base = base
        self.conversations = side.conversations
        self._open: list[httpx.AsyncClient] = []

    def client(self, **more: Any) -> httpx.AsyncClient:
        client = httpx.AsyncClient(base_url=self.base, timeout=60, **more)
        self._open.append(client)
        return client

    async def hire(self, name: str, role: Role = Role.AGENT) -> StaffMember:
        email = f"{name.lower().replace(' ', '.')}@kite.example"
        hashed = await self.side.sign_in.passwords.hash(PASSWORD)
        return await self.store.add(email, name, role, hashed, ("zh", "en"), utc_now())

    async def browser(self, name: str, role: Role = Role.AGENT) -> Browser:
        """Somebody new at the desk, signed in."""
        return await self.sign_in(await self.hire(name, role))

    async def sign_in(self, member: StaffMember) -> Browser:
        client = self.client()
        response = await client.post(f"{API}/sign-in", json={"email": member.email, "password": PASSWORD})
        assert response.status_code == 200, response.text
        return Browser(member, client, response.json()["csrf"])

    async def contact_writes(self, text: str = "hello", contact: str = "lin", **more: Any) -> str:
        """A contact writes to the bot; returns the conversation's id."""
        address = Address("web", "default", contact)
        receipt = await self.conversations.receive(InboundMessage(address, new_id(), text, **more))
        return receipt.conversation_id

    async def bot_answers(self, *replies: Reply) -> None:
        """The bot takes every turn that is due and says the same in each."""
        for claim in await self.conversations.claim_turns(10):
            trace = {"language": "zh", "intent": "handoff", "confidence": 0.97, "route": "handoff"}
            await self.conversations.commit_turn(claim, TurnResult(replies, trace), self.clock(), go_on=False)

    async def queued(
        self, text: str = "转人工", contact: str = "lin", name: str | None = "Lin Mei", customer_id: str | None = None
    ) -> str:
        """A conversation that waits for an agent."""
        conversation_id = await self.contact_writes(text, contact, contact_name=name, language="zh")
        reason = HandoffReason.ASKED_FOR_PERSON.value
        await self.bot_answers(Reply("好的，马上为您转接。", handoff=reason, customer_id=customer_id))
        return conversation_id

    async def assigned_to(self, browser: Browser, contact: str = "lin") -> str:
        conversation_id = await self.queued(contact=contact)
        response = await browser.post(f"conversations/{conversation_id}/accept")
        assert response.status_code == 200, response.text
        return conversation_id

    async def audited(self, kind: str) -> list[dict[str, Any]]:
        """The audit entries of a kind, oldest first."""
        async with self.database.read() as connection:
            bodies = [json.loads(row.body) async for row in AuditStore(connection).entries()]
        return [body for body in bodies if body["kind"] == kind]

    async def contact_sees(self, contact: str = "lin") -> list[str]:
        return [message.text for message in await self.conversations.transcript(Address("web", "default", contact))]

    async def close(self) -> None:
        for client in self._open:
            await client.aclose()


def limits_of(conversations: Conversations, dialogue: Any, nlu_data: Path, articles: Any) -> LimitDesk:
    """The thresholds of a desk whose settings name a gate and leave the rest to the model."""
    own = {language: Thresholds(None, None, 0.5) for language in ("zh", "en")}
    book = LimitBook(conversations.database, conversations.audit, own, now=conversations.now)
    return open_limits(conversations, WorkLeases(conversations.database), book, dialogue, nlu_data, articles)


@asynccontextmanager
async def open_desk(folder: Path, **options: Any) -> AsyncIterator[Desk]:
    """A desk on a free port of this machine, closed at the end."""
    clock = Clock()
    database = await blank_database(folder)
    store = StaffStore(database)
    crm = SqlCrm(database.engine, MailboxCodeSender(folder / "mailbox.jsonl"), os.urandom(32))
    routing = await Routing.open(database, crm)
    conversations = Conversations(
        database,
        LocalHub(),
        AuditLog(os.urandom(32)),
        now=clock,
        agent_grace_seconds=45,
        open_callback=routing.open_callback,
        surroundings=routing.surroundings,
    )
    listener = socket.create_server(("127.0.0.1", 0))
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    options.setdefault("public_url", base)
    prompts = PromptStore(database.engine)
    await prompts.ensure_defaults()
    knowledge = options.pop("knowledge", None) or NoArticles()
    writer = AnswerWriter(
        options.pop("endpoint", None), prompts, FaithfulnessChecker(WordEncoder(dimensions=512).passages)
    )
    assist, translates = options.pop("assist", None), options.pop("translates", None)
    if assist is not None:
        vectors = assist.sentence_vectors
        digests = await ConversationDigests.open(folder, None, vectors, "use", "test")
        translator = open_translator(translates, vectors)
        options["assist"] = build_assist(
            conversations, crm, digests, assist, options.pop("try_out", nobody_answers), writer, translator=translator
        )
    replay_bot = options.pop("replay_bot", None)
    if replay_bot is not None:
        await create_replay_tables(database)
        options["replaying"] = open_replaying(conversations, replay_bot)[0]
    book, nlu_data = options.pop("book", None), options.pop("nlu_data", folder)
    encode = options.pop("encode", None) or WordEncoder(dimensions=512).passages
    inbox = open_inbox(
        conversations, WorkLeases(database), encode, knowledge, options.pop("understand", nobody_answers), nlu_data, book
    )  # fmt: skip
    limits = options.pop("limits", None) or limits_of(conversations, options.pop("dialogue", None), nlu_data, knowledge)
    parts = {one.name: options.pop(one.name) for one in fields(Studio) if one.name in options}
    side = StaffSide(
        database,
        conversations,
        crm,
        Attachments(database, folder / "files", os.urandom(32)),
        prompts=PromptDesk(prompts, writer, knowledge),
        second_factor_key=options.pop("second_factor_key", None) or os.urandom(32),
        store=store,
        sign_in=SignIn(store, Passwords(memory_kib=64, passes=1), now=clock),
        teams=routing.teams,
        studio=Studio(inbox=inbox, limits=limits, **parts),
        overview=options.pop("overview", None)
        or await open_overview(conversations, WorkLeases(database), "Asia/Shanghai", base, None),
        **options,
    )
    app = new_app(f"desk_{new_id()}")
    app.config.ACCESS_LOG = False
    app.config.MOTD = False
    app.config.TOUCHUP = False  # rewrites classes once per process, which a second app does not survive
    app.config.REQUEST_MAX_SIZE = 12 * 1024 * 1024
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = 0.5
    for blueprint in staff_blueprints(side):
        app.blueprint(blueprint)
    server = await app.create_server(sock=listener, return_asyncio_server=True, access_log=False)
    assert server is not None
    await server.startup()
    await server.start_serving()
    desk = Desk(database, side, store, crm, clock, base)
    try:
        yield desk
    finally:
        await desk.close()
        await side.close()
        await writer.close()
        server.close()
        await server.wait_closed()
        forget(app)
        await database.close()
