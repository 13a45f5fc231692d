"""WeChat Official Accounts (微信公众号): encrypted XML in, passive replies and the customer-service API out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

import structlog
from pydantic import Field, StringConstraints, model_validator

from connectors.base import (
    AccountSettings,
    Acknowledgement,
    Arrival,
    Connector,
    Means,
    Media,
    WebhookRequest,
)
from connectors.parts import send_parts
from connectors.set_up import SetUp
from connectors.unasked import KindName, Language, Unasked, UnaskedRule, Way, chosen
from connectors.wechat_api import TokenCall, VendorApi
from connectors.wechat_callbacks import Callbacks
from connectors.wechat_crypto import EncodingAesKey, Envelope, Token
from connectors.wechat_messages import MAP_URL, arrival_of, content_of, sender_of
from connectors.wechat_outgoing import Part, parts_for, without_api
from connectors.wechat_passive import PassiveReplies
from connectors.wechat_shelf import Shelf
from connectors.wechat_templates import Template, call_of
from connectors.wechat_xml import write_fields
from conversations.errors import (
    ChannelUnavailable,
    ContactUnreachable,
    ConversationError,
    DeliveryUnknown,
    MessageRejected,
    RateLimited,
    SendError,
    WindowClosed,
)
from conversations.model import OutboundMessage

log = structlog.get_logger()

#: Numbers of the vendor's list of return codes; 45015, 45047, 45002 and 45009 [reference], the others [unverified].
ERRORS: Mapping[int, Callable[[str], SendError]] = {
    -1: ChannelUnavailable,
    40003: ContactUnreachable,  # no such open id
    40164: lambda words: ChannelUnavailable(f"{words}; add this server's address to the account's IP white list"),
    43004: ContactUnreachable,  # does not follow the account any more
    43019: ContactUnreachable,  # on the account's own black list
    45002: MessageRejected,  # too long
    45009: lambda words: RateLimited(600),  # the day's calls are used up
    45011: lambda words: RateLimited(60),  # too many calls a minute
    45015: lambda words: WindowClosed(f"{words}; the contact wrote more than 48 hours ago and must write again first"),
    45047: lambda words: WindowClosed(f"{words}; the contact must write again before the next message"),
    48001: lambda words: MessageRejected(f"{words}; this account may not do that, see customer_service_api"),
}
_PLAIN_TEXT = {
    "zh": "此公众号使用明文模式：签名不包含消息内容，截获者可以伪造。请改用安全模式，并填写 encoding_aes_key。",
    "en": "This account works in plain text: its signatures do not cover what is said, so whoever reads one can forge "
    "messages. Choose 安全模式 (safe mode) and set encoding_aes_key.",
}
_FETCH = "（回复 {word} 获取答案 / reply {word} for the answer）"
_NOTHING_YET = "（暂无新的回答，请稍后再回复 {word} / nothing new yet, reply {word} again later）"


class WechatSettings(AccountSettings):
    """One official account."""

    token: Token
    app_id: Annotated[str, StringConstraints(pattern=r"^\w{6,64}$")]
    app_secret: Annotated[str, StringConstraints(pattern=r"\S")]
    encoding_aes_key: EncodingAesKey | None = None
    insecure_plaintext: bool = False
    customer_service_api: bool = True  #: accounts that are not certified have none [unverified which exactly]
    passive_seconds: Annotated[float, Field(ge=0, le=4.5)] = 4.0  #: the vendor hangs up after 5 s [second-hand]
    text_bytes: Annotated[int, Field(ge=300, le=20_000)] = 2048  #: of one text [unverified for the API]
    messages_per_answer: Annotated[int, Field(ge=1, le=20)] = 5  #: for each message of the contact [second-hand]
    citations: Literal["text", "news"] = "text"  #: news: the first source as a card, which costs a message
    msgmenu: bool = False  #: buttons as a menu that can be tapped [unverified; test accounts refuse it]
    typing: bool = True  #: show that an answer is being written, where it takes longer than a passive reply
    stable_token: bool = False  #: fetch tokens from /cgi-bin/stable_token [unverified]
    greet_on_subscribe: bool = False
    subscribe_text: str = "你好"  #: what a new follower is taken to have said
    menu_texts: Mapping[str, str] = Field(
        default_factory=dict
    )  #: what a tap on a menu entry says, by the entry's key; the key itself if missing
    #: For what nobody asked for, outside the 48 hours: by kind and language.
    templates: Mapping[KindName, Mapping[Language, Template]] = Field(default_factory=dict)
    fetch_word: Annotated[str, StringConstraints(min_length=1, max_length=10)] = "1"
    map_url: str = MAP_URL
    media_hosts: tuple[str, ...] = (".qq.com", ".qpic.cn", ".weixin.qq.com")  #: of links to pictures and videos
    api_url: str = "https://api.weixin.qq.com"

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if self.encoding_aes_key is None and not self.insecure_plaintext:
            raise ValueError(
                "encoding_aes_key is missing: choose 安全模式 (safe mode) for this account and copy its EncodingAESKey "
                "here; in plain text a captured signature is good for any message. insecure_plaintext: true allows it"
            )
        return self


class WechatConnector(Connector):
    """One official account."""

    Settings: ClassVar[type[AccountSettings]] = WechatSettings
    channel: ClassVar[str] = "wechat"
    retries: ClassVar[bool] = False  # three tries within fifteen seconds, and then never again
    language: ClassVar[str] = "zh"
    typing_lasts: ClassVar[float] = 15.0  # [unverified]
    unasked: ClassVar[UnaskedRule] = UnaskedRule(timedelta(hours=48))  # of customer-service messages [second-hand]
    set_up: ClassVar[SetUp] = SetUp(
        page="https://mp.weixin.qq.com",
        where="设置与开发 → 开发接口管理 → 服务器配置（消息加解密方式：安全模式）",
        enter={"Token": "token", "EncodingAESKey": "encoding_aes_key"},
        recipient="o6_bmjrPTlm6_2sgVt7hMZOPfL2M",
        also={"encoding_aes_key": "${WECHAT_ENCODING_AES_KEY}"},
    )

    def __init__(self, settings: WechatSettings, means: Means) -> None:
        super().__init__(settings.account)
        self._settings = settings
        self._means = means
        key = settings.encoding_aes_key
        envelope = Envelope(key, settings.app_id) if key is not None else None
        self._callbacks = Callbacks(settings.token, envelope, means.now)
        secrets = {"grant_type": "client_credential", "appid": settings.app_id, "secret": settings.app_secret}
        path = "/cgi-bin/stable_token" if settings.stable_token else "/cgi-bin/token"
        self._api = VendorApi(settings.api_url, TokenCall(path, secrets, body=settings.stable_token), ERRORS, means.now)
        self._passive = PassiveReplies()
        self._hint = "\n\n" + _FETCH.format(word=settings.fetch_word)
        self._shelf = Shelf(self._passive, settings.text_bytes, self._hint, lambda: means.now().timestamp())
        self._typing: set[asyncio.Task[None]] = set()

    @property
    def warning(self) -> Mapping[str, str] | None:
        """Plain text: its signature does not cover what is said."""
        return None if self._settings.encoding_aes_key is not None else _PLAIN_TEXT

    def verify(self, request: WebhookRequest) -> None:
        """Raise ``BadSignature`` unless the vendor signed (and encrypted) the request within five minutes."""
        self._callbacks.verify(request)

    def challenge(self, request: WebhookRequest) -> str | None:
        """The handshake when the address is saved on the vendor's page; raises ``BadSignature``."""
        return self._callbacks.echo(request)

    def parse(self, request: WebhookRequest) -> list[Arrival]:
        """The message in a push; raises ``BadPayload``."""
        arrival = self._arrival(self._callbacks.fields(request))
        return [] if arrival is None else [arrival]

    async def acknowledge(self, request: WebhookRequest, store: Callable[[], Awaitable[None]]) -> Acknowledgement:
        """Store the message and wait a moment for the reply, which the vendor takes in the answer to its push.

        A contact who asks for an answer that is kept for them has said nothing to the desk, and nothing is stored.
        """
        until = asyncio.get_running_loop().time() + self._settings.passive_seconds
        await self._callbacks.claim(request, self._means, self.account)
        fields = self._callbacks.fields(request)
        arrival = self._arrival(fields)
        if arrival is None:
            await store()
            return Acknowledgement("success")
        contact = arrival.message.address.contact
        with self._passive.request(contact, arrival.message.external_id) as waiting:
            waiting.fetches = waiting.fetches or self._fetches(arrival, contact)
            if waiting.fetches:
                self._shelf.hand_out(contact)
            else:
                await store()
            reply = await waiting.reply(until)
            if reply is None and not waiting.over and not self._settings.customer_service_api:
                words = _NOTHING_YET if waiting.fetches else _FETCH
                reply, written = self._shelf.last_word(contact, words.format(word=self._settings.fetch_word))
                waiting.answer(reply, written)
        if reply is not None:
            return Acknowledgement(self._reply(fields, reply), "application/xml; charset=utf-8", waiting.written)
        if self._settings.typing and not waiting.over:
            task = asyncio.create_task(self._show_typing(contact))
            self._typing.add(task)
            task.add_done_callback(self._typing.discard)
        return Acknowledgement("success")

    async def send(self, to: str, message: OutboundMessage) -> str:
        """Deliver a message: its first text in an open response if there is one, the rest by the API."""
        settings = self._settings
        if not settings.customer_service_api:
            texts = without_api(message, self._means, settings.text_bytes - len(self._hint.encode()))
            if await self._shelf.put(to, message.outbox_id, texts, settings.passive_seconds + 1):
                return f"passive:{message.outbox_id}"
            age = (self._means.now() - message.created_at).total_seconds()
            raise RateLimited(min(30.0, max(2.0, age / 4)))  # it lies ready; the outbox asks whether it was fetched
        parts = parts_for(
            message,
            self._means,
            settings.text_bytes,
            settings.messages_per_answer,
            msgmenu=settings.msgmenu,
            news=settings.citations == "news",
        )

        async def send_one(place: int, part: Part) -> str:
            if part.passive:
                given = await self._passive.offer(to, part.text)
                if given:
                    return f"passive:{message.outbox_id}:{place}"
                if given is False:
                    raise DeliveryUnknown("the connection broke while the passive reply was written")
            try:
                sent = await self._send_part(to, part)
            except MessageRejected as error:
                if part.kind != "news":
                    raise
                log.warning("wechat_card_refused", account=self.account, error=str(error))
                sent = await self._send_part(to, Part("text", body={"content": part.text}))
            if part.kind == "msgmenu":
                self._passive.release(to)  # that was the reply; no passive one can hold a menu
            return sent

        return await send_parts(message, parts, send_one)

    def way(self, to: str, told: Unasked, now: datetime) -> Way | None:
        """Within 48 hours a customer-service message, else a template; accounts without that API have templates only."""
        if self._settings.customer_service_api and self.unasked.open(told, now):
            return "free"
        return "template" if chosen(self._settings.templates, told) is not None else None

    async def tell(self, to: str, message: OutboundMessage, told: Unasked) -> str:
        """As it is, or by the template where WeChat says that the window or its number is used up."""
        template = chosen(self._settings.templates, told)
        if self.way(to, told, self._means.now()) == "free":
            try:
                # Never in the response to a message that asks something else.
                return await send_parts(message, self._texts(message), lambda _, part: self._send_part(to, part))
            except WindowClosed:
                if template is None:
                    raise
        if template is None:
            raise WindowClosed("the contact wrote more than 48 hours ago, and there is no template for this kind")
        path, body = call_of(template, to, told)
        return str((await self._api.post(path, body)).get("msgid", "sent"))

    def _texts(self, message: OutboundMessage) -> list[Part]:
        settings = self._settings
        return parts_for(message, self._means, settings.text_bytes, settings.messages_per_answer, msgmenu=False)

    async def fetch(self, media: Media) -> tuple[str, bytes]:
        """A file that a contact sent; raises a ``SendError``."""
        if media.reference.startswith("https://"):
            return media.name, await self._from_vendor(media.reference)
        name, content, answer = await self._api.download("/cgi-bin/media/get", media.reference)
        video = answer.get("video_url")
        if isinstance(video, str):  # videos are handed out as a link
            content = await self._from_vendor(video)
        elif answer:
            raise MessageRejected("the channel handed out no file")
        return name, content

    async def check(self) -> str:
        """Have a token made and used; raises a ``SendError``."""
        await self._api.prove()
        return self._settings.app_id

    async def close(self) -> None:
        """Let go of connections."""
        for task in self._typing:
            task.cancel()
        await asyncio.gather(*self._typing, return_exceptions=True)
        await self._api.close()

    def _arrival(self, fields: Mapping[str, str]) -> Arrival | None:
        address = self.address(sender_of(fields))
        if fields.get("MsgType") == "event":
            said = self._said_by_event(fields)
            return None if said is None else arrival_of(fields, address, text=said)
        content = content_of(fields, self._settings.map_url)
        if content is None:
            return None
        text, media = content
        picture = fields.get("PicUrl", "").replace("http://", "https://", 1)
        if not self._settings.customer_service_api and fields.get("MsgType") == "image" and picture:
            media = (Media(picture, "image", "image.jpg"),)  # accounts without that API may not fetch by id either
        return arrival_of(fields, address, text=text, media=media, button_id=fields.get("bizmsgmenuid") or None)

    def _said_by_event(self, fields: Mapping[str, str]) -> str | None:
        event, key = fields.get("Event", "").lower(), fields.get("EventKey", "")
        if event == "click" and key:
            return self._settings.menu_texts.get(key, key)
        if event == "subscribe" and self._settings.greet_on_subscribe:
            return self._settings.subscribe_text
        return None

    def _fetches(self, arrival: Arrival, contact: str) -> bool:
        # Only accounts without the API have anything on the shelf, so only they promise anything.
        return arrival.message.text.strip() == self._settings.fetch_word and self._shelf.promised(contact)

    def _reply(self, fields: Mapping[str, str], text: str) -> str:
        return self._callbacks.sealed(
            write_fields(
                {
                    "ToUserName": sender_of(fields),
                    "FromUserName": fields.get("ToUserName", ""),
                    "CreateTime": int(self._means.now().timestamp()),
                    "MsgType": "text",
                    "Content": text,
                }
            )
        )

    async def _send_part(self, to: str, part: Part) -> str:
        if part.attachment is not None:
            try:
                file, content = await self._means.files.content(part.attachment.id)
            except ConversationError as error:
                raise MessageRejected(f"the file {part.attachment.name} is gone: {error}") from None
            media_id = await self._api.upload("/cgi-bin/media/upload", part.kind, file.name, content, file.media_type)
            body: Mapping[str, object] = {"media_id": media_id}
        else:
            body = part.body
        answer = await self._api.post(
            "/cgi-bin/message/custom/send", {"touser": to, "msgtype": part.kind, part.kind: body}
        )
        return str(answer.get("msgid", "sent"))  # the API tells no id

    async def show_typing(self, contact: str) -> None:
        """Where the account has the customer-service API; raises a ``SendError``."""
        if self._settings.typing and self._settings.customer_service_api:
            await self._api.post("/cgi-bin/message/custom/typing", {"touser": contact, "command": "Typing"})

    async def _show_typing(self, contact: str) -> None:
        try:
            await self.show_typing(contact)
        except SendError as error:
            log.info("typing_not_shown", channel=self.channel, account=self.account, error=str(error))

    async def _from_vendor(self, url: str) -> bytes:
        """A file behind a link that the vendor gave; only from its own hosts, without redirects."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise MessageRejected("the link to the file is no address") from None
        ours = parts.netloc == urlsplit(self._settings.api_url).netloc
        known = parts.scheme == "https" and port in (None, 443) and host.endswith(self._settings.media_hosts)
        if not (ours or known):
            raise MessageRejected("the link to the file leads to a host that is not the channel's")
        return await self._api.download_from(url)
