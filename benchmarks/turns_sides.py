"""The two sides of the turn benchmark: how each is started, asked, checked and stopped.

Stock is a plain Rasa set-up (``bot/bench_stock/``), in English because its default tokenizer does not split Chinese.
Desk is this project as ``make run`` starts it, with demo data in a folder of its own.
"""

from __future__ import annotations

import hashlib
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
import yaml

from knowledge_base.calibration import load_calibration

ROOT = Path(__file__).resolve().parent.parent
BOT_PYTHON = ROOT / "bot" / ".venv" / "bin" / "python"
STOCK = ROOT / "bot" / "bench_stock"
STOCK_NLU = ROOT / "nlu_data" / "en"
#: The first examples of every intent that the stock side learns: all of them would train for hours, and a turn does not
#: take longer for fewer (the smaller vocabulary favours the stock side a little).
STOCK_EXAMPLES = 30
CACHE = ROOT / "var" / "bench"
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


class Side(Protocol):
    """One system under load."""

    name: str
    url: str
    headers: dict[str, str]

    def question(self, conversation_id: str, step: Step) -> dict[str, Any]:
        """The JSON body that asks this."""

    def problem(self, step: Step, answer: Any) -> str | None:
        """Why the answer is not one to this question, or None."""


@dataclass(slots=True)
class StockSide:
    """A stock Rasa behind its REST channel."""

    url: str
    name: str = "stock"
    headers: dict[str, str] = field(default_factory=dict)
    responses: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        domain = yaml.safe_load((STOCK / "domain.yml").read_text(encoding="utf-8"))
        self.responses = {name: [said["text"] for said in texts] for name, texts in domain["responses"].items()}

    def question(self, conversation_id: str, step: Step) -> dict[str, Any]:
        return {"sender": conversation_id, "message": step.text}

    def problem(self, step: Step, answer: Any) -> str | None:
        said = [part.get("text") or "" for part in answer]
        text = "\n".join(said)
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

    def problem(self, step: Step, answer: Any) -> str | None:
        text = "\n".join(reply["text"] for reply in answer["replies"])
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
            time.sleep(0.5)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise SystemExit(f"The {name} did not start. The end of {log}:\n{tail}")


def stock_model() -> Path:
    """The stock model for today's training data; trained when its inputs have changed, which takes minutes."""
    digest = hashlib.sha256(str(STOCK_EXAMPLES).encode())
    for file in sorted([*STOCK.glob("**/*.yml"), *STOCK_NLU.glob("*.yml"), ROOT / "bot" / "requirements.lock"]):
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    name = f"stock-{digest.hexdigest()[:16]}"
    model = CACHE / f"{name}.tar.gz"
    if model.exists():
        return model
    examples = stock_examples(CACHE / "stock_nlu.yml")
    print(
        "Training the stock model: three networks of 100 epochs, some minutes; it is kept for the next run.", flush=True
    )
    command = [str(BOT_PYTHON), "-m", "rasa", "train", "--domain", "domain.yml", "--config", "config.yml"]
    command += ["--data", str(examples), "data", "--out", str(CACHE), "--fixed-model-name", name]
    CACHE.mkdir(parents=True, exist_ok=True)
    if subprocess.run(command, cwd=STOCK, env=rasa_environment()).returncode != 0 or not model.exists():
        raise SystemExit(
            "The stock model could not be trained; the lines above say why. Fix that and run make bench again."
        )
    for old in CACHE.glob("stock-*.tar.gz"):
        if old != model:
            old.unlink()
    return model


def stock_examples(file: Path) -> Path:
    """Write what the stock side learns from into one file; returns it."""
    blocks = []
    for source in sorted(STOCK_NLU.glob("*.yml")):
        for block in yaml.safe_load(source.read_text(encoding="utf-8"))["nlu"]:
            examples = block["examples"].splitlines()[:STOCK_EXAMPLES]
            blocks.append({"intent": block["intent"], "examples": "\n".join(examples) + "\n"})
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump({"version": "3.1", "nlu": blocks}, allow_unicode=True), encoding="utf-8")
    return file


