"""One connection to a broker: paho's network thread on one side, asyncio on the other.

Protocol: MQTT 5.0 (OASIS standard, docs.oasis-open.org/mqtt/mqtt/v5.0). Messages are taken at QoS 1: paho confirms a QoS 2
message (PUBREC) before anybody here has seen it, and after a crash the broker would not send it again. The broker hands
what was published with QoS 2 to us with QoS 1, and the id in the message makes a repeat harmless.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from conversations.errors import ChannelUnavailable, DeliveryUnknown, MessageRejected, RateLimited

_CONNECT_SECONDS = 10.0
_ACKNOWLEDGED_SECONDS = 20.0  # less than the outbox gives a delivery
_MOST_UNACKNOWLEDGED = 16
_NO_SUBSCRIBER = 0x10
_QUOTA = 0x97
#: Not authorized, topic name invalid, packet too large, payload format invalid (MQTT 5.0, table 3-4).
_PERMANENT = frozenset({0x87, 0x90, 0x95, 0x99})


class LinkDown(Exception):
    """The connection to the broker could not be made, or broke; the message says why."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a broker is and who we are there."""

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None
    keepalive: int = 30
    session_expiry: int = 7 * 24 * 3600
    in_flight: int = 20
    largest: int = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Publication:
    """What is published."""

    topic: str
    payload: bytes
    expiry: int
    content_type: str = "application/json"
    correlation: bytes | None = None
    user_properties: Sequence[tuple[str, str]] = field(default_factory=tuple)


