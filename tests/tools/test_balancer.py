"""Any process gets any connection, and one that is gone is noticed without losing what the others do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tools.balancer import Balancer

LOOPBACK = "127.0.0.1"


@asynccontextmanager
async def process(name: str) -> AsyncIterator[tuple[str, int]]:
    """A service that says its name and repeats what it hears until its client has finished."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.write(f"{name}\n".encode())
        while heard := await reader.read(1000):
            writer.write(heard)
            await writer.drain()
        writer.write(b"bye")
        writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    yield server.sockets[0].getsockname()[:2]
    server.close()
    for writer in writers:
        writer.transport.abort()


@asynccontextmanager
async def balanced(*backends: tuple[str, int]) -> AsyncIterator[tuple[Balancer, int]]:
    balancer = Balancer(backends)
    await balancer.start(LOOPBACK, 0)
    assert balancer._server is not None
    yield balancer, int(balancer._server.sockets[0].getsockname()[1])
    await balancer.close()


async def test_connections_go_round_and_carry_both_ways_until_both_have_finished() -> None:
    async with process("one") as one, process("two") as two, balanced(one, two) as (balancer, port):
        names = []
        for _ in range(4):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            names.append((await reader.readline()).decode().strip())
            writer.write(b"x" * 300_000)
            writer.write_eof()
            assert await asyncio.wait_for(reader.read(-1), 5) == b"x" * 300_000 + b"bye"
            writer.close()
    assert sorted(names) == ["one", "one", "two", "two"]
    assert balancer.handed == [2, 2]


async def test_a_process_that_is_gone_is_passed_over_and_its_clients_are_told() -> None:
    async with process("two") as two:
        async with process("one") as one, balanced(one, two) as (_, port):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            assert await reader.readline() == b"one\n"
            writer.close()
        async with balanced(one, two) as (_, port):
            for _ in range(2):
                reader, writer = await asyncio.open_connection(LOOPBACK, port)
                assert await reader.readline() == b"two\n"
                writer.close()


async def test_the_end_of_a_process_ends_its_connections() -> None:
    stack = process("one")
    one = await stack.__aenter__()
    async with balanced(one) as (_, port):
        reader, _writer = await asyncio.open_connection(LOOPBACK, port)
        assert await reader.readline() == b"one\n"
        await stack.__aexit__(None, None, None)
        assert await asyncio.wait_for(reader.read(-1), 5) == b""


async def test_where_nobody_answers_a_client_is_asked_to_come_again() -> None:
    async with process("one") as one:
        pass
    async with balanced(one) as (_, port):
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        said = await asyncio.wait_for(reader.read(-1), 5)
        writer.close()
    assert said.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 1" in said


def test_a_balancer_needs_somebody_to_hand_to() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Balancer([])
