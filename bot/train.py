"""Checks ``nlu_data/`` and trains the model; an unchanged second run is skipped at once.

python train.py [--force | --live] [--profile fast|accurate] [--model-dir DIR] [--nlu-data DIR]
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bot import made_intents, model_seal, settings, without_tensorflow
from bot.nlu_data import check, count_examples, gate_cost, read

#: What of this folder goes into a model; the code that serves turns does not.
SOURCES = (
    "train.py",
    "text.py",
    "residual.py",
    "nlu_data.py",
    "made_intents.py",
    "*.yml",
    "components/*.py",
    "entities/*.py",
    "reading/*",
    "negation.py",
    "responses/*.yml",
    "requirements.lock",
)
MARK = "fingerprint.json"  #: in the models' folder: which model is served, and what it was trained from
KEPT = "kept.json"  #: beside it: a list of names that are never deleted
NEWEST_KEPT = 10
_MEASURED = {"test", "near", "families", "sentiment"}


def data_hash(nlu_data: Path) -> str:
    """What tells one state of the training data from another; lines that only measure do not count."""
    digest = hashlib.sha256()
    for path in sorted(nlu_data.rglob("*.yml")):
        within = path.relative_to(nlu_data)
        if not _MEASURED & set(within.parts):
            digest.update(within.as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def pipeline_hash(profile: str = "fast") -> str:
    """The same of everything else a model depends on: domain, rules, pipeline, the code of the components."""
    digest = hashlib.sha256(profile.encode())
    for path in sorted({path for pattern in SOURCES for path in settings.BOT.glob(pattern)}):
        digest.update(path.relative_to(settings.BOT).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def fingerprint(nlu_data: Path, profile: str = "fast") -> str:
    """One hash over data and pipeline."""
    return hashlib.sha256(f"{data_hash(nlu_data)} {pipeline_hash(profile)}".encode()).hexdigest()


def made_of(nlu_data: Path, profile: str) -> dict[str, Any]:
    """What a model is made of, to be signed with it."""
    parts = [part for part in ("en", "zh") if (nlu_data / part).is_dir()]
    lines = {part: list(read(nlu_data, part)) for part in parts}
    return {
        "data_hash": data_hash(nlu_data),
        "pipeline_hash": pipeline_hash(profile),
        "profile": profile,
        "examples": {part: len(found) for part, found in lines.items()},
        "intents": len({line.intent for found in lines.values() for line in found}),
    }


def main() -> None:
    """Train if anything changed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--force", action="store_true", help="train although nothing changed")
    how.add_argument("--live", action="store_true", help="only changed examples are left to the trainers")
    parser.add_argument("--model-dir", type=Path, default=settings.model_dir())
    parser.add_argument("--nlu-data", type=Path, default=settings.nlu_data())
    parser.add_argument("--profile", choices=("fast", "accurate"), default=os.environ.get("BOT_PROFILE") or "fast")
    arguments = parser.parse_args()
    arguments.model_dir = arguments.model_dir.resolve()  # training goes to another folder
    started, begun_at = time.monotonic(), datetime.now(timezone.utc)
    nlu_data = arguments.nlu_data.resolve()
    keys = settings.model_keys(arguments.model_dir)
    if not arguments.force and _is_served(arguments.model_dir, keys, nlu_data, arguments.profile, live=arguments.live):
        return
    problems, warnings = check(nlu_data, settings.BOT / "domain.yml")
    for warning in warnings:
        print(f"  note: {warning}", file=sys.stderr)
    if problems:
        sys.exit(
            "The training data must be corrected first:\n" + "\n".join(f"  {problem}" for problem in problems[:40])
        )
    made = made_of(nlu_data, arguments.profile)
    print("[1/3] training data checked; loading Rasa …", flush=True)
    settings.quieten()
    os.environ.setdefault("GATE_COST", str(gate_cost(nlu_data)))
    print("[2/3] training …", flush=True)
    model = train(nlu_data, arguments.model_dir, settings.config(arguments.profile))
    made |= {
        "begun_at": begun_at.isoformat(timespec="milliseconds"),
        "seconds": round(time.monotonic() - started),
        "author": None,
        "note": "",
    }
    try:
        model_seal.seal(model, keys, made)
    except model_seal.ModelRefused as refusal:
        sys.exit(f"The model was trained but cannot be signed: {refusal}")
    print(f"[3/3] {model} ({time.monotonic() - started:.0f} s)", flush=True)
    mark = {"fingerprint": fingerprint(nlu_data, arguments.profile), "model": model.name}
    (arguments.model_dir / MARK).write_text(json.dumps(mark))
    forget_oldest(arguments.model_dir)