class Link:
    """Use it from the event loop that made it, and once: a broken connection stays broken."""

    def __init__(self, broker: Broker, subscribed: asyncio.Event | None = None) -> None:
        self._broker = broker
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[MQTTMessage] = asyncio.Queue()
        #: Bounds the queue: where the broker does not keep to the receive maximum, the network thread waits.
        self._room = threading.Semaphore(2 * broker.in_flight)
        self._closing = threading.Event()
        self._up: asyncio.Future[None] = self._loop.create_future()
        self.subscribed = subscribed or asyncio.Event()
        self._down: asyncio.Future[str] = self._loop.create_future()
        self._waiting: dict[int, asyncio.Future[int]] = {}
        self._slots = asyncio.Semaphore(_MOST_UNACKNOWLEDGED)
        self._broker_takes: int | None = None  # bytes
        self.resumed = False  #: whether the broker still knew the session, and with it what waited
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=broker.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        self._client.max_inflight_messages_set(1_000)  # our slots bound it; nothing waits unseen inside paho
        self._client.connect_timeout = 5.0
        if broker.username is not None:
            self._client.username_pw_set(broker.username, broker.password)
        if broker.tls is not None:
            self._client.tls_set_context(broker.tls)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_publish
        self._client.on_disconnect = self._on_disconnect

    @property
    def is_up(self) -> bool:
        """Whether messages can be published."""
        return self._up.done() and not self._down.done()

    # --- called by the event loop

    async def open(self, topic_filter: str) -> None:
        """Connect, resume the session, and ask for a subscription; raises ``LinkDown``.

        Whether it is granted shows in ``subscribed``, and a refusal as the end of the connection. It is not waited for:
        what the session has kept comes first, and Mosquitto 2.0 sends all of it at once, whatever the receive maximum.
        """
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = self._broker.session_expiry
        properties.ReceiveMaximum = self._broker.in_flight
        properties.MaximumPacketSize = self._broker.largest + 128 * 1024  # a little more, so that we can say what was
        try:
            await asyncio.to_thread(
                self._client.connect,
                self._broker.host,
                self._broker.port,
                self._broker.keepalive,
                clean_start=False,
                properties=properties,
            )
            self._client.loop_start()
            await self._connected()
            # Retained messages are old news: they were heard when they were published.
            options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
            self._client.subscribe(topic_filter, options=options)
        except (OSError, ValueError) as error:
            self._fail("no connection")
            raise LinkDown(f"no connection to the broker ({type(error).__name__})") from None

    async def next(self) -> MQTTMessage:
        """The next message; raises ``LinkDown`` once the connection broke and everything that came is handed out."""
        if self._queue.empty():
            getting = asyncio.ensure_future(self._queue.get())
            try:
                await asyncio.wait((getting, self._down), return_when=asyncio.FIRST_COMPLETED)
                if getting.done():
                    return getting.result()
            finally:
                getting.cancel()
            raise LinkDown(self._down.result())
        return self._queue.get_nowait()

    def done(self, message: MQTTMessage) -> None:
        """Acknowledge a message; in the order in which they came (MQTT-4.6.0-2)."""
        self._client.ack(message.mid, message.qos)
        self._room.release()

    async def publish(self, publication: Publication, *, needs_subscriber: bool) -> None:
        """Publish with QoS 1 and wait for the broker; raises a ``SendError``."""
        if not self.is_up:
            raise ChannelUnavailable("there is no connection to the broker")
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.MessageExpiryInterval = publication.expiry
        properties.ContentType = publication.content_type
        properties.PayloadFormatIndicator = 1
        if publication.correlation is not None:
            properties.CorrelationData = publication.correlation
        properties.UserProperty = list(publication.user_properties)
        if self._broker_takes is not None and len(publication.payload) + 1024 > self._broker_takes:
            raise MessageRejected(f"the broker takes {self._broker_takes} bytes at most")  # it would hang up on us
        async with self._slots:
            code = await self._published(publication, properties)
        _judge(code, needs_subscriber)

    async def _published(self, publication: Publication, properties: Properties) -> int:
        sent = self._client.publish(publication.topic, publication.payload, qos=1, properties=properties)
        if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise ChannelUnavailable(f"the message could not be published ({sent.rc.name})")
        # The answer reaches this loop only after this line, so none is missed.
        answer: asyncio.Future[int] = self._loop.create_future()
        self._waiting[sent.mid] = answer
        try:
            async with asyncio.timeout(_ACKNOWLEDGED_SECONDS):
                return await answer
        except TimeoutError:
            raise DeliveryUnknown("the broker did not acknowledge the message in time") from None
        finally:
            self._waiting.pop(sent.mid, None)

    def stop_listening(self) -> None:
        """Take no more messages; what comes is not acknowledged, and publishing goes on."""
        self._closing.set()

    async def close(self) -> None:
        """Leave; the session, and what waits in it, stays with the broker."""
        self._closing.set()
        self._client.disconnect()
        try:
            async with asyncio.timeout(2):
                await asyncio.shield(self._down)
        except TimeoutError:  # the last word does not leave: a cable is cut
            connection = self._client.socket()
            with suppress(OSError):
                if isinstance(connection, socket.socket):
                    connection.shutdown(socket.SHUT_RDWR)
        await asyncio.to_thread(self._client.loop_stop)
        self._fail("the connection was closed")

    async def _connected(self) -> None:
        await asyncio.wait((self._up, self._down), timeout=_CONNECT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if self._down.done():
            raise LinkDown(self._down.result())
        if not self._up.done():
            raise LinkDown("the broker does not answer")

    def _fail(self, reason: str) -> None:
        if not self._down.done():
            self._down.set_result(reason)
            self.subscribed.clear()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(DeliveryUnknown("the connection broke before the broker acknowledged the message"))

    def _answered(self, mid: int, code: int) -> None:
        answer = self._waiting.get(mid)
        if answer is not None and not answer.done():
            answer.set_result(code)

    def _accepted(self, resumed: bool, most_unacknowledged: int, largest: int | None) -> None:
        self.resumed = resumed
        self._slots = asyncio.Semaphore(min(_MOST_UNACKNOWLEDGED, most_unacknowledged))
        self._broker_takes = largest
        if not self._up.done():
            self._up.set_result(None)

    # --- called by paho's network thread

    def _call(self, function: Callable[..., Any], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: the process ends
            self._loop.call_soon_threadsafe(function, *arguments)

    def _on_connect(
        self, client: Client, userdata: Any, flags: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._call(self._fail, f"the broker refuses us: {code}")
        else:  # the limits of the broker (MQTT 5.0, 3.2.2.3.3 and 3.2.2.3.6)
            most = getattr(properties, "ReceiveMaximum", _MOST_UNACKNOWLEDGED)
            largest = getattr(properties, "MaximumPacketSize", None)
            self._call(self._accepted, flags.session_present, most, largest)

    def _on_subscribe(
        self, client: Client, userdata: Any, mid: int, codes: list[ReasonCode], properties: Properties | None
    ) -> None:
        refused = next((code for code in codes if code.is_failure), None)
        if refused is None:
            self._call(self.subscribed.set)
        else:
            self._call(self._fail, f"the broker refuses the subscription: {refused}")

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        while True:
            if self._closing.is_set():
                return  # not acknowledged: it comes again
            if self._room.acquire(timeout=0.2):
                break
        self._call(self._queue.put_nowait, message)

    def _on_publish(
        self, client: Client, userdata: Any, mid: int, code: ReasonCode, properties: Properties | None
    ) -> None:
        self._call(self._answered, mid, code.value)

    def _on_disconnect(
        self, client: Client, userdata: Any, flags: DisconnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        self._closing.set()
        self._call(self._fail, f"the connection to the broker ended: {code}")


def _judge(code: int, needs_subscriber: bool) -> None:
    if code == _NO_SUBSCRIBER and needs_subscriber:
        raise ChannelUnavailable("nobody has subscribed to the contact's topic")
    if code < 0x80:
        return
    if code == _QUOTA:
        raise RateLimited(5.0)
    if code in _PERMANENT:
        raise MessageRejected(
            f"the broker refuses the message (reason code 0x{code:02x}); compare the topic with its ACL"
        )
    raise ChannelUnavailable(f"the broker does not take the message now (reason code 0x{code:02x})")
