"""DingTalk (钉钉) robots: messages arrive by Stream connections (or signed HTTP), replies go out by session or OpenAPI.

Protocol: open.dingtalk.com, "robots", and open-dingtalk/developerpedia for Stream mode.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal

import structlog
from pydantic import AfterValidator, Field, SecretStr

from connectors.base import (
    AccountSettings,
    Acknowledgement,
    Arrival,
    BadSignature,
    Connector,
    Means,
    Media,
    OutOfTime,
    Receive,
    WebhookRequest,
)
from connectors.dingtalk_api import Api, Endpoints, Throttling
from connectors.dingtalk_messages import Contact, Session, read_json, read_message, read_press
from connectors.dingtalk_replies import (
    MOST_BUTTONS,
    WITHOUT_BUTTONS,
    Part,
    Text,
    card_data,
    for_api,
    for_webhook,
    parts_of,
)
from connectors.dingtalk_stream import CARDS, MESSAGES, Push, Stream, StreamSettings
from connectors.parts import Pace, send_parts
from connectors.rate_limit import RateLimit
from connectors.set_up import SetUp, Webhook
from connectors.unasked import Unasked, Way
from connectors.vendor_calls import is_host_of, vendor_client
from conversations.errors import ConversationError, MessageRejected
from conversations.model import Attachment, OutboundMessage

log = structlog.get_logger()

_WINDOW_SECONDS = 3600
#: Two people may write in the same millisecond, which gives both requests one signature; later it is a replay.
_SAME_MOMENT_SECONDS = 10
_REMEMBERED = 50_000
_MARGIN = timedelta(seconds=60)  # a session that ends so soon is not begun with


_REPLAYED = "this signature came with another message before"
_UNSIGNED_BODIES = {
    "zh": "此机器人以 HTTP 模式接收消息：签名不包含消息正文，截获者可能借此伪造。请改用 Stream 模式（mode: stream）。",
    "en": "This robot takes messages in HTTP mode, whose signatures do not cover the body: whoever reads one may forge "
    "messages with it. Change to mode: stream.",
}


def _not_blank(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().strip():
        raise ValueError("it is empty")
    return secret


class DingTalkSettings(AccountSettings):
    """A robot of an internal application (企业内部应用)."""

    client_id: Annotated[str, Field(min_length=1)]  #: AppKey
    client_secret: Annotated[SecretStr, AfterValidator(_not_blank)]  #: AppSecret
    robot_code: str = ""  #: the client id, if empty: so it is for robots of internal applications
    mode: Literal["stream", "http"] = "stream"
    connections: Annotated[int, Field(ge=1, le=10)] = 2
    buttons: Literal["card", "list"] = "card"
    card_template_id: str = ""  #: an interactive card of your own whose buttons call back; Stream mode only
    api_base: str = "https://api.dingtalk.com"
    media_base: str = "https://oapi.dingtalk.com"
    session_hosts: tuple[str, ...] = ("dingtalk.com",)
    stream_hosts: tuple[str, ...] = ("dingtalk.com",)
    #: Where download links lead; seen in practice, not documented [UNV].
    media_hosts: tuple[str, ...] = ("dingtalk.com", "aliyuncs.com", "alicdn.com")
    #: UTF-8 bytes of one text; 20 000 is said to be the most, 15 000 with its JSON in groups [UNV, 2nd].
    text_limit: Annotated[int, Field(ge=100, le=15_000)] = 5_000
    messages_per_second: Annotated[int, Field(ge=1)] = 20  #: of the whole robot [UNV]
    messages_per_minute_to_one: Annotated[int, Field(ge=1)] = 20  #: custom robots: 20 a minute in a group [2nd]
    #: Codes that mean "too fast" [2nd: error lists of other programs and of the older API].
    throttle_codes: tuple[str, ...] = (
        "send.too.fast",
        "send.byToken.tooFast",
        "too.many.group",
        "too.many.people",
        "90002",
        "90006",
        "90018",
    )
    throttle_seconds: float = 10.0
    robot_throttle_codes: tuple[str, ...] = ("90030", "130101")  #: too many from one robot in a group [2nd]
    robot_throttle_seconds: float = 600.0  #: such a robot is silent for ten minutes [2nd]


class DingTalkConnector(Connector):
    """One robot."""

    channel: ClassVar[str] = "dingtalk"
    retries: ClassVar[bool] = False  # a message that is not taken at once is gone
    language: ClassVar[str] = "zh"
    set_up: ClassVar[SetUp] = SetUp(
        page="https://open-dev.dingtalk.com",
        where="应用开发 → 机器人 → 消息接收模式",
        recipient="staff:manager01",
    )
    Settings = DingTalkSettings

    def __init__(self, settings: DingTalkSettings, means: Means) -> None:
        super().__init__(settings.account)
        self.settings = settings
        self._means = means
        self._secret = settings.client_secret.get_secret_value()
        self._http = vendor_client()
        self._api = Api(
            self._http,
            Endpoints(settings.api_base.rstrip("/"), settings.media_base.rstrip("/"), settings.media_hosts),
            Throttling(
                settings.throttle_codes,
                settings.throttle_seconds,
                settings.robot_throttle_codes,
                settings.robot_throttle_seconds,
            ),
            (settings.client_id, self._secret),
            settings.robot_code or settings.client_id,
            means.now,
        )
        self._pace = Pace(
            RateLimit(settings.messages_per_second, 1), RateLimit(settings.messages_per_minute_to_one, 60)
        )
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._signatures: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self.stream: Stream | None = None

    @property
    def warning(self) -> Mapping[str, str] | None:
        """HTTP mode: its signature does not cover the body."""
        return _UNSIGNED_BODIES if self.settings.mode == "http" else None

    @property
    def webhook(self) -> Webhook:
        """Stream connections need none."""
        return "pasted" if self.settings.mode == "http" else "none"

    # --- receiving

    def verify(self, request: WebhookRequest) -> None:
        """The signature covers the time only, so one that comes again with another body is refused."""
        if self.settings.mode != "http":
            raise BadSignature("this account receives by Stream connections, not by webhooks")
        timestamp, sign = request.headers.get("timestamp", ""), request.headers.get("sign", "")
        right = base64.b64encode(
            hmac.digest(self._secret.encode(), f"{timestamp}\n{self._secret}".encode("utf-8", "replace"), "sha256")
        )
        if not hmac.compare_digest(right, sign.encode("utf-8", "replace")):
            raise BadSignature("the sign header does not match")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 15):
            raise BadSignature("the timestamp header is not a time in milliseconds")
        age = self._means.now().timestamp() - int(timestamp) / 1000
        if abs(age) > _WINDOW_SECONDS:
            raise OutOfTime("the timestamp is more than an hour away")
        known = self._signatures.get((timestamp, sign))
        if known is not None and known != _digest(request.body) and abs(age) > _SAME_MOMENT_SECONDS:
            raise BadSignature(_REPLAYED)

    def parse(self, request: WebhookRequest) -> list[Arrival]:
        """The message in a request of HTTP mode."""
        reading = read_message(read_json(request.body), self.address)
        return [] if reading is None else [reading.arrival]

    async def acknowledge(self, request: WebhookRequest, store: Callable[[], Awaitable[None]]) -> Acknowledgement:
        """Store the message; its signature and session link are remembered. A replay raises ``BadSignature``."""
        await self._claim(request)
        reading = read_message(read_json(request.body), self.address)
        if reading is not None:
            self._remember(reading.session)
        await store()
        key = (request.headers.get("timestamp", ""), request.headers.get("sign", ""))
        self._signatures.setdefault(key, _digest(request.body))
        while len(self._signatures) > _REMEMBERED:
            self._signatures.popitem(last=False)
        return Acknowledgement("{}", "application/json")

    async def _claim(self, request: WebhookRequest) -> None:
        """Note a signature where every process sees it, also after a restart."""
        timestamp, sign = request.headers.get("timestamp", ""), request.headers.get("sign", "")
        if self._means.claim is None:
            return
        new = await self._means.claim(f"dingtalk/{self.account}", f"{timestamp} {sign}", _digest(request.body).hex())
        age = self._means.now().timestamp() - int(timestamp) / 1000
        if not new and abs(age) > _SAME_MOMENT_SECONDS:
            raise BadSignature(_REPLAYED)

    async def run(self, receive: Receive) -> None:
        """Hold the Stream connections until cancelled; in HTTP mode there are none."""
        settings = self.settings
        if settings.mode != "stream":
            await asyncio.Event().wait()  # a connection that ends would be opened again and again

        def read(topic: str, data: str) -> Push | None:
            arrival = self._read_push(topic, data)
            if arrival is None:
                return None
            response = WITHOUT_BUTTONS if topic == CARDS else None
            return Push(arrival.message.address.contact, lambda: receive([arrival]), response)

        self.stream = Stream(
            StreamSettings(
                api=settings.api_base.rstrip("/"),
                hosts=settings.stream_hosts,
                client_id=settings.client_id,
                client_secret=self._secret,
                topics=(MESSAGES, CARDS) if settings.card_template_id else (MESSAGES,),
                connections=settings.connections,
                account=self.account,
            ),
            self._http,
            read,
            self._connection_changed,
        )
        await self.stream.run()

    def _connection_changed(self, reason: str | None) -> None:
        if reason is None:
            self.report("connected", "", "")
        elif self.stream is not None and not self.stream.connected:
            self.report("broken", "unavailable", reason)

    def _read_push(self, topic: str, data: str) -> Arrival | None:
        body = read_json(data)
        if topic == CARDS:
            return read_press(body, self.address)
        reading = read_message(body, self.address)
        if reading is None:
            return None
        self._remember(reading.session)
        return reading.arrival

    def _remember(self, session: Session | None) -> None:
        """Keep the link that answers in this chat, if it leads to DingTalk: anything else would be a call for a stranger."""
        if session is None:
            return
        if not is_host_of(session.webhook, self.settings.session_hosts, self.settings.api_base):
            log.warning("dingtalk_session_refused", account=self.account, reason="its host is not in session_hosts")
            return
        self._sessions.pop(session.contact, None)
        self._sessions[session.contact] = session
        if len(self._sessions) > _REMEMBERED:
            self._sessions.popitem(last=False)

    async def fetch(self, media: Media) -> tuple[str, bytes]:
        """Exchange a download code for the file."""
        return media.name or "", await self._api.fetch(media.reference)

    # --- sending

    def way(self, to: str, told: Unasked, now: datetime) -> Way | None:
        """Members of the organisation at any time, others while their last message can be answered; never in a group."""
        contact, session = Contact.read(to), self._sessions.get(to)
        if contact is None or contact.conversation is not None:
            return None
        answerable = session is not None and session.expires_at - now > _MARGIN
        return "free" if contact.staff or answerable else None

    async def send(self, to: str, message: OutboundMessage) -> str:
        """Answer through the session of the contact's last message while it lives, else through the OpenAPI."""
        contact = Contact.read(to)
        if contact is None:
            raise MessageRejected("this is not an address of a DingTalk contact")
        parts = parts_of(
            message,
            limit=self.settings.text_limit,
            buttons=self._most_buttons(contact),
            public_url=self._means.public_url,
        )

        async def send_one(place: int, part: Part) -> str:
            await self._pace.take(contact.conversation or contact.user)
            if isinstance(part, Attachment):
                return await self._send_file(contact, part)
            return await self._send_text(to, contact, part, f"{message.outbox_id}-{place}", first=place == 0)

        return await send_parts(message, parts, send_one)

    def _most_buttons(self, contact: Contact) -> int:
        if self.settings.card_template_id and contact.staff:
            return 20  # a template shows as many as it has room for
        # In a group, what a button says would not mention the robot, and so never reach it.
        return 0 if self.settings.buttons == "list" or contact.conversation is not None else MOST_BUTTONS

    async def _send_text(self, to: str, contact: Contact, part: Text, track_id: str, *, first: bool) -> str:
        if part.buttons and self.settings.card_template_id and contact.staff:
            return await self._api.send_card(contact, self.settings.card_template_id, track_id, card_data(part))
        in_group = contact.conversation is not None and first
        session = self._sessions.get(to)
        # Who forges a request of HTTP mode could send answers to a chat of their own by such a link.
        trusted = self.settings.mode == "stream" or not contact.staff
        if session is not None and trusted and session.expires_at - self._means.now() > _MARGIN:
            body = for_webhook(part, contact.user if in_group and contact.staff else None)
            if await self._api.post_session(session.webhook, body):
                return track_id
            self._sessions.pop(to, None)
        key, values = for_api(part, session.name if in_group and session is not None else "")
        return await self._api.send(contact, key, values) or track_id

    async def _send_file(self, contact: Contact, file: Attachment) -> str:
        try:
            stored, content = await self._means.files.content(file.id)
        except ConversationError as error:
            raise MessageRejected(f"the file {file.name} is gone") from error
        key, values = await self._api.file_message(stored, content)
        return await self._api.send(contact, key, json.dumps(values, ensure_ascii=False)) or file.id

    async def check(self) -> str:
        """Have a new token made; raises a ``SendError``."""
        await self._api.prove()
        return self.settings.client_id

    async def close(self) -> None:
        """Close the connections to the API."""
        await self._http.aclose()


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()
