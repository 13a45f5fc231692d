"""Measures how many questions are understood as they were meant; one JSON object comes last.

``python -m reporting.evaluate_asking [--file FILE …] [--names NAMES.json]``. A line of a file is one JSON object:
``{"text": "…", "today": "YYYY-MM-DD", "query": {"metric", "since", "until", "by"?, "filters"?, "top"?, "lowest"?, "compare"?}}``
with ``"query": null`` for what has to be refused with possibilities. ``NAMES`` holds the names of a desk:
``{"team"|"agent"|"intent"|"article"|"model": {key: [name, …]}}``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from reporting.asking import NotUnderstood, Understood, parse
from reporting.lexicon import NAMED, Lexicon
from reporting.query import Query, QueryError
from reporting.reading import is_han

FOLDER = Path(__file__).parent / "questions"
OWN = (FOLDER / "zh.jsonl", FOLDER / "en.jsonl")


class BadList(ValueError):
    """A list of questions, or of names, that cannot be read; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Question:
    """A line: what is asked when, and the query that is right (None: it has to be refused)."""

    text: str
    today: date
    query: Query | None
    compare: bool | None  #: None: either is right

    @property
    def language(self) -> str:
        """Of what is asked."""
        return "zh" if any(map(is_han, self.text)) else "en"


def read_questions(path: Path) -> Iterator[Question]:
    """The questions of a file; raises ``BadList``."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadList(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield _question(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise BadList(f"{path}, line {number}: {_told(error)}") from error


def _told(error: Exception) -> str:
    return f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)


def _question(form: Any) -> Question:
    if not isinstance(form, dict) or not isinstance(form.get("text"), str):
        raise ValueError('a line must be {"text", "today", "query"}')
    if "query" not in form:
        raise KeyError("query")
    wanted = form["query"]
    query = None if wanted is None else Query.of(wanted)
    return Question(
        form["text"], date.fromisoformat(form["today"]), query, None if wanted is None else wanted.get("compare")
    )


def read_names(path: Path) -> Lexicon:
    """The names of a desk; raises ``BadList``."""
    try:
        form = json.loads(path.read_text(encoding="utf-8"))
        names = {
            str(name): {str(key): tuple(map(str, named)) for key, named in keys.items()} for name, keys in form.items()
        }
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise BadList(f"{path} is no list of names: {error}") from error
    if strange := set(names) - set(NAMED):
        raise BadList(f"{path} names {', '.join(sorted(strange))}; known are {', '.join(NAMED)}")
    return Lexicon(names)


def _same(wanted: Query, found: Query) -> bool:
    def form(query: Query) -> dict[str, Any]:
        return query.form() | {"filters": {name: sorted(keys) for name, keys in query.filters.items()}}

    return form(wanted) == form(found)


def right(question: Question, found: Understood | NotUnderstood) -> bool:
    """Whether a question was understood as meant; a refusal has to say what is possible."""
    if question.query is None:
        return isinstance(found, NotUnderstood) and bool(found.possible)
    if isinstance(found, NotUnderstood):
        return False
    return _same(question.query, found.query) and question.compare in (None, found.compare)


def measure(questions: Sequence[Question], lexicon: Lexicon) -> tuple[dict[str, Any], list[str]]:
    """The figures, and a line for each question that was not understood as meant."""
    counted: Counter[str] = Counter()
    failures = []
    for one in questions:
        found = parse(one.text, one.today, lexicon)
        good = right(one, found)
        kind = "refusals" if one.query is None else "answers"
        for name in ("all", one.language, kind):
            counted[name] += 1
            counted[f"{name} right"] += good
        counted["wrongly refused"] += one.query is not None and isinstance(found, NotUnderstood)
        if not good:
            got = (
                f"refused ({found.code}: {', '.join(found.unknown)})"
                if isinstance(found, NotUnderstood)
                else json.dumps(found.query.form(), ensure_ascii=False)
            )
            failures.append(f"{one.text}\n    {got}")

    def share(name: str) -> float | None:
        return round(counted[f"{name} right"] / counted[name], 4) if counted[name] else None

    figures = {
        "questions": counted["all"], "accuracy": share("all"), "zh": share("zh"), "en": share("en"), "answered": share("answers"),
        "refused": share("refusals"), "must_refuse": counted["refusals"], "wrongly_refused": counted["wrongly refused"],
        "failures": len(failures),
    }  # fmt: skip
    return figures, failures


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the failures and the figures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--file", type=Path, action="append", help="a list of questions (default: the project's own)")
    options.add_argument(
        "--names", type=Path, default=FOLDER / "names.json", help="the names of the desk that is asked"
    )
    chosen = options.parse_args(arguments)
    try:
        lexicon = read_names(chosen.names)
        questions = [one for path in chosen.file or OWN for one in read_questions(path)]
        if not questions:
            raise BadList("There are no questions to ask.")
    except (BadList, QueryError) as error:
        print(error, file=sys.stderr)
        return 2
    figures, failures = measure(questions, lexicon)
    for one in failures:
        print(f"  {one}")
    print(json.dumps(figures, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
