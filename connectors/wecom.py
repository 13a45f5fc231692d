"""A self-built app of WeCom (企业微信自建应用): encrypted XML in, active messages and button cards out."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import structlog
from pydantic import Field, StringConstraints

from connectors.base import (
    AccountSettings,
    Acknowledgement,
    Arrival,
    BadPayload,
    Connector,
    Means,
    Media,
    WebhookRequest,
)
from connectors.parts import Pace, send_parts
from connectors.rate_limit import RateLimit
from connectors.set_up import SetUp
from connectors.text import language_of
from connectors.wechat_api import TokenCall, VendorApi
from connectors.wechat_callbacks import Callbacks
from connectors.wechat_crypto import EncodingAesKey, Envelope, Token
from connectors.wechat_messages import MAP_URL, arrival_of, content_of, sender_of
from connectors.wechat_xml import write_fields
from connectors.wecom_outgoing import CardRules, Part, parts_for
from conversations.errors import (
    ChannelUnavailable,
    ContactUnreachable,
    ConversationError,
    MessageRejected,
    RateLimited,
    SendError,
)
from conversations.model import OutboundMessage

log = structlog.get_logger()

_REMEMBERED = 10_000

#: Numbers of the vendor's list of global error codes [unverified beyond what the double of the tests checks].
ERRORS: Mapping[int, Callable[[str], SendError]] = {
    -1: ChannelUnavailable,
    40056: lambda words: MessageRejected(f"{words}; check agent_id of the account"),
    45009: lambda words: RateLimited(60),  # too many calls
    45033: lambda words: RateLimited(5),  # too many calls at once
    60011: lambda words: ContactUnreachable(f"{words}; add the member to the app's visible range (可见范围)"),
    60020: lambda words: ChannelUnavailable(
        f"{words}; add this server's address to the app's trusted addresses (企业可信IP)"
    ),
    60111: ContactUnreachable,  # no such member
    81013: ContactUnreachable,  # nobody of those named can get it
    301002: lambda words: MessageRejected(f"{words}; check agent_id and secret of the account"),
}
_CHOSEN = {"zh": "已选择", "en": "Chosen"}


class WecomSettings(AccountSettings):
    """One app of one company."""

    corp_id: Annotated[str, StringConstraints(pattern=r"^\w{6,64}$")]
    agent_id: Annotated[int, Field(ge=0)]
    secret: Annotated[str, StringConstraints(pattern=r"\S")]
    token: Token
    encoding_aes_key: EncodingAesKey
    text_bytes: Annotated[int, Field(ge=100, le=2048)] = (
        2048  #: what is longer the vendor cuts without a word [second-hand]
    )
    per_member_per_minute: Annotated[int, Field(ge=3)] = 30  #: the vendor drops what is more [second-hand]
    per_minute: Annotated[int, Field(ge=1)] = 10_000  #: of the whole company [second-hand]
    duplicate_check_seconds: Annotated[int, Field(ge=0, le=14_400)] = 1800  #: 0: none [second-hand]
    citations: Literal["text", "textcard"] = "text"
    buttons: Literal["card", "numbers"] = "card"
    card_buttons: Annotated[int, Field(ge=1, le=6)] = 6  #: on one card [unverified]
    card_title: Annotated[int, Field(ge=1)] = 20  #: characters of a button [unverified; the vendor recommends 10]
    card_text: Annotated[int, Field(ge=1)] = 112  #: characters on a card [unverified]
    map_url: str = MAP_URL
    api_url: str = "https://qyapi.weixin.qq.com"


class WecomConnector(Connector):
    """One app of one company."""

    Settings: ClassVar[type[AccountSettings]] = WecomSettings
    channel: ClassVar[str] = "wecom"
    retries: ClassVar[bool] = False  # three tries within fifteen seconds, and then never again
    language: ClassVar[str] = "zh"
    set_up: ClassVar[SetUp] = SetUp(
        page="https://work.weixin.qq.com/wework_admin",
        where="应用管理 → 自建 → 接收消息 → 设置API接收",
        enter={"Token": "token", "EncodingAESKey": "encoding_aes_key"},
        recipient="zhangsan",
    )

    def __init__(self, settings: WecomSettings, means: Means) -> None:
        super().__init__(settings.account)
        self._settings = settings
        self._means = means
        envelope = Envelope(settings.encoding_aes_key, settings.corp_id)
        self._callbacks = Callbacks(settings.token, envelope, means.now)
        secrets = {"corpid": settings.corp_id, "corpsecret": settings.secret}
        self._api = VendorApi(settings.api_url, TokenCall("/cgi-bin/gettoken", secrets), ERRORS, means.now)

        def clock() -> float:
            return means.now().timestamp()

        # The vendor counts any sixty seconds: a burst and what flows back within a minute stay below it together.
        most = settings.per_member_per_minute
        burst = max(1, most // 3)
        to_one = RateLimit(burst, 60 * burst / (most - burst), clock)
        together = max(1, settings.per_minute // 3)
        everyone = RateLimit(together, 60 * together / max(1, settings.per_minute - together), clock)
        self._pace = Pace(everyone, to_one)
        self._said: OrderedDict[tuple[str, bytes], tuple[str, float]] = OrderedDict()
        self._uploaded: OrderedDict[str, str] = OrderedDict()
        self._chosen: OrderedDict[str, str] = OrderedDict()  # what the card says after a press
        self._updates: set[asyncio.Task[None]] = set()

    def verify(self, request: WebhookRequest) -> None:
        """Raise ``BadSignature`` unless the vendor encrypted the request for this company within five minutes."""
        self._callbacks.verify(request)

    def challenge(self, request: WebhookRequest) -> str | None:
        """The handshake when the address is saved on the vendor's page; raises ``BadSignature``."""
        return self._callbacks.encrypted_echo(request)

    def parse(self, request: WebhookRequest) -> list[Arrival]:
        """The message or press of a button in a push; raises ``BadPayload``."""
        fields = self._fields(request)
        sender = sender_of(fields)
        address = self.address(sender)
        if fields.get("MsgType") == "event":
            if self._pressed(fields):
                pressed = arrival_of(fields, address, text="", button_id=fields["EventKey"], name=sender)
                task = fields.get("TaskId", "")
                if not 0 < len(task) <= 128:
                    return [pressed]
                # A press has no id of its own; the same button of a card counts once, also if it could be pressed again.
                named = hashlib.sha256("\x00".join((task, sender, fields["EventKey"])).encode("utf-8", "replace"))
                return [replace(pressed, message=replace(pressed.message, external_id=f"press-{named.hexdigest()}"))]
            if fields.get("Event", "").lower() == "click" and fields.get("EventKey"):
                return [arrival_of(fields, address, text=fields["EventKey"], name=sender)]
            return []
        content = content_of(fields, self._settings.map_url)
        if content is None:
            return []
        text, media = content
        return [arrival_of(fields, address, text=text, media=media, name=sender)]

    async def acknowledge(self, request: WebhookRequest, store: Callable[[], Awaitable[None]]) -> Acknowledgement:
        """Store the message; the answer is empty, or marks the button that was pressed as chosen."""
        await store()
        fields = self._fields(request)
        if not self._pressed(fields):
            return Acknowledgement("")
        update: Mapping[str, str | int | Mapping[str, str]] = {
            "ToUserName": sender_of(fields),
            "FromUserName": self._settings.corp_id,
            "CreateTime": int(self._means.now().timestamp()),
            "MsgType": "update_button",
            "Button": {"ReplaceName": self._chosen.get(fields["EventKey"], _CHOSEN["zh"])},
        }
        answer = self._callbacks.sealed(write_fields(update))
        return Acknowledgement(answer, "application/xml; charset=utf-8", partial(self._answered_press, fields))

    def _answered_press(self, fields: Mapping[str, str], out: bool) -> None:
        """Where the answer to the press got lost, the card is changed by the API, so that it is not pressed again."""
        if not out and fields.get("ResponseCode"):
            task = asyncio.create_task(self._update_card(fields))
            self._updates.add(task)
            task.add_done_callback(self._updates.discard)

    async def _update_card(self, fields: Mapping[str, str]) -> None:
        body = {
            "userids": [sender_of(fields)],
            "agentid": self._settings.agent_id,
            "response_code": fields["ResponseCode"],
            "button": {"replace_name": self._chosen.get(fields["EventKey"], _CHOSEN["zh"])},
        }
        try:
            await self._api.post("/cgi-bin/message/update_template_card", body)
        except SendError as error:
            log.warning("wecom_card_stays", account=self.account, error=str(error))

    async def send(self, to: str, message: OutboundMessage) -> str:
        """Deliver a message in as many parts as its text and files need."""
        settings = self._settings
        rules = CardRules(
            settings.card_buttons if settings.buttons == "card" else 0, settings.card_title, settings.card_text
        )
        parts = parts_for(message, self._means, settings.text_bytes, rules, textcard=settings.citations == "textcard")

        async def send_one(place: int, part: Part) -> str:
            await self._pace.take(to)
            return await self._send_part(to, message.outbox_id, place, part)

        for button in message.buttons:
            self._chosen[button.id] = f"{_CHOSEN[language_of(message.text)]}: {button.title}"
        while len(self._chosen) > _REMEMBERED:
            self._chosen.popitem(last=False)
        return await send_parts(message, parts, send_one)

    async def fetch(self, media: Media) -> tuple[str, bytes]:
        """A file that a member sent; raises a ``SendError``."""
        name, content, answer = await self._api.download("/cgi-bin/media/get", media.reference)
        if answer:
            raise MessageRejected("the channel handed out no file")
        return name, content

    async def check(self) -> str:
        """Have a token made and used; raises a ``SendError``."""
        await self._api.prove()
        return f"{self._settings.corp_id} / {self._settings.agent_id}"

    async def close(self) -> None:
        """Let go of connections."""
        for task in self._updates:
            task.cancel()
        await asyncio.gather(*self._updates, return_exceptions=True)
        await self._api.close()

    def _fields(self, request: WebhookRequest) -> dict[str, str]:
        fields = self._callbacks.fields(request)
        agent = fields.get("AgentID", "").strip()
        if agent and agent != str(self._settings.agent_id):
            raise BadPayload("AgentID is of another app")
        return fields

    @staticmethod
    def _pressed(fields: Mapping[str, str]) -> bool:
        return (
            fields.get("MsgType") == "event"
            and fields.get("Event", "").lower() == "template_card_event"
            and 0 < len(fields.get("EventKey", "")) <= 1024
        )

    async def _send_part(self, to: str, outbox_id: str, place: int, part: Part) -> str:
        key = f"{outbox_id}:{place}"
        if part.attachment is not None:
            try:
                file, content = await self._means.files.content(part.attachment.id)
            except ConversationError as error:
                raise MessageRejected(f"the file {part.attachment.name} is gone: {error}") from None
            media_id = self._uploaded.get(key) or await self._api.upload(
                "/cgi-bin/media/upload", part.kind, file.name, content, file.media_type
            )
            self._uploaded[key] = media_id  # the vendor knows a repeat by its content, which is this id
            while len(self._uploaded) > _REMEMBERED:
                self._uploaded.popitem(last=False)
            body: Mapping[str, Any] = {"media_id": media_id}
        else:
            body = part.body
        wire = {"touser": to, "msgtype": part.kind, "agentid": self._settings.agent_id, part.kind: body}
        answer = await self._api.post("/cgi-bin/message/send", {**wire, **await self._duplicate_check(to, key, part)})
        if to.lower() in str(answer.get("invaliduser", "")).lower().split("|"):
            raise ContactUnreachable("the member is not in the app's visible range, or is gone")
        return str(answer.get("msgid", outbox_id))

    async def _duplicate_check(self, to: str, key: str, part: Part) -> dict[str, int]:
        """Asks the vendor to drop a repeat after a broken connection, but never the same words said once more.

        The vendor compares contents, so the check is left out where another message to this member had the same.
        """
        seconds = self._settings.duplicate_check_seconds
        if not seconds:
            return {}
        now = self._means.now().timestamp()
        content = part.attachment.id if part.attachment is not None else repr(part.body)
        digest = hashlib.sha256(content.encode("utf-8", "replace")).digest()
        first, at = self._said.get((to, digest), (key, now))
        fresh = first == key or now - at > seconds
        if fresh:
            self._said[(to, digest)] = (key, now)
            self._said.move_to_end((to, digest))
        while len(self._said) > _REMEMBERED:
            self._said.popitem(last=False)
        if (
            fresh and self._means.claim is not None
        ):  # also what another process said, or this one before it was restarted
            said = hmac.new(self._settings.secret.encode(), f"{to}\0".encode() + digest, "sha256")
            fresh = await self._means.claim(f"wecom/{self.account}/said", said.hexdigest(), key)
        return {"enable_duplicate_check": 1, "duplicate_check_interval": seconds} if fresh else {}
