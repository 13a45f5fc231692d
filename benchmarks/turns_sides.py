"""The two sides of the turn benchmark: how each is started, asked, checked and stopped.

Stock is a plain Rasa set-up (``bot/bench_stock/``), in English because its default tokenizer does not split Chinese.
Desk is this project as ``make run`` starts it, with demo data in a folder of its own.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx

from benchmarks.turns_models import BOT_PYTHON, ROOT, STOCK, rasa_environment, stock_domain
from knowledge_base.calibration import load_calibration

START_SECONDS = 600  #: a stock bot loads its networks in about 50 s on an idle machine
#: The desk stops its two processes one after the other; each may use its own grace time.
STOP_SECONDS = 70
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Step:
    """What a contact says in one turn, and what an answer of the right kind contains."""

    kind: str  #: "knowledge", "task" or "smalltalk": also the route in the desk's trace
    text: str
    intent: str
    expects: str = ""  #: pattern for the text of task replies, the same for both sides


def spaced(text: str, number: int) -> str:
    """The same words with other spaces between them: the same work to read, but no text that was seen before."""
    words = text.split()
    gaps = []
    for _ in words[1:]:
        number, more = divmod(number, 4)
        gaps.append(" " * (1 + more))
    return "".join(itertools.chain.from_iterable(zip(words, [*gaps, ""], strict=True)))


@dataclass(frozen=True, slots=True)
class Cost:
    """What a side takes to be there: the seconds until it answered, and its processes."""

    start_s: float
    processes: tuple[subprocess.Popen[bytes], ...]

    def rss_mb(self) -> float:
        """The resident memory of the processes and all that they started."""
        listed = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=True
        ).stdout
        rows = [tuple(map(int, line.split())) for line in listed.splitlines()]
        family = {process.pid for process in self.processes}
        for _ in rows:  # parents may be listed after their children
            more = {pid for pid, parent, _ in rows if parent in family} - family
            if not more:
                break
            family |= more
        return sum(rss for pid, _, rss in rows if pid in family) / 1024


class Side(Protocol):
    """One system under load."""

    name: str
    url: str
    headers: dict[str, str]
    cost: Cost

    def question(self, conversation_id: str, step: Step) -> dict[str, Any]:
        """The JSON body that asks this."""

    def problem(self, step: Step, answer: Any) -> str | None:
        """Why the answer is not one to this question, or None."""

    def text_of(self, answer: Any) -> str:
        """What the contact reads."""


@dataclass(slots=True)
class StockSide:
    """A stock Rasa behind its REST channel."""

    url: str
    name: str = "stock"
    headers: dict[str, str] = field(default_factory=dict)
    cost: Cost = field(default_factory=lambda: Cost(0.0, ()))
    responses: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.responses = {name: [said["text"] for said in texts] for name, texts in stock_domain()["responses"].items()}

    def question(self, conversation_id: str, step: Step) -> dict[str, Any]:
        return {"sender": conversation_id, "message": step.text}

    def text_of(self, answer: Any) -> str:
        return "\n".join(part.get("text") or "" for part in answer)

    def problem(self, step: Step, answer: Any) -> str | None:
        said = [part.get("text") or "" for part in answer]
        text = self.text_of(answer)
        if not text.strip():
            return "nothing was said"
        if step.kind == "knowledge" and "\nSource: " not in text:
            return f"no article was quoted: {text}"
        if step.kind == "smalltalk" and not set(said) <= set(self.responses[f"utter_{step.intent}"]):
            return f"that is not {step.intent}: {text}"
        return None if re.search(step.expects, text) else f"no “{step.expects}” in: {text}"


@dataclass(slots=True)
class DeskSide:
    """The project's bot behind its turn channel, with the service's actions, knowledge base and CRM."""

    url: str
    headers: dict[str, str]
    name: str = "desk"
    service_url: str = ""
    data_dir: Path = Path()
    api_key: str = ""
    cost: Cost = field(default_factory=lambda: Cost(0.0, ()))
    #: What the service sends with every turn when nobody has changed its settings.
    thresholds: dict[str, dict[str, float]] = field(init=False)

    def __post_init__(self) -> None:
        gate = load_calibration().gate
        self.thresholds = {language: {"retrieval": gate} for language in ("zh", "en")}

    def question(self, conversation_id: str, step: Step) -> dict[str, Any]:
        metadata: dict[str, Any] = {
            "language_hint": "en",
            "customer_id": None,
            "agent_said": [],
            "thresholds": self.thresholds,
        }
        return {
            "turn_id": uuid.uuid4().hex,
            "conversation_id": conversation_id,
            "text": step.text,
            "payload": None,
            "metadata": metadata,
        }

    def text_of(self, answer: Any) -> str:
        return "\n".join(reply["text"] for reply in answer["replies"])

    def problem(self, step: Step, answer: Any) -> str | None:
        text = self.text_of(answer)
        route = answer["trace"]["route"]
        if not text.strip():
            return "nothing was said"
        if route != step.kind:
            return f"took the route {route}: {text}"
        if any(reply["handoff"] for reply in answer["replies"]):
            return f"handed off: {text}"
        if step.kind == "knowledge" and not any(reply["citations"] for reply in answer["replies"]):
            return f"no article was quoted: {text}"
        return None if re.search(step.expects, text) else f"no “{step.expects}” in: {text}"


def free_port() -> int:
    """A port of this machine on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    name: str, command: list[str], folder: Path, environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A process with its output in a log file, ended in every case when the block is left."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        # A session of its own: Ctrl-C ends the benchmark, which then ends this process in order.
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                print(f"The {name} did not end by itself and is killed.", file=sys.stderr)
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def wait_until_ready(name: str, process: subprocess.Popen[bytes], log: Path, url: str, headers: dict[str, str]) -> None:
    """Return when the address answers 200; stop with the end of the log when the process dies or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    with httpx.Client(timeout=5, trust_env=False, headers=headers) as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if client.get(url).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise SystemExit(f"The {name} did not start. The end of {log}:\n{tail}")


@contextmanager
def stock(model: Path, folder: Path, answers: dict[str, str]) -> Iterator[StockSide]:
    """A stock Rasa and its action server, one worker each; where it answers, it says the ``answers`` of the desk."""
    port, action_port = free_port(), free_port()
    actions_url, url = f"http://{LOOPBACK}:{action_port}", f"http://{LOOPBACK}:{port}"
    actions = [str(BOT_PYTHON), "-m", "rasa_sdk", "--actions", "actions", "--port", str(action_port)]
    bot = [str(BOT_PYTHON), "-m", "rasa", "run", "--model", str(model), "--interface", LOOPBACK, "--port", str(port)]
    bot += ["--credentials", "credentials.yml", "--endpoints", "endpoints.yml"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "answers.json").write_text(json.dumps(answers), encoding="utf-8")
    environment = rasa_environment(
        SANIC_HOST=LOOPBACK,
        # By default the action server closes a new connection that is silent for 5 s, and a busy Rasa on a slow machine
        # is silent for longer: turns would be lost. This makes nothing slower.
        SANIC_KEEP_ALIVE_TIMEOUT="75",
        STOCK_ACTION_URL=f"{actions_url}/webhook",
        STOCK_ANSWERS=str(folder / "answers.json"),
    )
    started = time.monotonic()
    with ExitStack() as stack:
        begun = []
        for name, command, health in (
            ("stock action server", actions, f"{actions_url}/health"),
            ("stock bot", bot, f"{url}/webhooks/rest/"),
        ):
            log = folder / f"{name.replace(' ', '-')}.log"
            begun.append((name, stack.enter_context(running(name, command, STOCK, environment, log)), log, health))
        for name, process, log, health in begun:
            wait_until_ready(name, process, log, health, {})
        cost = Cost(time.monotonic() - started, tuple(process for _, process, _, _ in begun))
        yield StockSide(f"{url}/webhooks/rest/webhook", cost=cost)


@contextmanager
def desk(model: Path, folder: Path) -> Iterator[DeskSide]:
    """The whole desk with demo data, on the embedded default whatever the settings of this machine say."""
    port, bot_port = free_port(), free_port()
    secret, api_key = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    own_url, bot_url = f"http://{LOOPBACK}:{port}", f"http://{LOOPBACK}:{bot_port}"
    scaled = ("DATABASE_URL", "REDIS_URL", "QDRANT_URL", "PUBLIC_URL", "BUSINESS_HOURS", "CONCURRENT_TURNS")
    gates = ("ANSWER_THRESHOLD", "CLARIFY_THRESHOLD", "RETRIEVAL_GATE", "ENCODER", "RERANKER", "LOG_LEVEL")
    writer = ("LLM_URL", "LLM_KEY", "LLM_MODEL")
    environment = {
        **os.environ,
        **dict.fromkeys((*scaled, *gates, *writer), ""),
        "DATA_DIR": str(folder),
        "HOST": LOOPBACK,
        "PORT": str(port),
        "BOT_URLS": bot_url,
        "BOT_SECRET": secret,
        "REST_API_KEYS": api_key,
        "DEMO": "1",
        "MODEL_DIR": str(model.parent),
    }
    environment.pop("BOT_DATABASE_URL", None)
    # Only articles that have changed since are encoded again; and messages are read for how they feel, as ever.
    for prepared in ("knowledge", "sentiment"):
        if (ROOT / "var" / prepared).exists():
            shutil.copytree(ROOT / "var" / prepared, folder / prepared)
    if subprocess.run([sys.executable, "tools/load_demo.py"], cwd=ROOT, env=environment).returncode != 0:
        raise SystemExit("The demo data could not be loaded; the lines above say why.")
    headers = {"Authorization": f"Bearer {secret}"}
    log = folder / "run.log"
    started = time.monotonic()
    with running("desk", [sys.executable, "tools/run.py"], ROOT, environment, log) as process:
        wait_until_ready("bot of the desk", process, log, f"{bot_url}/webhooks/turn/health", headers)
        wait_until_ready("service of the desk", process, log, f"{own_url}/health/ready", {})
        cost = Cost(time.monotonic() - started, (process,))
        yield DeskSide(
            f"{bot_url}/webhooks/turn", headers, service_url=own_url, data_dir=folder, api_key=api_key, cost=cost
        )
