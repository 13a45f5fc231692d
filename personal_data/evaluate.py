"""Measures the finder on written lines that it was not made from; one JSON object comes last.

``python -m personal_data.evaluate [--show] [--model zh=NAME …]``; lines are ``text with ⟦kind|what is to be found⟧``. What
is found counts as right when its kind fits and it covers the same characters but for a few (two thirds of both).
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from personal_data.finding import Finder
from personal_data.kinds import HIGH_RISK, Kind, Span
from personal_data.names import NameModels

LINES = Path(__file__).parent / "lines"
LANGUAGES = ("zh", "en")
_MARKED = re.compile(r"⟦(\w+)\|([^⟧]+)⟧")
_COVERED = 2 / 3


def read_lines(path: Path) -> Iterator[tuple[str, list[Span]]]:
    """Each line without its marks, and where they were; raises ``ValueError`` for a kind there is not."""
    for line in path.read_text(encoding="utf-8").splitlines():
        text, spans, behind = "", [], 0
        for found in _MARKED.finditer(line):
            text += line[behind : found.start()]
            spans.append(Span(len(text), len(text) + len(found[2]), Kind(found[1])))
            text, behind = text + found[2], found.end()
        yield text + line[behind:], spans


def same(one: Span, other: Span) -> bool:
    """Whether two places are one finding."""
    shared = min(one.end, other.end) - max(one.start, other.start)
    return one.kind is other.kind and shared >= _COVERED * max(one.end - one.start, other.end - other.start)


def measured(finder: Finder, language: str, *, show: bool = False) -> dict[str, Any]:
    """Precision and recall of every kind on a language's lines."""
    right: Counter[Kind] = Counter()
    said: Counter[Kind] = Counter()
    wanted: Counter[Kind] = Counter()
    lines = list(read_lines(LINES / f"{language}.txt"))
    for text, expected in lines:
        found = finder.find(text, language)
        wanted.update(one.kind for one in expected)
        said.update(one.kind for one in found)
        hits = [one for one in found if any(same(one, other) for other in expected)]
        right.update(one.kind for one in hits)
        if show and (len(hits) < len(found) or len(hits) < len(expected)):
            print(f"  {text}\n    found {[(one.kind.value, text[one.start : one.end]) for one in found]}")
    kinds = {
        kind.value: {"precision": _share(right[kind], said[kind]), "recall": _share(right[kind], wanted[kind]), "lines": wanted[kind]}
        for kind in Kind
        if wanted[kind] or said[kind]
    }  # fmt: skip
    checked = [kind for kind in Kind if kind not in (Kind.NAME, Kind.ADDRESS)]
    return {"lines": len(lines), "kinds": kinds} | {
        name: {
            "precision": _share(sum(right[kind] for kind in group), sum(said[kind] for kind in group)),
            "recall": _share(sum(right[kind] for kind in group), sum(wanted[kind] for kind in group)),
        }
        for name, group in (("high_risk", sorted(HIGH_RISK)), ("patterns", checked), ("all", list(Kind)))
    }


def microseconds(finder: Finder, repeats: int = 5) -> dict[str, float]:
    """What one line takes, the first time it is read."""
    texts = [text for language in LANGUAGES for text, _ in read_lines(LINES / f"{language}.txt")]
    taken = []
    for _ in range(repeats):
        fresh = Finder()
        for text in texts:
            began = time.perf_counter()
            fresh.find(text)
            taken.append((time.perf_counter() - began) * 1e6)
    taken.sort()
    return {"us_p50": round(taken[len(taken) // 2], 1), "us_p95": round(taken[int(len(taken) * 0.95)], 1)}


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 1.0


def main() -> None:
    """Print a table and the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", action="store_true", help="print the lines that were read otherwise")
    parser.add_argument("--model", action="append", default=[], help="zh=NAME or en=NAME: an installed spaCy model")
    arguments = parser.parse_args()
    try:
        finder = Finder(NameModels(dict(one.split("=", 1) for one in arguments.model)))
        figures: dict[str, Any] = {one: measured(finder, one, show=arguments.show) for one in LANGUAGES}
    except ValueError as error:
        raise SystemExit(str(error)) from None
    for language in LANGUAGES:
        part = figures[language]
        print(f"{language}: {part['lines']} lines")
        for kind, row in (part["kinds"] | {name: part[name] for name in ("high_risk", "patterns", "all")}).items():
            print(f"    {kind:>10}  precision {row['precision']:.3f}  recall {row['recall']:.3f}")
    figures["names"] = "a model" if arguments.model else "no model"
    print(json.dumps(figures | microseconds(finder)))


if __name__ == "__main__":
    main()
