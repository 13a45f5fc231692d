"""Checks ``nlu_data/`` and trains the model; an unchanged second run is skipped at once.

python train.py [--force] [--profile fast|accurate] [--model-dir DIR] [--nlu-data DIR]
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import sys
import time
from pathlib import Path

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bot import settings, without_tensorflow
from bot.nlu_data import check, gate_cost

#: What of this folder goes into a model; the code that serves turns does not.
SOURCES = (
    "train.py",
    "text.py",
    "residual.py",
    "nlu_data.py",
    "*.yml",
    "components/*.py",
    "entities/*.py",
    "reading/*",
    "negation.py",
    "responses/*.yml",
    "requirements.lock",
)
MARK = "fingerprint.json"


def fingerprint(nlu_data: Path, profile: str = "fast") -> str:
    """One hash over everything a model depends on: examples, domain, rules, pipeline and the code of the components."""
    files = {path for pattern in SOURCES for path in settings.BOT.glob(pattern)}
    measured = {"test", "near", "families", "sentiment"}
    files |= {path for path in nlu_data.rglob("*.yml") if not measured & set(path.relative_to(nlu_data).parts)}
    digest = hashlib.sha256(profile.encode())
    for path in sorted(files):
        digest.update(str(path.relative_to(settings.ROOT) if path.is_relative_to(settings.ROOT) else path).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def main() -> None:
    """Train if anything changed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--force", action="store_true", help="train although nothing changed")
    parser.add_argument("--model-dir", type=Path, default=settings.model_dir())
    parser.add_argument("--nlu-data", type=Path, default=settings.ROOT / "nlu_data")
    parser.add_argument("--profile", choices=("fast", "accurate"), default=os.environ.get("BOT_PROFILE") or "fast")
    arguments = parser.parse_args()
    started = time.monotonic()
    nlu_data = arguments.nlu_data.resolve()
    mark = fingerprint(nlu_data, arguments.profile)
    remembered = arguments.model_dir / MARK
    if not arguments.force and remembered.exists():
        known = json.loads(remembered.read_text())
        if known["fingerprint"] == mark and (arguments.model_dir / known["model"]).exists():
            print(f"The model {known['model']} is up to date.")
            return
    problems, warnings = check(nlu_data, settings.BOT / "domain.yml")
    for warning in warnings:
        print(f"  note: {warning}", file=sys.stderr)
    if problems:
        sys.exit(
            "The training data must be corrected first:\n" + "\n".join(f"  {problem}" for problem in problems[:40])
        )
    print("[1/3] training data checked; loading Rasa …", flush=True)
    settings.quieten()
    os.environ.setdefault("GATE_COST", str(gate_cost(nlu_data)))
    model = train(nlu_data, arguments.model_dir.resolve(), settings.config(arguments.profile))
    print(f"[3/3] {model} ({time.monotonic() - started:.0f} s)", flush=True)
    remembered.write_text(json.dumps({"fingerprint": mark, "model": model.name}))
    for old in sorted(arguments.model_dir.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)[:-3]:
        old.unlink()


def train(nlu_data: Path, model_dir: Path, config: Path) -> Path:
    """Train with Rasa on the examples, rules and domain; returns the model's file."""
    without_tensorflow.install()
    from rasa.model_training import train as rasa_train

    from bot.quiet_logs import configure

    configure()
    print("[2/3] training …", flush=True)
    model_dir.mkdir(parents=True, exist_ok=True)
    if (nlu_data / "entities").is_dir():
        os.environ["ENTITY_CATALOGUE"] = str(nlu_data / "entities")
    os.chdir(model_dir)  # Rasa keeps a cache folder where it runs
    training_files = [str(nlu_data / part) for part in ("en", "zh", "gate", "lookups") if (nlu_data / part).exists()]
    domain = [str(settings.BOT / "domain.yml"), str(settings.BOT / "responses")]
    asyncio.set_event_loop(asyncio.new_event_loop())
    result = rasa_train(
        domain=domain,
        config=str(config),
        training_files=[*training_files, str(settings.BOT / "rules.yml")],
        output=str(model_dir),
        force_training=True,
        fixed_model_name=time.strftime("frontdesk-%Y%m%d-%H%M%S"),
    )
    if result.code != 0 or not result.model:
        sys.exit("Rasa could not train the model; the lines above say why.")
    return Path(result.model)


if __name__ == "__main__":
    main()
