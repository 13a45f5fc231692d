"""A real Mosquitto on loopback with passwords, access rules and persistence; devices; and a wire that can be cut."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PASSWORDS = {"frontdesk": "of the desk", "ann": "of ann", "bob": "of bob"}
#: The lines of docs/channels/mqtt.md: the desk reads what comes in, everybody has a topic each way of their own.
ACL = """
user frontdesk
topic read frontdesk/shop/in/+
topic write frontdesk/shop/out/#

pattern write frontdesk/shop/in/%u
pattern read frontdesk/shop/out/%u/#
"""
_CONFIGURATION = """
listener {port} 127.0.0.1
{tls}
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
persistence true
persistence_location {folder}/
autosave_on_changes true
autosave_interval 1
max_queued_messages 0
{user}
log_dest file {folder}/log
log_type all
"""


def find_mosquitto() -> str:
    """The broker's program; skips, naming it, where it is not installed and the tests are not those of CI."""
    path = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if path is None:
        if os.environ.get("CI"):
            raise FileNotFoundError("mosquitto is not installed")
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    return path


class Mosquitto:
    """One broker that can be killed and started again."""

    def __init__(self, folder: Path, port: int, certificate: Path | None = None) -> None:
        self.folder = folder
        self.port = port
        self._program = find_mosquitto()
        self._process: asyncio.subprocess.Process | None = None
        folder.mkdir(parents=True)
        (folder / "acl").write_text(ACL)
        passwords = folder / "passwords"
        passwords.write_text("".join(f"{name}:{password}\n" for name, password in PASSWORDS.items()))
        subprocess.run(["mosquitto_passwd", "-U", passwords], check=True, capture_output=True)
        for file in (folder / "acl", passwords):
            file.chmod(0o600)
        tls = "" if certificate is None else f"certfile {certificate}\nkeyfile {certificate}"
        user = "user root" if os.geteuid() == 0 else ""
        (folder / "conf").write_text(_CONFIGURATION.format(port=port, folder=folder, tls=tls, user=user))

    async def start(self) -> None:
        """Start it and wait until it listens."""
        self._process = await asyncio.create_subprocess_exec(
            self._program, "-c", self.folder / "conf", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(1_000):
            assert self._process.returncode is None, self.log
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return
            await asyncio.sleep(0.02)

    async def stop(self, *, kill: bool = False) -> None:
        """End it, politely or with SIGKILL."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            await self._process.wait()
            self._process = None

    @property
    def log(self) -> str:
        """What it logged so far."""
        file = self.folder / "log"
        return file.read_text(errors="replace") if file.exists() else ""

    async def until(self, found: Callable[[], bool]) -> None:
        """Wait for something that only the broker knows."""
        for _ in range(1_500):
            if found():
                return
            await asyncio.sleep(0.02)
        raise AssertionError(self.log[-5_000:])

    async def kept(self, words: str) -> None:
        """Wait until something is on disk."""
        file = self.folder / "mosquitto.db"
        await self.until(lambda: file.exists() and words.encode() in file.read_bytes())


@asynccontextmanager
async def running(folder: Path, port: int, certificate: Path | None = None) -> AsyncIterator[Mosquitto]:
    """A broker that has started."""
    broker = Mosquitto(folder, port, certificate)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


class Device:
    """A device with a name, a password and its own two topics."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.got: list[dict[str, Any]] = []
        self.raw: list[MQTTMessage] = []
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Condition()
        self._answers: dict[int, asyncio.Future[int]] = {}
        self._ready = asyncio.Event()
        self._count = 0
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=f"device-{name}", protocol=MQTTProtocolVersion.MQTTv5
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.username_pw_set(name, PASSWORDS[name])
        self._client.on_connect = lambda client, *_: client.subscribe(f"frontdesk/shop/out/{name}/#", qos=1) and None
        self._client.on_subscribe = lambda *_: self._call(self._ready.set)
        self._client.on_message = lambda _client, _data, message: self._call(self._heard, message)
        self._client.on_publish = lambda _client, _data, mid, code, _p: self._call(self._answered, mid, code.value)
        self._port = port

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        self._loop.call_soon_threadsafe(function, *arguments)

    @asynccontextmanager
    async def online(self) -> AsyncIterator[Device]:
        """Connected, with a session that lasts, until the end of the block."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 3_600
        self._client.connect("127.0.0.1", self._port, clean_start=False, properties=properties)
        self._client.loop_start()
        try:
            async with asyncio.timeout(20):
                await self._ready.wait()
            yield self
        finally:
            self._client.disconnect()
            await asyncio.to_thread(self._client.loop_stop)

    async def publish(
        self,
        payload: bytes,
        *,
        topic: str | None = None,
        qos: int = 1,
        retain: bool = False,
        response: str | None = None,
        correlation: bytes | None = None,
    ) -> int:
        """Publish on the device's own topic, or any; gives the broker's reason code."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if response is not None:
            properties.ResponseTopic = response
        if correlation is not None:
            properties.CorrelationData = correlation
        where = topic or f"frontdesk/shop/in/{self.name}"
        sent = self._client.publish(where, payload, qos=qos, retain=retain, properties=properties)
        if qos == 0:
            return 0
        answer: asyncio.Future[int] = self._loop.create_future()
        self._answers[sent.mid] = answer
        async with asyncio.timeout(30):
            return await answer

    async def says(self, text: str = "", **message: Any) -> int:
        """Say something as JSON."""
        self._count += 1
        options = {
            key: message.pop(key) for key in ("topic", "qos", "retain", "response", "correlation") if key in message
        }
        body = {"id": f"{self.name}-{self._count}", "text": text} | message
        return await self.publish(json.dumps(body, ensure_ascii=False).encode(), **options)

    async def until(self, count: int) -> list[dict[str, Any]]:
        """What the desk said, as soon as it is so much."""
        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(lambda: len(self.got) >= count)
        return self.got

    async def saying(self, words: str) -> dict[str, Any]:
        """The first message with words in it."""

        def found() -> list[dict[str, Any]]:
            return [one for one in self.got if words in json.dumps(one, ensure_ascii=False)]

        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(found)
        return found()[0]

    async def _notify(self) -> None:
        async with self._news:
            self._news.notify_all()

    def _heard(self, message: MQTTMessage) -> None:
        self.raw.append(message)
        self.got.append(json.loads(message.payload))
        self._loop.create_task(self._notify())  # it ends at once

    def _answered(self, mid: int, code: int) -> None:
        if mid in self._answers:
            self._answers.pop(mid).set_result(code)


class Wire:
    """A TCP connection to the broker that loses what it is told to lose, and can be cut."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self.lose_to_broker = False
        self.lose_from_broker = False
        self.connections = 0
        self._broker_port = port
        self._writers: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[Wire]:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()

    def cut(self) -> None:
        """Break every connection."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._broker_port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        await asyncio.gather(
            self._carry(reader, far_writer, lambda: self.lose_to_broker),
            self._carry(far_reader, writer, lambda: self.lose_from_broker),
        )
        self._writers -= {writer, far_writer}

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, loses: Callable[[], bool]
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if not loses():
                    writer.write(data)
                    await writer.drain()
        writer.transport.abort()
