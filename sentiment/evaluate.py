"""Measures the shipped model: on anybody's lines, or on the project's held-out ones; one JSON object comes last.

``python -m sentiment.evaluate [--data file.jsonl]`` with lines ``{"text", "label": "negative|neutral|positive", "lang"}``.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sentiment.figures import accuracy, confusion, macro_f1
from sentiment.lines import LABELS, Line, read_test
from sentiment.model import SentimentModel
from sentiment.train import MODEL, TEST

_TIMED = 200  #: lines that are read one by one for the latency


def read_data(path: Path) -> list[Line]:
    """The lines of a JSON Lines file; raises ``ValueError`` naming the line to correct."""
    lines = []
    for number, row in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not row.strip():
            continue
        try:
            entry = json.loads(row)
            text, label = entry["text"], entry["label"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f'{path.name}, line {number}: expected {{"text", "label", "lang"}} ({error!r})') from None
        if not isinstance(text, str) or label not in LABELS:
            raise ValueError(f"{path.name}, line {number}: the label {label!r} is not one of {', '.join(LABELS)}")
        chinese = bool(re.search(r"[\u4e00-\u9fff]", text))
        lines.append(Line(text, label, str(entry.get("lang") or ("zh" if chinese else "en"))))
    if not lines:
        raise ValueError(f"{path.name} holds no lines")
    return lines


def measured(model: SentimentModel, lines: Sequence[Line]) -> dict[str, Any]:
    """The figures of the lines, all and by language."""
    read = model.read_all([line.text for line in lines])
    found = [one.label for one in read]
    wanted = [line.label for line in lines]
    figures: dict[str, Any] = {"accuracy": round(accuracy(wanted, found), 4), "macro_f1": round(macro_f1(wanted, found), 4)}  # fmt: skip
    figures["by_lang"] = {}
    for language in sorted({line.language for line in lines}):
        rows = [row for row, line in enumerate(lines) if line.language == language]
        theirs, ours = [wanted[row] for row in rows], [found[row] for row in rows]
        figures["by_lang"][language] = {
            "lines": len(rows),
            "accuracy": round(accuracy(theirs, ours), 4),
            "macro_f1": round(macro_f1(theirs, ours), 4),
            "confusion": confusion(theirs, ours),
        }
    upset = [one.anger for one, line in zip(read, lines, strict=True) if line.angry]
    calm = [one.anger for one, line in zip(read, lines, strict=True) if not line.angry]
    if upset and calm:
        figures["anger_auroc"] = round(sum(a > b for a in upset for b in calm) / (len(upset) * len(calm)), 4)
        figures["angry_found"] = round(sum(a >= 0.5 for a in upset) / len(upset), 4)
        figures["angry_wrongly"] = round(sum(a >= 0.5 for a in calm) / len(calm), 4)
    figures["lines"] = len(lines)
    return figures


def latency(model: SentimentModel, texts: Sequence[str]) -> dict[str, float]:
    """Milliseconds of a message read alone: the median and the 95th percentile, and the processor's time of the median."""
    model.read(texts[0])
    taken, worked = [], []
    for text in texts[:_TIMED]:
        began, busy = time.perf_counter(), time.process_time()
        model.read(text)
        taken.append((time.perf_counter() - began) * 1000)
        worked.append((time.process_time() - busy) * 1000)
    taken.sort()
    worked.sort()
    middle, late = len(taken) // 2, int(len(taken) * 0.95)
    return {"read_p50": round(taken[middle], 2), "read_p95": round(taken[late], 2), "read_cpu_p50": round(worked[middle], 2)}  # fmt: skip


def main() -> None:
    """Print a table and the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="JSON Lines; without it the project's held-out lines")
    parser.add_argument("--model", type=Path, default=MODEL)
    arguments = parser.parse_args()
    try:
        lines = read_data(arguments.data) if arguments.data else read_test(TEST)
        model = SentimentModel.load(arguments.model)
    except (OSError, ValueError) as error:
        raise SystemExit(str(error)) from None
    figures = measured(model, lines) | latency(model, [line.text for line in lines])
    for language, part in figures["by_lang"].items():
        print(f"{language}: {part['lines']} lines, accuracy {part['accuracy']:.3f}, macro F1 {part['macro_f1']:.3f}")
        print(f"    {'':>10}" + "".join(f"{label:>10}" for label in LABELS) + "   (found)")
        for label, row in zip(LABELS, part["confusion"], strict=True):
            print(f"    {label:>10}" + "".join(f"{number:>10}" for number in row))
    print(json.dumps(figures, ensure_ascii=False))


if __name__ == "__main__":
    main()
