"""HTTP by hand for many small requests a second: a full client would take more of the machine than the desk it measures."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Wire:
    """Connections to one desk that are kept open; as many as requests are under way."""

    def __init__(self, base: str) -> None:
        parts = urlsplit(base)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._idle: list[_Connection] = []

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status that a request is answered with; raises ``OSError`` when the connection breaks."""
        head = [f"POST {path} HTTP/1.1", f"host: {self._host}:{self._port}", f"content-length: {len(body)}"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection(self._host, self._port)
        try:
            writer.write("\r\n".join([*head, "", ""]).encode() + body)
            answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
            length = next((int(line.split(":")[1]) for line in answer if line.startswith("content-length:")), 0)
            await reader.readexactly(length)
        except asyncio.IncompleteReadError:
            writer.transport.abort()
            raise ConnectionResetError("the connection was closed") from None
        except BaseException:
            writer.transport.abort()
            raise
        if "connection: close" in answer:
            writer.close()
        else:
            self._idle.append((reader, writer))
        return int(answer[0].split()[1])

    def close(self) -> None:
        """Close what is open."""
        for _, writer in self._idle:
            writer.close()
        self._idle = []
