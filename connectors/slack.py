"""Slack: direct messages and mentions by the Events API, buttons by interactivity, replies by the Web API.

Protocol: docs.slack.dev, "Verifying requests from Slack", "Events API", "Handling user interaction".
"""

from __future__ import annotations

import asyncio
import hmac
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Annotated, ClassVar

import structlog
from pydantic import AfterValidator, Field, SecretStr

from connectors.base import (
    AccountSettings,
    Acknowledgement,
    Arrival,
    BadPayload,
    BadSignature,
    Connector,
    Means,
    Media,
    OutOfTime,
    WebhookRequest,
)
from connectors.parts import Pace, send_parts
from connectors.rate_limit import RateLimit
from connectors.set_up import SetUp
from connectors.slack_api import Api
from connectors.slack_messages import Contact, Press, read_body, read_event, read_press
from connectors.slack_replies import Part, chosen, parts_of
from connectors.unasked import Unasked, Way
from connectors.vendor_calls import vendor_client
from conversations.errors import ContactUnreachable, ConversationError, MessageRejected, SendError
from conversations.model import Attachment, InboundMessage, OutboundMessage

log = structlog.get_logger()

_WINDOW_SECONDS = 300
_PEOPLE = 5_000


def _not_blank(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().strip():
        raise ValueError("it is empty")
    return secret


Secret = Annotated[SecretStr, AfterValidator(_not_blank)]


class SlackSettings(AccountSettings):
    """An app that is installed in one workspace."""

    bot_token: Secret  #: begins with xoxb-
    signing_secret: Secret
    api_base: str = "https://slack.com/api"
    file_hosts: tuple[str, ...] = ("slack.com",)
    #: Characters of one message; Slack splits longer ones itself, and cuts at 40 000 [doc, 2nd].
    text_limit: Annotated[int, Field(ge=100, le=12_000)] = 4_000
    #: About one message a second and channel, with short bursts [doc]; how short is not said.
    burst: Annotated[int, Field(ge=1)] = 3
    messages_per_minute: Annotated[int, Field(ge=1)] = 300  #: of the whole workspace: "several hundred" [doc]


class SlackConnector(Connector):
    """One app in one workspace."""

    channel: ClassVar[str] = "slack"
    answers_within: ClassVar[float] = 2.8  # Slack hangs up after three seconds, each time it tries [doc]
    set_up: ClassVar[SetUp] = SetUp(
        page="https://api.slack.com/apps",
        where="Event Subscriptions → Request URL; Interactivity & Shortcuts → Request URL",
        events=("message.im", "app_mention", "message.channels", "message.groups"),
        recipient="dm:D0123456789:U0123456789",
    )
    Settings = SlackSettings

    def __init__(self, settings: SlackSettings, means: Means) -> None:
        super().__init__(settings.account)
        self.settings = settings
        self._means = means
        self._secret = settings.signing_secret.get_secret_value().encode()
        self._http = vendor_client()
        self._api = Api(self._http, settings.api_base, settings.bot_token.get_secret_value(), settings.file_hosts)
        self._pace = Pace(RateLimit(settings.messages_per_minute, 60), RateLimit(settings.burst, settings.burst))
        self._people: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._updates: set[asyncio.Task[None]] = set()

    # --- receiving

    def verify(self, request: WebhookRequest) -> None:
        """The signature of time and body, at most five minutes old."""
        timestamp = request.headers.get("x-slack-request-timestamp", "")
        signature = request.headers.get("x-slack-signature", "")
        base = b"v0:" + timestamp.encode("utf-8", "replace") + b":" + request.body
        right = "v0=" + hmac.new(self._secret, base, "sha256").hexdigest()
        if not hmac.compare_digest(right.encode(), signature.encode("utf-8", "replace")):
            raise BadSignature("x-slack-signature does not match")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
            raise BadSignature("x-slack-request-timestamp is not a time")
        if abs(self._means.now().timestamp() - int(timestamp)) > _WINDOW_SECONDS:
            raise OutOfTime("the request is more than five minutes away from now")

    def parse(self, request: WebhookRequest) -> list[Arrival]:
        """The message or press in a request; everything else gives an empty list.

        Retry headers are not looked at: the first attempt may have died before anything was stored.
        """
        body = read_body(request.body)
        match body.get("type"):
            case "event_callback":
                arrival = read_event(body, self.address)
                return [] if arrival is None else [arrival]
            case "block_actions":
                press = read_press(body, self.address)
                return [] if press is None else [press.arrival]
            case "url_verification" if not isinstance(body.get("challenge"), str):
                raise BadPayload("challenge is missing")
            case "app_rate_limited":
                log.warning("slack_events_limited", account=self.account, reason="over 30 000 events an hour")
        return []

    async def acknowledge(self, request: WebhookRequest, store: Callable[[], Awaitable[None]]) -> Acknowledgement:
        """Store, answer the set-up handshake, and take the buttons away from a message that was answered."""
        await store()
        body = read_body(request.body)
        if body.get("type") == "url_verification":
            return Acknowledgement(str(body["challenge"]))
        if body.get("type") == "block_actions" and (press := read_press(body, self.address)) is not None:
            task = asyncio.create_task(self._show_choice(press))  # Slack waits three seconds for our answer only
            self._updates.add(task)
            task.add_done_callback(self._updates.discard)
        return Acknowledgement("")

    async def _show_choice(self, press: Press) -> None:
        try:
            await self._api.update(press.channel, press.ts, press.text, chosen(press.blocks, press.title))
        except SendError as error:
            log.warning("slack_buttons_stay", account=self.account, error=str(error))

    async def introduce(self, message: InboundMessage) -> InboundMessage:
        """The message with the sender's display name and language, where the app may read them."""
        contact = Contact.read(message.address.contact)
        if contact is None:
            return message
        person = self._people.get(contact.user)
        if person is None:
            try:
                person = await self._api.person(contact.user)
            except (MessageRejected, ContactUnreachable) as error:
                log.info("slack_person_unknown", account=self.account, error=str(error))
                person = ("", "")  # asked once, not with every message
            self._people[contact.user] = person
            if len(self._people) > _PEOPLE:
                self._people.popitem(last=False)
        name, locale = person
        language = locale[:2] if locale[:2] in ("zh", "en") else None
        return replace(message, contact_name=name or None, language=language)

    async def fetch(self, media: Media) -> tuple[str, bytes]:
        """A file by its private link."""
        return media.name, await self._api.fetch(media.reference)

    # --- sending

    def way(self, to: str, told: Unasked, now: datetime) -> Way | None:
        """At any time in direct messages; never in a channel, where others read along."""
        contact = Contact.read(to)
        return "free" if contact is not None and contact.thread is None else None

    async def send(self, to: str, message: OutboundMessage) -> str:
        """Answer in the direct messages or the thread of the address."""
        contact = Contact.read(to)
        if contact is None:
            raise MessageRejected("this is not an address of a Slack contact")
        parts = parts_of(message, user=contact.user, limit=self.settings.text_limit, public_url=self._means.public_url)

        async def send_one(place: int, part: Part) -> str:
            await self._pace.take(contact.channel)
            if not isinstance(part, Attachment):
                return await self._api.post(contact, part)
            try:
                file, content = await self._means.files.content(part.id)
            except ConversationError as error:
                raise MessageRejected(f"the file {part.name} is gone") from error
            return await self._api.upload(contact, file, content)

        return await send_parts(message, parts, send_one)

    async def check(self) -> str:
        """Ask Slack whose token this is; raises a ``SendError``."""
        return await self._api.who()

    async def close(self) -> None:
        """Finish what is under way and close the connections to the API."""
        if self._updates:
            await asyncio.wait(self._updates, timeout=5)
        await self._http.aclose()