def rasa_environment(**more: str) -> dict[str, str]:
    """The environment of a stock Rasa: nothing is sent out, nothing is kept outside ``var/``, the rest is default."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "2", "SQLALCHEMY_SILENCE_UBER_WARNING": "1", "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **quiet, "RASA_TELEMETRY_ENABLED": "false", "RASA_MAX_CACHE_SIZE": "0", **more}


@contextmanager
def stock(model: Path, folder: Path) -> Iterator[StockSide]:
    """A stock Rasa and its action server, one worker each."""
    port, action_port = free_port(), free_port()
    actions_url, url = f"http://{LOOPBACK}:{action_port}", f"http://{LOOPBACK}:{port}"
    actions = [str(BOT_PYTHON), "-m", "rasa_sdk", "--actions", "actions", "--port", str(action_port)]
    bot = [str(BOT_PYTHON), "-m", "rasa", "run", "--model", str(model), "--interface", LOOPBACK, "--port", str(port)]
    bot += ["--credentials", "credentials.yml", "--endpoints", "endpoints.yml"]
    environment = rasa_environment(
        SANIC_HOST=LOOPBACK,
        # By default the action server closes a new connection that is silent for 5 s, and a busy Rasa on a slow machine
        # is silent for longer: turns would be lost. This makes nothing slower.
        SANIC_KEEP_ALIVE_TIMEOUT="75",
        STOCK_ACTION_URL=f"{actions_url}/webhook",
    )
    with ExitStack() as stack:
        for name, command, health in (
            ("stock action server", actions, f"{actions_url}/health"),
            ("stock bot", bot, f"{url}/webhooks/rest/"),
        ):
            log = folder / f"{name.replace(' ', '-')}.log"
            process = stack.enter_context(running(name, command, STOCK, environment, log))
            wait_until_ready(name, process, log, health, {})
        yield StockSide(f"{url}/webhooks/rest/webhook")


@contextmanager
def desk(folder: Path) -> Iterator[DeskSide]:
    """The whole desk with demo data, on the embedded default whatever the settings of this machine say."""
    port, bot_port, secret = free_port(), free_port(), secrets.token_urlsafe(32)
    own_url, bot_url = f"http://{LOOPBACK}:{port}", f"http://{LOOPBACK}:{bot_port}"
    scaled = ("DATABASE_URL", "REDIS_URL", "QDRANT_URL", "PUBLIC_URL", "BUSINESS_HOURS")
    gates = ("ANSWER_THRESHOLD", "CLARIFY_THRESHOLD", "RETRIEVAL_GATE", "ENCODER", "LOG_LEVEL")
    environment = {
        **os.environ,
        **dict.fromkeys((*scaled, *gates), ""),
        "DATA_DIR": str(folder),
        "HOST": LOOPBACK,
        "PORT": str(port),
        "BOT_URLS": bot_url,
        "BOT_SECRET": secret,
        "DEMO": "1",
        # The data folder is empty; the model is the one that `make train` left in the usual place.
        "MODEL_DIR": os.environ.get("MODEL_DIR") or str(Path(os.environ.get("DATA_DIR") or ROOT / "var") / "models"),
    }
    environment.pop("BOT_DATABASE_URL", None)
    encoded = ROOT / "var" / "knowledge"
    if encoded.exists():  # only articles that have changed since are encoded again
        shutil.copytree(encoded, folder / "knowledge")
    if subprocess.run([sys.executable, "tools/load_demo.py"], cwd=ROOT, env=environment).returncode != 0:
        raise SystemExit("The demo data could not be loaded; the lines above say why.")
    headers = {"Authorization": f"Bearer {secret}"}
    log = folder / "run.log"
    with running("desk", [sys.executable, "tools/run.py"], ROOT, environment, log) as process:
        wait_until_ready("bot of the desk", process, log, f"{bot_url}/webhooks/turn/health", headers)
        wait_until_ready("service of the desk", process, log, f"{own_url}/health/ready", {})
        yield DeskSide(f"{bot_url}/webhooks/turn", headers)
