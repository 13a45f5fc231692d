"""The contacts of a load run: by web socket, by REST and by signed webhooks, each writing when a plan made beforehand says so.

Who still waits for an answer writes later than planned, as people do; the time is counted from the plan all the same, so
a desk that falls behind is not measured by the few messages that it let through.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import random
import secrets
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from benchmarks.load_record import Record
from benchmarks.load_scripts import Line, script
from benchmarks.load_wire import Wire
from connectors.standard_webhooks import Signatures

ANSWER_SECONDS = 30.0  #: later counts as lost
REST_OF_ANSWER_SECONDS = 5.0  #: between its first words and what was asked for
LOOPBACK = "127.0.0.1"


@dataclass
class Way:
    """What contacts of all channels share."""

    base: str
    key: str
    signatures: Signatures
    account: str
    record: Record
    post_box: PostBox
    patience_seconds: float = ANSWER_SECONDS
    http: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        limits = httpx.Limits(max_connections=400, max_keepalive_connections=200)
        self.http = httpx.AsyncClient(base_url=self.base, timeout=ANSWER_SECONDS + 5, limits=limits, trust_env=False)

    def headers(self, webhook_id: str, body: bytes) -> dict[str, str]:
        """What makes a webhook ours."""
        return self.signatures.headers(webhook_id, body, time.time()) | {"content-type": "application/json"}

    async def post_signed(self, wire: Wire, contact: str, text: str, language: str) -> int:
        """One webhook, as a program of the shop's own sends it; the status it is answered with."""
        body = json.dumps({"contact": contact, "text": text, "language": language}).encode()
        return await wire.post(f"/webhooks/webhook/{self.account}", body, self.headers(f"msg_{uuid.uuid4().hex}", body))


