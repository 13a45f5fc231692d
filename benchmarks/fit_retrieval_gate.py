"""Fits ``knowledge_base/calibration.json``: what the encoder prefers, and how a score becomes a probability.

Only development data is read: the articles' own ways to ask (each asked as if it were not stored, as if the article
existed only in the other language, and as if it did not exist at all) and ``knowledge_base/dev``. The questions in
``knowledge_base/test`` are not looked at. Run ``python -m benchmarks.fit_retrieval_gate`` after a change of encoder,
ranking or articles; it takes some minutes and prints one JSON object last.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import zlib
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from knowledge_base.articles import LANGUAGES, Article
from knowledge_base.calibration import STORED
from knowledge_base.entries import EntryRef
from knowledge_base.evaluate import ROOM, auroc, read_queries
from knowledge_base.importing import find_sources, read_sources
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.prepared import questions_of
from knowledge_base.ranking import FEATURES, Ranked

Rows = npt.NDArray[np.float64]
FOLDS = 5
#: How much each kind of example counts: what contacts really do counts most, and the many questions asked as if their
#: article did not exist count least, because a neighbouring article often answers them half.
WEIGHTS = {"questions": 2.0, "cross": 2.0, "asked": 0.1, "crossing": 0.1, "absent": 0.1, "unanswerable": 2.0}
#: Strong, because the figures should also mean something for knowledge bases unlike this one.
RIDGE = 20.0
#: The gate refuses at least this share of the unanswerable development questions of every language.
REFUSED = 0.81


@dataclass(frozen=True, slots=True)
class Example:
    """The best article for a question, and whether it is the right one."""

    kind: str
    language: str
    fold: int
    features: dict[str, float]
    right: bool


def hidden(ref: EntryRef, *, article: Article, ordinal: int | None, language: str | None) -> bool:
    """Whether an entry is left out: one stored question, one language of an article, or the whole article."""
    if ref.article_id != article.id:
        return False
    if ordinal is not None:
        return ref.language == article.language and ref.kind == "question" and ref.ordinal == ordinal
    return language is None or ref.language == language


async def measure_advantage(kb: KnowledgeBase) -> dict[str, dict[str, float]]:
    """How much nearer an article is in the asker's language than its own translation, by the asker's language."""
    kb.calibration = replace(kb.calibration, advantage={})
    differences: dict[str, dict[str, list[float]]] = {
        language: {name: [] for name in ("use", "question", "passage", "passage_use")} for language in LANGUAGES
    }
    for article in kb.articles():
        others = [language for language in kb.languages_of(article.id) if language != article.language]
        if not others:
            continue
        for ordinal, question in enumerate(questions_of(article)):
            own = partial(hidden, article=article, ordinal=ordinal, language=None)
            translated = partial(hidden, article=article, ordinal=None, language=others[0])
            mine = await ranked(kb, question, article, [own, translated])
            theirs = await ranked(
                kb, question, article, [partial(hidden, article=article, ordinal=None, language=article.language)]
            )
            if mine and theirs:
                for name, values in differences[article.language].items():
                    values.append(mine.features[name] - theirs.features[name])
    return {
        language: {name: round(median(values), 4) if values else 0.0 for name, values in signals.items()}
        for language, signals in differences.items()
    }


async def ranked(kb: KnowledgeBase, question: str, article: Article, leave_out: list[partial[bool]]) -> Ranked | None:
    """The article among the candidates for a question, or None if it is not one of them."""
    candidates = await kb.candidates(question, lambda ref: any(test(ref) for test in leave_out))
    return next((candidate for candidate in candidates if candidate.article_id == article.id), None)


async def collect(kb: KnowledgeBase) -> list[Example]:
    """The best candidate of every development question."""
    examples: list[Example] = []

    async def add(
        kind: str, language: str, text: str, right: str | None, leave_out: partial[bool] | None = None
    ) -> None:
        candidates = await kb.candidates(text, leave_out)
        if candidates:
            fold = zlib.crc32((right or text).encode()) % FOLDS
            answers = kind != "absent" and candidates[0].article_id == right
            examples.append(Example(kind, language, fold, candidates[0].features, answers))

    for article in kb.articles():
        for ordinal, text in enumerate(questions_of(article)):
            leave_out = partial(hidden, article=article, ordinal=ordinal, language=None)
            await add("asked", article.language, text, article.id, leave_out)
            everywhere = partial(hidden, article=article, ordinal=None, language=None)
            await add("absent", article.language, text, article.id, everywhere)
            if len(kb.languages_of(article.id)) > 1:
                here = partial(hidden, article=article, ordinal=None, language=article.language)
                await add("crossing", article.language, text, article.id, here)
    for kind in ("questions", "cross", "unanswerable"):
        for language in LANGUAGES:
            for query in read_queries(ROOM / "dev" / f"{kind}.{language}.jsonl"):
                await add(kind, language, query.text, next(iter(query.relevant), None))
    return examples


def fit(examples: list[Example]) -> tuple[dict[str, float], dict[str, float]]:
    """Weights, and an intercept per language, of a logistic regression with a ridge, by Newton's method."""
    rows = np.array([[example.features[name] for name in FEATURES] for example in examples])
    spoken = np.array([[float(example.language == language) for language in LANGUAGES] for example in examples])
    targets = np.array([float(example.right) for example in examples])
    importance = np.array([WEIGHTS[example.kind] for example in examples])
    mean, spread = rows.mean(0), rows.std(0) + 1e-9
    design = np.hstack([(rows - mean) / spread, spoken])
    ridge = np.diag([RIDGE] * len(FEATURES) + [1e-6] * len(LANGUAGES))
    solution = np.zeros(design.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-design @ solution))
        slope = design.T @ (importance * (chance - targets)) + ridge @ solution
        curve = (design * (importance * chance * (1 - chance))[:, None]).T @ design + ridge
        step = np.linalg.solve(curve, slope)
        solution -= step
        if float(np.abs(step).max()) < 1e-8:
            break
    weights = solution[: len(FEATURES)] / spread
    intercepts = solution[len(FEATURES) :] - weights @ mean
    return (
        {name: round(float(weight), 4) for name, weight in zip(FEATURES, weights, strict=True)},
        {language: round(float(value), 4) for language, value in zip(LANGUAGES, intercepts, strict=True)},
    )


