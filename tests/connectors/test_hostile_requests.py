"""Requests that want the machine instead of an answer, against the whole service: a clear refusal, and nobody else notices."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

import app
import settings as desk_settings
from monitoring.collectors import Collectors
from slow_clients import PatientProtocol
from tests.connectors.desk import free_port
from tests.web_apps import forget

KEY = "rest-key-of-the-tests-1234"
HUGE = 101 * 1024 * 1024
#: Where bodies come in: each reads them in its own way.
DOORS = (
    "/api/v1/messages",
    "/webchat/hello",
    "/webchat/files",
    "/staff/api/sign-in",
    "/webhooks/none/here",
    "/nowhere",
)

AUTHORIZED = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}


class Service:
    """The running service and a way to write to it what no client would."""

    def __init__(self, port: int, desk: app.Desk) -> None:
        self.port = port
        self.desk = desk
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()

    async def answers(self, raw: bytes, *, then_leave: bool = False) -> list[int]:
        """The statuses that come back for some bytes, until the service closes or is silent."""
        async with self.connection() as (reader, writer):
            with suppress(ConnectionError):
                writer.write(raw)
                await writer.drain()
                if then_leave:
                    writer.write_eof()
            return [int(one) for one in re.findall(rb"HTTP/1\.1 (\d{3})", await heard(reader))]

    async def others_are_served(self) -> None:
        """Somebody else gets through: to the health page, to the widget, and with a message that is stored."""
        assert (await self.http.get("/health/live")).status_code == 200
        assert (await self.http.post("/webchat/hello", json={"language": "en"})).status_code == 200
        said = {"contact": "somebody-else", "text": "hello"}
        assert (await self.http.post("/api/v1/messages", json=said, headers=AUTHORIZED)).status_code == 202

    async def said_by(self, contact: str) -> list[str]:
        answer = await self.http.get("/api/v1/messages", params={"contact": contact}, headers=AUTHORIZED)
        return [one["text"] for one in answer.json()["messages"] if one["author"] == "contact"]


async def heard(reader: asyncio.StreamReader, seconds: float = 3.0) -> bytes:
    parts = []
    with suppress(TimeoutError, ConnectionError):
        while part := await asyncio.wait_for(reader.read(65536), seconds):
            parts.append(part)
    return b"".join(parts)


def head(path: str, *lines: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: desk", f"Authorization: Bearer {KEY}", *lines, "", ""]).encode()


def memory() -> int:
    """What this process holds of the machine's memory, in bytes."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    port = free_port()
    (tmp_path / "channels.yml").write_text("[]")
    settings = desk_settings.load(
        {
            "BOT_SECRET": "bot-secret-of-the-tests",
            "ACTION_SECRET": "a-secret-of-actions-1234",
            "SECRET_KEY": "k" * 32,
            "REST_API_KEYS": KEY,
            "DATA_DIR": str(tmp_path),
            "PORT": str(port),
            "BOT_URLS": f"http://127.0.0.1:{free_port()}",
            "CHANNELS_FILE": str(tmp_path / "channels.yml"),
        }
    )
    desk = await app.build(settings, Collectors())
    web = desk.web
    web.config.TOUCHUP = False  # it rewrites Sanic once per process
    web.config.REQUEST_TIMEOUT = 1.5  # twenty seconds otherwise
    server = await web.create_server(
        "127.0.0.1", port, protocol=PatientProtocol, return_asyncio_server=True, access_log=False
    )
    assert server is not None
    await server.startup()  # type: ignore[no-untyped-call]
    await server.start_serving()  # type: ignore[no-untyped-call]
    service = Service(port, desk)
    yield service
    await service.http.aclose()
    server.close()  # type: ignore[no-untyped-call]
    await desk.stop()
    forget(web)


