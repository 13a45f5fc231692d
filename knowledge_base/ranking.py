"""From similarities to a ranking of articles, and to the features that tell whether the best one answers.

Each signal is put on the scale of the candidates of this question (how many standard deviations above their mean), so
that no signal drowns the others. Encoders put texts of one language nearer together than they deserve; that measured
advantage is taken off first. Shared words are compared only among articles of one language: across languages there are
none, and that says nothing. Stored questions that are near to everything are held back (see ``crowding.py``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge_base.candidates import Candidates

USE_WEIGHT = 0.8
WORDS_WEIGHT = 0.3
PASSAGE_USE_WEIGHT = 0.5  #: within a passage, where USE is the weaker judge
PASSAGE_WEIGHT = 1.0  #: of an article's best passage, beside its best question
SECOND_SHARE = 0.3  #: of the second best question or passage in an article's similarity
LANGUAGE_CENTRING = 0.6  #: how far the languages' remaining difference in mean is taken off, too
#: What the calibrated score is made of: nearness, standing among the candidates, and what words say.
FEATURES = (
    *("use", "question", "passage", "passage_use"),
    *("lead", "above", "setting", "setting_use", "crossing"),
    *("covered", "unknown", "length"),
)
_LONG = 20  #: words; a longer question is further from everything, whether it is answered or not
_SETTING = 15  #: places below the first that tell how near everything is to a question
_LEAST_SPREAD = {"use": 0.03, "e5": 0.006, "words": 0.05}  #: below this, differences are noise
_WORDS_IN_PASSAGE = 0.024  #: what all of a question's words are worth within one article, on E5's narrow scale
_CROWDING = 0.75  #: what is taken off of what a stored question has in common with its nearest strangers
_FIRST_PASSAGE = 0.015  #: writers answer the title's question first
_Column = npt.NDArray[np.float64]
_Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Ranked:
    """One article among the candidates."""

    article_id: str
    article_key: str  #: the language version that fits the question best
    score: float  #: comparable within one question only
    features: dict[str, float]  #: those of ``FEATURES``
    passages: dict[str, int]  #: ordinal of the best passage, by article key


@dataclass(slots=True)
class _Nearness:
    """How near each candidate (an article in one language) is, for each signal; columns of one length."""

    use: _Column
    question: _Column
    use_alone: _Column  #: as they are, whatever their crowding
    question_alone: _Column
    question_words: _Column
    passage: _Column
    passage_use: _Column
    passage_words: _Column
    best_passage: _Places


def rank(
    candidates: Candidates, language: str, advantage: Mapping[str, float], most: int | None = None
) -> list[Ranked]:
    """The candidates' articles, best first, translations together; not more than ``most``.

    ``advantage`` is how much nearer texts in the asker's ``language`` are for that reason alone, by "use", "question",
    "passage" and "passage_use".
    """
    present = np.unique(candidates.owner)  # an article may have been left with no entry that counts
    if not len(present):
        return []
    written = np.array([head.language for head in candidates.heads])
    near = _nearness(candidates, written)
    own = (written == language).astype(np.float64)
    for column in (near.use, near.use_alone):
        column -= own * advantage.get("use", 0.0)
    for column in (near.question, near.question_alone):
        column -= own * advantage.get("question", 0.0)
    near.passage -= own * advantage.get("passage", 0.0)
    near.passage_use -= own * advantage.get("passage_use", 0.0)
    groups = [present[written[present] == one] for one in np.unique(written[present])]
    use = _standard(near.use, groups, "use")
    question = _standard(near.question, groups, "e5")
    question += WORDS_WEIGHT * _standard_apart(near.question_words, groups)
    passage = _standard(near.passage, groups, "e5")
    passage += PASSAGE_USE_WEIGHT * _standard(near.passage_use, groups, "use")
    passage += WORDS_WEIGHT * _standard_apart(near.passage_words, groups)
    totals = USE_WEIGHT * use + question + PASSAGE_WEIGHT * passage
    best: dict[str, int] = {}
    for place in present[np.argsort(-totals[present], kind="stable")].tolist():
        best.setdefault(candidates.heads[place].id, place)
    passages: dict[str, dict[str, int]] = {}
    for place in present.tolist():
        head = candidates.heads[place]
        passages.setdefault(head.id, {})[head.key] = int(near.best_passage[place])
    places = list(best.values())
    scores: list[float] = totals[places].tolist()
    features = _features(near, candidates, places, scores, language, most)
    return [
        Ranked(
            candidates.heads[place].id, candidates.heads[place].key, score, row, passages[candidates.heads[place].id]
        )
        for place, score, row in zip(places[:most], scores[:most], features, strict=True)
    ]


def _nearness(candidates: Candidates, written: npt.NDArray[np.str_]) -> _Nearness:
    count = len(candidates.heads)
    asks, tells = np.flatnonzero(~candidates.passage), np.flatnonzero(candidates.passage)
    question_owner, passage_owner = candidates.owner[asks], candidates.owner[tells]
    ordinal = candidates.ordinal[tells]
    words = candidates.words
    asked = [candidates.use[asks], candidates.e5[asks]]
    excess = _excess(candidates.crowding[asks], [written[question_owner] == one for one in np.unique(written)])
    held_back = [values - excess[:, place] for place, values in enumerate(asked)]
    use, question, use_alone, question_alone = (
        _best(_table(values, question_owner, candidates.ordinal[asks], count)) for values in (*held_back, *asked)
    )
    fit = candidates.e5[tells] + _WORDS_IN_PASSAGE * words[tells] + _FIRST_PASSAGE * (ordinal == 0)
    return _Nearness(
        use=use,
        question=question,
        use_alone=use_alone,
        question_alone=question_alone,
        question_words=_most(words[asks], question_owner, count),
        passage=_best(_table(candidates.e5[tells], passage_owner, ordinal, count)),
        passage_use=_best(_table(candidates.use[tells], passage_owner, ordinal, count)),
        passage_words=_most(words[tells], passage_owner, count),
        best_passage=_table(fit, passage_owner, ordinal, count).argmax(axis=1),
    )


def _excess(crowding: _Column, languages: Sequence[npt.NDArray[np.bool_]]) -> _Column:
    """What is taken off of the similarities of crowded questions and added to those of others: on the whole, those of
    a language stay as they are. Nothing where the crowding is not known."""
    excess = np.zeros_like(crowding)
    known = np.isfinite(crowding[:, 0])
    for language in languages:
        here = language & known
        if here.any():
            excess[here] = _CROWDING * (crowding[here] - crowding[here].mean(axis=0))
    return excess


def _table(values: _Column, owner: _Places, ordinal: _Places, count: int) -> _Column:
    """One row of similarities per article, by ordinal; what is not there is infinitely far."""
    table = np.full((count, int(ordinal.max(initial=0)) + 1), -np.inf)
    table[owner, ordinal] = values
    return table


def _best(table: _Column) -> _Column:
    """The best similarity of each row, held back where nothing else in the article comes near it; 0 without any."""
    rows = np.arange(len(table))
    places = table.argmax(axis=1)
    first = table[rows, places]
    table[rows, places] = -np.inf
    second = table.max(axis=1)
    held_back = np.where(np.isfinite(second), (1 - SECOND_SHARE) * first + SECOND_SHARE * second, first)
    best: _Column = np.where(np.isfinite(first), held_back, 0.0)
    return best


def _most(words: _Column, owner: _Places, count: int) -> _Column:
    most = np.zeros(count)
    np.maximum.at(most, owner, words)
    return most


def _standard(values: _Column, groups: Sequence[_Places], signal: str) -> _Column:
    centred = values.copy()
    for group in groups:
        centred[group] -= LANGUAGE_CENTRING * _mean(centred[group])
    return _scaled(centred, signal, np.concatenate(groups))


def _standard_apart(values: _Column, groups: Sequence[_Places]) -> _Column:
    scaled = values.copy()
    for group in groups:
        scaled[group] = _scaled(scaled[group], "words", np.arange(len(group)))
    return scaled


def _scaled(values: _Column, signal: str, counted: _Places) -> _Column:
    centred = values - _mean(values[counted])
    spread = math.sqrt(_mean(centred[counted] ** 2))
    centred /= max(spread, _LEAST_SPREAD[signal])
    return centred


def _mean(values: _Column) -> float:
    return float(values.sum()) / len(values)  # numpy's own takes several times as long for so few


def _features(
    near: _Nearness,
    candidates: Candidates,
    places: Sequence[int],
    scores: Sequence[float],
    language: str,
    most: int | None,
) -> list[dict[str, float]]:
    middle = float(np.median(scores))
    rivals = list(places[1 : _SETTING + 1] or places)
    asked = {
        "unknown": candidates.unknown,
        "length": min(candidates.asked, _LONG) / _LONG,
        "setting": _mean(near.question_alone[rivals]),
        "setting_use": _mean(near.use_alone[rivals]),
    }
    signals = [near.use_alone, near.question_alone, near.passage, near.passage_use, candidates.covered]
    columns = zip(*(column[list(places[:most])].tolist() for column in signals), strict=True)
    rows: list[dict[str, float]] = []
    for position, (use, question, passage, passage_use, covered) in enumerate(columns):
        rival = scores[0] if position else (scores[1] if len(scores) > 1 else None)
        crossing = candidates.heads[places[position]].language != language
        rows.append(
            {
                "use": use,
                "question": question,
                "passage": passage,
                "passage_use": passage_use,
                "lead": min(max(scores[position] - rival, -3.0), 3.0) if rival is not None else 0.0,
                "above": min(max(scores[position] - middle, 0.0), 12.0) if len(scores) > 2 else 0.0,
                "covered": 0.0 if crossing else covered,
                "crossing": float(crossing),
                **asked,
            }
        )
    return rows