class PostBox:
    """Where the desk posts what it answers to contacts of the webhook channel."""

    def __init__(self) -> None:
        self.port = 0
        self.arrived: dict[str, asyncio.Queue[dict[str, Any]]] = {}
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> None:
        """Take what is posted; the port is any free one unless given."""
        self._server = await asyncio.start_server(self._serve, LOOPBACK, port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    def of(self, contact: str) -> asyncio.Queue[dict[str, Any]]:
        """What comes for a contact from now on."""
        return self.arrived.setdefault(contact, asyncio.Queue())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError, ValueError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                length = next(int(line.split(":")[1]) for line in head.split("\r\n") if "content-length" in line)
                message = json.loads(await reader.readexactly(length))
                if message["contact"] in self.arrived:
                    self.arrived[message["contact"]].put_nowait(message)
                writer.write(b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
        writer.close()

    async def close(self) -> None:
        """Take nothing more."""
        if self._server is not None:
            self._server.close()


class Contact:
    """One person in one conversation; ``say`` returns once the answer is there or is given up."""

    channel = ""

    def __init__(self, way: Way, language: str) -> None:
        self.way = way
        self.language = language
        self.name = f"load-{secrets.token_hex(8)}"
        self.last_seq = 0
        self._replies: list[dict[str, Any]] = []  #: to the message that was said last
        self._limit: asyncio.Timeout | None = None

    async def open(self) -> None:
        """Come to the shop."""

    async def close(self) -> None:
        """Leave."""

    async def say(self, line: Line, due_at: float) -> None:
        """Send a message and hear its answer; whatever goes wrong is recorded."""
        record = self.way.record
        record.sent(self.channel, due_at, time.perf_counter())
        self._replies = []
        try:
            async with asyncio.timeout(self.way.patience_seconds) as self._limit:
                await self._talk(line, due_at)
        except TimeoutError:
            if self._replies:
                said = " / ".join(str(reply["text"]) for reply in self._replies)
                record.error("wrong", f"{self.channel}: “{line.text}” was answered: {said[:120]}")
            else:
                record.error("lost", f"{self.channel}: no answer to “{line.text}” in {self.way.patience_seconds:.0f} s")
        except (httpx.HTTPError, OSError, WebSocketException, ValueError, KeyError) as error:
            record.error("failed", f"{self.channel}: “{line.text}”: {error!r}"[:200])

    async def _talk(self, line: Line, due_at: float) -> None:
        raise NotImplementedError

    def heard(self, line: Line, due_at: float, seq: int, replies: list[dict[str, Any]]) -> bool:
        """Note what came after the message number ``seq``; whether the answer is complete. The first words are measured."""
        record = self.way.record
        if not self._replies and replies:
            record.answered(due_at, time.perf_counter())
            if self._limit is not None:
                self._limit.reschedule(asyncio.get_running_loop().time() + REST_OF_ANSWER_SECONDS)
        new = replies[len(self._replies) :]
        self._replies = replies
        for reply in new:
            number = int(reply["seq"])
            if number <= max(seq, self.last_seq):
                record.error("out_of_order", f"{self.channel}: {number} after {self.last_seq}, to {seq}")
            self.last_seq = max(self.last_seq, number)
        return line.answered_by("\n".join(str(reply["text"]) for reply in replies))


class Visitor(Contact):
    """A person at the chat widget."""

    channel = "webchat"

    def __init__(self, way: Way, language: str) -> None:
        super().__init__(way, language)
        self._socket: ClientConnection | None = None
        self._token: str | None = None
        self._cursor: str | None = None

    async def open(self) -> None:
        """Open the socket and say hello; with a token it is the same person coming back."""
        url = self.way.base.replace("http", "ws", 1) + "/webchat/socket"
        origin: Any = self.way.base
        self._socket = await connect(url, origin=origin, compression=None, max_queue=None, proxy=None)
        hello = {"type": "hello", "token": self._token, "language": self.language, "after": self._cursor}
        await self._socket.send(json.dumps(hello))
        welcome = await self._next("welcome")
        self._token = welcome["token"]

    async def _talk(self, line: Line, due_at: float) -> None:
        wanted, seq = uuid.uuid4().hex, 0
        frame = {"type": "message", "client_msg_id": wanted, "text": line.text, "language": self.language}
        told: list[dict[str, Any]] = []  # an answer may be told before the repeated acknowledgement of its message
        while True:
            try:
                if self._socket is None:
                    await self.open()
                assert self._socket is not None
                if not seq:
                    await self._socket.send(json.dumps(frame))
                while True:
                    heard = json.loads(await self._socket.recv())
                    if heard["type"] == "ack" and heard["client_msg_id"] == wanted:
                        if not seq:
                            self.way.record.acked(due_at, time.perf_counter())
                        seq = int(heard["seq"])
                    elif heard["type"] == "error":
                        raise ValueError(heard["code"])
                    elif heard["type"] == "message":
                        message = heard["message"]
                        self._cursor = f"{message['conversation_id']}:{message['seq']}"
                        if message["author"] != "contact":
                            told.append(message)
                    answers = [message for message in told if seq and int(message["seq"]) > seq]
                    if answers and self.heard(line, due_at, seq, answers):
                        return
            except (
                OSError,
                WebSocketException,
            ):  # the process is gone: the widget connects again and sends what is open
                self._socket = None
                await asyncio.sleep(random.uniform(0.2, 0.6))

    async def _next(self, kind: str) -> dict[str, Any]:
        assert self._socket is not None
        while True:
            frame: dict[str, Any] = json.loads(await self._socket.recv())
            if frame["type"] == kind:
                return frame
            if frame["type"] == "error":
                raise ValueError(frame["code"])

    async def close(self) -> None:
        """Close the page."""
        if self._socket is not None:
            with contextlib.suppress(OSError, WebSocketException):
                await self._socket.close()


class Caller(Contact):
    """A program that waits for the answer over REST; it tries again with the same key when a process dies."""

    channel = "rest"

    async def _talk(self, line: Line, due_at: float) -> None:
        key = uuid.uuid4().hex
        body = {"contact": self.name, "text": line.text, "language": self.language, "wait_seconds": 25}
        headers = {"Authorization": f"Bearer {self.way.key}", "Idempotency-Key": key}
        while True:
            try:
                answer = await self.way.http.post("/api/v1/messages", json=body, headers=headers)
            except httpx.TransportError:
                await asyncio.sleep(random.uniform(0.2, 0.6))
                continue
            if answer.status_code in (409, 503):  # the first request may still be at work, or nobody answers
                await asyncio.sleep(random.uniform(0.3, 0.8))
                continue
            said = answer.json()
            if answer.status_code != 200 or not said["replies"]:
                raise ValueError(f"HTTP {answer.status_code} {answer.text[:120]}")
            self.way.record.acknowledged += 1
            if not self.heard(line, due_at, int(said["seq"]), said["replies"]):
                raise TimeoutError  # nothing more comes here
            return


class Program(Contact):
    """A contact of a program that brings messages and takes answers by signed webhooks."""

    channel = "webhook"

    def __init__(self, way: Way, language: str) -> None:
        super().__init__(way, language)
        self._seen: set[str] = set()

    async def open(self) -> None:
        """From now on answers are kept."""
        self.way.post_box.of(self.name)

    async def _talk(self, line: Line, due_at: float) -> None:
        answers = self.way.post_box.of(self.name)
        while not answers.empty():  # the rest of the last answer
            self._take(answers.get_nowait())
        body = json.dumps({"contact": self.name, "text": line.text, "language": self.language}).encode()
        webhook_id = f"msg_{uuid.uuid4().hex}"
        while True:  # a program sends again with the same id until it hears 200
            with contextlib.suppress(httpx.TransportError):
                answer = await self.way.http.post(
                    f"/webhooks/webhook/{self.way.account}", content=body, headers=self.way.headers(webhook_id, body)
                )
                if answer.status_code == 200:
                    break
                if answer.status_code != 503:
                    raise ValueError(f"HTTP {answer.status_code} {answer.text[:120]}")
            await asyncio.sleep(random.uniform(0.2, 0.6))
        self.way.record.acked(due_at, time.perf_counter())
        said, told = self.last_seq + 1, list[dict[str, Any]]()
        while True:
            message = await answers.get()
            if message["id"] in self._seen:
                continue  # told twice, as "at least once" allows
            self._seen.add(message["id"])
            told.append(message)
            if self.heard(line, due_at, said, list(told)):
                return

    def _take(self, message: dict[str, Any]) -> None:
        if message["id"] not in self._seen and int(message["seq"]) <= self.last_seq:
            self.way.record.error("out_of_order", f"{self.channel}: {message['seq']} after {self.last_seq}")
        self._seen.add(message["id"])
        self.last_seq = max(self.last_seq, int(message["seq"]))

    async def close(self) -> None:
        """Nothing more is expected."""
        self.way.post_box.arrived.pop(self.name, None)


KINDS: tuple[type[Contact], ...] = (Visitor, Visitor, Visitor, Caller, Program)


async def live(way: Way, draw: random.Random, think_seconds: float, begins_at: float, ends_at: float) -> None:
    """One person after the other in one chair until the end; the plan of when they write is drawn before they do."""
    due_at = begins_at
    while due_at < ends_at:
        language, lines = script(draw)
        contact = draw.choice(KINDS)(way, language)
        await _until(due_at - min(0.5, think_seconds / 4))
        try:
            await contact.open()
        except (OSError, WebSocketException, ValueError, TimeoutError) as error:
            way.record.error("failed", f"{contact.channel}: cannot come in: {error!r}"[:200])
        for line in lines:
            if due_at >= ends_at:
                break
            await _until(due_at)
            await contact.say(line, due_at)
            due_at += think_seconds * (0.3 + draw.expovariate(1 / 0.7))
        await contact.close()


async def _until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.perf_counter()))


def new_secret() -> str:
    """A secret of the webhook channel."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