async def test_a_body_that_is_far_too_large_is_refused_without_being_kept(service: Service) -> None:
    """F29: 101 MB, announced or in chunks, at every door."""
    await service.others_are_served()
    before = memory()
    for door in DOORS:
        announced = await service.answers(head(door, f"Content-Length: {HUGE}"))
        assert announced in ([413], [404], [401])  # or refused before anybody looks at the body
        assert await flooded(service, door) < HUGE
    await service.others_are_served()
    assert memory() - before < 50 * 1024 * 1024


async def flooded(service: Service, door: str) -> int:
    """Send 101 MB in chunks for as long as they are taken; how many bytes that was."""
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    sent = 0
    async with service.connection() as (reader, writer):
        writer.write(head(door, "Transfer-Encoding: chunked"))
        with suppress(ConnectionError, TimeoutError):
            while sent < HUGE and not writer.is_closing():
                writer.write(chunk)
                async with asyncio.timeout(3):
                    await writer.drain()
                sent += len(chunk)
                if reader.at_eof():
                    break
        answer = await heard(reader, 0.5)
    assert re.findall(rb"HTTP/1\.1 (\d{3})", answer)[:1] in (
        [],
        [b"413"],
        [b"404"],
        [b"401"],
    )  # [] if the line was cut first
    return sent


async def test_a_header_of_ten_megabytes_ends_the_connection(service: Service) -> None:
    """F29: a header without end is not read to its end."""
    before = memory()
    for line in (b"X-Long: " + b"x" * 10_000_000, b"".join(b"X-%d: y\r\n" % n for n in range(500_000))):
        async with service.connection() as (reader, writer):
            with suppress(ConnectionError, TimeoutError):
                writer.write(b"GET /health/live HTTP/1.1\r\nHost: desk\r\n" + line + b"\r\n\r\n")
                async with asyncio.timeout(3):
                    await writer.drain()
            answer = await heard(reader)
        assert re.findall(rb"HTTP/1\.1 (\d{3})", answer)[:1] in ([], [b"413"], [b"431"])
    await service.others_are_served()
    assert memory() - before < 50 * 1024 * 1024


