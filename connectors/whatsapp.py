"""WhatsApp: one phone number of the Cloud API.

Protocol: developers.facebook.com/docs/whatsapp/cloud-api.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, ClassVar

import structlog
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from connectors.base import Acknowledgement, Arrival, Connector, Means, Media, Unreadable, WebhookRequest
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
from connectors.parts import Pace, send_parts
from connectors.rate_limit import RateLimit
from connectors.set_up import SetUp
from connectors.unasked import Fact, KindName, Language, Unasked, UnaskedRule, Way, chosen, values_of
from connectors.vendor_calls import MAX_DOWNLOAD, vendor_client
from connectors.whatsapp_messages import CONTACT, part_name, read_failures, read_messages, read_receipts
from connectors.whatsapp_replies import (
    Part,
    file_part,
    kind_of,
    parts_of,
)
from conversations.errors import ConversationError, MessageRejected, SendError, WindowClosed
from conversations.model import Attachment, Author, OutboundMessage

log = structlog.get_logger()

_WINDOW = timedelta(hours=24)
_WINDOW_CODE = 131047


class Template(BaseModel):
    """A message that Meta has approved, without variables."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,512}$")]
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(_[A-Z]{2,3})?$")] = "en"


class FilledTemplate(Template):
    """A message that Meta has approved, with the facts that fill {{1}}, {{2}} and so on of its body."""

    variables: tuple[Fact, ...] = ()


class WhatsappSettings(MetaSettings):
    """A number of a WhatsApp Business account."""

    phone_number_id: Id
    link_previews: bool = True
    reopen_template: Template | None = None  #: asks the contact to write again, where an agent answers too late
    #: For what nobody asked for, outside the 24 hours: by kind and language.
    templates: Mapping[KindName, Mapping[Language, FilledTemplate]] = Field(default_factory=dict)
    # Sending limits [2nd]: 80 a second for the number (up to 1000 on application; 20 for numbers that are used in the
    # app as well); to one contact one in six seconds, where up to 45 may be sent ahead and are then waited for.
    per_second: Annotated[int, Field(ge=1, le=1000)] = 80
    pair_burst: Annotated[int, Field(ge=1, le=1000)] = 45
    pair_seconds: Annotated[float, Field(gt=0, le=60)] = 6.0


