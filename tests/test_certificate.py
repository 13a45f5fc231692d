"""The service's own TLS: which versions it speaks, what stops its start, and how a certificate is renewed."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from sanic import HTTPResponse, Request, Websocket
from sanic.response import text
from websockets.asyncio.client import connect

from certificate import BadCertificate, Certificate
from conversations.model import new_id
from serving import certificate_of
from settings import BadSetting, Settings, load
from slow_clients import PatientProtocol
from tests.certificates import make_certificate
from tests.connectors.desk import free_port
from tests.web_apps import forget, new_app

NEEDED = {"BOT_SECRET": "b" * 16, "ACTION_SECRET": "a" * 16, "SECRET_KEY": "s" * 32}


def settings(**changes: str) -> Settings:
    return load({**NEEDED, **changes})


@asynccontextmanager
async def served(certificate: Certificate) -> AsyncIterator[int]:
    """A server as the service starts its own; yields the port."""
    web = new_app(f"tls_{new_id()}", configure_logging=False)
    web.config.TOUCHUP = False

    @web.get("/")
    async def hello(_: Request) -> HTTPResponse:
        return text("hello")

    @web.websocket("/echo")
    async def echo(_: Request, socket: Websocket) -> None:
        async for words in socket:
            await socket.send(words)

    port = free_port()
    server = await web.create_server(
        "127.0.0.1",
        port,
        ssl=certificate.context,
        protocol=PatientProtocol,
        return_asyncio_server=True,
        access_log=False,
    )
    assert server is not None
    await server.startup()  # type: ignore[no-untyped-call]
    await server.start_serving()  # type: ignore[no-untyped-call]
    try:
        yield port
    finally:
        server.close()  # type: ignore[no-untyped-call]
        forget(web)


def client(ca: Path, oldest: ssl.TLSVersion, newest: ssl.TLSVersion, ciphers: str = "") -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca))
    context.minimum_version, context.maximum_version = oldest, newest
    if ciphers:
        context.set_ciphers(ciphers)
    return context


async def spoken(port: int, context: ssl.SSLContext) -> tuple[str, str]:
    """Version and cipher of a connection on which a page was read; raises ``ssl.SSLError``."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n\r\n")
        assert b" 200 " in await reader.readline()
        used: Any = writer.get_extra_info("ssl_object")
        return used.version(), used.cipher()[0]
    finally:
        writer.close()


V = ssl.TLSVersion


async def test_by_default_only_tls_1_3_is_spoken(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path)
    async with served(Certificate(cert, key)) as port:
        version, cipher = await spoken(port, client(cert, V.TLSv1_2, V.TLSv1_3))
        assert (version, cipher.startswith("TLS_")) == ("TLSv1.3", True)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await spoken(port, client(cert, V.TLSv1_2, V.TLSv1_2))


async def test_tls_1_2_can_be_allowed_and_then_only_its_safe_ciphers(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path)
    async with served(Certificate(cert, key, "1.2")) as port:
        version, cipher = await spoken(port, client(cert, V.TLSv1_2, V.TLSv1_2))
        assert version == "TLSv1.2"
        assert cipher.startswith("ECDHE-")
        assert "GCM" in cipher or "CHACHA20" in cipher
        assert (await spoken(port, client(cert, V.TLSv1_2, V.TLSv1_3)))[0] == "TLSv1.3"
        for weak in ("ECDHE-ECDSA-AES128-SHA256", "AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-SHA"):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await spoken(port, client(cert, V.TLSv1_2, V.TLSv1_2, weak))


@pytest.mark.parametrize("minimum", ["1.3", "1.2"])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")
async def test_tls_1_1_is_never_spoken(tmp_path: Path, minimum: Any) -> None:
    cert, key = make_certificate(tmp_path)
    # The ciphers of old versions are asked for, so that it is the service and not this client who refuses.
    old = client(cert, V.TLSv1_1, V.TLSv1_1, "ALL:@SECLEVEL=0")
    async with served(Certificate(cert, key, minimum)) as port:
        with pytest.raises((ssl.SSLError, ConnectionError)) as refused:
            await spoken(port, old)
    assert "NO_PROTOCOLS_AVAILABLE" not in str(refused.value)


async def test_web_sockets_work_over_tls(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=str(cert))
    async with (
        served(Certificate(cert, key)) as port,
        connect(f"wss://127.0.0.1:{port}/echo", ssl=trusting) as socket,
    ):
        await socket.send("你好")
        assert await socket.recv() == "你好"


