"""Messenger: one Facebook page.

Protocol: developers.facebook.com/docs/messenger-platform.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import unquote, urlsplit

import structlog
from pydantic import Field

from connectors.base import Acknowledgement, Arrival, Connector, Means, Media, Unreadable, WebhookRequest
from connectors.messenger_messages import CONTACT, read_messages, read_watermarks
from connectors.meta_graph import (
    Courtesies,
    Graph,
    Id,
    MetaSettings,
    answer_challenge,
    remember,
    text_of,
    verify,
)
from connectors.meta_text import fits_natively, texts_of
from connectors.parts import Pace, send_parts
from connectors.rate_limit import RateLimit
from connectors.set_up import SetUp
from connectors.text import language_of
from connectors.unasked import KindName, Unasked, UnaskedRule, Way
from connectors.vendor_calls import vendor_client
from conversations.errors import ContactUnreachable, ConversationError, MessageRejected, WindowClosed
from conversations.model import Attachment, Author, Button, InboundMessage, OutboundMessage

log = structlog.get_logger()

LONGEST_TEXT = 2000
MOST_QUICK_REPLIES, LONGEST_TITLE = 13, 20  # [UNV: 13]
_CHOOSE = {"zh": "请选择", "en": "Please choose"}


Tag = Literal["ACCOUNT_UPDATE", "CONFIRMED_EVENT_UPDATE", "POST_PURCHASE_UPDATE"]


class MessengerSettings(MetaSettings):
    """A page and the app that answers there."""

    page_id: Id
    media_hosts: tuple[str, ...] = ("fbcdn.net", "fbsbx.com")  #: where attachments lie [seen in samples]
    #: Let agents answer up to seven days later; Meta must have granted the permission "Human Agent" [doc].
    human_agent: bool = False
    #: For what nobody asked for, outside the 24 hours: the tag by kind. Meta decides which tags it still takes [UNV].
    tags: Mapping[KindName, Tag] = Field(default_factory=dict)
    ask_language: bool = False  #: read the contact's locale too; needs the permission pages_user_locale
    # [2nd] 300 calls a second for a page's texts, 10 for files; about the pace to one person nothing is said.
    per_second: Annotated[int, Field(ge=1, le=300)] = 100
    burst: Annotated[int, Field(ge=1)] = 20
    burst_seconds: Annotated[float, Field(gt=0)] = 10.0


@dataclass(frozen=True, slots=True)
class Text:
    """A text with the choices under it."""

    text: str
    choices: tuple[Button, ...] = ()


Part = Text | Attachment


class MessengerConnector(Connector):
    """One page."""

    channel: ClassVar[str] = "messenger"
    set_up: ClassVar[SetUp] = SetUp(
        page="https://developers.facebook.com/apps",
        where="Messenger → Settings → Configure webhooks",
        enter={"Verify token": "verify_token"},
        events=("messages", "messaging_postbacks", "message_deliveries", "message_reads"),
        recipient="7412345678901234",
    )
    answers_within: ClassVar[float] = 15.0  # Messenger waits 20 s [doc]
    largest_webhook: ClassVar[int] = 3 * 1024 * 1024
    typing_lasts: ClassVar[float] = 20.0  # [2nd]
    unasked: ClassVar[UnaskedRule] = UnaskedRule(timedelta(hours=24))
    Settings = MessengerSettings

    def __init__(self, settings: MessengerSettings, means: Means) -> None:
        super().__init__(settings.account)
        self.settings = settings
        self._means = means
        self._path = f"{settings.page_id}/messages"
        self._http = vendor_client()
        self._graph = Graph(self._http, settings)
        together, to_one = RateLimit(settings.per_second, 1), RateLimit(settings.burst, settings.burst_seconds)
        self._pace = Pace(together, to_one)
        self._courtesies = Courtesies()
        self._people: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._said_last: OrderedDict[str, Author] = OrderedDict()

    # --- receiving

    def verify(self, request: WebhookRequest) -> None:
        """Raise ``BadSignature`` unless the body is signed with the app secret."""
        verify(self.settings.app_secret.get_secret_value().encode(), request)

    def challenge(self, request: WebhookRequest) -> str:
        """The set-up handshake; raises ``BadSignature`` without our verify_token."""
        return answer_challenge(self.settings.verify_token.get_secret_value().encode(), request)

    def parse(self, request: WebhookRequest) -> list[Arrival]:
        """The messages to our page."""
        return [one for one in self._read(request) if isinstance(one, Arrival)]

    def unreadable(self, request: WebhookRequest) -> list[Unreadable]:
        """The messages that are not as documented, beside others that are."""
        return [one for one in self._read(request) if isinstance(one, Unreadable)]

    def _read(self, request: WebhookRequest) -> Iterator[Arrival | Unreadable]:
        return read_messages(request.body, self.settings.page_id, self.address)

    async def acknowledge(self, request: WebhookRequest, store: Callable[[], Awaitable[None]]) -> Acknowledgement:
        """Store, note what arrived and was read, and show contacts that they were heard."""
        await store()
        for mark in read_watermarks(request.body, self.settings.page_id):
            await self.reached(mark.contact, read=mark.read, until=mark.until)
        if self.settings.show_typing:
            for contact in {arrival.message.address.contact for arrival in self.parse(request)}:
                # Where a person answers, nobody can say when they read it or begin to write.
                if self._said_last.get(contact, Author.BOT) is Author.BOT:
                    self._courtesies.meanwhile(partial(self._show_typing, contact))
        return Acknowledgement("")

    async def show_typing(self, contact: str) -> None:
        """Raises a ``SendError``."""
        if self.settings.show_typing and CONTACT.fullmatch(contact):
            body = {"recipient": {"id": contact}, "sender_action": "typing_on"}
            await self._graph.post("typing_on", self._path, json=body)

    async def _show_typing(self, contact: str) -> None:
        for action in ("mark_seen", "typing_on"):
            await self._graph.post(action, self._path, json={"recipient": {"id": contact}, "sender_action": action})

    async def introduce(self, message: InboundMessage) -> InboundMessage:
        """The message with the sender's name and, if it may be asked for, language."""
        contact = message.address.contact
        person = self._people.get(contact)
        if person is None:
            fields = "first_name,last_name" + (",locale" if self.settings.ask_language else "")
            try:
                found = await self._graph.get("profile", contact, fields=fields)
            except (MessageRejected, ContactUnreachable) as error:
                log.info("messenger_person_unknown", account=self.account, error=str(error))
                found = {}  # asked once, not with every message
            name = " ".join(filter(None, (text_of(found, "first_name"), text_of(found, "last_name"))))
            person = (name, text_of(found, "locale")[:2])
            remember(self._people, contact, person)
        name, language = person
        known = language if language in ("zh", "en") else None
        return replace(message, contact_name=name or None, language=known)

    async def fetch(self, media: Media) -> tuple[str, bytes]:
        """A file behind its link, which needs no token; raises a ``SendError``."""
        content = await self._graph.download("file of a message", media.reference, with_token=False)
        called = unquote(urlsplit(media.reference).path.rpartition("/")[2])
        return called or "file", content

    # --- sending

    def way(self, to: str, told: Unasked, now: datetime) -> Way | None:
        """Within 24 hours of the contact's last message, else with the tag of its kind."""
        if self.unasked.open(told, now):
            return "free"
        return "template" if told.kind in self.settings.tags else None

    async def tell(self, to: str, message: OutboundMessage, told: Unasked) -> str:
        """The same text, with the tag where Meta says that the window is closed; raises a ``SendError``."""
        tag = self.settings.tags.get(told.kind)
        kinds: list[dict[str, str]] = []
        if self.way(to, told, self._means.now()) == "free":
            kinds.append({"messaging_type": "UPDATE"})
        if tag is not None:
            kinds.append({"messaging_type": "MESSAGE_TAG", "tag": tag})
        return await self._send(to, message, kinds)

    async def send(self, to: str, message: OutboundMessage) -> str:
        """Texts first, then files, choices under the last text; raises a ``SendError``."""
        kinds = [{"messaging_type": "RESPONSE"}]
        if self.settings.human_agent and message.author is Author.AGENT:
            kinds.append({"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"})
        return await self._send(to, message, kinds)

    async def _send(self, to: str, message: OutboundMessage, kinds: list[dict[str, str]]) -> str:
        """Say it in the first of several ways that is open."""
        if not CONTACT.fullmatch(to):
            raise MessageRejected("this is not a contact of a page")
        parts = parts_of(message, self._means.public_url)

        async def send_one(place: int, part: Part) -> str:
            await self._pace.take(to)
            closed = WindowClosed("the contact wrote too long ago, and there is no tag for this kind")
            for kind in kinds:
                try:
                    return await self._deliver(to, part, kind)
                except WindowClosed as error:
                    closed = error
            raise closed

        sent = await send_parts(message, parts, send_one)
        remember(self._said_last, to, message.author)
        return sent

    async def _deliver(self, to: str, part: Part, kind: dict[str, str]) -> str:
        recipient = {"id": to}
        if isinstance(part, Text):
            said: dict[str, Any] = {"text": part.text}
            if part.choices:
                said["quick_replies"] = [
                    {"content_type": "text", "title": one.title.strip(), "payload": one.id} for one in part.choices
                ]
            body = {"recipient": recipient, "message": said} | kind
            answer = await self._graph.deliver("message", self._path, to, json=body)
            return text_of(answer, "message_id")
        try:
            file, content = await self._means.files.content(part.id)
        except ConversationError as error:
            raise MessageRejected(f"the file {part.name} cannot be sent: {error}") from None
        shown = file.media_type.partition("/")[0]
        shown = shown if shown in ("image", "audio", "video") else "file"
        form = {
            "recipient": json.dumps(recipient),
            "message": json.dumps({"attachment": {"type": shown, "payload": {}}}),
        }
        files = {"filedata": (file.name, content, file.media_type)}
        answer = await self._graph.deliver("file", self._path, to, data=form | kind, files=files)
        return text_of(answer, "message_id")

    async def check(self) -> str:
        """Read the page with our token; raises a ``SendError``."""
        return text_of(await self._graph.get("page", self.settings.page_id, fields="name"), "name")

    async def close(self) -> None:
        """Let go of the connections."""
        await self._courtesies.close()
        await self._http.aclose()


def parts_of(message: OutboundMessage, public_url: str) -> list[Part]:
    """The wire messages in their order; more or longer choices than Messenger shows become a numbered list."""
    native = fits_natively(message.buttons, MOST_QUICK_REPLIES, LONGEST_TITLE)
    texts = texts_of(message, public_url, LONGEST_TEXT, bold="", with_buttons=native)
    if native and not texts:
        texts = [_CHOOSE[language_of(message.text)]]
    parts = [Text(text) for text in texts]
    if native:
        parts[-1] = Text(parts[-1].text, message.buttons)
    return [*parts, *message.attachments]
