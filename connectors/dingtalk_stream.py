"""DingTalk's Stream mode: WebSocket connections that we open and on which DingTalk pushes.

Protocol: open-dingtalk/developerpedia, "Stream protocol". Messages to robots are pushed once, to one of the open
connections; nobody repeats what was pushed while none was open. That is why there are several, why the next one is
opened before the old one is closed, and why a message that cannot be stored at once is tried again here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from weakref import WeakValueDictionary

import httpx
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from connectors.base import BadPayload
from connectors.vendor_calls import call, is_host_of, json_of
from conversations.errors import MessageRejected, SendError

log = structlog.get_logger()

MESSAGES = "/v1.0/im/bot/messages/get"
CARDS = "/v1.0/card/instances/callback"
_MAX_FRAME = 1024 * 1024
_SHORT_LIVED = 3
_FINISH_SECONDS = 5.0  # for messages that are being stored when the desk stops
#: The library writes addresses, and with them tickets, into its log below this level.
_QUIET = logging.getLogger("connectors.dingtalk_stream.websockets")
_QUIET.setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Push:
    """A message or press that must be stored: whose it is (they keep their order), and how."""

    contact: str
    store: Callable[[], Awaitable[None]]
    response: Mapping[str, Any] | None = None  #: what DingTalk is told when it is stored


#: Makes a push of a topic's data; None for what is not for us; raises ``BadPayload``.
ReadPush = Callable[[str, str], Push | None]


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """Where to connect and how patiently."""

    api: str
    hosts: tuple[str, ...]
    client_id: str
    client_secret: str
    topics: Sequence[str]
    connections: int
    account: str = "default"  #: named in the log
    first_pause_seconds: float = 1.0
    longest_pause_seconds: float = 60.0
    store_attempts: int = 8
    drain_seconds: float = 15.0  #: the platform closes a connection ten seconds after it said so


class Stream:
    """Keeps the connections of one robot open."""

    def __init__(
        self,
        settings: StreamSettings,
        http: httpx.AsyncClient,
        read: ReadPush,
        changed: Callable[[str | None], None] = lambda _reason: None,
    ) -> None:
        """``changed`` is told when a connection is open (None), and why one ended."""
        self._changed = changed
        self._settings = settings
        self._http = http
        self._read = read
        self._log = log.bind(account=settings.account)
        self._order: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._storing: set[asyncio.Task[None]] = set()
        self._open: set[ClientConnection] = set()

    @property
    def connected(self) -> int:
        """How many connections are open."""
        return len(self._open)

    async def run(self) -> None:
        """Hold the connections until cancelled; messages that are being stored are finished."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._settings.connections):
                    group.create_task(self._keep())
        finally:
            if self._storing:
                _, late = await asyncio.wait(self._storing, timeout=_FINISH_SECONDS)
                for task in late:
                    task.cancel()

    async def _keep(self) -> None:
        clock = asyncio.get_running_loop()
        pause = self._settings.first_pause_seconds
        short_lived = 0  # connections in a row that were told to go as soon as they came
        reading: set[asyncio.Task[None]] = set()
        try:
            while True:
                reason, began = "the connection ended", clock.time()
                try:
                    connection = await self._connect()
                    leaving = asyncio.Event()
                    reader = asyncio.create_task(self._serve(connection, leaving))
                    reading.add(reader)
                    reader.add_done_callback(reading.discard)
                    notice = asyncio.create_task(leaving.wait())
                    try:
                        await asyncio.wait({reader, notice}, return_when=asyncio.FIRST_COMPLETED)
                    finally:
                        notice.cancel()
                    held = clock.time() - began > self._settings.first_pause_seconds
                    short_lived = 0 if held else short_lived + 1
                    if leaving.is_set() and short_lived <= _SHORT_LIVED:
                        pause = self._settings.first_pause_seconds
                        continue  # the old connection is read until it ends, while the next one opens
                except (SendError, OSError, TimeoutError, WebSocketException) as error:
                    reason = (
                        f"{type(error).__name__}: {error}" if isinstance(error, SendError) else type(error).__name__
                    )
                if clock.time() - began > self._settings.longest_pause_seconds:
                    pause = self._settings.first_pause_seconds
                self._changed(reason)
                self._log.warning("dingtalk_stream_disconnected", error=reason, retry_in_seconds=round(pause, 1))
                await asyncio.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311  # spreads retries, guards nothing
                pause = min(self._settings.longest_pause_seconds, pause * 2)
        finally:
            for task in reading:
                task.cancel()
            await asyncio.gather(*reading, return_exceptions=True)

    async def _connect(self) -> ClientConnection:
        settings = self._settings
        body = {
            "clientId": settings.client_id,
            "clientSecret": settings.client_secret,
            "subscriptions": [{"type": "CALLBACK", "topic": topic} for topic in settings.topics],
            "ua": "frontdesk-python/1.0",
        }
        url = f"{settings.api}/v1.0/gateway/connections/open"
        response = await call(self._http, "connections/open", "POST", url, json=body)
        answer = json_of(response)
        endpoint, ticket = answer.get("endpoint"), answer.get("ticket")
        if response.status_code != 200 or not isinstance(endpoint, str) or not isinstance(ticket, str):
            code = str(answer.get("code", ""))[:80]
            raise MessageRejected(f"connections/open: HTTP {response.status_code} {code}; check client_id and secret")
        as_http = endpoint.replace("ws", "http", 1)
        own = settings.api.startswith("http://") and endpoint.startswith("ws://127.0.0.1:")  # a test's own server
        if not own and not is_host_of(as_http, settings.hosts, settings.api):
            raise MessageRejected("connections/open: the endpoint is on a host that is not in stream_hosts")
        return await connect(
            f"{endpoint}?ticket={quote(ticket, safe='')}",
            logger=_QUIET,
            open_timeout=10,
            close_timeout=2,
            max_size=_MAX_FRAME,
        )

    async def _serve(self, connection: ClientConnection, leaving: asyncio.Event) -> None:
        self._open.add(connection)
        self._changed(None)
        try:
            async with connection:
                async for raw in connection:
                    await self._take(connection, raw, leaving)
                    if leaving.is_set():
                        self._open.discard(connection)
                        asyncio.get_running_loop().call_later(self._settings.drain_seconds, connection.transport.abort)
        except (WebSocketException, OSError) as error:
            self._log.info("dingtalk_connection_broke", error=type(error).__name__)
        finally:
            self._open.discard(connection)

    async def _take(self, connection: ClientConnection, raw: str | bytes, leaving: asyncio.Event) -> None:
        frame = _object(raw)
        headers = frame.get("headers")
        headers = headers if isinstance(headers, dict) else {}
        topic, data = str(headers.get("topic", "")), frame.get("data")
        data = data if isinstance(data, str) else ""
        match frame.get("type"):
            case "SYSTEM" if topic == "disconnect":
                leaving.set()
            case "SYSTEM":
                await _answer(connection, headers, {"opaque": _object(data).get("opaque")})
            case "EVENT":
                # Nothing is kept of events, so each of them is done with at once; without an answer they come again.
                await _answer(connection, headers, {"status": "SUCCESS", "message": "ok"})
            case "CALLBACK":
                task = asyncio.create_task(self._store(connection, headers, topic, data))
                self._storing.add(task)
                task.add_done_callback(self._storing.discard)
            case _:
                self._log.warning("dingtalk_frame_unknown", type=str(frame.get("type"))[:40])

    async def _store(self, connection: ClientConnection, headers: dict[str, Any], topic: str, data: str) -> None:
        if topic not in self._settings.topics:
            await _answer(connection, headers, {"response": None}, 404, "unknown topic")
            return
        try:
            push = self._read(topic, data)
        except BadPayload as error:
            self._log.warning("dingtalk_push_unreadable", topic=topic, error=str(error))
            await _answer(connection, headers, {"response": None}, 400, "bad payload")
            return
        if push is not None:
            # Kept in the table for as long as one of this contact's pushes is at work; locks let in who came first.
            lock = self._order.setdefault(push.contact, asyncio.Lock())
            async with lock:
                if not await self._stored(push):
                    await _answer(connection, headers, {"response": None}, 500, "not stored")
                    return
        await _answer(connection, headers, {"response": push.response if push is not None else None})

    async def _stored(self, push: Push) -> bool:
        """Store it, and try again for about two minutes: DingTalk will not send it a second time."""
        pause = self._settings.first_pause_seconds
        for attempt in range(1, self._settings.store_attempts + 1):
            try:
                await push.store()
                return True
            except Exception as error:
                last = attempt == self._settings.store_attempts
                write = self._log.error if last else self._log.warning
                write(
                    "dingtalk_message_lost" if last else "dingtalk_message_not_stored",
                    error=error,
                    attempt=attempt,
                )
                if not last:
                    await asyncio.sleep(pause)
                    pause = min(self._settings.longest_pause_seconds, pause * 2)
        return False


async def _answer(
    connection: ClientConnection, headers: dict[str, Any], data: Mapping[str, Any], code: int = 200, message: str = "OK"
) -> None:
    answer = {
        "code": code,
        "headers": {"contentType": "application/json", "messageId": str(headers.get("messageId", ""))},
        "message": message,
        "data": json.dumps(data, ensure_ascii=False),
    }
    try:
        await connection.send(json.dumps(answer, ensure_ascii=False))
    except (WebSocketException, OSError):
        log.info("dingtalk_push_not_acknowledged", code=code)  # what it held is stored all the same


def _object(raw: str | bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