async def test_a_renewed_certificate_is_taken_up_and_open_connections_go_on(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path)
    newer, newer_key = make_certificate(tmp_path, "newer")
    former = tmp_path / "former.pem"
    shutil.copy(cert, former)
    certificate = Certificate(cert, key)
    watching = asyncio.create_task(certificate.watch(0.02))
    trusting = ssl.create_default_context(cafile=str(former))
    try:
        async with (
            served(certificate) as port,
            connect(f"wss://127.0.0.1:{port}/echo", ssl=trusting) as socket,
        ):
            await socket.send("before")
            assert await socket.recv() == "before"
            shutil.copy(newer_key, key)
            shutil.copy(newer, cert)
            async with asyncio.timeout(20):
                while True:  # a moment in between, certificate and key do not belong together
                    try:
                        await spoken(port, client(newer, V.TLSv1_3, V.TLSv1_3))
                        break
                    except ssl.SSLCertVerificationError:
                        await asyncio.sleep(0.02)
            with pytest.raises(ssl.SSLCertVerificationError):
                await spoken(port, client(former, V.TLSv1_3, V.TLSv1_3))
            await socket.send("after")
            assert await socket.recv() == "after"
    finally:
        watching.cancel()


async def test_a_renewed_certificate_that_cannot_be_used_leaves_the_old_one_in_place(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path)
    former = tmp_path / "former.pem"
    shutil.copy(cert, former)
    certificate = Certificate(cert, key)
    async with served(certificate) as port:
        cert.write_text("no certificate")
        assert certificate.renew() is False
        cert.unlink()
        assert certificate.renew() is False
        await spoken(port, client(former, V.TLSv1_3, V.TLSv1_3))
        shutil.copy(make_certificate(tmp_path, "other")[0], cert)  # with the key of another one
        assert certificate.renew() is False
        await spoken(port, client(former, V.TLSv1_3, V.TLSv1_3))


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path)
    _, other = make_certificate(tmp_path, "other")
    with pytest.raises(BadCertificate, match=r"TLS_CERT: there is no file .*gone.pem"):
        Certificate(tmp_path / "gone.pem", key)
    with pytest.raises(BadCertificate, match=r"TLS_KEY: there is no file .*gone.key"):
        Certificate(cert, tmp_path / "gone.key")
    with pytest.raises(BadCertificate, match=r"other.key is not the key of the certificate in .*desk.pem"):
        Certificate(cert, other)
    with pytest.raises(BadCertificate, match="no usable certificate and key"):
        Certificate(key, key)
    locked = tmp_path / "locked.key"
    opened: Any = serialization.load_pem_private_key(key.read_bytes(), None)
    sealed = serialization.BestAvailableEncryption(b"secret")
    form = serialization.PrivateFormat.PKCS8
    locked.touch(mode=0o600)
    locked.write_bytes(opened.private_bytes(serialization.Encoding.PEM, form, sealed))
    with pytest.raises(BadCertificate, match="locked with a passphrase"):
        Certificate(cert, locked)


@pytest.mark.parametrize(
    ("mode", "fine"), [(0o600, True), (0o400, True), (0o640, True), (0o644, False), (0o660, False)]
)
def test_a_key_that_others_can_read_or_change_is_refused(tmp_path: Path, mode: int, fine: bool) -> None:
    cert, key = make_certificate(tmp_path)
    key.chmod(mode)
    if fine:
        assert Certificate(cert, key).context.minimum_version is V.TLSv1_3
    else:
        with pytest.raises(BadCertificate, match="chmod 600"):
            Certificate(cert, key)


def test_key_and_certificate_may_be_in_one_file(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path)
    both = tmp_path / "both.pem"
    both.touch(mode=0o600)
    both.write_bytes(cert.read_bytes() + key.read_bytes())
    assert Certificate(both, None).expires_at == Certificate(cert, key).expires_at


def test_a_certificate_that_has_ended_is_served_with_a_loud_word_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Certificate(*make_certificate(tmp_path, ended=True))
    assert "certificate_expired" in capsys.readouterr().out


def test_the_settings_of_tls_belong_together(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path)
    found = settings(TLS_CERT=str(cert), TLS_KEY=str(key))
    assert (found.public_url, found.tls_min) == ("https://127.0.0.1:8000", "1.3")
    certificate = certificate_of(found)
    assert certificate is not None
    assert certificate.context.minimum_version is V.TLSv1_3
    older = certificate_of(settings(TLS_CERT=str(cert), TLS_KEY=str(key), TLS_MIN="1.2"))
    assert older is not None
    assert older.context.minimum_version is V.TLSv1_2
    assert certificate_of(settings()) is None
    for changes, named in (
        ({"TLS_KEY": str(key)}, "TLS_KEY is set, but TLS_CERT is missing"),
        ({"TLS_CERT": str(cert), "PUBLIC_URL": "http://desk.example"}, "PUBLIC_URL must begin with https://"),
        ({"TLS_MIN": "1.1"}, "TLS_MIN"),
    ):
        with pytest.raises(BadSetting, match=named):
            settings(**changes)
    with pytest.raises(BadSetting, match="TLS_KEY: there is no file"):
        certificate_of(settings(TLS_CERT=str(cert), TLS_KEY=str(tmp_path / "gone")))
