"""A desk for the tests of this room: the real conversations on SQLite, a scripted bot, and a server on loopback."""

from __future__ import annotations

import asyncio
import json
import socket
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import httpx
from websockets.asyncio.client import ClientConnection, connect

from connectors.base import Connector, Means
from connectors.channels import Channels, pushed
from connectors.desk import Forms
from connectors.door import Door
from connectors.event_routes import events_api, unsubscribe_page
from connectors.key_limits import KeyLimits
from connectors.rest import FindKey, RestConnector
from connectors.rest_routes import rest_api
from connectors.sole_holder import LEASE_SECONDS
from connectors.speech import Speech
from connectors.typing_signs import TypingSigns
from connectors.unasked_ways import UnaskedWays
from connectors.unreadables import Unreadables
from connectors.webchat.connector import WebchatConnector
from connectors.webchat.pages import demo_shop, widget_file
from connectors.webchat.routes import webchat
from connectors.webchat.site_identity import SiteIdentity
from connectors.webchat.tokens import VisitorTokens
from connectors.webchat.visitors import Visitors
from connectors.webhooks import webhooks
from conversations.attachments import Attachments
from conversations.audit import AuditLog
from conversations.conversations import Conversations
from conversations.engine import Engine
from conversations.episodes import RatingRules
from conversations.hub import LocalHub
from conversations.idempotency_store import IdempotencyKeys
from conversations.json_form import conversation_json, message_json
from conversations.lease_store import LeaseStore
from conversations.model import Agent, InboundMessage, Receipt, utc_now
from conversations.outbox import Outbox
from conversations.proactive import Proactive
from conversations.proactive_aiming import Accounts
from conversations.proactive_catalogue import Catalogue
from conversations.proactive_delivery import ProactiveDelivery
from conversations.proactive_sending import Hours, ProactiveSender
from conversations.store import Database
from conversations.turn_model import Reply, ReplyButton, Thresholds, TurnRequest, TurnResult
from crm.model import normal_contact_point
from tests.blank_database import blank_database
from tests.web_apps import forget, new_app

AGENT = Agent("agent-lin", "Lin")
API_KEY = "key-of-the-tests"
FORMS = Forms(
    lambda message: message_json(message, for_contact=True),
    lambda conversation: conversation_json(conversation, for_contact=True),
)


class Bot:
    """Repeats what it hears; offers a button when asked for one, and a person when asked for one."""

    async def respond(self, request: TurnRequest) -> TurnResult:
        handoff = "asked_for_person" if "person" in request.text else None
        buttons = (ReplyButton("Yes", "/affirm"),) if "button" in request.text else ()
        return TurnResult((Reply(f"you said {request.text}", buttons=buttons, handoff=handoff),), {"language": "en"})


class Responds(Protocol):
    """What takes the bot's turns."""

    async def respond(self, request: TurnRequest) -> TurnResult: ...


class Desk(Conversations):
    """Conversations that can be told to fail, as a full disk would make them."""

    broken = False

    def go_home(self) -> None:
        """From now on nobody is there, until further notice."""
        self._desk = replace(self._desk, is_open=lambda _now: False, contact_point=normal_contact_point)

    async def receive(self, inbound: InboundMessage) -> Receipt:
        if self.broken:
            raise OSError("no space left on device")
        return await super().receive(inbound)


@dataclass
class Server:
    """The running server and what the tests reach around it for."""

    url: str
    desk: Desk
    hub: LocalHub
    tokens: VisitorTokens
    http: httpx.AsyncClient
    load: dict[str, bool]
    attachments: Attachments
    connectors: tuple[Connector, ...]  #: those of the test
    outbox: Outbox
    unreadables: Unreadables
    typing: TypingSigns
    proactive: Proactive

    @asynccontextmanager
    async def widget(self, token: str | None = None, after: str | None = None, **hello: Any) -> AsyncIterator[Widget]:
        async with self.socket() as connection:
            widget = Widget(connection)
            await widget.send(type="hello", token=token, language="en", after=after, **hello)
            widget.welcome = await widget.receive()
            yield widget

    def socket(self, **headers: str) -> connect:
        address = f"{self.url.replace('http', 'ws')}/webchat/socket"
        # Without a bound on unread frames the client can always read the end of the connection.
        return connect(address, additional_headers=headers, max_queue=None)


