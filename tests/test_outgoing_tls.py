"""Whatever the desk calls over TLS has to prove who it is, and in a version that is still safe."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Literal

import httpx
import pytest
import redis.asyncio as redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from connectors.checked_address import checked_client
from connectors.mail_box import BoxSettings, MailBox
from connectors.mail_sending import SmtpSettings, sign_in
from connectors.mqtt_link import Broker, Link, LinkDown
from connectors.vendor_calls import vendor_client
from conversations.errors import ChannelUnavailable
from conversations.hub import RedisHub
from conversations.store import Database
from crm.codes import SmtpCodeSender
from knowledge_base.generation.endpoint import ChatEndpoint, EndpointFailed, Message
from knowledge_base.index_server import IndexUnavailable, ServerIndex
from settings import BadSetting, load
from tests.certificates import make_certificate

Greeting = Literal["", "postgres", "smtp"]


class Impostor:
    """Speaks TLS with a certificate that nobody vouches for, and notes what it is told behind it."""

    def __init__(self, folder: Path, greeting: Greeting = "", newest: ssl.TLSVersion | None = None) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if newest is not None:
            self._context.minimum_version = ssl.TLSVersion.TLSv1
            self._context.maximum_version = newest
            self._context.set_ciphers("ALL:@SECLEVEL=0")
        cert, key = make_certificate(folder, f"impostor{greeting}")
        self.ca = cert
        self._context.load_cert_chain(cert, key)
        self._greeting = greeting
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.refusals: list[str] = []  #: why clients turned away
        self.told = b""
        threading.Thread(target=self._serve, daemon=True).start()

    async def refused(self) -> set[str]:
        """Why the clients turned away, once one has."""
        async with asyncio.timeout(20):
            while not self.refusals:  # noqa: ASYNC110  # a thread has no event of this loop
                await asyncio.sleep(0.01)
        return set(self.refusals)

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(raw,), daemon=True).start()

    def _talk(self, raw: socket.socket) -> None:
        raw.settimeout(10)
        try:
            if self._greeting == "postgres":
                raw.recv(8)  # SSLRequest
                raw.sendall(b"S")
            elif self._greeting == "smtp":
                raw.sendall(b"220 mail\r\n")
                raw.recv(200)
                raw.sendall(b"250-mail\r\n250 STARTTLS\r\n")
                raw.recv(200)
                raw.sendall(b"220 go\r\n")
            with self._context.wrap_socket(raw, server_side=True) as secured:
                self.told += secured.recv(200)
        except ssl.SSLError as error:
            self.refusals.append(error.reason or str(error))
        except OSError as error:
            self.refusals.append(type(error).__name__)
        finally:
            raw.close()


@pytest.fixture
def impostor(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Impostor]:
    found = Impostor(tmp_path, getattr(request, "param", ""))
    yield found
    found.close()


Call = Callable[[int], Awaitable[None]]


async def a_vendor(port: int) -> None:
    async with vendor_client() as http:
        await http.get(f"https://127.0.0.1:{port}/")


async def a_webhook(port: int) -> None:
    async with checked_client(private=True) as http:
        await http.post(f"https://127.0.0.1:{port}/", content=b"secret words")


async def a_language_model(port: int) -> None:
    endpoint = ChatEndpoint(f"https://127.0.0.1:{port}/v1", "small", "sk-secret", timeout_seconds=3)
    try:
        await endpoint.complete([Message("user", "secret words")])
    finally:
        await endpoint.close()


async def redis_by_tls(port: int) -> None:
    hub = RedisHub(f"rediss://:secret@127.0.0.1:{port}/0")
    client: redis.Redis = hub._redis
    try:
        await client.ping()
    finally:
        await hub.close()


async def qdrant(port: int) -> None:
    def ask() -> None:
        ServerIndex(f"https://127.0.0.1:{port}", "articles", {"use": 4}, timeout_seconds=3)

    await asyncio.to_thread(ask)


async def a_mailbox(port: int) -> None:
    box = BoxSettings("127.0.0.1", port, "implicit", "help", "secret", "INBOX", date(2026, 1, 1), timeout_seconds=3.0)
    await asyncio.to_thread(MailBox(box, ssl.create_default_context()).open)


async def outgoing_mail(port: int) -> None:
    await sign_in(SmtpSettings("127.0.0.1", port, "implicit", "help", "secret", 3.0), ssl.create_default_context())


async def mqtt(port: int) -> None:
    link = Link(Broker("127.0.0.1", port, "desk", "desk", "secret", ssl.create_default_context()))
    await link.open("desk/#")


CALLS: dict[str, Call] = {
    "a vendor": a_vendor,
    "a webhook": a_webhook,
    "a language model": a_language_model,
    "redis": redis_by_tls,
    "qdrant": qdrant,
    "a mailbox": a_mailbox,
    "outgoing mail": outgoing_mail,
    "mqtt": mqtt,
}
#: How each says that there was no connection, in its own words.
REFUSALS = (httpx.ConnectError, EndpointFailed, RedisError, IndexUnavailable, ChannelUnavailable, LinkDown)


@pytest.mark.parametrize("name", CALLS)
async def test_a_server_that_cannot_prove_who_it_is_is_told_nothing(impostor: Impostor, name: str) -> None:
    with pytest.raises(REFUSALS):
        await CALLS[name](impostor.port)
    assert impostor.told == b""
    # It was the certificate: the handshake came as far as that, and the client broke it off.
    assert await impostor.refused() & {
        "TLSV1_ALERT_UNKNOWN_CA",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "UNEXPECTED_EOF_WHILE_READING",
    }


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")
async def test_nothing_older_than_tls_1_2_is_spoken(tmp_path: Path, name: str) -> None:
    old = Impostor(tmp_path, newest=ssl.TLSVersion.TLSv1_1)
    try:
        with pytest.raises(REFUSALS):
            await CALLS[name](old.port)
        assert old.told == b""
        assert await old.refused() & {"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "WRONG_VERSION_NUMBER"}
    finally:
        old.close()


@pytest.mark.parametrize("impostor", ["postgres"], indirect=True)
async def test_postgresql_is_asked_who_it_is_with_verify_full(
    impostor: Impostor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted, _ = make_certificate(tmp_path, "trusted")
    monkeypatch.setenv("PGSSLROOTCERT", str(trusted))
    database = Database.open(f"postgresql+asyncpg://desk:secret@127.0.0.1:{impostor.port}/frontdesk?ssl=verify-full")
    with pytest.raises((ssl.SSLCertVerificationError, DBAPIError, OSError), match="certificate"):
        async with database.read() as connection:
            await connection.execute(text("SELECT 1"))
    assert impostor.told == b""
    await database.close()


@pytest.mark.parametrize("impostor", ["smtp"], indirect=True)
async def test_a_code_is_not_mailed_through_a_server_that_cannot_prove_who_it_is(impostor: Impostor) -> None:
    for scheme in ("smtp", "smtps"):
        sender = SmtpCodeSender(f"{scheme}://help:secret@127.0.0.1:{impostor.port}", "help@kite.example", 3)
        await sender.send("lin.mei@example.com", "123456", "en")
        await sender.close()
    assert await impostor.refused()
    assert impostor.told == b""


def test_a_mail_server_elsewhere_gets_the_password_over_tls_only() -> None:
    assert SmtpCodeSender("smtp://help:secret@mail.example", "help@kite.example")._start_tls is True
    assert SmtpCodeSender("smtp://127.0.0.1:2525", "help@kite.example")._start_tls is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql+asyncpg://desk:secret@db.example/desk?ssl=require"),
        ("DATABASE_URL", "postgresql+asyncpg://desk:secret@db.example/desk?sslmode=verify-full"),
        ("REDIS_URL", "rediss://:secret@redis.example/0?ssl_cert_reqs=none"),
        ("REDIS_URL", "rediss://:secret@redis.example/0?ssl_check_hostname=False"),
    ],
)
def test_tls_that_checks_nobody_stops_the_start(name: str, value: str) -> None:
    needed = {"BOT_SECRET": "b" * 16, "ACTION_SECRET": "a" * 16, "SECRET_KEY": "s" * 32}
    with pytest.raises(BadSetting, match=f"{name} asks for TLS that does not check") as stopped:
        load(needed | {name: value})
    assert "secret@" not in str(stopped.value)
    assert load(needed | {name: value.partition("?")[0]})