class WhatsappConnector(Connector):
    """One number."""

    channel: ClassVar[str] = "whatsapp"
    set_up: ClassVar[SetUp] = SetUp(
        page="https://developers.facebook.com/apps",
        where="WhatsApp → Configuration → Webhook",
        enter={"Verify token": "verify_token"},
        events=("messages",),
        recipient="8613800138000",
    )
    #: Messenger waits 20 s [doc]; that the same machinery is as patient here is assumed.
    answers_within: ClassVar[float] = 10.0
    largest_webhook: ClassVar[int] = 3 * 1024 * 1024  # as Meta announces
    typing_lasts: ClassVar[float] = 25.0  # or until the next message [doc]
    unasked: ClassVar[UnaskedRule] = UnaskedRule(_WINDOW)
    Settings = WhatsappSettings

    def __init__(self, settings: WhatsappSettings, means: Means) -> None:
        super().__init__(settings.account)
        self.settings = settings
        self._means = means
        self._number = settings.phone_number_id
        self._http = vendor_client()
        self._graph = Graph(self._http, settings)
        ahead = settings.pair_burst
        self._pace = Pace(RateLimit(settings.per_second, 1), RateLimit(ahead, ahead * settings.pair_seconds))
        self._courtesies = Courtesies()
        self._said_last: OrderedDict[str, Author] = OrderedDict()
        self._by_agents: OrderedDict[str, None] = OrderedDict()  #: outbox ids
        self._failed: OrderedDict[str, None] = OrderedDict()  #: ids of our messages
        self._heard: OrderedDict[str, str] = OrderedDict()  #: each contact's last message
        self._asked_back: OrderedDict[str, datetime] = OrderedDict()

    # --- receiving

    def verify(self, request: WebhookRequest) -> None:
        """Raise ``BadSignature`` unless the body is signed with the app secret."""
        verify(self.settings.app_secret.get_secret_value().encode(), request)

    def challenge(self, request: WebhookRequest) -> str:
        """The set-up handshake; raises ``BadSignature`` without our verify_token."""
        return answer_challenge(self.settings.verify_token.get_secret_value().encode(), request)

    def parse(self, request: WebhookRequest) -> list[Arrival]:
        """The messages to our number."""
        return [one for one in self._read(request) if isinstance(one, Arrival)]

    def unreadable(self, request: WebhookRequest) -> list[Unreadable]:
        """The messages that are not as documented, beside others that are."""
        return [one for one in self._read(request) if isinstance(one, Unreadable)]

    def _read(self, request: WebhookRequest) -> Iterator[Arrival | Unreadable]:
        return read_messages(request.body, self._number, self.address)

    async def acknowledge(self, request: WebhookRequest, store: Callable[[], Awaitable[None]]) -> Acknowledgement:
        """Store, note what did and did not arrive, and show contacts that they were heard."""
        await store()
        for failure in read_failures(request.body, self._number):
            if failure.message_id in self._failed:
                continue  # it was said before, and the message may have been sent again since
            reason = failure.reason
            if failure.code == _WINDOW_CODE and failure.outbox_id in self._by_agents:
                reason += await self._ask_back(failure.to)
            log.info("whatsapp_undelivered", account=self.account, outbox_id=failure.outbox_id, error=reason)
            if failure.outbox_id:
                await self.undelivered(failure.outbox_id, reason)
            remember(self._failed, failure.message_id, None)
        for receipt in read_receipts(request.body, self._number):
            await self.reached(receipt.to, read=receipt.read, outbox_id=receipt.outbox_id, at=receipt.at)
        last = {one.message.address.contact: one.message.external_id for one in self.parse(request)}
        for contact, message_id in last.items():
            remember(self._heard, contact, message_id)
        if self.settings.show_typing:
            for contact, message_id in last.items():
                # Where a person answers, nobody can say when they read it or begin to write.
                if self._said_last.get(contact, Author.BOT) is Author.BOT:
                    self._courtesies.meanwhile(partial(self._show_typing, message_id))
        return Acknowledgement("")

    async def show_typing(self, contact: str) -> None:
        """Show that somebody writes, and with it that the last message was read; raises a ``SendError``."""
        message_id = self._heard.get(contact)
        if message_id is not None and self.settings.show_typing:
            await self._show_typing(message_id)

    async def _show_typing(self, message_id: str) -> None:
        body = {"status": "read", "message_id": message_id, "typing_indicator": {"type": "text"}}
        await self._graph.post("typing", f"{self._number}/messages", json={"messaging_product": "whatsapp"} | body)

    async def fetch(self, media: Media) -> tuple[str, bytes]:
        """A file, compared with its checksum; raises a ``SendError``."""
        media_id, _, announced = media.reference.partition(" ")
        found = await self._graph.get("file of a message", media_id, phone_number_id=self._number)
        size = found.get("file_size")
        if isinstance(size, int) and size > MAX_DOWNLOAD:
            raise MessageRejected(f"file of a message: larger than {MAX_DOWNLOAD // 1024 // 1024} MiB")
        content = await self._graph.download("file of a message", text_of(found, "url"), with_token=True)
        digest = hashlib.sha256(content).digest()
        if any(_checksum(one) not in (None, digest) for one in (announced, text_of(found, "sha256"))):
            raise MessageRejected("file of a message: its checksum is not the announced one")
        return media.name, content

    # --- sending

    async def send(self, to: str, message: OutboundMessage) -> str:
        """Texts first, then files; raises a ``SendError``."""
        if not CONTACT.fullmatch(to):
            raise MessageRejected("this is neither a phone number nor a user id of WhatsApp")
        parts = parts_of(message, self._means.public_url, previews=self.settings.link_previews)
        if message.author is Author.AGENT:
            remember(self._by_agents, message.outbox_id, None)

        async def send_one(place: int, part: Part) -> str:
            await self._pace.take(to)
            if isinstance(part, Attachment):
                part = await self._upload(part)
            name = part_name(message.outbox_id, place, len(parts))
            return await self._deliver(to, part | {"biz_opaque_callback_data": name})

        try:
            sent = await send_parts(message, parts, send_one)
        except WindowClosed as error:
            asked = await self._ask_back(to) if message.author is Author.AGENT else ""
            raise WindowClosed(f"{error}{asked}") from None
        remember(self._said_last, to, message.author)
        return sent

    def way(self, to: str, told: Unasked, now: datetime) -> Way | None:
        """Within 24 hours of the contact's last message as it is, else by an approved template."""
        if self.unasked.open(told, now):
            return "free"
        return "template" if chosen(self.settings.templates, told) is not None else None

    async def tell(self, to: str, message: OutboundMessage, told: Unasked) -> str:
        """As it is, or by the template where Meta says that the window is closed; raises a ``SendError``."""
        if self.way(to, told, self._means.now()) == "free":
            try:
                return await self.send(to, message)
            except WindowClosed:
                if chosen(self.settings.templates, told) is None:
                    raise
        template = chosen(self.settings.templates, told)
        if template is None:
            raise WindowClosed("the contact wrote more than 24 hours ago, and there is no template for this kind")
        if not CONTACT.fullmatch(to):
            raise MessageRejected("this is neither a phone number nor a user id of WhatsApp")
        await self._pace.take(to)
        body: dict[str, Any] = {"name": template.name, "language": {"code": template.language}}
        if template.variables:
            filled = [{"type": "text", "text": value} for value in values_of(template.variables, told)]
            body["components"] = [{"type": "body", "parameters": filled}]
        part = {"type": "template", "template": body, "biz_opaque_callback_data": message.outbox_id}
        return await self._deliver(to, part)

    async def _deliver(self, to: str, part: dict[str, Any]) -> str:
        whom = {"to": to} if to.isdigit() else {"recipient": to}
        body = {"messaging_product": "whatsapp", "recipient_type": "individual"} | whom | part
        answer = await self._graph.deliver("message", f"{self._number}/messages", to, json=body)
        messages = answer.get("messages")
        first = messages[0] if isinstance(messages, list) and messages else {}
        return text_of(first, "id") if isinstance(first, dict) else ""

    async def _upload(self, file: Attachment) -> dict[str, Any]:
        kind, media_type = kind_of(file)
        try:
            stored, content = await self._means.files.content(file.id)
        except ConversationError as error:
            raise MessageRejected(f"the file {file.name} cannot be sent: {error}") from None
        answer = await self._graph.post(
            "file upload",
            f"{self._number}/media",
            data={"messaging_product": "whatsapp", "type": media_type},
            files={"file": (stored.name, content, media_type)},
        )
        return file_part(kind, text_of(answer, "id"), stored.name)

    async def _ask_back(self, to: str) -> str:
        """Send the template, at most once a day to a contact; what is to be said of it behind the reason."""
        template = self.settings.reopen_template
        if template is None or not CONTACT.fullmatch(to):
            return ""
        now = self._means.now()
        asked_at = self._asked_back.get(to)
        if asked_at is None or now - asked_at >= _WINDOW:
            remember(self._asked_back, to, now)
            body = {"name": template.name, "language": {"code": template.language}}
            try:
                await self._deliver(to, {"type": "template", "template": body})
            except SendError as error:
                self._asked_back.pop(to, None)
                log.warning("whatsapp_template_not_sent", account=self.account, error=str(error))
                return f"; the template {template.name} could not be sent: {error}"
        return f"; the template {template.name} asks the contact to write again"

    async def check(self) -> str:
        """Read the number with our token; raises a ``SendError``."""
        found = await self._graph.get("number", self._number, fields="display_phone_number,verified_name")
        return " ".join(filter(None, (text_of(found, "verified_name"), text_of(found, "display_phone_number"))))

    async def close(self) -> None:
        """Let go of the connections."""
        await self._courtesies.close()
        await self._http.aclose()


def _checksum(written: str) -> bytes | None:
    """A SHA-256 in hexadecimal or base64, as Meta writes it here and there; None where it is neither."""
    try:
        digest = bytes.fromhex(written) if len(written) == 64 else base64.b64decode(written, validate=True)
    except (ValueError, binascii.Error):
        return None
    return digest if len(digest) == 32 else None
