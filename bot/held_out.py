"""The few figures that every version gets when it is trained: how it reads the lines kept apart for that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.measure import OUT_OF_SCOPE, figures

SHOWN = ("test", "accuracy", "macro_f1", "in_scope_accuracy_at_gate", "oos_recall", "parse_p50")


def measured(archive: Path, nlu_data: Path, report: Callable[[float], None]) -> dict[str, Any]:
    """``SHOWN`` for each language that has lines kept apart, by language."""
    from bot.evaluate import parse_all, read_project

    present = [part for part in ("en", "zh") if (nlu_data / "test" / f"{part}.yml").exists()]
    _, lines = read_project(nlu_data, present)
    result = {}
    for number, language in enumerate(present):
        mine = [line for line in lines if line[2] == language]
        if any(line[1] != OUT_OF_SCOPE for line in mine):
            found = figures(asyncio.run(parse_all(archive, mine)))
            result[language] = {name: found[name] for name in SHOWN}
        report((number + 1) / len(present))
    return result
