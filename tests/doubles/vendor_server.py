"""A small HTTP/1.1 server on loopback for the doubles of vendors; it can also hang up without a word."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass
class Call:
    """One request that the double got."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; None where it is not."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def form(self) -> dict[str, str]:
        """The fields of an urlencoded or multipart form that are no files."""
        if self.headers.get("content-type", "").startswith("multipart/form-data"):
            return {name: content.decode() for name, (file, content) in self.parts().items() if not file}
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    def parts(self) -> dict[str, tuple[str, bytes]]:
        """File name and content of each part of a multipart body; what is no file has no name."""
        if not self.headers.get("content-type", "").startswith("multipart/form-data"):
            return {}
        head = f"Content-Type: {self.headers.get('content-type', '')}\r\n\r\n".encode()
        message = BytesParser(policy=HTTP).parsebytes(head + self.body)
        found: dict[str, tuple[str, bytes]] = {}
        for part in message.iter_parts():
            name = str(part.get_param("name", "", header="content-disposition"))
            content = part.get_payload(decode=True)
            found[name] = (part.get_filename() or "", content if isinstance(content, bytes) else b"")
        return found


@dataclass
class Answer:
    """What the double says; ``cut`` closes the connection without a word."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


Handle = Callable[[Call], Awaitable[Answer]]


@asynccontextmanager
async def serving(handle: Handle) -> AsyncIterator[str]:
    """Serve on a free port of loopback; gives the base address."""
    writers: set[asyncio.StreamWriter] = set()
    tasks: set[asyncio.Task[None]] = set()

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        try:
            while True:
                call = await _read(reader)
                if call is None:
                    break
                answer = await handle(call)
                if answer.cut:
                    break
                _write(writer, answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writers.discard(writer)
            writer.close()

    server = await asyncio.start_server(on_connection, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in list(writers):
            writer.transport.abort()
        for task in list(tasks):  # a handler that plays the silent vendor would sleep on
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Call | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int((await reader.readline()).strip(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    else:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    url = urlsplit(target)
    return Call(method, unquote(url.path), dict(parse_qsl(url.query, keep_blank_values=True)), headers, body)


def _write(writer: asyncio.StreamWriter, answer: Answer) -> None:
    raw = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body, ensure_ascii=False).encode()
    kind = "application/octet-stream" if isinstance(answer.body, bytes) else "application/json; charset=utf-8"
    headers = {"content-type": kind, "content-length": str(len(raw)), **answer.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {answer.status} x\r\n{lines}\r\n".encode() + raw)