def scores(examples: list[Example], weights: dict[str, float], intercepts: dict[str, float]) -> Rows:
    """The calibrated score of every example."""
    rows = np.array([[example.features[name] for name in FEATURES] for example in examples])
    base = np.array([intercepts[example.language] for example in examples])
    result: Rows = 1 / (1 + np.exp(-(rows @ np.array([weights[name] for name in FEATURES]) + base)))
    return result


def held_out_scores(examples: list[Example]) -> Rows:
    """Each example scored by a model that saw nothing of its article."""
    result = np.zeros(len(examples))
    for fold in range(FOLDS):
        weights, intercepts = fit([example for example in examples if example.fold != fold])
        own = np.array([example.fold == fold for example in examples])
        result[own] = scores([example for example in examples if example.fold == fold], weights, intercepts)
    return result


def choose_gate(examples: list[Example], held_out: Rows) -> float:
    """The lowest score that refuses enough unanswerable questions in every language."""
    gates = [
        np.quantile([held_out[place] for place, one in enumerate(examples) if is_unanswerable(one, language)], REFUSED)
        for language in LANGUAGES
    ]
    return round(float(max(gates)) + 0.005, 2)


def is_unanswerable(example: Example, language: str) -> bool:
    """Whether an example is an unanswerable question in this language."""
    return example.kind == "unanswerable" and example.language == language


async def run(data_dir: Path, store: bool, named: str = "e5") -> dict[str, object]:
    """Measure, fit and store; returns the figures."""
    articles, problems = read_sources(find_sources([ROOM / "articles"]))
    if problems:
        raise problems[0]
    kb = await KnowledgeBase.open(data_dir, encoder=named)
    encoder = kb.status()["encoder"]
    kb.calibration = replace(kb.calibration, encoder=encoder)  # its own cosines, not as another encoder would have them
    await kb.load(articles)
    await kb.settled()
    advantage = await measure_advantage(kb)
    kb.calibration = replace(kb.calibration, advantage=advantage)
    examples = await collect(kb)
    await kb.close()
    held_out = held_out_scores(examples)
    gate = choose_gate(examples, held_out)
    weights, intercepts = fit(examples)
    if store:
        stored = {
            "weights": weights,
            "intercepts": intercepts,
            "gate": gate,
            "encoder": encoder,
            "advantage": advantage,
        }
        STORED.write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")
    right = [float(score) for score, example in zip(held_out, examples, strict=True) if example.right]
    wrong = [float(score) for score, example in zip(held_out, examples, strict=True) if not example.right]
    figures: dict[str, object] = {"examples": len(examples), "gate": gate, "auroc": round(auroc(right, wrong) or 0, 4)}
    for kind in WEIGHTS:
        for language in LANGUAGES:
            group = [place for place, one in enumerate(examples) if one.kind == kind and one.language == language]
            figures[f"{kind}.{language}"] = {
                "examples": len(group),
                "right": round(float(np.mean([examples[place].right for place in group])), 3),
                "answered": round(float(np.mean([held_out[place] >= gate for place in group])), 3),
            }
    return {**figures, "weights": weights, "intercepts": intercepts, "advantage": advantage}


def main() -> int:
    """Fit, and print the figures as one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fit_retrieval_gate", description=__doc__)
    parser.add_argument("--data-dir", type=Path, help="keep the index here, so the next run starts at once")
    parser.add_argument("--encoder", default="e5", help="fit for this one: e5, or hf: and a path or hub name")
    parser.add_argument("--dry-run", action="store_true", help="print the figures and leave the stored file alone")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        figures = asyncio.run(run(chosen.data_dir or Path(temporary), not chosen.dry_run, chosen.encoder))
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
