"""The scaled form on one machine: several services and bots on local PostgreSQL and Redis, behind one address.

Its databases are its own and are dropped at the end. Where no Qdrant server is set, each service has an index of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import redis
from sqlalchemy.engine import URL, make_url

import env_file
from tools.balancer import Balancer, balancing
from tools.run import ROOT, Process, wait_until_ready

LOOPBACK = "127.0.0.1"
POSTGRES = os.environ.get("SCALED_POSTGRES_URL", "postgresql+asyncpg://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("SCALED_REDIS_URL", "redis://127.0.0.1:6379")
EVENTS = "events"  #: the stream to which the desk exports
_REDIS_DATABASES = range(14, 0, -1)
_CLAIM = "frontdesk:scaled:claim"
_CLAIM_SECONDS = 24 * 3600
PREPARED = ("knowledge", "sentiment")


@dataclass
class ScaledDesk:
    """Running processes; ``url`` leads to any of the services."""

    url: str
    data_dir: Path
    database_url: str
    redis_url: str
    services: list[Process]
    bots: list[Process]
    balancer: Balancer
    service_urls: list[str]
    bot_urls: list[str]
    bot_secret: str
    stopping: threading.Event  #: set when nobody waits for the start any more

    def processes(self) -> list[Process]:
        """All of them."""
        return [*self.services, *self.bots]

    def kill(self, process: Process) -> None:
        """As a power cut would: nothing is finished or written down."""
        assert process.popen is not None
        os.killpg(process.popen.pid, signal.SIGKILL)
        process.popen.wait()

    def start_again(self, process: Process) -> None:
        """Start a process that died and return when it is ready."""
        process.start()
        self.wait_for(process)

    def wait_for(self, process: Process) -> None:
        """Return when a process answers; raises ``SystemExit`` with the end of its log when it does not."""
        if process in self.bots:
            url = f"{self.bot_urls[self.bots.index(process)]}/webhooks/turn/health"
            wait_until_ready(process, url, self.bot_secret, self.stopping)
        else:
            url = f"{self.service_urls[self.services.index(process)]}/health/ready"
            wait_until_ready(process, url, None, self.stopping)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


@contextmanager
def own_databases() -> Iterator[tuple[URL, URL]]:
    """A database for the services and one for the bots, gone at the end."""
    server = make_url(POSTGRES)
    name = f"frontdesk_scaled_{secrets.token_hex(4)}"
    names = (name, f"{name}_bot")

    async def run(*statements: str) -> None:
        plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await asyncpg.connect(plain, timeout=5)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    try:
        asyncio.run(run(*(f"CREATE DATABASE {one}" for one in names)))
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise SystemExit(
            f"PostgreSQL at {server.render_as_string()} cannot be used ({error}). Start it, or set SCALED_POSTGRES_URL to a"
            " server where databases may be created, and run make again.\n"
            f"PostgreSQL（{server.render_as_string()}）用不了：{error}。请先启动它，或者把 SCALED_POSTGRES_URL 设成一台允许建库的服务器，再运行 make。"
        ) from None
    try:
        yield server.set(database=names[0]), server.set(database=names[1], drivername="postgresql+psycopg2")
    finally:
        asyncio.run(run(*(f"DROP DATABASE IF EXISTS {one} WITH (FORCE)" for one in names)))


@contextmanager
def own_redis() -> Iterator[str]:
    """A Redis database that nobody uses, emptied at the end."""
    found = ""
    try:
        for number in _REDIS_DATABASES:
            client = redis.Redis.from_url(f"{REDIS}/{number}", socket_connect_timeout=2)
            if client.dbsize() == 0 and client.set(_CLAIM, os.getpid(), nx=True, ex=_CLAIM_SECONDS):
                found = f"{REDIS}/{number}"
                break
    except (redis.RedisError, OSError) as error:
        raise SystemExit(
            f"Redis at {REDIS} cannot be used ({error}). Start it, or set SCALED_REDIS_URL, and run make again.\n"
            f"Redis（{REDIS}）用不了：{error}。请先启动它，或者设置 SCALED_REDIS_URL，再运行 make。"
        ) from None
    if not found:
        raise SystemExit(
            "Every database of this Redis holds something; empty one of 1 to 14 with FLUSHDB and run make again.\n"
            "这台 Redis 的 1 到 14 号库里都有数据；请用 FLUSHDB 清空其中一个，再运行 make。"
        )
    try:
        yield found
    finally:
        redis.Redis.from_url(found).flushdb()


@contextmanager
def scaled_desk(
    data_dir: Path,
    port: int,
    settings: Mapping[str, str] | None = None,
    *,
    services: int = 2,
    bots: int = 2,
    stopping: threading.Event | None = None,
) -> Iterator[ScaledDesk]:
    """The scaled desk with demo data on ``port``, stopped at the end; raises ``SystemExit`` when something does not start."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        database, bot_database = stack.enter_context(own_databases())
        redis_url = stack.enter_context(own_redis())
        database_url = database.render_as_string(hide_password=False)
        bot_ports, service_ports = [[free_port() for _ in range(number)] for number in (bots, services)]
        url = f"http://{LOOPBACK}:{port}"
        shared = {
            "DATA_DIR": str(data_dir),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "EXPORT_URL": f"{redis_url}/{EVENTS}",
            "PUBLIC_URL": url,
            "BOT_URLS": ",".join(f"http://{LOOPBACK}:{one}" for one in bot_ports),
            "MODEL_DIR": os.environ.get("MODEL_DIR", str(ROOT / "var" / "models")),
            "DEMO": "1",
            "PYTHONUNBUFFERED": "1",
            **(settings or {}),
        }
        known = {**os.environ, **shared}
        desk_settings = _settings(data_dir, known)
        memory_key = secrets.token_hex(32)  # the bots' database is as new as this desk
        balancer = stack.enter_context(balancing(LOOPBACK, port, [(LOOPBACK, one) for one in service_ports]))
        desk = ScaledDesk(
            url,
            data_dir,
            database_url,
            redis_url,
            [
                Process(
                    f"service {number}",
                    [str(ROOT / ".venv" / "bin" / "python"), "app.py"],
                    ROOT,
                    {**known, "PORT": str(own), "INDEX_DIR": str(data_dir / f"index-{number}")},
                    data_dir / "logs" / f"service-{number}.log",
                )
                for number, own in enumerate(service_ports, start=1)
            ],
            [
                Process(
                    f"bot {number}",
                    [str(ROOT / "bot" / ".venv" / "bin" / "python"), "serve.py"],
                    ROOT / "bot",
                    {
                        **known,
                        "BOT_HOST": LOOPBACK,
                        "BOT_PORT": str(own),
                        "BOT_SECRET": desk_settings["BOT_SECRET"],
                        "BOT_FIELD_KEYS": memory_key,
                        "ACTION_URL": f"{url}/internal/actions?token={desk_settings['ACTION_SECRET']}",
                        "BOT_DATABASE_URL": bot_database.render_as_string(hide_password=False),
                    },
                    data_dir / "logs" / f"bot-{number}.log",
                )
                for number, own in enumerate(bot_ports, start=1)
            ],
            balancer,
            [f"http://{LOOPBACK}:{one}" for one in service_ports],
            [f"http://{LOOPBACK}:{one}" for one in bot_ports],
            desk_settings["BOT_SECRET"],
            stopping or threading.Event(),
        )
        plain = {"service": database, "bot": bot_database}
        (data_dir / "databases.json").write_text(
            json.dumps({name: one.set(drivername="postgresql").render_as_string(False) for name, one in plain.items()})
        )
        load_articles_and_demo(desk)
        try:
            for process in desk.processes():
                process.start()
            for process in desk.processes():
                desk.wait_for(process)
            yield desk
        finally:
            for kind in (desk.services, desk.bots):  # services first: they need the bots to finish their turns
                for process in kind:
                    if process.popen is not None and process.popen.poll() is None:
                        process.popen.terminate()
                for process in kind:
                    process.stop()


