"""Hands each connection to the next of several service processes, so that any of them gets any request or socket.

For trying the scaled form on one machine. It reads nothing of what passes: a real deployment has a reverse proxy here
that ends TLS and forgets processes whose ``/health/ready`` does not answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count

_CHUNK = 65_536
_CONNECT_SECONDS = 2.0
_NOBODY = b'{"error":{"code":"unavailable","message":"No service process answers. Try again in a moment."}}'
_UNAVAILABLE = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(_NOBODY), _NOBODY)
)


class Balancer:
    """Round robin over TCP; a process that does not accept is left out until it does."""

    def __init__(self, backends: Sequence[tuple[str, int]]) -> None:
        """Raises ``ValueError`` without a backend."""
        if not backends:
            raise ValueError("give at least one address of a service process")
        self._backends = list(backends)
        self._turn = count()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self.handed = [0] * len(self._backends)  #: connections that each backend got

    async def start(self, host: str, port: int) -> None:
        """Accept from now on."""
        self._server = await asyncio.start_server(self._accept, host, port)

    async def close(self) -> None:
        """Accept nothing more and cut what is open."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._carry(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        backend = await self._connect()
        if backend is None:
            writer.write(_UNAVAILABLE)
            await writer.drain()
            return
        from_backend, to_backend = backend
        ways = [
            asyncio.create_task(_pass_on(reader, to_backend)),
            asyncio.create_task(_pass_on(from_backend, writer)),
        ]
        try:
            # When the process goes, its client must notice; a client that has only finished asking still gets its answer.
            await ways[1]
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            to_backend.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        first = next(self._turn)
        for step in range(len(self._backends)):
            number = (first + step) % len(self._backends)
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(_CONNECT_SECONDS):
                    opened = await asyncio.open_connection(*self._backends[number])
                self.handed[number] += 1
                return opened
        return None


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


@contextmanager
def balancing(host: str, port: int, backends: Sequence[tuple[str, int]]) -> Iterator[Balancer]:
    """A balancer in a thread of its own until the block ends; raises ``OSError`` when the port is taken."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="balancer", daemon=True)
    thread.start()
    balancer = Balancer(backends)
    try:
        asyncio.run_coroutine_threadsafe(balancer.start(host, port), loop).result()
        yield balancer
        asyncio.run_coroutine_threadsafe(balancer.close(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
