"""Measures retrieval with the product's own pipeline: on any knowledge base, or on the project's own test questions.

``python -m knowledge_base.evaluate --kb kb.jsonl --queries q.jsonl`` prints one JSON object as its last line;
``--project`` measures the articles and test questions that come with the project.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge_base.articles import LANGUAGES, Article
from knowledge_base.errors import KnowledgeBaseError, UnreadableSource
from knowledge_base.importing import find_sources, read_sources
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.wording import language_of, plain

ROOM = Path(__file__).parent
_STILL_KNOWN = 200  #: questions; more than these may have been forgotten


@dataclass(frozen=True, slots=True)
class Query:
    """A question and the ids that answer it; none means that nothing does."""

    text: str
    relevant: frozenset[str]
    language: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the pipeline returned for one query."""

    query: Query
    found: tuple[str, ...]
    score: float
    search_ms: float

    def rank(self) -> int | None:
        """The place of the first relevant id, from 1."""
        return next((place for place, name in enumerate(self.found, start=1) if name in self.query.relevant), None)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The JSON objects of a file, one a line; raises ``UnreadableSource`` naming the line to correct."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableSource(str(path), f"cannot be read as UTF-8 text ({error}); check the path") from None
    found: list[dict[str, Any]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except json.JSONDecodeError:
            value = None
        if not isinstance(value, dict) or not isinstance(value.get("text"), str):
            raise UnreadableSource(str(path), f"line {number} must be a JSON object with a text in 'text'")
        found.append(value)
    return found


def read_queries(path: Path) -> list[Query]:
    """The queries of a file in the project's format."""
    queries: list[Query] = []
    for number, line in enumerate(read_lines(path), start=1):
        relevant = line.get("relevant")
        if not isinstance(relevant, list):
            raise UnreadableSource(str(path), f"query {number} needs a list of ids in 'relevant' (empty: unanswerable)")
        language = line.get("lang") or language_of(line["text"])
        queries.append(Query(line["text"], frozenset(map(str, relevant)), "zh" if language.startswith("zh") else "en"))
    return queries


def read_knowledge(path: Path) -> dict[str, Article]:
    """Articles by the file's own ids; a line without a title is a question and its own answer."""
    articles: dict[str, Article] = {}
    for number, line in enumerate(read_lines(path), start=1):
        name, text, title = str(line.get("id", "")), line["text"].strip(), str(line.get("title") or "").strip()
        if not name or name in articles or not (text or title):
            raise UnreadableSource(str(path), f"entry {number} needs an id of its own and a text")
        language = str(line.get("lang") or language_of(f"{title} {text}"))
        articles[name] = Article(
            id=f"entry-{number}",
            title=title or plain(text)[:300] or text[:300],
            language="zh" if language.startswith("zh") else "en",
            body=text or title,
        )
    return articles


async def run_queries(kb: KnowledgeBase, queries: Sequence[Query], names: dict[str, str]) -> list[Outcome]:
    """Every query through the product's search; ``names`` maps article ids to those of the data set."""
    if queries:
        await kb.search(queries[0].text)  # the first search loads what later ones find ready
    outcomes: list[Outcome] = []
    for query in queries:
        started = time.perf_counter()
        hits = await kb.search(query.text, query.language)
        elapsed = (time.perf_counter() - started) * 1000
        found = tuple(names.get(hit.passage.article_id, hit.passage.article_id) for hit in hits)
        outcomes.append(Outcome(query, found, hits[0].score if hits else 0.0, elapsed))
    return outcomes


async def run_again(kb: KnowledgeBase, queries: Sequence[Query]) -> dict[str, float]:
    """Times of questions that were asked a moment ago, whose vectors are still known."""
    times: list[float] = []
    for query in queries[-_STILL_KNOWN:]:
        started = time.perf_counter()
        await kb.search(query.text, query.language)
        times.append((time.perf_counter() - started) * 1000)
    return {"repeated_p50": round(percentile(times, 0.5), 2), "repeated_p95": round(percentile(times, 0.95), 2)}


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """How often a positive scores above a negative (ties count half); None without both."""
    if not positive or not negative:
        return None
    above = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    return above / (len(positive) * len(negative))


def summary(outcomes: Sequence[Outcome], gate: float) -> dict[str, float | int | None]:
    """The retrieval and gate figures of some outcomes; None where there is nothing to measure."""
    answerable = [outcome for outcome in outcomes if outcome.query.relevant]
    unanswerable = [outcome for outcome in outcomes if not outcome.query.relevant]
    ranks = [outcome.rank() for outcome in answerable]
    answered = [outcome for outcome in outcomes if outcome.score >= gate]
    right = sum(1 for outcome in answered if outcome.rank() == 1)

    def recall(depth: int) -> float | None:
        return _share(sum(1 for rank in ranks if rank is not None and rank <= depth), len(ranks))

    times = [outcome.search_ms for outcome in outcomes]
    separation = auroc([outcome.score for outcome in answerable], [outcome.score for outcome in unanswerable])
    return {
        "queries": len(outcomes),
        "recall@1": recall(1),
        "recall@3": recall(3),
        "recall@10": recall(10),
        "mrr": _share(sum(1 / rank for rank in ranks if rank is not None and rank <= 10), len(ranks)),
        "gate": gate,
        "gate_auroc": None if separation is None else round(separation, 4),
        "answered_recall": _share(sum(1 for outcome in answerable if outcome.score >= gate), len(answerable)),
        "answered_precision": _share(right, len(answered)),
        "refused_recall": _share(sum(1 for outcome in unanswerable if outcome.score < gate), len(unanswerable)),
        "search_p50": round(percentile(times, 0.5), 2),
        "search_p95": round(percentile(times, 0.95), 2),
    }


def _share(part: float, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


async def evaluate_files(knowledge: Path, questions: Path, encoder: str) -> dict[str, Any]:
    """Index a knowledge base in a temporary directory and measure its queries."""
    articles, queries = read_knowledge(knowledge), read_queries(questions)
    names = {article.id: name for name, article in articles.items()}
    with tempfile.TemporaryDirectory() as directory:
        kb = await KnowledgeBase.open(Path(directory), encoder=encoder)
        started = time.perf_counter()
        report = await kb.load(articles.values(), _progress)
        await kb.settled()
        index_s = time.perf_counter() - started
        outcomes = await run_queries(kb, queries, names)
        again = await run_again(kb, queries)
        result = {"passages": report.passages, **summary(outcomes, kb.gate), **again, "index_s": round(index_s, 2)}
        await kb.close()
    return result


async def evaluate_project(room: Path, data_dir: Path | None, encoder: str) -> dict[str, Any]:
    """Measure the project's own articles with its own test questions, by language and across languages."""
    articles, problems = read_sources(find_sources([room / "articles"]))
    if problems:
        raise problems[0]
    files = {
        f"{part}.{language}": read_queries(room / "test" / f"{part}.{language}.jsonl")
        for part in ("questions", "cross", "unanswerable")
        for language in LANGUAGES
        if (room / "test" / f"{part}.{language}.jsonl").exists()
    }
    with tempfile.TemporaryDirectory() as temporary:
        kb = await KnowledgeBase.open(data_dir or Path(temporary), encoder=encoder)
        started = time.perf_counter()
        report = await kb.load(articles, _progress)
        await kb.settled()
        index_s = time.perf_counter() - started
        outcomes = {name: await run_queries(kb, queries, {}) for name, queries in files.items()}
        again = await run_again(kb, [query for queries in files.values() for query in queries])
        gate = kb.gate
        await kb.close()
    everything = [outcome for group in outcomes.values() for outcome in group]
    by_part = {
        f"{part}.{language}": summary(outcomes.get(f"{part}.{language}", []), gate)["recall@3"]
        for part in ("questions", "cross")
        for language in LANGUAGES
    }
    by_language = {
        language: summary([outcome for outcome in everything if outcome.query.language == language], gate)
        for language in LANGUAGES
    }
    return {
        "passages": report.passages,
        **summary(everything, gate),
        **again,
        "recall@3_by_part": by_part,
        "by_language": by_language,
        "index_s": round(index_s, 2),
    }


def _progress(done: int, total: int) -> None:
    if done == total or done % 50 == 0:
        print(f"encoded {done} of {total} articles", file=sys.stderr, flush=True)


def main(arguments: Iterable[str] | None = None) -> int:
    """Print the figures as one JSON object; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m knowledge_base.evaluate", description=__doc__)
    parser.add_argument("--kb", type=Path, help='entries: {"id","text","title"?,"lang"?} a line')
    parser.add_argument("--queries", type=Path, help='queries: {"text","relevant":[id,…],"lang"?} a line')
    parser.add_argument("--project", action="store_true", help="measure the project's own articles and questions")
    parser.add_argument("--data-dir", type=Path, help="keep the project's index here, so the next run starts at once")
    parser.add_argument("--encoder", default="e5", help="e5 (default), or hf: and the path or hub name of a model")
    chosen = parser.parse_args(None if arguments is None else list(arguments))
    if not chosen.project and not (chosen.kb and chosen.queries):
        parser.error("give --kb and --queries, or --project")
    try:
        if chosen.project:
            result = asyncio.run(evaluate_project(ROOM, chosen.data_dir, chosen.encoder))
        else:
            result = asyncio.run(evaluate_files(chosen.kb, chosen.queries, chosen.encoder))
    except KnowledgeBaseError as problem:
        print(f"cannot evaluate: {problem}", file=sys.stderr)
        return 1
    print(json.dumps(result, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