class Widget:
    """The widget's end of a socket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.welcome: dict[str, Any] = {}

    @property
    def token(self) -> str:
        return str(self.welcome["token"])

    async def send(self, **frame: Any) -> None:
        await self.connection.send(json.dumps(frame))

    async def say(self, text: str, client_msg_id: str | None = None, **more: Any) -> str:
        client_msg_id = client_msg_id or uuid.uuid4().hex
        await self.send(type="message", client_msg_id=client_msg_id, text=text, **more)
        return client_msg_id

    async def receive(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(await self.connection.recv())
        return frame

    async def until(self, kind: str) -> dict[str, Any]:
        """The next frame of a kind; others are passed over."""
        for _ in range(100):
            frame = await self.receive()
            if frame["type"] == kind:
                return frame
        raise AssertionError(f"no {kind} among 100 frames")

    async def messages(self, count: int) -> list[dict[str, Any]]:
        """The next messages."""
        return [(await self.until("message"))["message"] for _ in range(count)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def running_server(
    folder: Path,
    connectors: Sequence[Connector] | Callable[[Means], Sequence[Connector]] = (),
    bundle: Path | None = None,
    *,
    bot: Responds | None = None,
    speech: Speech | None = None,
    now: Callable[[], datetime] = utc_now,
    database: Database | None = None,
    lease_seconds: float | None = None,
    site: SiteIdentity | None = None,
    find_key: FindKey | None = None,
    key_limits: KeyLimits | None = None,
) -> AsyncIterator[Server]:
    """The desk with connectors, or with those made of its means; messages of pushed channels go through an outbox.

    Several desks share what they know if each is given a ``database`` of its own at the same place; with ``lease_seconds``
    only one of them holds each connection.
    """
    if database is None:
        database = await blank_database(folder)
    hub = LocalHub()
    at_once = RatingRules(correct_within=timedelta(0))  # a second answer is refused without waiting for ten minutes
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    attachments = Attachments(database, folder / "files", b"secret of the tests", base_url=url)
    rest = RestConnector([API_KEY], find_key=find_key, limits=key_limits)
    made = tuple(
        connectors(Means(url, attachments, now, attachments.signed_url, IdempotencyKeys(database).claim))
        if callable(connectors)
        else connectors
    )
    pushes = pushed((rest, WebchatConnector(hub), *made))
    desk = Desk(database, hub, AuditLog(bytes(32)), pushes=pushes, ratings=at_once)
    unreadables = Unreadables(folder / "unreadable", now)
    # However busy the machine is, a file is fetched; what happens to one that takes too long has a test of its own.
    door = Door(desk, attachments, speech, goes_on=desk.goes_on, fetch_seconds=20, unreadables=unreadables)
    channels = Channels(
        (rest, *made),
        door,
        None if lease_seconds is None else LeaseStore(database),
        first_pause_seconds=0.05,
        lease_seconds=lease_seconds or LEASE_SECONDS,
    )
    typing = TypingSigns(made, hub, bot_seconds=3.0)  # machines of tests are busy
    desk.on_typing = typing.note
    limits = Thresholds(0.6, 0.3, 0.5)
    engine = Engine(desk, bot or Bot(), lambda: {"en": limits, "zh": limits})
    proactive = Proactive(desk, Catalogue.read(None), key=b"k" * 32, public_url=url)
    ways = UnaskedWays((rest, WebchatConnector(hub), *made), channels, now)
    always = Hours(lambda _now: True, lambda now: now)
    telling = ProactiveSender(proactive, ways, Accounts(), always, per_day=5, poll_seconds=0.05)
    deliver = ProactiveDelivery(proactive, ways, always).deliver
    outbox = Outbox(  # retries come soon
        desk, deliver, elsewhere=channels.elsewhere, poll_seconds=0.05, jitter=lambda: 0.02
    )
    tokens = VisitorTokens("secret of the tests, long enough")
    load = {"overloaded": False}
    web = new_app(f"test-{uuid.uuid4().hex}", configure_logging=False)
    web.config.WEBSOCKET_MAX_SIZE = 128 * 1024  # above the limit of the protocol, which must hold by itself
    web.config.REQUEST_MAX_SIZE = 12 * 1024 * 1024
    web.config.GRACEFUL_SHUTDOWN_TIMEOUT = 1.0
    web.config.TOUCHUP = False  # it rewrites Sanic once per process, and here are many servers

    def overloaded() -> bool:
        return load["overloaded"]

    for blueprint in (
        webhooks((rest, *made), channels.door, overloaded),
        rest_api(rest, desk, hub, IdempotencyKeys(database), FORMS, overloaded),
        events_api(rest, proactive, overloaded),
        unsubscribe_page(proactive),
        webchat(
            desk,
            hub,
            Visitors(desk, attachments, FORMS, tokens, site=site),
            attachments,
            url,
            ["https://partner.example"],
            hello_seconds=0.3,
        ),
        widget_file(bundle or folder / "widget.js"),
        demo_shop(),
    ):
        web.blueprint(blueprint)
    server = await web.create_server("127.0.0.1", port, return_asyncio_server=True, access_log=False)
    assert server is not None
    await server.startup()  # type: ignore[no-untyped-call]
    await engine.start()
    await outbox.start()
    await telling.start()
    await server.start_serving()  # type: ignore[no-untyped-call]
    await channels.start(outbox.undelivered, desk.reached)
    async with httpx.AsyncClient(base_url=url, timeout=10) as http:
        yield Server(url, desk, hub, tokens, http, load, attachments, made, outbox, unreadables, typing, proactive)
    if web.websocket_tasks:  # sockets whose client is gone finish their last read
        await asyncio.wait(set(web.websocket_tasks), timeout=2)
    await channels.stop()
    await typing.close()
    server.close()  # type: ignore[no-untyped-call]
    await engine.stop()
    await telling.stop()
    await outbox.stop()
    await channels.close()
    await hub.close()
    await database.close()
    forget(web)
