"""Measures the checker of phrased answers on written sentences: which it passes, which it refuses, and why.

``python -m knowledge_base.evaluate_faithfulness`` measures the project's own lines, or a file of the same form (``--data``),
and prints one JSON object as its last line.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from knowledge_base.articles import LANGUAGES, Passage
from knowledge_base.encoder import UseEncoder
from knowledge_base.errors import KnowledgeBaseError, UnreadableSource
from knowledge_base.generation.faithfulness import Cited, FaithfulnessChecker, Verdict

ROOM = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence, the passage it cites, and whether that says so."""

    passage: Passage
    text: str
    language: str
    supported: bool
    kind: str  #: what is wrong with an unsupported sentence

    @property
    def across(self) -> bool:
        """Whether passage and sentence are written in different languages."""
        return self.passage.language != self.language


def read_lines(path: Path) -> list[Line]:
    """The lines of a file; raises ``UnreadableSource`` naming the entry to correct."""
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UnreadableSource(str(path), f"cannot be read as YAML ({error}); check the file") from None
    if not isinstance(entries, list):
        raise UnreadableSource(str(path), "must be a list of passages")
    found: list[Line] = []
    for number, entry in enumerate(entries, start=1):
        try:
            found.extend(_lines_of(entry, number))
        except (KeyError, TypeError, AttributeError):
            raise UnreadableSource(
                str(path), f"entry {number} needs lang, title, text, and supported and unsupported sentences"
            ) from None
    return found


def _lines_of(entry: dict[str, Any], number: int) -> Iterator[Line]:
    passage = Passage(f"entry-{number}", entry["lang"], "1", entry["title"], (), entry["text"].strip(), "1", 0)
    for language in LANGUAGES:
        told = entry.get(language) or {}
        for text in told.get("supported") or ():
            yield Line(passage, text, language, True, "")
        for kind, text in (told.get("unsupported") or {}).items():
            yield Line(passage, text, language, False, kind.rstrip("0123456789"))


def judge(checker: FaithfulnessChecker, lines: Sequence[Line]) -> list[Verdict]:
    """What the checker says of each line."""
    return [
        checker.check([Cited(line.text, ("p1",))], {"p1": (line.passage, line.passage.text)}, line.language)[0]
        for line in lines
    ]


def figures(lines: Sequence[Line], verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Shares of supported sentences passed and of unsupported ones refused."""
    pairs = list(zip(lines, verdicts, strict=True))
    passed = [verdict.supported for line, verdict in pairs if line.supported]
    refused = [not verdict.supported for line, verdict in pairs if not line.supported]
    return {
        "supported": len(passed),
        "passed": _share(passed),
        "unsupported": len(refused),
        "refused": _share(refused),
        "precision": _share([line.supported for line, verdict in pairs if verdict.supported]),
    }


def _share(outcomes: Sequence[bool]) -> float | None:
    return round(sum(outcomes) / len(outcomes), 4) if outcomes else None


def report(lines: Sequence[Line], checker: FaithfulnessChecker, show: bool) -> dict[str, Any]:
    """All figures of some lines; mistakes are printed when asked for."""
    started = time.perf_counter()
    verdicts = judge(checker, lines)
    elapsed = (time.perf_counter() - started) * 1000 / max(1, len(lines))
    pairs = list(zip(lines, verdicts, strict=True))
    if show:
        for line, verdict in pairs:
            if line.supported != verdict.supported:
                sign = "refused" if line.supported else "PASSED "
                print(f"{sign} {line.passage.language}>{line.language} {line.kind or '-':12} {verdict.reason:16} "
                      f"{verdict.detail:10} {verdict.support:.2f} {line.text}")  # fmt: skip
    missed = Counter(line.kind for line, verdict in pairs if not line.supported and verdict.supported)
    return {
        **figures(lines, verdicts),
        "by_language": {name: _of(pairs, lambda line, name=name: line.language == name) for name in LANGUAGES},
        "across_languages": _of(pairs, lambda line: line.across),
        "missed_by_kind": dict(missed),
        "ms_per_sentence": round(elapsed, 2),
    }


def _of(pairs: Sequence[tuple[Line, Verdict]], chosen: Any) -> dict[str, Any]:
    kept = [pair for pair in pairs if chosen(pair[0])]
    return figures([line for line, _ in kept], [verdict for _, verdict in kept])


def main(arguments: Iterable[str] | None = None) -> int:
    """Print the figures as one JSON object; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m knowledge_base.evaluate_faithfulness", description=__doc__)
    parser.add_argument("--data", type=Path, help="a file of the form of knowledge_base/dev/faithfulness.yml")
    parser.add_argument("--show", action="store_true", help="print the sentences that were judged wrongly")
    chosen = parser.parse_args(None if arguments is None else list(arguments))
    try:
        checker = FaithfulnessChecker(UseEncoder().passages)
        if chosen.data:
            result = report(read_lines(chosen.data), checker, chosen.show)
        else:
            result = report(read_lines(ROOM / "test" / "faithfulness.yml"), checker, chosen.show)
            development = report(read_lines(ROOM / "dev" / "faithfulness.yml"), checker, chosen.show)
            result["development"] = {name: development[name] for name in ("passed", "refused", "precision")}
    except KnowledgeBaseError as problem:
        print(f"cannot evaluate: {problem}", file=sys.stderr)
        return 1
    print(json.dumps(result, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
