"""Training as a job: on a copy of the data, beside the turns, with progress; what is served stays as it is."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from bot import model_seal, settings
from bot.jobs import JobRefused, Report
from bot.nlu_data import check, gate_cost
from bot.train import forget_oldest, made_of, new_name
from bot.train import train as trained

PROFILES = ("fast", "accurate")
_LOCK = ".editing.lock"  #: the service holds it while it edits the examples
_LOCK_SECONDS = 10.0
_MOST_LINES = 40
_LOADED, _TRAINED, _MEASURED = 0.05, 0.9, 0.98  #: the shares of the work done when each is over


def train(options: dict[str, Any], report: Report) -> dict[str, Any]:
    """A new version in the models' folder: ``{model, sha256, bytes, made, metrics, notes}``. Raises ``JobRefused``."""
    here, models, started = Path.cwd(), Path(os.environ["MODEL_DIR"]), time.monotonic()
    profile = options.get("profile") or "fast"
    if profile not in PROFILES:
        raise JobRefused("bad_options", f"profile must be one of {', '.join(PROFILES)}.")
    begun_at = datetime.now(timezone.utc)
    report(0.0, "copy", "")
    data = here / "tmp" / "nlu_data"
    with _nobody_edits(settings.nlu_data()):
        shutil.copytree(settings.nlu_data(), data)
    report(0.01, "check", "")
    problems, warnings = check(data, settings.BOT / "domain.yml")
    if problems:
        raise JobRefused("bad_data", "The training data must be corrected first.", tuple(problems[:_MOST_LINES]))
    made = made_of(data, profile)
    keys = settings.model_keys(models)
    if (keys / model_seal.PUBLIC_KEY).exists() and not (keys / model_seal.PRIVATE_KEY).exists():
        raise JobRefused("no_key", f"{keys} holds only the public key, so a model made here could not be signed.")
    report(0.02, "load", "")
    os.environ.setdefault("GATE_COST", str(gate_cost(data)))
    _watch(report)
    archive = trained(data, here / "tmp" / "out", settings.config(profile), _free_name(models))
    report(_TRAINED, "measure", "")
    from bot.held_out import measured

    metrics = measured(archive, data, lambda share: report(_TRAINED + share * (_MEASURED - _TRAINED), "measure", ""))
    report(_MEASURED, "sign", "")
    made |= {
        "begun_at": begun_at.isoformat(timespec="milliseconds"),
        "seconds": round(time.monotonic() - started),
        "author": options.get("author") or None,
        "note": str(options.get("note") or ""),
    }
    model_seal.seal(archive, keys, made)
    signed = model_seal.read_seal(archive)
    # The seal first: an archive without one would be refused by whoever looks just now.
    os.replace(model_seal.seal_of(archive), model_seal.seal_of(models / archive.name))
    os.replace(archive, models / archive.name)
    forget_oldest(models)
    return {
        "model": archive.name.removesuffix(".tar.gz"),
        "model_id": model_seal.model_id_of(models / archive.name),
        "sha256": signed["sha256"],
        "bytes": signed["bytes"],
        "made": made,
        "metrics": metrics,
        "notes": warnings[:_MOST_LINES],
    }


def _free_name(models: Path) -> str:
    while (models / f"{new_name()}.tar.gz").exists():
        time.sleep(0.2)
    return new_name()


@contextlib.contextmanager
def _nobody_edits(folder: Path) -> Iterator[None]:
    """Wait until no edit of the examples is half done; where the lock cannot be had, the check of the copy must do."""
    try:
        lock = open(folder / _LOCK)  # noqa: SIM115
    except OSError:
        yield
        return
    with lock:
        until = time.monotonic() + _LOCK_SECONDS
        while time.monotonic() < until:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                break
            except OSError:
                time.sleep(0.05)
        yield


def _watch(report: Report) -> None:
    """Report each component as Rasa comes to it, weighed by how long such a training took on the whole."""
    from rasa.engine.training import hooks

    begun: list[str] = []
    told = hooks.LoggingHook.on_before_node

    def on_before_node(self: Any, node_name: str, *values: Any, **named: Any) -> Any:
        component = self._pruned_schema.nodes[node_name].uses.__name__
        verb = "train" if node_name.startswith("train_") else "run"
        begun.append(f"{verb}_{component}")
        whole = sum(_weight(name.split("_")[0], node.uses.__name__) for name, node in self._pruned_schema.nodes.items())
        over = sum(_weight(*name.split("_", 1)) for name in begun[:-1])
        report(_LOADED + over / whole * (_TRAINED - _LOADED), "train", component)
        return told(self, node_name, *values, **named)

    hooks.LoggingHook.on_before_node = on_before_node


#: Seconds of a training of the product's own data, by what is done and by which component; everything else is one second.
_SECONDS = {
    "run_BilingualTokenizer": 5.0,
    "run_PatternEntities": 7.0,
    "run_SentenceEncoder": 20.0,
    "run_SecondSentenceEncoder": 60.0,
    "train_LinearIntentClassifier": 80.0,
}


def _weight(verb: str, component: str) -> float:
    return _SECONDS.get(f"{'train' if verb == 'train' else 'run'}_{component}", 1.0)
