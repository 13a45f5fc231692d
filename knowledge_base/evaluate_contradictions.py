"""``python -m knowledge_base.evaluate_contradictions [--part dev|test] [--show]``: how well contradictions are found."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from knowledge_base.articles import Article
from knowledge_base.contradicting import Said, contradiction
from knowledge_base.encoder import UseEncoder, Vectors

HERE = Path(__file__).parent


def pairs_of(part: str) -> list[dict[str, Any]]:
    """The labelled pairs of a part: two sentences and whether they are ``apart`` (number, opposite) or say the ``same``."""
    return list(yaml.safe_load((HERE / part / "contradictions.yml").read_text(encoding="utf-8")))


def measure(
    part: str, encode: Callable[[Sequence[str]], Vectors], show: Callable[[str], None] = lambda _line: None
) -> dict[str, float]:
    """Precision and recall of being found at all; ``show`` is told what went wrong."""
    right = wrong = missed = 0
    pairs = pairs_of(part)
    for number, pair in enumerate(pairs):
        first, second = (
            Said(Article(f"pair-{number}", text, language, text), text, 0, len(text))
            for language, text in (pair["one"], pair["other"])
        )
        near = encode([first.text, second.text])
        nearness = float(near[0] @ near[1])
        found = contradiction(first, second, nearness)
        told = pair["apart"] != "same"
        right += found is not None and told
        wrong += found is not None and not told
        missed += found is None and told
        if (found is not None) is not told:
            show(f"{'found' if found else 'missed'} {pair['apart']} {nearness:.2f}  {first.text}  |  {second.text}")
    return {
        "pairs": len(pairs),
        "apart": right + missed,
        "precision": round(right / max(right + wrong, 1), 3),
        "recall": round(right / max(right + missed, 1), 3),
    }


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("dev", "test"), default="test")
    parser.add_argument("--show", action="store_true", help="print the pairs that were judged wrongly")
    chosen = parser.parse_args()
    show = print if chosen.show else (lambda _line: None)
    print(json.dumps(measure(chosen.part, UseEncoder().passages, show)))


if __name__ == "__main__":
    main()
