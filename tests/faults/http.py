"""Just enough HTTP on raw streams: a load that shares two cores with the desk must cost little itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


async def read_message(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    """First line, headers and body of a request or a response."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return first, headers, await reader.readexactly(int(headers.get("content-length", "0")))


class Connection:
    """One connection to the desk that is opened again whenever it breaks."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes, seconds: float = 20.0
    ) -> tuple[int, bytes] | None:
        """Status and body of the answer; None when there was none."""
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        request = f"{method} {path} HTTP/1.1\r\nhost: desk\r\ncontent-length: {len(body)}\r\n{head}\r\n".encode() + body
        try:
            async with asyncio.timeout(seconds):
                if self._streams is None:
                    self._streams = await asyncio.open_connection(LOOPBACK, self._port)
                reader, writer = self._streams
                writer.write(request)
                first, _, answer = await read_message(reader)
                return int(first.split()[1]), answer
        except (OSError, asyncio.IncompleteReadError, TimeoutError, asyncio.LimitOverrunError, ValueError):
            self.close()
            return None

    def close(self) -> None:
        """Drop the connection."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


Handle = Callable[[str, str, dict[str, str], bytes], Awaitable[tuple[int, Any] | None]]


async def serve(handle: Handle, port: int) -> asyncio.Server:
    """Answer requests with what ``handle(method, path, headers, body)`` says; None cuts the connection."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                first, headers, body = await read_message(reader)
                method, path, _ = first.split(" ")
                answer = await handle(method, path, headers, body)
                if answer is None:
                    break
                text = answer[1] if isinstance(answer[1], bytes) else json.dumps(answer[1]).encode()
                head = (
                    f"HTTP/1.1 {answer[0]} x\r\ncontent-type: application/json\r\ncontent-length: {len(text)}\r\n\r\n"
                )
                writer.write(head.encode() + text)
                await writer.drain()
        writer.close()

    return await asyncio.start_server(connected, LOOPBACK, port, limit=8 * 1024 * 1024)
