"""Measures how well an intent that is taught in one language only is understood in the other one.

    python evaluate_cross.py [--examples 60]

Every second intent, then every intent, loses its examples in one language; a model of the product's pipeline is trained
on the rest, and the test lines are read in both languages. The last line is one JSON object: for each direction the
accuracy in the taught language, in the other one, and their quotient, of the intents that lost examples; and the accuracy
of the other intents in the language that lacks examples (``others``).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
from collections import defaultdict
from itertools import product
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bot import settings, without_tensorflow
from bot.evaluate import LANGUAGES, Line, parse_all, read_project, train_model
from bot.measure import OUT_OF_SCOPE
from bot.nlu_data import OUT_OF_SCOPE as STRANGE


def sample(lines: list[Line], examples: int) -> list[Line]:
    """At most so many lines of each intent in each language, and of the strange messages."""
    groups: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        groups[line[1], line[2]].append(line)
    chosen = random.Random(1)  # noqa: S311  (a sample, no secret)
    return [line for group in groups.values() for line in chosen.sample(group, min(examples, len(group)))]


def direction(train: list[Line], test: list[Line], taught: str, other: str, step: int, folder: Path) -> dict[str, Any]:
    """Teach every intent (``step`` 1) or every second one in one language only and measure all in both."""
    intents = sorted({line[1] for line in train} - {STRANGE})[::step]
    kept = [line for line in train if not (line[1] in intents and line[2] == other)]
    model = train_model(kept, settings.config("fast"), folder, None)
    lines = [line for line in test if line[1] != OUT_OF_SCOPE]
    parsed = asyncio.run(parse_all(model, lines))

    def share(language: str, *, lost: bool) -> float | None:
        right = [one.right for one, line in zip(parsed, lines) if line[2] == language and (line[1] in intents) == lost]
        return round(sum(right) / len(right), 4) if right else None

    in_taught, in_other = share(taught, lost=True), share(other, lost=True)
    return {
        "intents": len(intents),
        "lines": len(lines),
        taught: in_taught,
        other: in_other,
        "quotient": round(in_other / in_taught, 4) if in_taught and in_other else 0.0,
        "others": share(other, lost=False),
    }


def main() -> None:
    """Both directions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=60, help="of each intent in each language")
    examples = parser.parse_args().examples
    settings.quieten()
    without_tensorflow.install()
    from bot import quiet_logs

    quiet_logs.configure()
    asyncio.set_event_loop(asyncio.new_event_loop())
    train, test = read_project(settings.ROOT / "nlu_data")
    result: dict[str, Any] = {"examples": examples}
    for (taught, other), (name, step) in product((LANGUAGES, LANGUAGES[::-1]), (("", 2), ("_all", 1))):
        print(f"Teaching {'every' if step == 1 else 'every second'} intent in {taught} only …", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            chosen = sample(train, examples)
            result[f"{taught}_to_{other}{name}"] = direction(chosen, test, taught, other, step, Path(folder))
            print(json.dumps(result, ensure_ascii=False), flush=True)
            os.chdir(settings.BOT)
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
