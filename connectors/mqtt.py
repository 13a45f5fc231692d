"""MQTT: devices and programs write to a topic of their own, and the desk answers on another one.

Who writes is the contact in the topic, never something in the payload: the broker's access rules are what proves it.
Protocol: MQTT 5.0 (OASIS); the JSON is that of ``connectors/json_messages.py``.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import ssl
from collections import OrderedDict
from pathlib import Path
from typing import Annotated, ClassVar, Self

import structlog
from pydantic import Field, SecretStr, StringConstraints, model_validator

from connectors.base import (
    AccountSettings,
    Arrival,
    BadPayload,
    BadSignature,
    Connector,
    Means,
    Media,
    Receive,
    WebhookRequest,
)
from connectors.json_messages import SentMessage, content_of, written
from connectors.mqtt_link import Broker, Link, Publication
from connectors.mqtt_topics import TopicTemplate
from connectors.set_up import SetUp, Webhook
from connectors.unasked import UnaskedRule
from conversations.errors import ChannelUnavailable, MessageRejected
from conversations.model import InboundMessage, OutboundMessage

log = structlog.get_logger()

_REMEMBERED = 10_000
_MOST_TEXT = 20_000
_LONGEST_CORRELATION = 1_024


class MqttSettings(AccountSettings):
    """One broker, and the topics on it."""

    host: Annotated[str, StringConstraints(min_length=1, pattern=r"^[\w.:-]+$")]
    port: Annotated[int, Field(ge=1, le=65_535)] | None = None  #: 8883 with TLS, otherwise 1883
    tls: bool = True
    ca_file: Path | None = None  #: certificate authorities instead of the public ones
    cert_file: Path | None = None  #: the desk's own certificate, with its key in key_file
    key_file: Path | None = None
    username: str | None = None
    password: SecretStr | None = None
    #: Names the session at the broker, so it must not change; frontdesk-ACCOUNT if left out.
    client_id: Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,64}$")] | None = None
    in_topic: str = "frontdesk/{account}/in/{contact}"
    out_topic: str = "frontdesk/{account}/out/{contact}"
    session_expiry_seconds: Annotated[int, Field(ge=60, le=0xFFFFFFFF)] = 7 * 24 * 3600
    keepalive_seconds: Annotated[int, Field(ge=5, le=3_600)] = 30
    in_flight: Annotated[int, Field(ge=1, le=1_000)] = 20  #: messages that are here and not stored yet
    max_payload_bytes: Annotated[int, Field(ge=1_000, le=50_000_000)] = 1024 * 1024
    message_expiry_seconds: Annotated[int, Field(ge=60, le=0xFFFFFFFF)] = 24 * 3600
    needs_subscriber: bool = True  #: an answer nobody has subscribed to is not delivered, and tried again
    plain_text: bool = False  #: payloads that are no JSON object are what the contact says
    plain_text_window_seconds: Annotated[int, Field(ge=1, le=3_600)] = 60  #: the same text again is one message

    @model_validator(mode="after")
    def _can_be_used(self) -> Self:
        topics = {}
        for name in ("in_topic", "out_topic"):
            try:
                topics[name] = TopicTemplate(getattr(self, name), self.account)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        if topics["in_topic"].overlaps(topics["out_topic"]):
            raise ValueError("in_topic and out_topic overlap: the desk would read its own answers")
        if self.password is not None and not self.password.get_secret_value().strip():
            raise ValueError("password is empty; leave it out where the broker asks for none")
        if self.password is not None and self.username is None:
            raise ValueError("a password needs a username")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together")
        for file in (self.ca_file, self.cert_file, self.key_file):
            if file is not None and not self.tls:
                raise ValueError("certificates are for tls: true")
            if file is not None and not file.is_file():
                raise ValueError(f"there is no file {file}")
        return self


class MqttConnector(Connector):
    """One broker; only one process of the desk is connected, because a client id has one connection."""

    channel: ClassVar[str] = "mqtt"
    one_connection = True
    sends_by_connection: ClassVar[bool] = True
    unasked: ClassVar[UnaskedRule] = UnaskedRule(repeatable=True)  # programs know a message by its id
    set_up: ClassVar[SetUp] = SetUp(recipient="ann")
    Settings = MqttSettings

    def __init__(self, settings: MqttSettings, means: Means) -> None:
        super().__init__(settings.account)
        self.settings = settings
        self._means = means
        self._in = TopicTemplate(settings.in_topic, settings.account)
        self._out = TopicTemplate(settings.out_topic, settings.account)
        self._broker = _broker(settings)
        self._link: Link | None = None
        self.listening = asyncio.Event()  #: whether the broker hands us what comes in
        self._answer_to: OrderedDict[str, tuple[str | None, bytes | None]] = OrderedDict()
        self._texts: OrderedDict[str, tuple[str, float]] = OrderedDict()

    @property
    def webhook(self) -> Webhook:
        """Messages come from the broker."""
        return "none"

    def verify(self, request: WebhookRequest) -> None:
        """Refuse every webhook: messages come from the broker."""
        raise BadSignature("MQTT accounts receive from their broker, not by webhooks")

    def parse(self, request: WebhookRequest) -> list[Arrival]:
        """Nothing: messages come from the broker."""
        raise BadPayload("MQTT accounts receive from their broker, not by webhooks")

    # --- receiving

    async def run(self, receive: Receive) -> None:
        """Take messages one after the other, and acknowledge each once it is stored; raises when the connection breaks."""
        await self.close()
        link = self._link = Link(self._broker, self.listening)
        try:
            await link.open(self._in.filter)
            session = "resumed" if link.resumed else "new"
            self.report("connected", "", "")
            log.info("mqtt_connected", account=self.account, topic=self._in.filter, session=session)
            while True:
                message = await link.next()
                try:
                    topic = message.topic
                except UnicodeDecodeError:
                    topic = ""
                arrival = self.read(topic, bytes(message.payload), retained=message.retain)
                if arrival is not None:
                    self._note_answer(arrival.message.address.contact, message.properties)
                    await receive([arrival])
                link.done(message)
        except asyncio.CancelledError:
            link.stop_listening()  # what is still to be said can go out until ``close``
            raise
        except BaseException:
            await self.close()
            raise

    def read(self, topic: str, payload: bytes, *, retained: bool = False) -> Arrival | None:
        """The message in a publication; None, with a line in the log, for one that cannot be read: it never could be."""
        try:
            if retained:
                raise BadPayload("it is an old, retained message")
            return self._read(topic, payload)
        except BadPayload as error:
            # The topic names the contact.
            log.warning("mqtt_message_refused", account=self.account, error=str(error))
            return None

    def _read(self, topic: str, payload: bytes) -> Arrival:
        contact = self._in.contact(topic)
        if contact is None:
            raise BadPayload("the topic names no contact we take")
        if len(payload) > self.settings.max_payload_bytes:
            raise BadPayload(f"the payload has more than {self.settings.max_payload_bytes} bytes")
        if self.settings.plain_text and not _is_object(payload):
            return self._plain(contact, payload)
        sent = SentMessage.read(payload)
        if sent.id is None:
            raise BadPayload("id: it is missing; give each message its own")
        if sent.contact not in (None, contact):
            raise BadPayload("contact: it is not the one of the topic")
        # The contact is part of the id: nobody can use up the ids of somebody else.
        return sent.arrival(self.address(contact), f"{contact}/{sent.id}")

    def _plain(self, contact: str, payload: bytes) -> Arrival:
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            raise BadPayload("the payload is not UTF-8") from None
        if not text.strip() or len(text) > _MOST_TEXT:
            raise BadPayload(f"the text is empty or has more than {_MOST_TEXT} characters")
        external_id = f"{contact}/text-{self._text_id(contact, payload)}"
        return Arrival(InboundMessage(self.address(contact), external_id, text))

    def _text_id(self, contact: str, payload: bytes) -> str:
        """The same for the same text within the window, also, but for its edges, after a restart."""
        window, now = self.settings.plain_text_window_seconds, self._means.now().timestamp()
        said = hashlib.sha256(contact.encode() + b"\x00" + payload).hexdigest()
        known = self._texts.get(said)
        if known is not None and 0 <= now - known[1] < window:
            return known[0]
        made = hashlib.sha256(f"{said}/{int(now // window)}".encode()).hexdigest()
        self._texts[said] = (made, now)
        self._texts.move_to_end(said)
        if len(self._texts) > _REMEMBERED:
            self._texts.popitem(last=False)
        return made

    def _note_answer(self, contact: str, properties: object) -> None:
        """Where a contact wants the next answers, if that is a topic of their own (MQTT 5.0, 4.10)."""
        topic: str | None = getattr(properties, "ResponseTopic", None)
        correlation: bytes | None = getattr(properties, "CorrelationData", None)
        if topic is not None and not (self._out.is_below(topic, contact) and self._in.contact(topic) is None):
            # Anything else would make the desk publish for a contact where the contact itself may not.
            log.warning("mqtt_response_topic_refused", account=self.account)
            topic = None
        self._answer_to.pop(contact, None)
        if topic is not None or correlation is not None:
            small = correlation is not None and len(correlation) <= _LONGEST_CORRELATION
            self._answer_to[contact] = (topic, correlation if small else None)
            if len(self._answer_to) > _REMEMBERED:
                self._answer_to.popitem(last=False)

    async def fetch(self, media: Media) -> tuple[str, bytes]:
        """A file that came in the payload."""
        return content_of(media)

    async def check(self) -> str:
        """Whether the broker is there and hands us what comes in; raises ``ChannelUnavailable``."""
        where = f"{self._broker.host}:{self._broker.port}"
        if self._link is None or not self._link.is_up:
            raise ChannelUnavailable(f"there is no connection to the broker {where}")
        if not self.listening.is_set():
            raise ChannelUnavailable(f"the broker {where} has not granted the subscription to {self._in.filter}")
        return f"{self._broker.client_id} @ {where}"

    # --- sending

    async def send(self, to: str, message: OutboundMessage) -> str:
        """Publish a message with QoS 1; its id is in it, so that the receiver can drop repeats."""
        own = self._out.topic(to)
        if own is None:
            raise MessageRejected("this contact cannot be part of a topic")
        payload = await written(
            message,
            contact=to,
            public_url=self._means.public_url,
            files=self._means.files,
            most_bytes=self.settings.max_payload_bytes,
        )
        asked, correlation = self._answer_to.get(to, (None, None))
        if asked is not None and asked != own:
            try:
                await self._publish(asked, payload, message, correlation, needs_subscriber=True)
                return message.outbox_id
            except ChannelUnavailable as error:
                log.info("mqtt_response_topic_left", account=self.account, error=str(error))
        await self._publish(own, payload, message, correlation, needs_subscriber=self.settings.needs_subscriber)
        return message.outbox_id

    async def _publish(
        self, topic: str, payload: bytes, message: OutboundMessage, correlation: bytes | None, *, needs_subscriber: bool
    ) -> None:
        link = self._link
        if link is None:
            raise ChannelUnavailable("there is no connection to the broker")
        properties = (("id", message.outbox_id), ("author", message.author.value), ("kind", message.kind.value))
        publication = Publication(
            topic,
            payload,
            self.settings.message_expiry_seconds,
            correlation=correlation,
            user_properties=properties,
        )
        await link.publish(publication, needs_subscriber=needs_subscriber)

    async def let_go(self) -> None:
        """Leave the broker, so that the process that comes next is not thrown out."""
        await self.close()

    async def close(self) -> None:
        """Leave the broker; it keeps what comes in for the time of the session."""
        link, self._link = self._link, None
        if link is not None:
            await link.close()


def _is_object(payload: bytes) -> bool:
    try:
        return isinstance(json.loads(payload), dict)
    except (ValueError, RecursionError):
        return False


def _broker(settings: MqttSettings) -> Broker:
    tls = None
    if settings.tls:
        tls = ssl.create_default_context(cafile=None if settings.ca_file is None else str(settings.ca_file))
        if settings.cert_file is not None:
            tls.load_cert_chain(settings.cert_file, settings.key_file)
    return Broker(
        host=settings.host,
        port=settings.port or (8883 if settings.tls else 1883),
        client_id=settings.client_id or f"frontdesk-{settings.account}",
        username=settings.username,
        password=None if settings.password is None else settings.password.get_secret_value(),
        tls=tls,
        keepalive=settings.keepalive_seconds,
        session_expiry=settings.session_expiry_seconds,
        in_flight=settings.in_flight,
        largest=settings.max_payload_bytes,
    )