LIES = {
    "two lengths": ["Content-Length: 5", "Content-Length: 60"],
    "a length and chunks": ["Content-Length: 5", "Transfer-Encoding: chunked"],
    "chunks twice": ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    "a negative length": ["Content-Length: -1"],
    "a length with a sign": ["Content-Length: +5"],
    "a length in hex": ["Content-Length: 0x10"],
    "a length with an underscore": ["Content-Length: 1_0"],
    "a length in words": ["Content-Length: five"],
    "no length": ["Content-Length:"],
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_length_that_cannot_be_is_a_bad_request(service: Service, lie: str) -> None:
    """F29: what two servers could read in two ways is read by none."""
    body = json.dumps({"contact": "liar", "text": "hello"}).encode()
    statuses = await service.answers(head("/api/v1/messages", "Content-Type: application/json", *LIES[lie]) + body)
    assert statuses == [400]
    assert await service.said_by("liar") == []


async def test_a_length_that_is_not_the_bodys_stores_nothing(service: Service) -> None:
    """F29: a body that is shorter than announced is no message; what is longer is no second request."""
    body = json.dumps({"contact": "liar", "text": "hello"}).encode()
    short = head("/api/v1/messages", "Content-Type: application/json", f"Content-Length: {len(body) + 100}") + body
    assert await service.answers(short, then_leave=True) in ([], [400], [408])
    assert await service.said_by("liar") == []
    smuggled = head("/api/v1/messages", "Content-Type: application/json", f"Content-Length: {len(body)}")
    first, second = await service.answers(
        head("/webchat/hello", "Content-Length: 2") + b"{}" + b"x" * 50 + smuggled + body
    )
    assert (first, second in (400, 405)) == (200, True)  # its method is no method
    assert await service.said_by("liar") == []
    await service.others_are_served()


async def test_a_body_that_unpacks_to_a_thousand_times_its_size_is_not_unpacked(service: Service) -> None:
    """F29: a gzip bomb is what it is: no JSON."""
    bomb = gzip.compress(b'{"contact":"bomber","text":"' + b"x" * 200_000_000 + b'"}')
    before = memory()
    for door in ("/api/v1/messages", "/webchat/hello", "/staff/api/sign-in"):
        headers = AUTHORIZED | {"content-encoding": "gzip"}
        answer = await service.http.post(door, content=bomb, headers=headers)
        assert answer.status_code in (400, 413, 415)
        assert answer.json()["error"]["message"]
    await service.others_are_served()
    assert memory() - before < 50 * 1024 * 1024


@pytest.mark.parametrize("part", ["header", "body", "chunks"])
async def test_who_drips_is_sent_away_and_others_are_not_held_up(service: Service, part: str) -> None:
    """F29: a byte now and then buys no time; thirty such connections end with 408, and nothing of them is stored."""
    beginnings = {
        "header": b"POST /api/v1/messages HTTP/1.1\r\nHost: desk\r\nX-Slow: ",
        "body": head("/api/v1/messages", "Content-Type: application/json", "Content-Length: 5000"),
        "chunks": head("/webchat/hello", "Transfer-Encoding: chunked"),
    }

    async def drip() -> bytes:
        async with service.connection() as (reader, writer):
            writer.write(beginnings[part])
            answer = asyncio.create_task(heard(reader, 30))
            with suppress(ConnectionError):
                while not answer.done():
                    writer.write(b"1\r\nx\r\n" if part == "chunks" else b"x")
                    await writer.drain()
                    await asyncio.sleep(0.2)
            return await answer

    dripping = [asyncio.create_task(drip()) for _ in range(30)]
    began = time.monotonic()
    while not all(one.done() for one in dripping):
        await service.others_are_served()
        await asyncio.sleep(0.3)
        assert time.monotonic() - began < 60, "they drip on"
    for one in dripping:
        assert b"HTTP/1.1 408" in one.result()
        assert b'"too_slow"' in one.result()


def nested(opening: str, closing: str, depth: int = 100_000) -> str:
    return opening * depth + "1" + closing * depth


SAID = '{{"contact":"{contact}","text":{text}{more}}}'
#: Bodies that are refused whole.
REFUSED: dict[str, bytes] = {
    "lists in lists": b'{"contact":"x","text":"y","more":' + nested("[", "]").encode() + b"}",
    "objects in objects": b'{"contact":"x","text":"y","more":' + nested('{"a":', "}").encode() + b"}",
    "an end that never comes": b'{"contact":"x","text":' + b"[" * 100_000,
    "NaN": b'{"contact":"x","text":"y","wait_seconds":NaN}',
    "infinity": b'{"contact":"x","text":"y","wait_seconds":Infinity}',
    "minus infinity": b'{"contact":"x","text":"y","wait_seconds":-Infinity}',
    "a number beyond all": b'{"contact":"x","text":"y","wait_seconds":1e999}',
    "a number of a million digits": b'{"contact":"x","text":"y","wait_seconds":' + b"9" * 500_000 + b"}",
    "invalid UTF-8": b'{"contact":"x","text":"\xff\xfe"}',
    "overlong UTF-8": b'{"contact":"x","text":"\xc0\xaf"}',
    "surrogates as UTF-8": b'{"contact":"x","text":"\xed\xa0\x80"}',
    "UTF-16": '{"contact":"x","text":"y"}'.encode("utf-16"),
    "a lone surrogate": b'{"contact":"x","text":"\\ud800"}',
    "a backward pair": b'{"contact":"x","text":"\\udc00\\ud800"}',
    "a raw NUL": b'{"contact":"x","text":"a\x00b"}',
    "a raw line break": b'{"contact":"x","text":"a\nb"}',
    "a grapheme of a megabyte": json.dumps({"contact": "x", "text": "e" + "\u0301" * 170_000}).encode(),
    "a contact that is a path": b'{"contact":"../../etc/passwd","text":"y"}',
    "two objects": b'{"contact":"x","text":"y"}{"contact":"x","text":"z"}',
    "a comment": b'{"contact":"x","text":"y"}//',
}
#: Texts that are text, however strange.
KEPT: dict[str, str] = {
    "right to left": "\u202egnp.exe\u202c",
    "isolates that are not closed": "\u2067" * 50 + "abc",
    "many marks on one letter": "e" + "\u0301" * 3_900,
    "a family": "👩‍👩‍👧‍👦" * 100,
    "joiners alone": "a" + "\u200d" * 1_000 + "b",
    "zalgo": "".join(f"{letter}\u0315\u0321\u0334\u0489" for letter in "he comes"),
    "line separators": "a\u2028b\u2029c",
    "noncharacters": "a\ufffe\uffff\U0010ffffb",
    "private use": "\ue000\U000f0000",
    "not normalised": "e\u0301 é ｆｕｌｌ ﷽",
    "SQL": "'; DROP TABLE messages; --",
    "a format": "%s%n {0.__class__} ${7*7} {{7*7}}",
    "a byte order mark": "a\ufeffb",
    "tags": "a\U000e0041\U000e007fb",
}


async def test_bodies_that_are_no_message_are_a_400_and_nothing_is_stored(service: Service) -> None:
    """F30: too deep, too many digits, no UTF-8, half a character, no number."""
    for name, body in REFUSED.items():
        answer = await service.http.post("/api/v1/messages", content=body, headers=AUTHORIZED)
        assert (answer.status_code, bool(answer.json()["error"]["message"])) == (400, True), name
        assert "Traceback" not in answer.text
        hello = await service.http.post("/webchat/hello", content=body.replace(b'"contact"', b'"token"'))
        assert hello.status_code in (400, 401, 413), name
        assert (await service.http.post("/staff/api/sign-in", content=body, headers=AUTHORIZED)).status_code in (
            400,
            413,
        ), name
    assert await service.said_by("x") == []
    await service.others_are_served()


async def test_strange_texts_come_back_as_they_were_sent(service: Service) -> None:
    """F30: a text is stored and shown as it is: nobody's name for it is better than the writer's."""
    for number, (name, text) in enumerate(KEPT.items()):
        said = {"contact": f"strange-{number}", "text": text}
        answer = await service.http.post("/api/v1/messages", json=said, headers=AUTHORIZED)
        assert answer.status_code == 202, (name, answer.text)
        assert await service.said_by(f"strange-{number}") == [text], name


async def test_a_nul_is_left_out_and_a_name_given_twice_counts_once(service: Service) -> None:
    """F30: PostgreSQL keeps no NUL, so no database gets one; of a name given twice the last value counts."""
    for contact, body, kept in (
        ("nul", b'{"contact":"nul","text":"a\\u0000b"}', "ab"),
        ("twice", b'{"contact":"nobody","contact":"twice","text":"first","text":"last"}', "last"),
    ):
        answer = await service.http.post("/api/v1/messages", content=body, headers=AUTHORIZED)
        assert answer.status_code == 202, answer.text
        assert await service.said_by(contact) == [kept]
    assert await service.said_by("nobody") == []


async def test_a_hundred_thousand_keys_cost_little(service: Service) -> None:
    """F30: keys nobody asked for are refused or passed over, also when they are made to collide."""
    many: dict[str, Any] = {f"k{n}": n for n in range(80_000)}
    for body in (
        {"contact": "many", "text": "hello"} | many,
        {"contact": "many", "text": "hello", "metadata": many},
        {"contact": "many", "text": "hello", "list": [0] * 300_000},
    ):
        content = json.dumps(body, separators=(",", ":")).encode()
        answer = await service.http.post("/api/v1/messages", content=content, headers=AUTHORIZED)
        assert answer.status_code in (202, 400, 413)
    await service.others_are_served()


def test_every_strange_body_is_below_the_limit_of_size() -> None:
    """The bodies above are refused for what they are and not because they are long."""
    sizes: Iterator[int] = map(len, REFUSED.values())
    assert max(sizes) < 1024 * 1024
