"""What the desk posts to a program arrives once, goes to public addresses only, and every answer has its outcome."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from connectors.checked_address import ForbiddenAddress, check_url, checked_client, is_public, resolved
from conversations.errors import (
    ChannelUnavailable,
    ContactUnreachable,
    DeliveryUnknown,
    MessageRejected,
    RateLimited,
    SendError,
)
from conversations.model import Address, Author, Button, Citation, MessageKind, OutboundMessage, utc_now
from tests.connectors.desk import Server
from tests.connectors.dingtalk_desk import Shelf
from tests.connectors.webhook_desk import desk_with_program, program_account
from tests.doubles.tls import certificate_for
from tests.doubles.vendor_server import Answer
from tests.doubles.webhook_program import FROM_DESK, Program

INSIDE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "fd00::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:10.0.0.1",
    "::10.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:c0a8:101::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "localhost",
    "",
    "1",
]


def message(text: str = "hello", **more: Any) -> OutboundMessage:
    values: dict[str, Any] = {"author": Author.BOT, "kind": MessageKind.TEXT, "created_at": utc_now()} | more
    return OutboundMessage(outbox_id="outbox-1", conversation_id="c" * 32, seq=1, text=text, **values)


@pytest.fixture
async def program() -> AsyncIterator[Program]:
    async with Program().running() as program:
        yield program


async def outcome(program: Program, answer: Answer, **more: Any) -> SendError | None:
    connector = program_account(program.url, **more)
    program.answers = [answer]
    try:
        await connector.send("ann", message())
    except SendError as error:
        return error
    finally:
        await connector.close()
    return None


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, None),
        (204, None),
        (299, None),
        (301, MessageRejected),
        (307, MessageRejected),
        (400, MessageRejected),
        (401, MessageRejected),
        (404, MessageRejected),
        (408, ChannelUnavailable),
        (410, ContactUnreachable),
        (413, MessageRejected),
        (425, ChannelUnavailable),
        (500, ChannelUnavailable),
        (502, ChannelUnavailable),
        (503, ChannelUnavailable),
    ],
)
async def test_every_status_has_its_outcome(program: Program, status: int, error: type[SendError] | None) -> None:
    answer = Answer({"secret": "words of theirs"}, status, {"location": "http://127.0.0.1:9/other"})
    raised = await outcome(program, answer)
    assert type(raised) is (error or type(None))
    assert "theirs" not in str(raised)
    assert len(program.calls) == 1  # no redirect was followed


@pytest.mark.parametrize(
    ("status", "asked", "seconds"),
    [
        (429, "7", 7),
        (503, "120", 120),
        (429, None, 1),
        (429, "999999999999", 3_600),
        (429, "nonsense", 1),
        (429, "Mon, 01 Jan 2001 00:00:00 GMT", 0),
        (503, "Fri, 01 Jan 2100 00:00:00 GMT", 3_600),
    ],
)
async def test_the_program_says_when_to_come_back(
    program: Program, status: int, asked: str | None, seconds: float
) -> None:
    raised = await outcome(program, Answer(status=status, headers={} if asked is None else {"retry-after": asked}))
    assert isinstance(raised, RateLimited)
    assert raised.retry_after_seconds == seconds


async def test_no_answer_is_unknown_and_no_connection_is_not_sent(program: Program) -> None:
    assert isinstance(await outcome(program, Answer(cut=True)), DeliveryUnknown)
    connector = program_account("http://127.0.0.1:9/")
    with pytest.raises(ChannelUnavailable):
        await connector.send("ann", message())
    await connector.close()


async def test_what_is_posted_is_whole_and_signed_with_every_secret(program: Program) -> None:
    shelf = Shelf()
    file = shelf.put("a.png", "image/png", b"picture")
    other = "whsec_" + base64.b64encode(b"the next secret, already at work").decode()
    connector = program_account(program.url, shelf, outgoing_secrets=[other, FROM_DESK])
    sent = message(
        "**请选择**",
        kind=MessageKind.RATING_REQUEST,
        buttons=(Button("b1", "好"),),
        citations=(
            Citation("p", "a", "Title", "Quote", "/kb/x"),
            Citation("p", "a", "T", "Q", "https://else.example/"),
        ),
        attachments=(file,),
    )
    for _ in range(2):
        assert await connector.send("ann", sent) == "outbox-1"
    [got] = program.got
    assert (got["id"], got["contact"], got["kind"], got["text"]) == ("outbox-1", "ann", "rating_request", "**请选择**")
    assert got["buttons"] == [{"id": "b1", "title": "好"}]
    assert [one["url"] for one in got["citations"]] == ["https://desk.example/kb/x", "https://else.example/"]
    assert base64.b64decode(got["attachments"][0]["content"]) == b"picture"
    assert program.repeats == 1
    headers = program.calls[0].headers
    assert headers["webhook-id"] == "outbox-1"
    assert headers["content-type"] == "application/json"
    for secret in (other, FROM_DESK):
        Webhook(secret).verify(program.calls[0].body, headers)
    await connector.close()


async def test_the_address_is_in_no_log_and_no_error(program: Program, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    for url, answers in (
        (f"{program.url}?token=s3cret", [Answer(status=404)]),
        ("http://127.0.0.1:9/?token=s3cret", []),
    ):
        program.answers = answers
        connector = program_account(url)
        with pytest.raises(SendError) as raised:
            await connector.send("ann", message())
        await connector.close()
        assert "s3cret" not in str(raised.value) + caplog.text


async def test_files_that_are_gone_or_too_large_are_refused_before_anything_is_sent(program: Program) -> None:
    shelf = Shelf()
    large = shelf.put("a.png", "image/png", bytes(30_000))
    connector = program_account(program.url, shelf, max_bytes=20_000)
    with pytest.raises(MessageRejected, match="larger"):
        await connector.send("ann", message(attachments=(large,)))
    with pytest.raises(MessageRejected, match="larger"):
        await connector.send("ann", message("x" * 20_000))
    small = shelf.put("b.png", "image/png", b"x")
    shelf.kept.clear()
    with pytest.raises(MessageRejected, match="gone"):
        await connector.send("ann", message(attachments=(small,)))
    await connector.close()
    assert program.calls == []


class TestThroughTheOutbox:
    async def states(self, server: Server) -> list[bool]:
        transcript = await server.desk.transcript(Address("webhook", "shop", "ann"))
        return [one.delivery_failed for one in transcript if one.author is Author.BOT]

    async def test_failures_are_retried_with_the_same_id_and_arrive_once(
        self, tmp_path: Path, program: Program
    ) -> None:
        """F24: a webhook that is sent again has the same ``webhook-id`` and is dropped by it."""
        program.answers = [Answer(status=500), Answer(status=429, headers={"retry-after": "0"}), Answer(status=503)]
        async with desk_with_program(tmp_path, program) as server:
            await program.says(server.http, "ann", "hello")
            assert [one["text"] for one in await program.until(1)] == ["you said hello"]
            assert len({call.headers["webhook-id"] for call in program.calls}) == 1
            assert len(program.calls) == 4
            program.lost_answers = 1
            await program.says(server.http, "ann", "again")
            await program.called(6)
            assert [one["text"] for one in program.got] == ["you said hello", "you said again"]
            assert program.repeats == 1

    @pytest.mark.parametrize("status", [400, 410])
    async def test_what_is_refused_for_good_is_shown_to_staff_and_later_messages_go_on(
        self, tmp_path: Path, program: Program, status: int
    ) -> None:
        program.answers = [Answer(status=status)]
        async with desk_with_program(tmp_path, program) as server:
            await program.says(server.http, "ann", "hello")
            await program.called(1)
            await program.says(server.http, "ann", "again")
            await program.until(1)
            assert await self.states(server) == [True, False]


class TestAddresses:
    @pytest.mark.parametrize("address", INSIDE)
    def test_the_inside_of_a_network_is_not_public(self, address: str) -> None:
        """F37: every kind of address inside of a network."""
        assert not is_public(address)

    @pytest.mark.parametrize(
        "address",
        ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:101:101::1"],
    )
    def test_the_internet_is(self, address: str) -> None:
        assert is_public(address)

    @given(st.ip_addresses(v=4))
    def test_an_ipv4_address_counts_the_same_in_every_disguise(self, address: ipaddress.IPv4Address) -> None:
        number, expected = int(address), is_public(str(address))
        for disguise in (0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80):
            assert is_public(str(ipaddress.IPv6Address(disguise))) == expected

    @given(st.text(max_size=60) | st.from_regex(r"https?://[a-z0-9.@:\[\]%-]{0,30}(/.*)?", fullmatch=True))
    def test_any_url_is_taken_or_refused_with_a_reason(self, url: str) -> None:
        for private in (True, False):
            with suppress(ValueError):
                assert check_url(url, private=private) == url

    async def test_one_private_address_among_public_ones_is_enough_to_refuse(self) -> None:
        """F37: a name with one good and one bad address."""

        async def resolve(host: str, port: int) -> Sequence[str]:
            return ["93.184.216.34", "10.0.0.1"]

        async with checked_client(private=False, resolve=resolve) as client:
            with pytest.raises(ForbiddenAddress, match="private network"):
                await client.get("https://hooks.example/")

    async def test_a_name_without_an_address_is_no_connection(self) -> None:
        async def resolve(host: str, port: int) -> Sequence[str]:
            raise OSError("no such name")

        async with checked_client(private=False, resolve=resolve) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get("https://hooks.example/")

    async def test_names_are_resolved_by_the_system(self) -> None:
        assert set(await resolved("localhost", 443)) <= {"127.0.0.1", "::1"}


class TestTls:
    @asynccontextmanager
    async def server(self, folder: Path) -> AsyncIterator[tuple[int, Path, list[str | None]]]:
        """Answers 204 as hooks.example, and notes which name it was asked for."""
        file = certificate_for(folder, "hooks.example")
        names: list[str | None] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        context.sni_callback = lambda _connection, name, _context: names.append(name)

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            names.append(next(line for line in head.split("\r\n") if line.lower().startswith("host:")))
            writer.write(b"HTTP/1.1 204 x\r\ncontent-length: 0\r\n\r\n")
            await writer.drain()
            writer.close()

        listening = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
        yield listening.sockets[0].getsockname()[1], file, names
        listening.close()

    async def test_the_checked_address_is_connected_to_and_the_certificate_belongs_to_the_name(
        self, tmp_path: Path
    ) -> None:
        """F37: a name is resolved once, so rebinding it changes nothing."""
        asked: list[str] = []

        async def resolve(host: str, port: int) -> Sequence[str]:
            asked.append(host)
            return ["127.0.0.9", "127.0.0.1"]  # nobody listens at the first

        async with self.server(tmp_path) as (port, file, names):
            async with checked_client(private=True, ca_file=file, resolve=resolve) as client:
                answer = await client.post(f"https://hooks.example:{port}/x")
            assert answer.status_code == 204
            assert names == ["hooks.example", f"Host: hooks.example:{port}"]
            assert asked == ["hooks.example"]  # once: a second answer could be another one
            async with checked_client(private=True, ca_file=file, resolve=resolve) as client:
                with pytest.raises(httpx.ConnectError, match=r"(?i)hostname|certificate"):
                    await client.post(f"https://other.example:{port}/x")
            async with checked_client(private=True, resolve=resolve) as client:
                with pytest.raises(httpx.ConnectError):
                    await client.post(f"https://hooks.example:{port}/x")
