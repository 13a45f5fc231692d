"""The real service process with everything around it, on a data folder of its own."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.doubles.webhook_program import FROM_DESK, TO_DESK
from tests.faults.http import LOOPBACK, Connection, free_port
from tests.faults.load import Load
from tests.faults.program import Program

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 90.0
#: Settings of whoever runs this that would change what is tested.
_NOT_INHERITED = (
    "REDIS_URL",
    "QDRANT_URL",
    "LLM_URL",
    "LLM_KEY",
    "LLM_MODEL",
    "STT_URL",
    "BUSINESS_HOURS",
    "FAILPOINTS",
)


@dataclass
class Service:
    """One service process that can be killed and started again."""

    folder: Path
    environment: dict[str, str]
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    starts: list[float] = field(default_factory=list)  #: seconds from start to ready

    @property
    def log(self) -> Path:
        """Everything that it and its predecessors wrote."""
        return self.folder / f"service-{self.port}.log"

    def launch(self, failpoints: str = "", **more: str) -> None:
        """Start without waiting."""
        assert not self.running()
        environment = {**os.environ, **self.environment, "PORT": str(self.port), "FAILPOINTS": failpoints, **more}
        for name in _NOT_INHERITED:
            if name not in self.environment and name not in more and name != "FAILPOINTS":
                environment.pop(name, None)
        with self.log.open("ab") as log:
            command = [*more.pop("PREFIX", "").split(), sys.executable, "app.py"]
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    async def start(self, failpoints: str = "", **more: str) -> bool:
        """Start and wait until it serves; False when it died before (which armed failpoints may want)."""
        began = time.monotonic()
        self.launch(failpoints, **more)
        alive = await self.up()
        if alive:
            self.starts.append(time.monotonic() - began)
        return alive

    async def up(self, path: str = "/health/live") -> bool:
        """Wait until it answers; False when it died."""
        connection = Connection(self.port)
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.running():
            answer = await connection.ask("GET", path, {}, b"", 2.0)
            if answer is not None and answer[0] == 200:
                connection.close()
                return True
            await asyncio.sleep(0.05)
        if self.running():
            raise AssertionError(f"the service does not come up:\n{self.tail()}")
        return False

    def running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    async def stop(self, seconds: float = 40.0) -> tuple[int, float]:
        """SIGTERM; returns the exit code and the seconds it took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        while self.process.poll() is None and time.monotonic() - began < seconds:
            await asyncio.sleep(0.05)
        if self.process.poll() is None:
            self.kill()
            return -9, time.monotonic() - began
        return self.process.returncode, time.monotonic() - began

    async def died(self, seconds: float) -> bool:
        """Wait for the process to die by itself."""
        until = time.monotonic() + seconds
        while self.running() and time.monotonic() < until:
            await asyncio.sleep(0.02)
        return not self.running()

    def tail(self) -> str:
        """The end of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])


@dataclass
class Around:
    """A desk with its bot, its company's program and its contacts."""

    folder: Path
    service: Service
    program: Program
    load: Load
    bot_port: int
    bot: subprocess.Popen[bytes] | None = None

    def start_bot(self) -> None:
        """A new process, which has forgotten nothing only if the old one was not killed."""
        self.bot = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.scripted_bot", str(self.bot_port)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill_bot(self) -> None:
        """kill -9."""
        if self.bot is not None:
            self.bot.kill()
            self.bot.wait()
            self.bot = None

    async def bot_does(self, **mode: object) -> None:
        """Make the bot misbehave, or behave again with ``mode="ok"``."""
        connection = Connection(self.bot_port)
        for _ in range(100):
            if await connection.ask("POST", "/control", {}, json.dumps(mode).encode()) is not None:
                break
            await asyncio.sleep(0.1)
        connection.close()

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"


def prepared(template: Path) -> Path:
    """A data folder as a first start leaves it, made once: what is tested is not the first start."""
    ready = template / "data"
    if not (template / "done").exists():
        template.mkdir(parents=True, exist_ok=True)
        environment = _environment(ready, "sqlite", free_port(), "", template)
        service = Service(template, environment)

        async def once() -> None:
            assert await service.start(), service.tail()
            code, _ = await service.stop()
            assert code == 0, service.tail()

        asyncio.run(once())
        (template / "done").touch()
    return ready


SECRETS = {name: secrets.token_urlsafe(32) for name in ("BOT_SECRET", "ACTION_SECRET", "SECRET_KEY", "REST_API_KEYS")}


def _environment(data: Path, database: str, bot_port: int, program_url: str, folder: Path) -> dict[str, str]:
    channels = folder / "channels.yml"
    account = {
        "channel": "webhook",
        "account": "shop",
        "incoming_secrets": TO_DESK,
        "outgoing_secrets": FROM_DESK,
        "url": program_url or "http://127.0.0.1:9/",
        "allow_private_addresses": True,
    }
    channels.write_text(json.dumps([account]))
    return {
        **SECRETS,
        "DATA_DIR": str(data),
        "DATABASE_URL": "" if database == "sqlite" else database,
        "BOT_URLS": f"http://{LOOPBACK}:{bot_port}",
        "CHANNELS_FILE": str(channels),
        "DEMO": "0",
        "LOG_LEVEL": "INFO",
        "DRAIN_SECONDS": "0.2",
    }


@asynccontextmanager
async def around(
    folder: Path, template: Path, name: str = "a", database: str = "sqlite", **more: str
) -> AsyncIterator[Around]:
    """Everything but the running service, which the test starts and kills itself."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(template / "data", folder / "data")
    program, bot_port = Program(), free_port()
    service = Service(folder, {**_environment(folder / "data", database, bot_port, program.url, folder), **more})
    desk = Around(folder, service, program, Load(service.port, SECRETS["REST_API_KEYS"], name), bot_port)
    await program.start()
    desk.start_bot()
    try:
        yield desk
    finally:
        service.kill()
        desk.kill_bot()
        await program.stop()
