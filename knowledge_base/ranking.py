"""From similarities to a ranking of articles, and to the features that tell whether the best one answers.

Each signal is put on the scale of the candidates of this question (how many standard deviations above their mean), so
that no signal drowns the others. Encoders put texts of one language nearer together than they deserve; that measured
advantage is taken off first. Shared words are compared only among articles of one language: across languages there are
none, and that says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from knowledge_base.entries import EntryRef, Signals
from knowledge_base.vocabulary import Vocabulary

USE_WEIGHT = 0.8
WORDS_WEIGHT = 0.2
PASSAGE_USE_WEIGHT = 0.8  #: within a passage, where USE is the weaker judge
PASSAGE_WEIGHT = 1.0  #: of an article's best passage, beside its best question
SECOND_SHARE = 0.3  #: of the second best question or passage in an article's similarity
LANGUAGE_CENTRING = 0.6  #: how far the languages' remaining difference in mean is taken off, too
#: What the calibrated score is made of: nearness, standing among the candidates, and what words say.
FEATURES = (
    *("use", "question", "passage", "passage_use"),
    *("lead", "above", "setting", "crossing"),
    *("covered", "unknown", "length"),
)
_LONG = 20  #: words; a longer question is further from everything, whether it is answered or not
_SETTING = 15  #: places below the first that tell how near everything is to a question
_LEAST_SPREAD = {"use": 0.03, "e5": 0.006, "words": 0.05}  #: below this, differences are noise
_WORDS_IN_PASSAGE = 0.024  #: what all of a question's words are worth within one article, on E5's narrow scale
_FIRST_PASSAGE = 0.015  #: writers answer the title's question first
_Column = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ranked:
    """One article among the candidates."""

    article_id: str
    article_key: str  #: the language version that fits the question best
    score: float  #: comparable within one question only
    features: dict[str, float]  #: those of ``FEATURES``
    passages: dict[str, int]  #: ordinal of the best passage, by article key


@dataclass(frozen=True, slots=True)
class AskedWords:
    """A question's hashed words and what the stored texts know of them."""

    indices: Sequence[int]
    best: float  #: the keyword score of a text that has them all
    vocabulary: Vocabulary


@dataclass(slots=True)
class _Nearness:
    """How near one article in one language is, for each signal."""

    article_id: str
    language: str
    use: float = 0.0
    question: float = 0.0
    question_words: float = 0.0
    passage: float = 0.0
    passage_use: float = 0.0
    passage_words: float = 0.0
    best_passage: int = 0
    points: list[int] = field(default_factory=list)


def rank(
    signals: Signals,
    refs: Mapping[int, EntryRef],
    words: AskedWords,
    language: str,
    advantage: Mapping[str, float],
    without: Iterable[int] = (),
) -> list[Ranked]:
    """The candidates' articles, best first, translations together.

    ``advantage`` is how much nearer texts in the asker's ``language`` are for that reason alone, by "use", "question",
    "passage" and "passage_use"; ``without`` names points that must not count.
    """
    nearness = _nearness(signals, refs, words.best, set(without))
    if not nearness:
        return []
    for row in nearness.values():
        if row.language == language:
            row.use -= advantage.get("use", 0.0)
            row.question -= advantage.get("question", 0.0)
            row.passage -= advantage.get("passage", 0.0)
            row.passage_use -= advantage.get("passage_use", 0.0)
    keys, rows = list(nearness), list(nearness.values())
    groups = [
        np.array([place for place, row in enumerate(rows) if row.language == written])
        for written in sorted({row.language for row in rows})
    ]
    use = _standard([row.use for row in rows], groups, "use")
    question = _standard([row.question for row in rows], groups, "e5")
    question += WORDS_WEIGHT * _standard_apart([row.question_words for row in rows], groups)
    passage = _standard([row.passage for row in rows], groups, "e5")
    passage += PASSAGE_USE_WEIGHT * _standard([row.passage_use for row in rows], groups, "use")
    passage += WORDS_WEIGHT * _standard_apart([row.passage_words for row in rows], groups)
    totals = USE_WEIGHT * use + question + PASSAGE_WEIGHT * passage
    best: dict[str, int] = {}
    for place in np.argsort(-totals, kind="stable").tolist():
        best.setdefault(rows[place].article_id, place)
    places = list(best.values())
    passages: dict[str, dict[str, int]] = {}
    for key, row in nearness.items():
        passages.setdefault(row.article_id, {})[key] = row.best_passage
    scores = [float(totals[place]) for place in places]
    middle = float(np.median(scores))
    asked = {
        "unknown": words.vocabulary.unknown(words.indices),
        "length": min(len(words.indices), _LONG) / _LONG,
    }
    setting = float(np.mean([rows[place].question for place in places[1 : _SETTING + 1] or places]))
    return [
        Ranked(
            article_id=rows[place].article_id,
            article_key=keys[place],
            score=scores[position],
            features=_features(rows[place], scores, position, middle)
            | {"setting": setting, **_word_features(rows[place], words, language), **asked},
            passages=passages[rows[place].article_id],
        )
        for position, place in enumerate(places)
    ]


