"""Streams that events can go to: Redis Streams and Kafka, by URL."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import redis.asyncio as redis

from conversations.export import Sink
from conversations.export_events import Event

KEPT = 1_000_000  #: events in a Redis stream before the oldest go, unless the URL says otherwise
_NAME = re.compile(r"[\w.:-]{1,200}")


class BadExport(ValueError):
    """The export cannot be set up as asked; the message says what to do."""


def stream_at(url: str, producer: Callable[..., Any] | None = None) -> Sink:
    """The stream that a ``redis://`` or ``kafka://`` URL names; raises ``BadExport``."""
    scheme = urlsplit(url).scheme
    if scheme in ("redis", "rediss"):
        return RedisStream(url)
    if scheme in ("kafka", "kafkas"):
        return KafkaTopic(url, producer)
    raise BadExport(
        "EXPORT_URL must begin with redis://, rediss://, kafka://, kafkas:// or https://; see docs/events.md"
        "（EXPORT_URL 只接受以上几种开头，写法见 docs/events.md）"
    )


def written(event: Event) -> bytes:
    """An event as it goes over the wire."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


class RedisStream:
    """``redis://[user:password@]host[:port][/db]/stream[?maxlen=N]``: one entry per event, fields id, type and event."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        folders = [unquote(part) for part in parts.path.split("/") if part]
        if not parts.hostname or not 1 <= len(folders) <= 2 or not _NAME.fullmatch(folders[-1]):
            raise BadExport("EXPORT_URL names no stream; write it like redis://host:6379/0/frontdesk-events")
        if len(folders) == 2 and not folders[0].isdecimal():
            raise BadExport("in EXPORT_URL the part before the stream is the number of the Redis database, like /0/")
        kept = parse_qs(parts.query).get("maxlen", [str(KEPT)])[0]
        if not kept.isdecimal() or int(kept) < 1:
            raise BadExport("maxlen in EXPORT_URL is how many events the stream keeps, a number from 1")
        database = folders[0] if len(folders) == 2 else "0"
        self._stream, self._kept = folders[-1], int(kept)
        self.target = f"{parts.scheme}://{parts.hostname}:{parts.port or 6379}/{database}/{self._stream}"[:190]
        server = parts._replace(path=f"/{database}", query="").geturl()
        self._redis = redis.Redis.from_url(server, socket_connect_timeout=5, socket_timeout=20)

    async def send(self, events: Sequence[Event]) -> None:
        """Add all of them in one transaction of Redis."""
        async with self._redis.pipeline(transaction=True) as pipeline:
            for event in events:
                fields: dict[Any, Any] = {"id": event["id"], "type": event["type"], "event": written(event)}
                pipeline.xadd(self._stream, fields, maxlen=self._kept, approximate=True)
            await pipeline.execute()

    async def close(self) -> None:
        """Close the connection."""
        await self._redis.aclose()


class KafkaTopic:
    """``kafka://host:9092[,host2:9092]/topic``, ``kafkas://`` with TLS; a user and password in it mean SASL PLAIN.

    Events of a conversation have its id as their key, so they stay in order in one partition.
    """

    def __init__(self, url: str, producer: Callable[..., Any] | None = None) -> None:
        matched = re.fullmatch(r"(kafkas?)://(?:([^:@/]+):([^@/]+)@)?([\w.:,\[\]-]+)/([\w.-]{1,200})", url)
        if matched is None:
            raise BadExport("EXPORT_URL must look like kafka://host:9092,host2:9092/topic (kafkas:// with TLS)")
        scheme, user, password, servers, self._topic = matched.groups()
        self.target = f"{scheme}://{servers}/{self._topic}"[:190]
        secure = scheme == "kafkas"
        self._options: dict[str, Any] = {
            "bootstrap_servers": servers.split(","),
            "acks": "all",
            "enable_idempotence": True,
            "security_protocol": f"{'SASL_' if user else ''}{'SSL' if secure else 'PLAINTEXT'}",
        }
        if user:
            self._options |= {
                "sasl_mechanism": "PLAIN",
                "sasl_plain_username": unquote(user),
                "sasl_plain_password": unquote(password),
            }
        if secure:
            self._options["ssl_context"] = ssl.create_default_context()
        self._make = producer or _aiokafka()
        self._producer: Any = None

    async def send(self, events: Sequence[Event]) -> None:
        """Return once every in-sync replica has all of them."""
        if self._producer is None:
            producer = self._make(**self._options)
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        try:
            sent = [
                await self._producer.send(
                    self._topic, written(event), key=(event["conversation_id"] or event["contact_id"] or "").encode()
                )
                for event in events
            ]
            for one in sent:
                await one
        except BaseException:
            await self.close()  # a producer that failed half-way begins anew
            raise

    async def close(self) -> None:
        """Stop the producer."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()


def _aiokafka() -> Callable[..., Any]:
    try:
        from aiokafka import AIOKafkaProducer  # type: ignore[import-not-found]
    except ImportError:
        raise BadExport(
            "EXPORT_URL names Kafka, and aiokafka is not installed; run `.tools/bin/uv pip install --python .venv/bin/python aiokafka`"
            "（导出到 Kafka 需要先安装 aiokafka）"
        ) from None
    made: Callable[..., Any] = AIOKafkaProducer
    return made
