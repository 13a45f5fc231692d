"""Measures what is quoted: ``python -m knowledge_base.evaluate_answers [--part dev|test]``.

Every line of ``answers.{zh,en}.jsonl`` names a question, the article that answers it, the slices that must be quoted,
whether the article says yes or no explicitly, and the form the answer should have.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge_base.answering import written
from knowledge_base.articles import LANGUAGES
from knowledge_base.errors import KnowledgeBaseError
from knowledge_base.evaluate import ROOM, percentile, read_lines
from knowledge_base.importing import find_sources, read_sources
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.polarity import LEADS
from knowledge_base.results import Answer
from knowledge_base.wording import plain


@dataclass(frozen=True, slots=True)
class Expected:
    """One line: what an answer to ``text`` must hold."""

    text: str
    language: str
    article: str
    must: tuple[str, ...]
    polarity: str | None
    form: str | None  #: None where several would do


@dataclass(frozen=True, slots=True)
class Quoted:
    """What the product said to one line."""

    expected: Expected
    answer: Answer
    found: bool  #: whether the search put the article first
    faithful: bool

    @property
    def hit(self) -> bool:
        """Whether everything that must be quoted is."""
        said = self.answer.text
        return all(plain(slice_) in said or slice_ in said for slice_ in self.expected.must)


def read_expected(path: Path) -> list[Expected]:
    """The lines of one file."""
    return [
        Expected(
            line["text"], line["lang"], line["article"], tuple(line["must"]), line.get("polarity"), line.get("form")
        )
        for line in read_lines(path)
    ]


def is_faithful(answer: Answer, body: str) -> bool:
    """Whether the answer is a lead of the fixed table and slices of the body, in the order of the body, and nothing else."""
    leads = {"", *(word for words in LEADS.values() for pair in words.values() for word in pair)}
    if answer.lead not in leads or not answer.pieces:
        return False
    rest = answer.text.removeprefix(answer.lead).lstrip()
    ends = 0
    for piece in answer.pieces:
        said = written(piece.span.of(body))
        rest = rest.removeprefix(piece.before)
        if piece.span.start < ends or not said or not rest.startswith(said):
            return False
        rest, ends = rest[len(said) :], piece.span.end
        if piece.before.strip(" \n…"):
            return False
    return not rest


async def ask_all(kb: KnowledgeBase, lines: Sequence[Expected]) -> list[Quoted]:
    """Every question, asked of its article; and whether the search would have found that article."""
    quoted: list[Quoted] = []
    for line in lines:
        hits = await kb.search(line.text, line.language, limit=1)
        answer = await kb.answer_from(line.article, line.language, line.text)
        article = kb.find_article(line.article, line.language)
        if answer is None or article is None:
            raise KnowledgeBaseError(f"there is no article {line.article!r} in {line.language}; correct the line")
        found = bool(hits) and hits[0].passage.article_id == line.article
        quoted.append(Quoted(line, answer, found, is_faithful(answer, article.body)))
    return quoted


def figures(quoted: Sequence[Quoted]) -> dict[str, Any]:
    """The figures of some answers."""
    spans = [one for one in quoted if one.expected.must]
    explicit = [one for one in quoted if one.expected.polarity]
    formed = [one for one in quoted if one.expected.form]
    said = [one for one in quoted if one.answer.polarity]
    return {
        "questions": len(quoted),
        "span_hit_rate": _share(sum(one.hit for one in spans), len(spans)),
        "polarity_accuracy": _share(sum(one.answer.polarity == one.expected.polarity for one in quoted), len(quoted)),
        "polarity_recall": _share(sum(one.answer.polarity == one.expected.polarity for one in explicit), len(explicit)),
        "false_polarity": sum(one.answer.polarity != one.expected.polarity for one in said),
        "form_accuracy": _share(sum(one.answer.form == one.expected.form for one in formed), len(formed)),
        "faithfulness": _share(sum(one.faithful for one in quoted), len(quoted)),
        "mean_length": round(sum(len(one.answer.text) for one in quoted) / max(len(quoted), 1), 1),
        "article_found": _share(sum(one.found for one in quoted), len(quoted)),
    }


def _share(part: float, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def wrong(one: Quoted) -> str | None:
    """What is wrong with an answer, in a few words, or None."""
    reasons = []
    if not one.hit:
        reasons.append("a slice is missing")
    if one.answer.polarity != one.expected.polarity:
        reasons.append(f"polarity {one.answer.polarity} instead of {one.expected.polarity}")
    if one.expected.form and one.answer.form != one.expected.form:
        reasons.append(f"form {one.answer.form} instead of {one.expected.form}")
    if not one.faithful:
        reasons.append("not faithful")
    return ", ".join(reasons) or None


async def evaluate(part: str, data_dir: Path | None, *, explain: bool) -> dict[str, Any]:
    """Load the project's articles and measure one part's lines."""
    articles, problems = read_sources(find_sources([ROOM / "articles"]))
    if problems:
        raise problems[0]
    with tempfile.TemporaryDirectory() as temporary:
        kb = await KnowledgeBase.open(data_dir or Path(temporary))
        await kb.load(articles)
        await kb.prepare_answers()  # as the service does when it starts
        by_language = {
            language: await ask_all(kb, read_expected(ROOM / part / f"answers.{language}.jsonl"))
            for language in LANGUAGES
        }
        await kb.close()
    everything = [one for quoted in by_language.values() for one in quoted]
    if explain:
        for one in everything:
            reason = wrong(one)
            if reason:
                print(
                    f"{one.expected.article}: {one.expected.text}\n  {reason}\n  {one.answer.text!r}", file=sys.stderr
                )
    times = [one.answer.quoting_ms for one in everything]
    return {
        "part": part,
        **figures(everything),
        "quoting_p50": round(percentile(times, 0.5), 2),
        "quoting_p95": round(percentile(times, 0.95), 2),
        "by_language": {language: figures(quoted) for language, quoted in by_language.items()},
    }


def main(arguments: Iterable[str] | None = None) -> int:
    """Print the figures as one JSON object; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m knowledge_base.evaluate_answers", description=__doc__)
    parser.add_argument(
        "--part", choices=("dev", "test"), default="test", help="which lines (default: the held-out ones)"
    )
    parser.add_argument("--data-dir", type=Path, help="keep the index here, so the next run starts at once")
    parser.add_argument("--explain", action="store_true", help="print every answer that is not as expected")
    chosen = parser.parse_args(None if arguments is None else list(arguments))
    try:
        result = asyncio.run(evaluate(chosen.part, chosen.data_dir, explain=chosen.explain))
    except KnowledgeBaseError as problem:
        print(f"cannot evaluate: {problem}", file=sys.stderr)
        return 1
    print(json.dumps(result, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
