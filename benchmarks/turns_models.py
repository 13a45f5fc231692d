"""The two models of the turn benchmark: what each side learns from, and how long that takes on this machine."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
BOT = ROOT / "bot"
BOT_PYTHON = BOT / ".venv" / "bin" / "python"
STOCK = BOT / "bench_stock"
STOCK_NLU = ROOT / "nlu_data" / "en"
#: The first examples of every intent that the stock side learns: all of them would train for hours, and a turn does not
#: take longer for fewer (the smaller vocabulary favours the stock side a little).
STOCK_EXAMPLES = 30
CACHE = ROOT / "var" / "bench"


@dataclass(frozen=True, slots=True)
class Trained:
    """A model, and what its training took in wall-clock seconds, loading included."""

    model: Path
    train_s: float
    examples: int


def stock_model() -> Trained:
    """The stock model for today's training data; trained when its inputs have changed, which takes minutes."""
    CACHE.mkdir(parents=True, exist_ok=True)
    examples, domain = stock_examples(CACHE / "stock_nlu.yml"), _write(CACHE / "stock_domain.yml", stock_domain())
    inputs = [examples, domain, STOCK / "config.yml", *sorted(STOCK.glob("data/*.yml")), BOT / "requirements.lock"]
    name = f"stock-{_digest(inputs)}"
    known = _remembered(CACHE / f"{name}.json")
    if known is not None:
        return known
    print(
        "Training the stock model: three networks of 100 epochs, some minutes; it is kept for the next run.", flush=True
    )
    command = [str(BOT_PYTHON), "-m", "rasa", "train", "--domain", str(domain), "--config", "config.yml"]
    command += ["--data", str(examples), "data", "--out", str(CACHE), "--fixed-model-name", name]
    model = CACHE / f"{name}.tar.gz"
    started = time.monotonic()
    if subprocess.run(command, cwd=STOCK, env=rasa_environment()).returncode != 0 or not model.exists():
        raise SystemExit(
            "The stock model could not be trained; the lines above say why. Fix that and run make bench again."
        )
    trained = Trained(model, time.monotonic() - started, count_examples([examples]))
    for old in CACHE.glob("stock-*"):
        if not old.name.startswith(name):
            old.unlink()
    return _remember(CACHE / f"{name}.json", trained)


def desk_model() -> Trained:
    """The desk's model, trained by the product's own command into a folder of the benchmark, once for each state of its
    inputs: so its training is timed on the machine, and with the load, on which the stock side's is."""
    folder = CACHE / "desk"
    remembered = folder / "trained.json"
    known = _remembered(remembered)
    command = [str(BOT_PYTHON), "train.py", "--model-dir", str(folder)]
    before = time.monotonic()
    environment = {**os.environ, "BOT_PROFILE": "fast"}
    if subprocess.run(command, cwd=BOT, env=environment).returncode != 0:
        raise SystemExit("The desk's model could not be trained; the lines above say why.")
    model = folder / json.loads((folder / "fingerprint.json").read_text())["model"]
    if known is not None and known.model == model:
        return known
    lines = [*STOCK_NLU.glob("*.yml"), *(ROOT / "nlu_data" / "zh").glob("*.yml")]
    return _remember(remembered, Trained(model, time.monotonic() - before, count_examples(lines)))


def stock_examples(file: Path) -> Path:
    """Write what the stock side learns from into one file; returns it."""
    blocks = []
    for source in sorted(STOCK_NLU.glob("*.yml")):
        for block in yaml.safe_load(source.read_text(encoding="utf-8"))["nlu"]:
            examples = block["examples"].splitlines()[:STOCK_EXAMPLES]
            blocks.append({"intent": block["intent"], "examples": "\n".join(examples) + "\n"})
    return _write(file, {"version": "3.1", "nlu": blocks})


def stock_domain() -> dict[str, Any]:
    """The stock side's domain with the English texts of the desk wherever both have the same response."""
    domain: dict[str, Any] = yaml.safe_load((STOCK / "domain.yml").read_text(encoding="utf-8"))
    said = english_responses()
    domain["responses"] = {name: said.get(name, texts) for name, texts in domain["responses"].items()}
    return domain


def english_responses() -> dict[str, list[dict[str, str]]]:
    """The desk's responses in English, without buttons and conditions."""
    responses: dict[str, list[dict[str, str]]] = {}
    for source in sorted((BOT / "responses").glob("*.yml")):
        for name, variations in yaml.safe_load(source.read_text(encoding="utf-8"))["responses"].items():
            english = [one for one in variations if _language(one) == "en" and "{" not in one["text"]]
            if english:
                responses[name] = [{"text": one["text"]} for one in english]
    return responses


def count_examples(files: list[Path]) -> int:
    """How many examples these training files hold."""
    blocks = [block for file in files for block in yaml.safe_load(file.read_text(encoding="utf-8"))["nlu"]]
    return sum(len(block["examples"].splitlines()) for block in blocks if "examples" in block)


def rasa_environment(**more: str) -> dict[str, str]:
    """The environment of a stock Rasa: nothing is sent out, nothing is kept outside ``var/``, the rest is default."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "2", "SQLALCHEMY_SILENCE_UBER_WARNING": "1", "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **quiet, "RASA_TELEMETRY_ENABLED": "false", "RASA_MAX_CACHE_SIZE": "0", **more}


def _language(variation: dict[str, Any]) -> str | None:
    conditions = variation.get("condition") or []
    return next((one["value"] for one in conditions if one.get("name") == "language"), None)


def _write(file: Path, content: dict[str, Any]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return file


def _digest(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def _remembered(file: Path) -> Trained | None:
    if not file.exists():
        return None
    kept = json.loads(file.read_text())
    model = Path(kept["model"])
    return Trained(model, kept["train_s"], kept["examples"]) if model.exists() else None


def _remember(file: Path, trained: Trained) -> Trained:
    file.write_text(json.dumps(asdict(trained) | {"model": str(trained.model)}))
    return trained
