"""Messenger: one Facebook page.

Protocol: developers.facebook.com/docs/messenger-platform.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, ClassVar
from urllib.parse import unquote, urlsplit

import structlog
from pydantic import Field

from connectors.base import Acknowledgement, Arrival, Connector, Means, Media, WebhookRequest
from connectors.messenger_messages import CONTACT, read_messages
from connectors.meta_graph import (
    Courtesies,
    Graph,
    Id,
    MetaSettings,
    WindowClosed,
    answer_challenge,
    remember,
    text_of,
    verify,
)
from connectors.meta_text import fits_natively, texts_of
from connectors.parts import Pace, SentParts
from connectors.rate_limit import RateLimit
from connectors.text import language_of
from connectors.vendor_calls import vendor_client
from conversations.errors import ContactUnreachable, ConversationError, MessageRejected
from conversations.model import Attachment, Author, Button, InboundMessage, OutboundMessage

log = structlog.get_logger()

LONGEST_TEXT = 2000
MOST_QUICK_REPLIES, LONGEST_TITLE = 13, 20  # [UNV: 13]
_CHOOSE = {"zh": "请选择", "en": "Please choose"}


class MessengerSettings(MetaSettings):
    """A page and the app that answers there."""

    page_id: Id
    media_hosts: tuple[str, ...] = ("fbcdn.net", "fbsbx.com")  #: where attachments lie [seen in samples]
    #: Let agents answer up to seven days later; Meta must have granted the permission "Human Agent" [doc].
    human_agent: bool = False
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
    answers_within: ClassVar[float] = 15.0  # Messenger waits 20 s [doc]
    largest_webhook: ClassVar[int] = 3 * 1024 * 1024
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
        self._parts = SentParts()
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
        return read_messages(request.body, self.settings.page_id, self.address)

    async def acknowledge(self, request: WebhookRequest, store: Callable[[], Awaitable[None]]) -> Acknowledgement:
        """Store, and show contacts that they were heard."""
        await store()
        if self.settings.show_typing:
            for contact in {arrival.message.address.contact for arrival in self.parse(request)}:
                # Where a person answers, nobody can say when they read it or begin to write.
                if self._said_last.get(contact, Author.BOT) is Author.BOT:
                    self._courtesies.meanwhile(partial(self._show_typing, contact))
        return Acknowledgement("")

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

    async def send(self, to: str, message: OutboundMessage) -> str:
        """Texts first, then files, choices under the last text; raises a ``SendError``."""
        if not CONTACT.fullmatch(to):
            raise MessageRejected("this is not a contact of a page")
        parts = parts_of(message, self._means.public_url)
        late = self.settings.human_agent and message.author is Author.AGENT

        async def send_one(place: int, part: Part) -> str:
            self._pace.take(to)
            try:
                return await self._deliver(to, part, {"messaging_type": "RESPONSE"})
            except WindowClosed:
                if not late:
                    raise
            return await self._deliver(to, part, {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"})

        sent = await self._parts.send(message.outbox_id, parts, send_one)
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
