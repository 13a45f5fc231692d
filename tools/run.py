"""Start the bot and the service, watch both, and stop both cleanly on Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import env_file
import settings as desk_settings
from conversations.sealing import bot_keys

START_SECONDS = 300
STOP_SECONDS = 25


@dataclass
class Process:
    """One of our two processes, restarted when it dies, with its output in a log file."""

    name: str
    command: list[str]
    cwd: Path
    environment: dict[str, str]
    log: Path
    popen: subprocess.Popen[bytes] | None = None
    started_at: float = field(default=0.0)

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            # A session of its own: Ctrl-C reaches this script only, which then stops both in order.
            self.popen = subprocess.Popen(
                self.command,
                cwd=self.cwd,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started_at = time.monotonic()

    def died(self) -> bool:
        return self.popen is not None and self.popen.poll() is not None

    def stop(self) -> None:
        if self.popen is None or self.popen.poll() is not None:
            return
        self.popen.terminate()
        try:
            self.popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait()


def main() -> None:
    env_file.ensure_secrets(env_file.data_folder())
    env_file.take_env_file()
    os.environ.setdefault("DEMO", "1")
    settings = desk_settings.load()
    logs = settings.data_dir / "logs"
    bot_url = urlsplit(settings.bot_urls[0])
    # With a certificate of its own the service is called by the name that is in it.
    own_url = settings.public_url if settings.tls_cert else f"http://{settings.host}:{settings.port}"
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    bot = Process(
        "bot",
        [str(ROOT / "bot" / ".venv" / "bin" / "python"), "serve.py"],
        ROOT / "bot",
        {
            **environment,
            "BOT_HOST": bot_url.hostname or "127.0.0.1",
            "BOT_PORT": str(bot_url.port or 5005),
            "BOT_SECRET": settings.bot_secret,
            # Those made here open what was sealed before BOT_FIELD_KEYS was set.
            "BOT_FIELD_KEYS": ",".join(
                filter(None, (os.environ.get("BOT_FIELD_KEYS"), bot_keys(settings.wrapping_keys)))
            ),
            "ACTION_URL": f"{own_url}/internal/actions?token={settings.action_secret}",
            "NLU_DATA": str(settings.nlu_data.resolve()),
            "BOT_DATABASE_URL": os.environ.get(
                "BOT_DATABASE_URL", f"sqlite:///{settings.data_dir.resolve() / 'bot.db'}"
            ),
        },
        logs / "bot.log",
    )
    service = Process(
        "service", [str(ROOT / ".venv" / "bin" / "python"), "app.py"], ROOT, environment, logs / "service.log"
    )
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    for port, what in ((settings.port, "the service (PORT)"), (bot_url.port or 5005, "the bot (BOT_URLS)")):
        if taken(port):
            sys.exit(
                f"Port {port} is already in use: stop what listens there or choose another port for {what}, then run make again."
            )
    bot.start()
    service.start()
    try:
        print("Starting the bot and the service …", flush=True)
        wait_until_ready(bot, f"{settings.bot_urls[0]}/webhooks/turn/health", settings.bot_secret, stopping)
        wait_until_ready(service, f"{own_url}/health/ready", None, stopping)
        if not stopping.is_set():
            print(banner(settings), flush=True)
        watch([bot, service], stopping)
    finally:
        print("\nStopping …", flush=True)
        # The service first: it finishes running turns, for which it needs the bot.
        service.stop()
        bot.stop()
        print("Stopped.", flush=True)


def taken(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until_ready(process: Process, url: str, secret: str | None, stopping: threading.Event) -> None:
    """Return when the health address answers 200; stop with the end of the log when the process dies or takes too long."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {secret}"} if secret else {})
    deadline = time.monotonic() + START_SECONDS
    while not stopping.is_set():
        if process.died() or time.monotonic() > deadline:
            tail = "\n".join(process.log.read_text(errors="replace").splitlines()[-15:])
            raise SystemExit(f"The {process.name} did not start. The end of {process.log}:\n{tail}")
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        stopping.wait(0.3)


def watch(processes: list[Process], stopping: threading.Event) -> None:
    """Restart a process that died, waiting a little longer when it had not lived a minute."""
    quick_deaths = 0
    while not stopping.wait(0.5):
        for process in processes:
            if not process.died():
                continue
            assert process.popen is not None
            quick_deaths = quick_deaths + 1 if time.monotonic() - process.started_at < 60 else 0
            if quick_deaths > 5:
                raise SystemExit(f"The {process.name} keeps dying; read {process.log}.")
            print(f"The {process.name} ended with code {process.popen.returncode}; starting it again.", flush=True)
            stopping.wait(min(10, 2**quick_deaths))
            process.start()


def settings_of(environment: dict[str, str]) -> desk_settings.Settings:
    """The settings of a process by the environment it gets, with the made-up secrets behind it."""
    secrets = env_file.read_env_file(Path(environment["DATA_DIR"]) / "secrets.env")
    return desk_settings.load({**secrets, **environment})


def banner(settings: desk_settings.Settings) -> str:
    url = settings.public_url
    lines = [
        "",
        "  Frontdesk 前台 is running. Ctrl-C stops it.",
        "",
        f"  Shop page with the chat widget   {url}/",
        f"  Staff console                    {url}/staff/",
    ]
    if settings.demo:
        lines += [
            f"  One-time codes (demo mailbox)    {url}/demo/mailbox",
            "",
            f"  Demo sign-ins, password {settings.demo_password}",
            "    agent       agent@kite.example       (a second one: sam@kite.example)",
            "    trainer     trainer@kite.example",
            "    supervisor  supervisor@kite.example",
            "    admin       admin@kite.example",
            "    auditor     auditor@kite.example",
        ]
    return "\n".join([*lines, "", f"  Logs: {settings.data_dir / 'logs'}", ""])


if __name__ == "__main__":
    main()
