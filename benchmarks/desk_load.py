"""A full desk: agents with live consoles, contacts who wait, messages that must reach the right console, nobody forgotten.

One real service process (SQLite, or PostgreSQL with ``--postgres``) on loopback; the bot is a stand-in that hands everybody
to people at once, since only the desk is measured. Agents take what they are offered, so the routing is part of the load.

    python -m benchmarks.desk_load [--agents 50] [--waiting 500] [--postgres postgresql+asyncpg://…/db]

1. ``agents × capacity`` contacts are served and ``waiting`` more wait. 2. For ``--seconds``, served contacts write; measured
is the time from the acknowledgement of each message to its arrival at its agent's console, and from sending to arrival.
3. Agents finish and take the next ones while more contacts keep coming, until everybody has been served.
The last line is one JSON object; times are in ms.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

import asyncpg
import httpx
from sqlalchemy.engine import make_url

from benchmarks.desk_load_people import PASSWORD, Console, Contacts, Load
from conversations.model import utc_now
from conversations.store import Database
from handoff.roles import Role
from handoff.sign_in import Passwords
from handoff.store import StaffStore
from migrations.schema import migrate

ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"
START_SECONDS = 180
CAPACITY = 2


@dataclass
class Options:
    """What is simulated."""

    agents: int
    waiting: int
    late: int
    seconds: float
    rate: float
    postgres: str | None
    limit_seconds: float


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


async def hand_everybody_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The stand-in for the bot: every turn is a handoff; speaks just enough HTTP for the service's client."""
    reply = {"text": "One moment.", "buttons": [], "citations": [], "handoff": "asked_for_person", "customer_id": None}
    turn = json.dumps({"replies": [reply], "trace": {"language": "en", "intent": "handoff", "route": "handoff"}})
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = next((int(line.split(":")[1]) for line in head.split("\r\n") if "content-length" in line), 0)
            await reader.readexactly(length)
            body = turn if head.startswith("post") else '{"status": "ok", "model_id": "stand-in"}'
            answer = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}"
            writer.write(answer.encode())
            await writer.drain()
    writer.close()


@asynccontextmanager
async def database_url(folder: Path, postgres: str | None) -> AsyncIterator[str]:
    """A database of this run's own, gone at the end."""
    if postgres is None:
        yield f"sqlite+aiosqlite:///{folder / 'frontdesk.db'}"
        return
    url = make_url(postgres)
    name = f"desk_load_{secrets.token_hex(4)}"
    admin = url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(admin)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        yield url.set(database=name).render_as_string(hide_password=False)
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


async def hire(url: str, agents: int) -> None:
    """The tables, the agents and a supervisor, before the service starts."""
    database = Database.open(url)
    await migrate(database.engine)
    store, hashed = StaffStore(database), await Passwords(memory_kib=64, passes=1).hash(PASSWORD)
    for number in range(agents):
        await store.add(f"agent{number}@load.example", f"Agent {number}", Role.AGENT, hashed, ("en",), utc_now())
    await store.add("boss@load.example", "Boss", Role.SUPERVISOR, hashed, ("en",), utc_now())
    await database.close()


