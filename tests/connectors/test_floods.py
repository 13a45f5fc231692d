"""One visitor who floods, and a hundred who read nothing, cost the others nothing and the desk little."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import socket
import statistics
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from connectors.rate_limit import RateLimit
from connectors.webchat import socket as visitor_socket
from connectors.webchat.visitors import _MESSAGES_AT_ONCE, _MESSAGES_PER_SECONDS
from conversations.model import Address, InboundMessage, new_id
from tests.connectors.desk import Server
from tests.connectors.test_polling import call, hello

SLOW = 100
NEWS = 600
#: The end of a close frame.
CLOSED = (1013).to_bytes(2, "big") + b"too slow; resume"


def test_ten_messages_a_second_for_ten_minutes_are_taken_at_the_rate_that_is_allowed() -> None:
    """F44: two in a second get through, and each refusal says how long to wait for the next."""
    now = [0.0]
    limit = RateLimit(_MESSAGES_AT_ONCE, _MESSAGES_PER_SECONDS, lambda: now[0])
    waits = []
    for n in range(6_000):
        now[0] = n / 10
        waits.append(limit.wait_seconds("flooder"))
        if n % 600 == 0:
            assert limit.wait_seconds("somebody else") == 0
    taken = waits.count(0)
    assert _MESSAGES_AT_ONCE + 1_150 < taken < _MESSAGES_AT_ONCE + 1_250
    assert max(waits) <= _MESSAGES_PER_SECONDS / _MESSAGES_AT_ONCE


async def test_a_visitor_who_floods_is_told_politely_and_others_wait_no_longer(server: Server) -> None:
    """F44: what somebody else's message costs is compared in the same run with and without the flood."""
    token = (await hello(server))["token"]
    flooding = True
    refused: list[dict[str, object]] = []

    async def flood() -> None:
        while flooding:
            answer = await call(server, token, "messages", client_msg_id=new_id(), text="again and again")
            if answer.status_code != 200:
                refused.append({"status": answer.status_code, "wait": answer.headers["retry-after"]} | answer.json())
            await asyncio.sleep(0.1)

    async def others() -> float:
        """The median of what twelve other visitors wait for the word that their message is stored."""
        waited = []
        for _ in range(12):
            other = (await hello(server))["token"]
            began = time.perf_counter()
            assert (await call(server, other, "messages", client_msg_id=new_id(), text="hello")).status_code == 200
            waited.append(time.perf_counter() - began)
            await asyncio.sleep(0.1)
        return statistics.median(waited)

    quiet = await others()
    running = asyncio.create_task(flood())
    while not refused:  # noqa: ASYNC110  # its first twenty messages are taken
        await asyncio.sleep(0.05)
    flooded = await others()
    flooding = False
    await running
    assert flooded / quiet < 4
    assert {one["status"] for one in refused} == {429}
    assert all(int(str(one["wait"])) >= 1 and "wait" in str(one["error"]) for one in refused)


class SlowReader:
    """A widget that says hello and then reads nothing, with as small a buffer as the system gives."""

    def __init__(self, server: Server, token: str) -> None:
        self._server, self.token = server, token
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self._socket.setblocking(False)

    async def open(self) -> None:
        loop, address = asyncio.get_running_loop(), urlsplit(self._server.url)
        await loop.sock_connect(self._socket, (address.hostname, address.port))
        key = base64.b64encode(os.urandom(16)).decode()
        lines = ["GET /webchat/socket HTTP/1.1", f"Host: {address.netloc}", "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", ""]
        await loop.sock_sendall(self._socket, "\r\n".join(lines).encode())
        assert b" 101 " in await loop.sock_recv(self._socket, 1024)
        said = json.dumps({"type": "hello", "token": self.token}).encode()
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(said))
        head = bytes([0x81, 0x80 | 126]) + len(said).to_bytes(2, "big")
        await loop.sock_sendall(self._socket, head + mask + masked)

    async def rest(self, until: bytes) -> bytes:
        """Everything that was waiting for it, to some last bytes or the end of the connection."""
        got = b""
        async with asyncio.timeout(20):
            while not got.endswith(until) and (part := await self._received()):
                got += part
        return got

    async def _received(self) -> bytes:
        try:
            return await asyncio.get_running_loop().sock_recv(self._socket, 65536)
        except ConnectionError:
            return b""

    def close(self) -> None:
        self._socket.close()


def memory() -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


async def test_who_reads_nothing_is_let_go_when_the_line_is_full(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F48: nothing fits into the connection any more; after a while nothing is kept for it either."""
    monkeypatch.setattr(visitor_socket, "_SEND_SECONDS", 0.5)  # twenty otherwise
    readers = [SlowReader(server, (await hello(server))["token"]) for _ in range(5)]
    for reader in readers:
        await reader.open()
    topics = [f"contact:webchat:default:{server.tokens.read(reader.token)}" for reader in readers]
    event = {"type": "status", "conversation_id": "c" * 32, "status": "queued", "x": "y" * 60_000}
    async with asyncio.timeout(40):
        while server.hub.subscriptions < len(readers):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        while server.hub.subscriptions:
            for topic in topics:
                await server.hub.publish(topic, event)
            await asyncio.sleep(0.02)
    for reader in readers:
        reader.close()


async def test_a_hundred_who_read_nothing_are_closed_with_1013_and_resume(server: Server) -> None:
    """F48: what waits for them is bounded, they are let go, others are served, and nothing is lost when they come back."""
    tokens = [(await hello(server))["token"] for _ in range(SLOW)]
    readers = [SlowReader(server, token) for token in tokens]
    for reader in readers:
        await reader.open()
    async with asyncio.timeout(20):
        while server.hub.subscriptions < SLOW:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    before = memory()
    topics = [f"contact:webchat:default:{server.tokens.read(token)}" for token in tokens]
    for number in range(NEWS):
        event = {"type": "status", "conversation_id": "c" * 32, "status": "queued", "position": number, "x": "y" * 2000}
        for topic in topics:
            await server.hub.publish(topic, dict(event, padding="z" * 100))
    assert memory() - before < 60 * 1024 * 1024  # 120 MB were announced
    async with server.widget() as widget:
        await widget.say("hello")
        assert [one["text"] for one in await widget.messages(2)] == ["hello", "you said hello"]
    async with asyncio.timeout(20):
        while server.hub.subscriptions:  # noqa: ASYNC110  # soon nothing is kept for any of them
            await asyncio.sleep(0.05)
    # Who reads on finds the close frame behind what was written; who does not is cut off some seconds later.
    ends = await asyncio.gather(*(reader.rest(until=CLOSED) for reader in readers[:10]))
    assert all(end.endswith(CLOSED) for end in ends)
    for reader in readers:
        reader.close()
    address = Address("webchat", "default", server.tokens.read(tokens[0]))
    await server.desk.receive(InboundMessage(address, new_id(), "while I was away"))
    async with server.widget(tokens[0]) as widget:
        assert [one["text"] for one in await widget.messages(1)] == ["while I was away"]