def _is_served(folder: Path, keys: Path, nlu_data: Path, profile: str, *, live: bool) -> bool:
    """Whether the model that is served is the one that training would make, or may go on with ``live``; says so."""
    try:
        known = json.loads((folder / MARK).read_text())
        ready = folder / known["model"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    if not ready.exists():
        return False
    of, pipeline = model_seal.made_of(ready) or {}, pipeline_hash(profile)
    same = (of.get("data_hash"), of.get("pipeline_hash")) == (data_hash(nlu_data), pipeline)
    same |= known.get("fingerprint") == fingerprint(nlu_data, profile)
    goes_on = live and of.get("pipeline_hash") == pipeline
    if not same and not goes_on:
        return False
    if not model_seal.is_sealed(ready, keys):
        print(f"The model {known['model']} is up to date but not sealed with our key; it is trained again.")
        return False
    if same:
        print(f"The model {known['model']} is up to date.")
    else:
        print(
            f"The examples have changed since {known['model']} was trained. It is served as before: train and promote "
            "in the console (Models), or run `make train`."
        )
    return True


def forget_oldest(folder: Path) -> None:
    """Delete all but the newest models; never one that is served or kept."""
    kept: set[str] = set()
    for name in (MARK, KEPT):
        try:
            kept |= _names_in(json.loads((folder / name).read_text()))
        except FileNotFoundError:
            continue
        except (OSError, ValueError):
            return  # what is in use is not known, so nothing goes
    models = sorted(folder.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
    for old in models[:-NEWEST_KEPT]:
        if not {old.name, old.name.removesuffix(".tar.gz")} & kept:
            model_seal.seal_of(old).unlink(missing_ok=True)
            old.unlink()


def _names_in(found: Any) -> set[str]:
    if isinstance(found, str):
        return {found}
    inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return {name for one in inner for name in _names_in(one)}


def train(nlu_data: Path, model_dir: Path, config: Path, name: str = "") -> Path:
    """Train with Rasa on the examples, rules and domain; returns the model's file."""
    without_tensorflow.install()
    from rasa.model_training import train as rasa_train

    from bot.quiet_logs import configure

    configure()
    model_dir.mkdir(parents=True, exist_ok=True)
    if (nlu_data / "entities").is_dir():
        os.environ["ENTITY_CATALOGUE"] = str(nlu_data / "entities")
    os.chdir(model_dir)  # Rasa keeps a cache folder where it runs
    asyncio.set_event_loop(asyncio.new_event_loop())
    with tempfile.TemporaryDirectory() as folder:
        project = made_intents.project_of(nlu_data, Path(folder), count_examples(nlu_data))
        result = rasa_train(
            domain=[str(path) for path in project.domain],
            config=str(config),
            training_files=[str(path) for path in project.training],
            output=str(model_dir),
            force_training=True,
            fixed_model_name=name or new_name(),
        )
    if result.code != 0 or not result.model:
        sys.exit("Rasa could not train the model; the lines above say why.")
    return Path(result.model)


def new_name() -> str:
    """What a model that is trained now is called."""
    return time.strftime("frontdesk-%Y%m%d-%H%M%S")


if __name__ == "__main__":
    main()