@contextlib.contextmanager
def service(url: str, folder: Path, port: int, bot_port: int, key: str) -> Any:
    """The service as it is run, with its log in the folder."""
    environment = {
        **os.environ,
        "DATA_DIR": str(folder),
        "DATABASE_URL": url,
        "PORT": str(port),
        "PUBLIC_URL": f"http://{LOOPBACK}:{port}",
        "BOT_URLS": f"http://{LOOPBACK}:{bot_port}",
        "REST_API_KEYS": key,
        "DEMO": "0",
        "LOG_LEVEL": "WARNING",
        **{name: secrets.token_urlsafe(32) for name in ("BOT_SECRET", "ACTION_SECRET", "SECRET_KEY")},
    }
    for name in ("REDIS_URL", "QDRANT_URL", "LLM_URL", "LLM_KEY", "LLM_MODEL", "BUSINESS_HOURS"):
        environment.pop(name, None)
    with (folder / "service.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


async def until(condition: Any, limit_seconds: float, what: str) -> None:
    """Wait for something, and say what did not happen in time."""
    try:
        async with asyncio.timeout(limit_seconds):
            while not condition():  # noqa: ASYNC110  # counters of many tasks
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise SystemExit(f"gave up after {limit_seconds:.0f} s: {what}") from None


async def wait_for(base: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the service is ready."""
    deadline = time.monotonic() + START_SECONDS
    async with httpx.AsyncClient(timeout=5) as http:
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(httpx.HTTPError):
                if (await http.get(f"{base}/health/ready")).status_code == 200:
                    return
            await asyncio.sleep(0.3)
    tail = await asyncio.to_thread(log.read_text, errors="replace")
    raise SystemExit("the service did not start:\n" + "\n".join(tail.splitlines()[-15:]))


def spread(values: list[float]) -> dict[str, float]:
    """p50, p95 and p99 in ms."""
    cuts = quantiles([value * 1000 for value in values], n=100, method="inclusive")
    return {"p50": round(cuts[49], 1), "p95": round(cuts[94], 1), "p99": round(cuts[98], 1)}


async def run(options: Options) -> dict[str, Any]:
    """Everything, from an empty folder to the figures."""
    key, port, bot_port, load = secrets.token_urlsafe(24), free_port(), free_port(), Load()
    base = f"http://{LOOPBACK}:{port}"
    with tempfile.TemporaryDirectory(prefix="desk-load-") as name:
        folder = Path(name)
        async with database_url(folder, options.postgres) as url:
            await hire(url, options.agents)
            bot = await asyncio.start_server(hand_everybody_off, LOOPBACK, bot_port)
            with service(url, folder, port, bot_port, key) as process:
                await wait_for(base, process, folder / "service.log")
                figures = await play(options, base, key, load, process.pid)
                figures["rss_mb"] = memory_mb(process.pid)
            bot.close()
    return figures


async def play(options: Options, base: str, key: str, load: Load, pid: int) -> dict[str, Any]:
    """The three parts, on a service that is ready."""
    consoles = [Console(base, number, load) for number in range(options.agents)]
    boss = Console(base, 0, load)
    boss.email = "boss@load.example"
    await boss.sign_in()
    team = {"name_en": "Everybody", "mode": "offer", "offer_seconds": 30, "capacity": CAPACITY}
    (await boss.http.post("teams/default", json=team)).raise_for_status()
    for console in consoles:
        await console.sign_in()
    listening = [asyncio.create_task(console.listen()) for console in consoles]
    await asyncio.gather(*(console.ready.wait() for console in consoles))
    contacts = Contacts(base, key, load)

    held = options.agents * CAPACITY
    total = held + options.waiting
    print(f"{options.agents} consoles are open; {total} contacts arrive …", flush=True)
    await contacts.arrive([f"contact-{number}" for number in range(total)])
    await until(lambda: len(load.served) >= held, options.limit_seconds, f"{held} are served")

    print(f"{held} are served, {options.waiting} wait; served contacts write for {options.seconds:.0f} s …", flush=True)
    served, writing, begin, busy = list(load.served), [], time.perf_counter(), processor_seconds(pid)
    for number in range(round(options.seconds * options.rate)):
        await asyncio.sleep(max(0.0, begin + number / options.rate - time.perf_counter()))
        text = f"message {number} {secrets.token_hex(4)}"
        writing.append(asyncio.create_task(contacts.write(served[number % held], text)))
    await asyncio.gather(*writing)
    with contextlib.suppress(SystemExit):
        await until(lambda: len(load.arrived) >= len(load.sent), 15, "every message arrives")

    busy = processor_seconds(pid) - busy
    print(f"Agents finish and take the next ones while {options.late} more arrive …", flush=True)
    finished, drain = asyncio.Event(), time.perf_counter()
    working = [asyncio.create_task(console.work(finished)) for console in consoles]
    await contacts.arrive([f"late-{number}" for number in range(options.late)])
    with contextlib.suppress(SystemExit):
        await until(lambda: len(load.served) >= len(load.queued), options.limit_seconds, "everybody is served")
    drain_s = time.perf_counter() - drain
    finished.set()
    await asyncio.gather(*working)
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    for client in (contacts.http, boss.http, *(console.http for console in consoles)):
        await client.aclose()
    return figures_of(options, load, drain_s, busy)


def figures_of(options: Options, load: Load, drain_s: float, busy: float) -> dict[str, Any]:
    """What is printed."""
    came = [text for text in load.sent if text in load.arrived]
    # A console may have a message before the answer to the request that brought it has travelled back: 0, not less.
    after_ack = [max(0.0, load.arrived[text] - load.sent[text][1]) for text in came]
    end_to_end = [load.arrived[text] - load.sent[text][0] for text in came]
    asked = sorted(load.queued, key=lambda one: load.queued[one])
    order = {one: place for place, one in enumerate(sorted(load.served, key=lambda one: load.served[one]))}
    overtaken = max((order[one] - place for place, one in enumerate(asked) if one in order), default=0)
    return {
        "database": "postgresql" if options.postgres else "sqlite",
        "agents": options.agents,
        "waiting": options.waiting,
        "messages": len(load.sent),
        "not_arrived": len(load.sent) - len(came),
        "console": spread(after_ack) if len(came) > 1 else None,
        "sent_to_console": spread(end_to_end) if len(came) > 1 else None,
        "ack": spread([acknowledged - sent for sent, acknowledged in load.sent.values()]),
        "processor_ms_per_message": round(1000 * busy / max(1, len(load.sent)), 1),
        "contacts": len(load.queued),
        "served": len(load.served),
        "starved": len(load.queued) - len(load.served),
        "overtaken_by_max": overtaken,
        "drain_s": round(drain_s, 1),
        "refused_accepts": load.refused,
        "reconnects": load.reconnects,
        "errors": len(load.errors),
        "load_average": round(os.getloadavg()[0], 1),
    }


def processor_seconds(pid: int) -> float:
    """Processor time a process has used; on a busy machine it says more than the clock."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> int:
    """Resident memory of a process."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return round(int(line.split()[1]) / 1024)
    return 0


def main() -> None:
    """Read the options, run, print the figures."""
    parser = argparse.ArgumentParser(description="Agents with live consoles and contacts who wait.")
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--waiting", type=int, default=500)
    parser.add_argument("--late", type=int, default=100, help="contacts who arrive while the queue is served")
    parser.add_argument("--seconds", type=float, default=20, help="how long served contacts write")
    parser.add_argument("--rate", type=float, default=20, help="their messages per second")
    parser.add_argument("--postgres", help="URL of any database of a server; the run makes and drops its own")
    parser.add_argument("--limit-seconds", type=float, default=180, help="the longest any part may take")
    figures = asyncio.run(run(Options(**vars(parser.parse_args()))))
    for name, value in figures.items():
        print(f"  {name:<18} {value}")
    print(json.dumps(figures))
    if figures["starved"] or figures["not_arrived"] or figures["errors"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
