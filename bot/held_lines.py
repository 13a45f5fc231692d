"""The lines that measure a model and are never trained on: those of the project, and those that trainers saved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.measure import OUT_OF_SCOPE
from bot.nlu_data import OUT_OF_SCOPE as STRANGE
from bot.nlu_data import read, read_near, same

LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class HeldLine:
    """A line and where it comes from: ``set``, ``saved`` or ``near``; ``intent`` is ``oos`` where no intent fits."""

    text: str
    intent: str
    language: str
    origin: str


def held_out(folder: Path) -> tuple[list[HeldLine], list[HeldLine]]:
    """The lines to measure with, and those left out because some training file has them by now."""
    trained = {
        same(line.text) for part in ("en", "zh", "gate") if (folder / part).is_dir() for line in read(folder, part)
    }
    found: list[HeldLine] = []
    for language in LANGUAGES:
        for part, origin in ((f"test/{language}", "set"), (f"test/saved_{language}", "saved")):
            if (folder / f"{part}.yml").exists():
                found += [
                    HeldLine(line.text, OUT_OF_SCOPE if line.intent == STRANGE else line.intent, language, origin)
                    for line in read(folder, part)
                ]
        found += [
            HeldLine(one.text, OUT_OF_SCOPE, language, "near")
            for one in read_near(folder, language)
            if one.split == "test"
        ]
    return (
        [line for line in found if same(line.text) not in trained],
        [line for line in found if same(line.text) in trained],
    )


def digest(lines: Sequence[HeldLine]) -> str:
    """Tells two sets of lines apart: figures over different sets are not compared line by line."""
    listed = sorted([line.language, line.intent, line.text] for line in lines)
    return hashlib.sha256(json.dumps(listed, ensure_ascii=False).encode()).hexdigest()[:16]
