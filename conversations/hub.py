"""Tells whoever listens what changed: inside one process, or through Redis between several.

The hub only carries news. A subscriber that falls behind is ended with ``SlowConsumer`` and reads the database again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
from types import TracebackType
from typing import Any, Protocol

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

from conversations.errors import SlowConsumer

Event = dict[str, Any]
_PUBLISH_SECONDS = 1.0
_AGAIN_SECONDS = 2.0
BUFFER = 256

log = structlog.get_logger()


class Subscription:
    """The events of one topic from now on; iterate it, close it, or use it as ``async with``."""

    def __init__(self, hub: LocalHub, topic: str) -> None:
        self._hub = hub
        self.topic = topic
        self._events: deque[Event] = deque()
        self._arrived = asyncio.Event()
        self._ended = False
        self._lost = False
        self._ready = False

    def offer(self, event: Event) -> None:
        """Put an event in the buffer; a full buffer ends the subscription."""
        if len(self._events) >= BUFFER:
            self.lose()
        elif not self._ended:
            self._events.append(event)
            self._arrived.set()

    def lose(self) -> None:
        """End with ``SlowConsumer``: events were missed."""
        self._lost = True
        self.close()

    def close(self) -> None:
        """Stop receiving; a waiting iteration ends."""
        self._ended = True
        self._events.clear()
        self._arrived.set()
        self._hub.forget(self)

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Event:
        await self._prepare()
        while not self._events:
            if self._lost:
                raise SlowConsumer("events were missed; read what happened from the database and subscribe again")
            if self._ended:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        return self._events.popleft()

    async def _prepare(self) -> None:
        if not self._ready:
            await self._hub.ready(self)
            self._ready = True

    async def __aenter__(self) -> Subscription:
        try:
            await self._prepare()
        except BaseException:  # nobody else would take it off the hub's list
            self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Hub(Protocol):
    """What the rooms see of either hub."""

    async def publish(self, topic: str, event: Event) -> None:
        """Tell everyone subscribed to ``topic``; never waits for a slow subscriber and never fails."""
        ...

    def subscribe(self, topic: str) -> Subscription:
        """Events of ``topic`` from now on; inside ``async with`` nothing published later is missed."""
        ...

    async def start(self) -> None:
        """Connect."""
        ...

    async def close(self) -> None:
        """End every subscription."""
        ...


class LocalHub:
    """The hub of a single service process."""

    def __init__(self) -> None:
        self._topics: dict[str, set[Subscription]] = {}

    @property
    def connected(self) -> bool:
        """Whether news reaches everybody it should."""
        return True

    @property
    def subscriptions(self) -> int:
        """How many listen in this process."""
        return sum(map(len, self._topics.values()))

    async def start(self) -> None:
        """Nothing to connect."""

    async def publish(self, topic: str, event: Event) -> None:
        """Tell everyone subscribed to ``topic``."""
        self.deliver(topic, event)

    def deliver(self, topic: str, event: Event) -> None:
        """Put the event in the buffers of this process."""
        for subscription in tuple(self._topics.get(topic, ())):
            subscription.offer(event)

    def subscribe(self, topic: str) -> Subscription:
        """Events of ``topic`` from now on."""
        subscription = Subscription(self, topic)
        self._topics.setdefault(topic, set()).add(subscription)
        return subscription

    def forget(self, subscription: Subscription) -> None:
        """Take a closed subscription off the list."""
        listeners = self._topics.get(subscription.topic)
        if listeners is not None:
            listeners.discard(subscription)
            if not listeners:
                del self._topics[subscription.topic]

    async def ready(self, subscription: Subscription) -> None:
        """Local subscriptions are ready at once."""

    def lose_all(self) -> None:
        """End every subscription with ``SlowConsumer``: events were missed."""
        for subscription in [one for listeners in self._topics.values() for one in listeners]:
            subscription.lose()

    async def close(self) -> None:
        """End every subscription."""
        for subscription in [one for listeners in self._topics.values() for one in listeners]:
            subscription.close()


class RedisHub(LocalHub):
    """The hub of several service processes; one Redis connection listens for all subscriptions of the process."""

    def __init__(self, url: str, prefix: str | None = None) -> None:
        super().__init__()
        self._redis = redis.Redis.from_url(url, socket_connect_timeout=2, health_check_interval=15)
        # Redis tells news to subscribers of every database: two desks on one server would hear each other.
        number = self._redis.connection_pool.connection_kwargs.get("db") or 0
        self._prefix = f"frontdesk:{number}:" if prefix is None else prefix
        self._listening: redis.client.PubSub | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ready: dict[str, asyncio.Event] = {}
        self._closed = False
        self._was_down = False
        self._away_until = float("-inf")  # a Redis that hangs must not hold up every message

    @property
    def connected(self) -> bool:
        """Whether Redis is there."""
        return self._listening is not None

    async def start(self) -> None:
        """Start listening; a Redis that is away is retried until it comes."""
        if self._reader is None:
            self._reader = asyncio.create_task(self._listen(), name="redis-hub")

    async def publish(self, topic: str, event: Event) -> None:
        """Tell everyone subscribed to ``topic`` in any process; without Redis at least those in this one."""
        if time.monotonic() < self._away_until:
            self.deliver(topic, event)
            return
        try:
            async with asyncio.timeout(_PUBLISH_SECONDS):
                await self._redis.publish(self._prefix + topic, json.dumps(event, ensure_ascii=False))
        except (RedisError, OSError, TimeoutError) as error:
            self._away_until = time.monotonic() + _AGAIN_SECONDS
            log.warning("hub_publish_failed", error=str(error) or type(error).__name__)
            self.deliver(topic, event)

    def subscribe(self, topic: str) -> Subscription:
        """Events of ``topic`` from now on, from any process."""
        self._ready.setdefault(topic, asyncio.Event())
        return super().subscribe(topic)

    async def ready(self, subscription: Subscription) -> None:
        """Wait until Redis confirmed the topic, for at most two seconds: without Redis only local events come."""
        confirmed = self._ready.get(subscription.topic)
        if confirmed is None or confirmed.is_set():
            return
        await self.start()
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(2):
                if self._listening is not None and self._listening.connection is not None:
                    await self._listening.subscribe(self._prefix + subscription.topic)
                await confirmed.wait()

    def forget(self, subscription: Subscription) -> None:
        """Take a closed subscription off the list, and its topic off Redis with the last one."""
        super().forget(subscription)
        if subscription.topic not in self._topics and self._ready.pop(subscription.topic, None) is not None:
            listening = self._listening
            if listening is not None and not self._closed:
                task = asyncio.ensure_future(self._unsubscribe(listening, subscription.topic))
                task.add_done_callback(lambda done: done.exception() if not done.cancelled() else None)

    async def _unsubscribe(self, listening: redis.client.PubSub, topic: str) -> None:
        with contextlib.suppress(RedisError, OSError):
            if topic not in self._topics:
                await listening.unsubscribe(self._prefix + topic)

    async def _listen(self) -> None:
        while not self._closed:
            listening = self._redis.pubsub()
            try:
                await listening.subscribe(self._prefix)  # keeps the connection alive while nobody subscribes
                self._listening = listening  # from here on new subscriptions confirm themselves
                if self._was_down:
                    self._was_down = False
                    self.lose_all()
                elif self._ready:
                    await listening.subscribe(*(self._prefix + topic for topic in tuple(self._ready)))
                while True:
                    self._take(await listening.get_message(timeout=30))
            except (RedisError, OSError) as error:
                log.warning("hub_connection_lost", error=str(error), retry_in_seconds=1)
                if self._listening is not None:
                    self.lose_all()  # nobody knows what other processes publish meanwhile
                self._listening = None
                self._was_down = True
                await asyncio.sleep(1)
            finally:
                self._listening = None
                with contextlib.suppress(RedisError, OSError):
                    await listening.aclose()  # type: ignore[no-untyped-call]

    def _take(self, message: dict[str, Any] | None) -> None:
        if message is None:
            return
        topic = message["channel"].decode().removeprefix(self._prefix)
        if message["type"] == "subscribe" and topic in self._ready:
            self._ready[topic].set()
        elif message["type"] == "message":
            self.deliver(topic, json.loads(message["data"]))

    async def close(self) -> None:
        """End every subscription and the connection."""
        self._closed = True
        await super().close()
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        await self._redis.aclose()
