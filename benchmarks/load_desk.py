"""The desk under a load run: started for it with demo data in a folder of its own, and its processor time and memory."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.run import ROOT, Process, wait_until_ready
from tools.scaled_desk import PREPARED, free_port, scaled_desk

LOOPBACK = "127.0.0.1"
ACCOUNT = "load"
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
#: What a machine's own settings must not change about a measured desk.
_NOT_INHERITED = (
    "DATABASE_URL", "REDIS_URL", "QDRANT_URL", "PUBLIC_URL", "BUSINESS_HOURS", "CONCURRENT_TURNS", "ANSWER_THRESHOLD",
    "CLARIFY_THRESHOLD", "RETRIEVAL_GATE", "ENCODER", "RERANKER", "LLM_URL", "LLM_KEY", "LLM_MODEL", "BOT_DATABASE_URL",
    "EXPORT_URL", "INDEX_DIR", "REST_PER_SECOND",
)  # fmt: skip


@dataclass
class Target:
    """A desk that answers: where, with which keys, and what can be seen of its processes."""

    url: str
    key: str
    incoming: str
    outgoing: str
    form: str  #: "sqlite", "scaled" or "given"
    processes: list[Process] = field(default_factory=list)
    database_url: str = ""

    def seconds_of(self, kind: str) -> float:
        """Processor time that the processes of a kind ("service" or "bot") have used."""
        return sum(processor_seconds(one) for one in self.processes if one.name.startswith(kind))

    def rss_mb(self) -> float | None:
        """Resident memory of all processes; None for a desk that somebody else started."""
        return round(sum(map(resident_mb, self.processes)), 1) if self.processes else None


def processor_seconds(process: Process) -> float:
    """User and system time of a process since its start."""
    try:
        fields = Path(f"/proc/{_pid(process)}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_mb(process: Process) -> float:
    """Resident memory of a process now."""
    try:
        return int(Path(f"/proc/{_pid(process)}/statm").read_text().split()[1]) * _PAGE / 2**20
    except OSError:
        return 0.0


def _pid(process: Process) -> int:
    return process.popen.pid if process.popen is not None else 0


def channels_file(folder: Path, answers_port: int, incoming: str, outgoing: str) -> Path:
    """The webhook account through which the run's programs speak."""
    path = folder / "channels.yml"
    path.write_text(
        f"- channel: webhook\n  account: {ACCOUNT}\n  incoming_secrets: {incoming}\n  outgoing_secrets: {outgoing}\n"
        f"  url: http://{LOOPBACK}:{answers_port}/answers\n  allow_private_addresses: true\n"
    )
    return path


@contextmanager
def own_desk(folder: Path, answers_port: int, incoming: str, outgoing: str, *, scaled: bool) -> Iterator[Target]:
    """A desk of this run's own: SQLite and one process of each kind, or two of each on PostgreSQL and Redis."""
    key = secrets.token_urlsafe(24)
    channels = channels_file(folder, answers_port, incoming, outgoing)
    chosen = {"REST_API_KEYS": key, "CHANNELS_FILE": str(channels), "LOG_LEVEL": "WARNING"}
    if scaled:
        with scaled_desk(folder, free_port(), chosen) as desk:
            yield Target(desk.url, key, incoming, outgoing, "scaled", desk.processes(), desk.database_url)
        return
    port, bot_port, secret, action_secret = free_port(), free_port(), secrets.token_hex(16), secrets.token_hex(16)
    url, bot_url = f"http://{LOOPBACK}:{port}", f"http://{LOOPBACK}:{bot_port}"
    environment = {
        **{name: value for name, value in os.environ.items() if name not in _NOT_INHERITED},
        **dict.fromkeys(_NOT_INHERITED, ""),
        **chosen,
        "DATA_DIR": str(folder),
        "HOST": LOOPBACK,
        "PORT": str(port),
        "BOT_URLS": bot_url,
        "BOT_SECRET": secret,
        "ACTION_SECRET": action_secret,
        "SECRET_KEY": secrets.token_urlsafe(32),
        "DEMO": "1",
        "MODEL_DIR": os.environ.get("MODEL_DIR", str(ROOT / "var" / "models")),
    }
    for prepared in PREPARED:
        if (ROOT / "var" / prepared).exists():
            shutil.copytree(ROOT / "var" / prepared, folder / prepared)
    if subprocess.run([sys.executable, "tools/load_demo.py"], cwd=ROOT, env=environment).returncode != 0:
        raise SystemExit("The demo data could not be loaded; the lines above say why. 演示数据没有载入，原因见上。")
    bot_environment = {name: value for name, value in environment.items() if name != "BOT_DATABASE_URL"}
    processes = [
        Process("service", [sys.executable, "app.py"], ROOT, environment, folder / "logs" / "service.log"),
        Process(
            "bot",
            [str(ROOT / "bot" / ".venv" / "bin" / "python"), "serve.py"],
            ROOT / "bot",
            bot_environment
            | {
                "BOT_HOST": LOOPBACK,
                "BOT_PORT": str(bot_port),
                "ACTION_URL": f"{url}/internal/actions?token={action_secret}",
                "BOT_DATABASE_URL": f"sqlite:///{folder / 'bot.db'}",
                "BOT_FIELD_KEYS": secrets.token_hex(32),
            },
            folder / "logs" / "bot.log",
        ),
    ]
    try:
        for process in reversed(processes):
            process.start()
        never = threading.Event()
        wait_until_ready(processes[1], f"{bot_url}/webhooks/turn/health", secret, never)
        wait_until_ready(processes[0], f"{url}/health/ready", None, never)
        database = f"sqlite+aiosqlite:///{folder / 'frontdesk.db'}"
        yield Target(url, key, incoming, outgoing, "sqlite", processes, database)
    finally:
        for process in processes:
            process.stop()