def _word_features(row: _Nearness, words: AskedWords, language: str) -> dict[str, float]:
    crossing = row.language != language
    covered = 0.0 if crossing else words.vocabulary.covered(words.indices, row.points)
    return {"covered": covered, "crossing": float(crossing)}


def _nearness(
    signals: Signals, refs: Mapping[int, EntryRef], best_words: float, without: set[int]
) -> dict[str, _Nearness]:
    entries: dict[str, list[tuple[EntryRef, int]]] = {}
    for point_id in signals.e5:
        ref = refs.get(point_id)
        if ref is not None and point_id not in without:
            entries.setdefault(ref.article_key, []).append((ref, point_id))
    return {key: _nearness_of(listed, signals, best_words) for key, listed in entries.items()}


def _nearness_of(entries: Sequence[tuple[EntryRef, int]], signals: Signals, best_words: float) -> _Nearness:
    row = _Nearness(entries[0][0].article_id, entries[0][0].language)
    row.points = [point_id for _, point_id in entries]
    use: list[float] = []
    question: list[float] = []
    passage_use: list[float] = []
    passage: list[float] = []
    best_fit = -1.0
    for ref, point_id in entries:
        e5 = signals.e5[point_id]
        words = min(signals.words[point_id] / best_words, 1.0) if point_id in signals.words else 0.0
        if ref.kind == "question":
            use.append(signals.use.get(point_id, 0.0))
            question.append(e5)
            if words > row.question_words:
                row.question_words = words
            continue
        passage_use.append(signals.use.get(point_id, 0.0))
        passage.append(e5)
        if words > row.passage_words:
            row.passage_words = words
        fit = e5 + _WORDS_IN_PASSAGE * words + (_FIRST_PASSAGE if ref.ordinal == 0 else 0.0)
        if fit > best_fit:
            row.best_passage, best_fit = ref.ordinal, fit
    row.use, row.question = _best(use), _best(question)
    row.passage_use, row.passage = _best(passage_use), _best(passage)
    return row


def _best(similarities: list[float]) -> float:
    """The best one, held back where nothing else in the article comes near it."""
    if not similarities:
        return 0.0
    first, *rest = sorted(similarities, reverse=True)
    return first if not rest else (1 - SECOND_SHARE) * first + SECOND_SHARE * rest[0]


def _standard(values: Sequence[float], groups: Sequence[npt.NDArray[np.int_]], signal: str) -> _Column:
    centred = np.array(values, dtype=np.float64)
    for group in groups:
        centred[group] -= LANGUAGE_CENTRING * centred[group].mean()
    return _scaled(centred, signal)


def _standard_apart(values: Sequence[float], groups: Sequence[npt.NDArray[np.int_]]) -> _Column:
    scaled = np.array(values, dtype=np.float64)
    for group in groups:
        scaled[group] = _scaled(scaled[group], "words")
    return scaled


def _scaled(values: _Column, signal: str) -> _Column:
    scaled: _Column = (values - values.mean()) / max(float(values.std()), _LEAST_SPREAD[signal])
    return scaled


def _features(row: _Nearness, scores: Sequence[float], position: int, middle: float) -> dict[str, float]:
    rivals = [score for place, score in enumerate(scores[:2]) if place != position]
    return {
        "use": row.use,
        "question": row.question,
        "passage": row.passage,
        "passage_use": row.passage_use,
        "lead": min(max(scores[position] - rivals[0], -3.0), 3.0) if rivals else 0.0,
        "above": min(max(scores[position] - middle, 0.0), 12.0) if len(scores) > 2 else 0.0,
    }
