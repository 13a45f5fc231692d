"""Measures the entity catalogue on its held-out lines: exact span and type, and the normalised value.

    python evaluate_entities.py [--set FILE …] [--errors] [--types]

Without ``--set`` all files of ``nlu_data/entities/test``. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bot import settings
from bot.entities.annotated import Line, read_lines, same_value
from bot.entities.catalogue import load
from bot.entities.finder import Finder
from bot.nlu_data import frequent_words, product_names


@dataclass
class Count:
    """What was expected, found, and found rightly; ``valued`` of the right ones have the right value."""

    expected: int = 0
    found: int = 0
    right: int = 0
    valued: int = 0

    def add(self, other: Count) -> None:
        """Sum up."""
        self.expected += other.expected
        self.found += other.found
        self.right += other.right
        self.valued += other.valued

    def figures(self) -> dict[str, float]:
        """Precision, recall, F1 and the share of right values among right spans."""
        precision = self.right / self.found if self.found else 1.0
        recall = self.right / self.expected if self.expected else 1.0
        both = precision + recall
        return {
            "precision": round(precision, 4),
            "recall": round(recall, 4),
            "f1": round(2 * precision * recall / both if both else 0.0, 4),
            "value_accuracy": round(self.valued / self.right if self.right else 0.0, 4),
        }


@dataclass
class Result:
    """Counts by type and by language, and the lines that went wrong."""

    by_type: dict[str, Count] = field(default_factory=dict)
    by_language: dict[str, Count] = field(default_factory=dict)
    total: Count = field(default_factory=Count)
    mistakes: list[str] = field(default_factory=list)


def measure(finder: Finder, lines: list[Line]) -> Result:
    """Runs the finder over the lines and compares."""
    result = Result()
    for line in lines:
        found = {(one.entity, one.start, one.end): one for one in finder.find(line.text, line.said_at).entities}
        expected = {(one.entity, one.start, one.end): one for one in line.entities}
        wrong = []
        for key in (*expected, *(key for key in found if key not in expected)):
            count = Count(expected=int(key in expected), found=int(key in found))
            if key in expected and key in found:
                count.right = 1
                count.valued = int(same_value(expected[key].value, found[key].normalized))
                if not count.valued:
                    wrong.append(f"value of {key[0]} is {found[key].normalized!r}, not {expected[key].value!r}")
            else:
                side = "missed" if key in expected else "wrongly found"
                wrong.append(f"{side} {key[0]} “{line.text[key[1] : key[2]]}”")
            for counts, name in ((result.by_type, key[0]), (result.by_language, line.language)):
                counts.setdefault(name, Count()).add(count)
            result.total.add(count)
        if wrong:
            result.mistakes.append(f"{line.language}  {line.text}  →  {'; '.join(wrong)}")
    return result


def summary(result: Result, types: int, lines: list[Line], milliseconds: list[float]) -> dict[str, Any]:
    """The JSON object of the last line."""
    total = result.total.figures()
    worst = sorted((count.figures()["f1"], name) for name, count in result.by_type.items())
    ordered = sorted(milliseconds)
    return {
        "types": types,
        "lines": len(lines),
        "entities": result.total.expected,
        "micro_precision": total["precision"],
        "micro_recall": total["recall"],
        "micro_f1": total["f1"],
        "value_accuracy": total["value_accuracy"],
        "by_language": {name: count.figures() for name, count in sorted(result.by_language.items())},
        "worst": [{"type": name, "f1": f1} for f1, name in worst[:10]],
        "p50_ms": round(ordered[len(ordered) // 2], 3),
        "p95_ms": round(ordered[int(len(ordered) * 0.95)], 3),
    }


def timed(finder: Finder, lines: list[Line]) -> list[float]:
    """Milliseconds of processor time for each line, after one round to warm up."""
    spent = []
    for repeat in (False, True):
        for line in lines:
            started = time.thread_time()
            finder.find(line.text, line.said_at)
            if repeat:
                spent.append((time.thread_time() - started) * 1000)
    return spent


def project_finder(nlu_data: Path) -> tuple[Finder, int]:
    """The finder as a trained model has it, and its number of types; raises ``BadCatalogue``."""
    catalogue = load(nlu_data / "entities")
    return Finder(catalogue, frequent_words(nlu_data), product_names(nlu_data)), len(catalogue.types)


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", type=Path, action="append", dest="sets", help="a file of marked lines")
    parser.add_argument("--errors", action="store_true", help="print every line that went wrong")
    parser.add_argument("--types", action="store_true", help="print every type, not only the ten weakest")
    arguments = parser.parse_args()
    nlu_data = settings.ROOT / "nlu_data"
    finder, types = project_finder(nlu_data)
    lines: list[Line] = []
    for path in arguments.sets or sorted((nlu_data / "entities" / "test").glob("*.yml")):
        own = read_lines(path)
        lines += own
        figures = measure(finder, own).total.figures()
        print(f"{path.name}: {len(own)} lines, F1 {figures['f1']}, values {figures['value_accuracy']}")
    result = measure(finder, lines)
    if arguments.errors:
        print("\n".join(result.mistakes))
    print(f"{'type':24}{'lines':>6}{'precision':>11}{'recall':>8}{'F1':>8}{'values':>8}")
    rows = sorted((count.figures()["f1"], name, count) for name, count in result.by_type.items())
    for f1, name, count in rows if arguments.types else rows[:10]:
        row = count.figures()
        print(f"{name:24}{count.expected:>6}{row['precision']:>11}{row['recall']:>8}{f1:>8}{row['value_accuracy']:>8}")
    print(json.dumps(summary(result, types, lines, timed(finder, lines)), ensure_ascii=False))


if __name__ == "__main__":
    main()
