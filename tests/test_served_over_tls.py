"""The real service process on its own port: what it says over https and over http, and how it renews its certificate."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from conversations.model import new_id
from tests.certificates import make_certificate
from tests.faults.desk import SECRETS, START_SECONDS, Service
from tests.faults.http import free_port

HSTS = "strict-transport-security"
#: A page of each kind: health, console, chat, API, nothing, and what is refused.
PAGES = ("/health/live", "/staff/", "/widget.js", "/api/v1/openapi.json", "/nowhere", "/api/v1/messages?contact=ann")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder for all of them: what is tested is not the first start."""
    return tmp_path_factory.mktemp("served")


@asynccontextmanager
async def served(home: Path, base: str = "http", **more: str) -> AsyncIterator[tuple[Service, str]]:
    """A running service, and its address on this machine."""
    (home / "channels.yml").write_text("[]")
    environment = {
        **SECRETS,
        "DATA_DIR": str(home / "data"),
        "DATABASE_URL": "",
        "BOT_URLS": f"http://127.0.0.1:{free_port()}",
        "CHANNELS_FILE": str(home / "channels.yml"),
        "PUBLIC_URL": "",
        "TLS_CERT": "",
        "TLS_KEY": "",
        "DEMO": "0",
        "DRAIN_SECONDS": "0",
        **more,
    }
    service = Service(home, environment)
    url = f"{base}://127.0.0.1:{service.port}"
    service.launch()
    try:
        async with asyncio.timeout(START_SECONDS), httpx.AsyncClient(base_url=url, verify=False) as http:
            while not await answers(http):
                assert service.running(), service.tail()
                await asyncio.sleep(0.1)
        yield service, url
        await service.stop()
    finally:
        service.kill()


async def answers(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/health/live")).status_code == 200
    except httpx.TransportError:
        return False


async def hsts_of_every_page(url: str, verify: ssl.SSLContext | bool = True) -> set[str | None]:
    async with httpx.AsyncClient(base_url=url, verify=verify) as http:
        return {(await http.get(page)).headers.get(HSTS) for page in PAGES}


async def test_over_plain_http_nobody_is_told_to_come_by_https_only(home: Path) -> None:
    """A browser that believed it would never find the desk again."""
    async with served(home) as (_, url):
        assert await hsts_of_every_page(url) == {None}


async def test_behind_a_proxy_that_speaks_https_every_answer_says_so(home: Path) -> None:
    async with served(home, PUBLIC_URL="https://desk.example") as (_, url):
        assert await hsts_of_every_page(url) == {"max-age=31536000"}


class Files:
    """A certificate and key in use, and another pair that looks exactly as the first one to whoever compares times and sizes."""

    def __init__(self, folder: Path) -> None:
        self.cert, self.key = make_certificate(folder)
        self.former = self.cert.read_bytes()
        size = len(self.former)
        number = 0
        while True:  # signatures differ by a byte or two
            number += 1
            newer, newer_key = make_certificate(folder, f"{number:04}")
            if len(newer.read_bytes()) == size and len(newer_key.read_bytes()) == self.key.stat().st_size:
                break
        self.newer, self.newer_key = newer.read_bytes(), newer_key.read_bytes()

    def trusting(self, *certificates: bytes) -> ssl.SSLContext:
        return ssl.create_default_context(cadata="".join(one.decode() for one in certificates))

    def replace(self) -> None:
        """As a renewal does, but unseen by those who look for changes: only who is told takes it up."""
        for path, content in ((self.key, self.newer_key), (self.cert, self.newer)):
            seen = path.stat()
            path.write_bytes(content)
            os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))


async def shown(port: int, trusting: ssl.SSLContext) -> str:
    """The certificate that a new connection is shown, in PEM."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return ssl.DER_cert_to_PEM_cert(der)


async def test_a_hangup_renews_the_certificate_and_drops_nobody(home: Path, tmp_path: Path) -> None:
    files = Files(tmp_path)
    both = files.trusting(files.former, files.newer)
    async with served(home, "https", TLS_CERT=str(files.cert), TLS_KEY=str(files.key)) as (service, url):
        assert await hsts_of_every_page(url, both) == {"max-age=31536000"}
        former = await shown(service.port, both)
        assert former == files.former.decode()
        async with (
            connect(f"{url.replace('https', 'wss')}/webchat/socket", ssl=both) as socket,
            httpx.AsyncClient(base_url=url, verify=files.trusting(files.former), timeout=20) as kept,
        ):
            await socket.send(json.dumps({"type": "hello", "language": "en"}))
            assert json.loads(await socket.recv())["type"] == "welcome"
            assert (await kept.get("/health/live")).status_code == 200
            files.replace()
            assert await shown(service.port, both) == former  # nobody has told it
            assert service.process is not None
            service.process.send_signal(signal.SIGHUP)
            async with asyncio.timeout(60):
                while await shown(service.port, both) == former:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            assert await shown(service.port, both) == files.newer.decode()
            with pytest.raises(ssl.SSLCertVerificationError):
                await shown(service.port, files.trusting(files.former))
            # It trusts only the former certificate, so a new connection would fail.
            assert (await kept.get("/health/live")).status_code == 200
            await socket.send(json.dumps({"type": "message", "client_msg_id": new_id(), "text": "still here?"}))
            async with asyncio.timeout(20):
                while (heard := json.loads(await socket.recv()))["type"] != "ack":
                    assert heard["type"] != "error", heard
        assert service.running()
