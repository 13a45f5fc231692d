"""A small copy of the training data that still passes its check: a dozen examples of each intent in each language."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from bot import settings
from bot.nlu_data import MINIMUM_EXAMPLES

TRAIN = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from bot import settings
settings.quieten()
from bot.training import train
steps = []
result = train(json.loads(sys.argv[2]), lambda share, step, note: steps.append([share, step, note]))
Path(sys.argv[3]).write_text(json.dumps({"result": result, "steps": steps}))
"""


def small_data(folder: Path) -> Path:
    """The product's data with few examples, in a folder of its own."""
    source = settings.ROOT / "nlu_data"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("sentiment", "families", ".editing*"))
    for path in [*folder.glob("en/*.yml"), *folder.glob("zh/*.yml"), *folder.glob("gate/*.yml")]:
        shorten(path, MINIMUM_EXAMPLES)
    for path in folder.glob("test/*.yml"):
        shorten(path, 3)
    return folder


def shorten(path: Path, most: int) -> None:
    kept, count = [], 0
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if "examples:" in line:
            count = 0
        if line.lstrip().startswith("- ") and "intent:" not in line:
            count += 1
            if count > most:
                continue
        kept.append(line)
    path.write_text("".join(kept), encoding="utf-8")


def teach(folder: Path, intent: str, english: list[str], chinese: list[str]) -> None:
    """Write examples of an intent into files of its own."""
    for language, lines in (("en", english), ("zh", chinese)):
        if lines:
            text = "".join(f"      - {line}\n" for line in lines)
            (folder / language / f"{intent}.yml").write_text(
                f'version: "3.1"\nnlu:\n  - intent: {intent}\n    examples: |\n{text}', encoding="utf-8"
            )


def train_here(data: Path, models: Path, place: Path, **options: Any) -> dict[str, Any]:
    """What a training gives, and the steps it reported; at full speed, without a bot around it."""
    place.mkdir(parents=True)
    models.mkdir(parents=True, exist_ok=True)
    (place / "tmp").mkdir()
    environment = {**os.environ, "NLU_DATA": str(data), "MODEL_DIR": str(models), "MODEL_KEYS": str(models / "keys")}
    subprocess.run(
        [sys.executable, "-c", TRAIN, str(settings.ROOT), json.dumps(options), str(place / "said.json")],
        cwd=place,
        env=environment,
        check=True,
        timeout=1200,
    )
    return dict(json.loads((place / "said.json").read_text()))