def load_articles_and_demo(desk: ScaledDesk) -> None:
    """The demo's rows and articles for the first service, and its index for the others as well."""
    for prepared in PREPARED:  # encoding every article again would take longer than everything else
        if (ROOT / "var" / prepared).exists() and not (desk.data_dir / prepared).exists():
            shutil.copytree(ROOT / "var" / prepared, desk.data_dir / prepared)
    first, *others = (Path(service.environment["INDEX_DIR"]) / "knowledge" for service in desk.services)
    if (desk.data_dir / "knowledge").exists() and not first.exists():
        shutil.copytree(desk.data_dir / "knowledge", first)
    loaded = subprocess.run([sys.executable, "tools/load_demo.py"], cwd=ROOT, env=desk.services[0].environment)
    if loaded.returncode != 0:
        raise SystemExit("The demo data could not be loaded; the lines above say why. 演示数据没有载入，原因见上。")
    for other in others:
        shutil.rmtree(other, ignore_errors=True)
        shutil.copytree(first, other)


def _settings(data_dir: Path, known: dict[str, str]) -> dict[str, str]:
    """The secrets of this desk, made on first use."""
    env_file.ensure_secrets(data_dir)
    made = env_file.read_env_file(data_dir / "secrets.env")
    return {**made, **{name: known[name] for name in made if name in known}}
