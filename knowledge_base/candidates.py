"""Which articles are worth comparing exactly: the nearest entries in every space and language, fused.

While the knowledge base is small every entry is compared; beyond that the index is asked, which looks at a part of them.
Scores of one space say nothing in another, so each list is put on its own scale first (distribution-based fusion, as
Qdrant does it: how far between three standard deviations below and above the list's mean).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from knowledge_base.entries import FLAT, SEARCHED, Head, Index, QuestionVectors, Sparse
from knowledge_base.readers import Reader
from knowledge_base.scale import Scale, imputed
from knowledge_base.standing import current_id
from knowledge_base.view import Floats, Mask, Rows, View
from knowledge_base.vocabulary import Asked, Numbers

_PER_SPACE = 40  #: entries that each space contributes
_ARTICLES = 20  #: of each language that are compared exactly
_TELLING = 6  #: words of a question that are searched for; more common ones only cost time
_HOLDERS = 10_000  #: entries that may hold them, one word after the other


@dataclass(frozen=True, slots=True)
class Scores:
    """Similarities of some rows to a question, exactly."""

    use: Floats
    e5: Floats
    words: npt.NDArray[np.float64]  #: BM25
    pairs: tuple[Rows, Rows]  #: which of the rows holds which of the asked words

    def at(self, places: Rows, rows: int) -> Scores:
        """Those of a part of the rows, of which there are ``rows`` in all."""
        position = np.full(rows, -1, dtype=np.int64)
        position[places] = np.arange(len(places))
        owner, which = position[self.pairs[0]], self.pairs[1]
        kept = np.flatnonzero(owner >= 0)
        return Scores(self.use[places], self.e5[places], self.words[places], (owner[kept], which[kept]))


@dataclass(frozen=True, slots=True)
class _List:
    language: str
    rows: Rows
    scores: Floats


@dataclass(frozen=True, slots=True)
class Found:
    """Numbers of the articles to compare, translations included."""

    numbers: Sequence[int]
    all_scores: Scores | None = None  #: of all rows, when all were compared; USE's of questions only
    stale: bool = False  #: the index knew entries that the view does not


@dataclass(frozen=True, slots=True)
class Candidates:
    """The entries of the articles to be ranked, article by article, with their exact similarities."""

    heads: Sequence[Head]
    owner: Rows  #: which of ``heads`` each entry belongs to
    passage: Mask
    ordinal: Rows
    use: npt.NDArray[np.float64]
    e5: npt.NDArray[np.float64]
    crowding: npt.NDArray[np.float64]  #: USE's and E5's; not a number where it is not known; see ``crowding.py``
    words: npt.NDArray[np.float64]  #: keyword score as a share of the best possible
    covered: npt.NDArray[np.float64]  #: by article: the share of the question's words that its entries hold
    unknown: float  #: the share of the question's words that no entry holds
    asked: int  #: words of the question


def find_candidates(
    view: View,
    index: Index,
    question: QuestionVectors,
    languages: Sequence[str],
    reader: Reader,
    hidden: Mask | None = None,
) -> Found:
    """The articles whose entries are nearest in any space among those that the reader may read, the same number for
    each language; ``hidden`` marks rows that must not count."""
    readable = view.open_to(reader)
    everything: Scores | None = None
    stale = False
    if view.vectors is not None and len(view.alive) <= 2 * FLAT and view.entries <= FLAT:
        use, e5 = view.matrices
        asked = view.vocabulary.asked(question.words.indices)
        of_questions = np.zeros(len(view.alive), dtype=np.float32)
        of_questions[view.asking] = use @ question.use
        everything = _all_scores(view, asked, (of_questions, e5 @ question.e5))
        lists = _flat_lists(view, question, everything, languages, readable)
    else:
        limits = None if readable is None else (reader, readable)
        lists, stale = _index_lists(view, index, question, languages, limits)
    chosen: dict[int, None] = {}
    for _, group in groupby(lists, key=lambda one: one.language):
        chosen.update(dict.fromkeys(_best_groups(view, list(group), hidden)))
    ids = dict.fromkeys(view.heads[number].id for number in chosen)
    if not view.replaced.isdisjoint(ids):
        ids = dict.fromkeys(current_id(one, lambda name: readable_heads(view, name, readable)) for one in ids)
    numbers = [number for article_id in ids for number in _readable_numbers(view, article_id, readable)]
    return Found(numbers, everything, stale)


def readable_heads(view: View, article_id: str, readable: Mask | None) -> list[Head]:
    """The article in every language in which it may be read; ``readable`` is what ``View.open_to`` gave."""
    return [view.heads[number] for number in _readable_numbers(view, article_id, readable)]


def _readable_numbers(view: View, article_id: str, readable: Mask | None) -> Iterable[int]:
    numbers = view.translations.get(article_id, ())
    return numbers if readable is None else [number for number in numbers if readable[number]]


def compare(
    view: View,
    found: Found,
    question: QuestionVectors,
    similarities: Callable[[Sequence[int], Rows], tuple[Floats, Floats]],
    scale: Scale,
    hidden: Mask | None = None,
) -> Candidates:
    """The candidates with all that is known of them; ``similarities`` of articles and their rows are asked for unless
    they were found already."""
    rows = view.rows_of(found.numbers)
    heads = [view.heads[number] for number in found.numbers]
    owner = np.repeat(np.arange(len(heads)), [head.entries for head in heads])
    questions = np.array([head.questions for head in heads], dtype=np.int64)[owner]
    place = view.place(rows)
    vocabulary = view.vocabulary
    if hidden is not None:
        hidden_rows = np.flatnonzero(hidden & view.alive)
        vocabulary = vocabulary.less(view.words_of(hidden_rows)[0], len(hidden_rows))
    asked = vocabulary.asked(question.words.indices)
    if found.all_scores is not None and hidden is None:
        scores = found.all_scores.at(rows, len(view.alive))
        tells = np.flatnonzero(place >= questions)
        scores.use[tells] = view.near_in_use(rows[tells], question.use)
    else:
        scores = _scores(view, rows, asked, similarities(found.numbers, rows))
    e5 = scale(scores.e5) if question.e5.any() else imputed(scores.use)  # without any, its encoder is missing
    keep: slice | Rows = slice(None)
    holder, held_word = scores.pairs
    if hidden is not None:
        visible = ~hidden[rows]
        keep = np.flatnonzero(visible)
        holder, held_word = holder[visible[holder]], held_word[visible[holder]]
    held = np.zeros((len(heads), len(asked.numbers)), dtype=np.bool_)
    held[owner[holder], held_word] = True
    passage = place >= questions
    return Candidates(
        heads=heads,
        owner=owner[keep],
        passage=passage[keep],
        ordinal=np.where(passage, place - questions, place)[keep],
        use=scores.use[keep].astype(np.float64),
        e5=e5[keep].astype(np.float64),
        crowding=(view.crowded(rows) * np.array([1.0, scale.stretch]))[keep],
        words=np.minimum(scores.words / (asked.best or 1.0), 1.0)[keep],
        covered=asked.shares(held),
        unknown=asked.unknown,
        asked=len(asked.numbers),
    )


def _scores(view: View, rows: Rows, asked: Asked, near: tuple[Floats, Floats]) -> Scores:
    owner, which, weights = _held_by(view, rows, asked.numbers)
    return _added_up(near, owner, which, weights, asked, len(rows))


def _held_by(view: View, rows: Rows, numbers: Numbers) -> tuple[Rows, Rows, Floats]:
    """Which of some rows, by place among them, hold which of some words, and with what weight."""
    words, weights, owner = view.words_of(rows)
    which = _wanted(view, numbers)[words]
    there = np.flatnonzero(which >= 0)
    return owner[there], which[there].astype(np.int64), weights[there]


def _held_since(view: View, first: int, numbers: Numbers) -> tuple[Rows, Rows, Floats]:
    """Which rows from ``first`` on hold which of some words, and with what weight."""
    begin = int(view.offsets[first])
    which = _wanted(view, numbers)[view.words[begin:]]
    there = np.flatnonzero(which >= 0)
    owner = np.searchsorted(view.offsets, there + begin, side="right") - 1
    return owner, which[there].astype(np.int64), view.weights[there + begin]


def _wanted(view: View, numbers: Numbers) -> npt.NDArray[np.int16]:
    """For every word of the vocabulary which of some words it is, or -1."""
    wanted = np.full(len(view.vocabulary.hashes) + 1, -1, dtype=np.int16)  # the last place is for unknown words
    wanted[numbers] = np.arange(len(numbers))
    wanted[-1] = -1
    return wanted


def _all_scores(view: View, asked: Asked, near: tuple[Floats, Floats]) -> Scores:
    known = np.flatnonzero(asked.numbers >= 0)
    owners, which, weights = view.all_postings.of(asked.numbers[known])
    return _added_up(near, owners, known[which], weights, asked, len(view.alive))


def _added_up(
    near: tuple[Floats, Floats], owner: Rows, which: Rows, weights: Floats, asked: Asked, rows: int
) -> Scores:
    bm25 = np.bincount(owner, weights=asked.rarity[which] * weights, minlength=rows).astype(np.float64)
    return Scores(near[0], near[1], bm25, (owner, which))


def _flat_lists(
    view: View, question: QuestionVectors, everything: Scores, languages: Sequence[str], readable: Mask | None
) -> list[_List]:
    scores = {"use": everything.use, "e5": everything.e5, "words": everything.words.astype(np.float32)}
    lists: list[_List] = []
    for language in languages:
        for kind, space in SEARCHED:
            rows = view.shelves.get((kind, language))
            if rows is None or not len(rows) or (space == "e5" and not question.e5.any()):
                continue
            if readable is not None:
                rows = rows[readable[view.article[rows]]]
            here = scores[space][rows]
            if len(here) > _PER_SPACE:
                top = np.argpartition(-here, _PER_SPACE)[:_PER_SPACE]
                rows, here = rows[top], here[top]
            if space == "words":
                rows, here = rows[here > 0], here[here > 0]
            lists.append(_List(language, rows, here))
    return lists


def _index_lists(
    view: View,
    index: Index,
    question: QuestionVectors,
    languages: Sequence[str],
    limits: tuple[Reader, Mask] | None,
) -> tuple[list[_List], bool]:
    # An index that need not ask every entry for its terms answers faster.
    reader, readable = limits or (None, None)
    asked = view.vocabulary.asked(question.words.indices)
    telling = _telling(asked)
    words = Sparse([], [])
    if view.vectors is None:  # a shared index is asked for everything at once
        indices, values = question.words.indices, question.words.values
        words = Sparse([indices[place] for place in telling], [values[place] for place in telling])
    found = index.nearest(QuestionVectors(question.use, question.e5, words), languages, _PER_SPACE, reader)
    if not found:
        return [], False
    rows = view.find_rows(np.concatenate([near.points for near in found]))
    lists: list[_List] = []
    for near in found:
        here, rows = rows[: len(near.points)], rows[len(near.points) :]
        known = here >= 0
        lists.append(_List(near.language, here[known], near.scores[known]))
    stale = sum(len(one.rows) for one in lists) < sum(len(near.points) for near in found)
    if view.vectors is not None:
        lists += _word_lists(view, asked, telling, languages, readable)
        lists.sort(key=lambda one: languages.index(one.language))
    return lists, stale


def _telling(asked: Asked) -> list[int]:
    """Places of the words worth searching for: the rarest that are known, as long as few entries hold them."""
    known = np.flatnonzero(asked.counts > 0)
    rarest = known[np.argsort(asked.counts[known], kind="stable")][:_TELLING]
    few = np.cumsum(asked.counts[rarest]) <= _HOLDERS
    few[:1] = True
    return [int(place) for place in rarest[few]]


def _word_lists(
    view: View, asked: Asked, telling: Sequence[int], languages: Sequence[str], readable: Mask | None
) -> list[_List]:
    if not telling:
        return []
    places = np.array(telling)
    numbers = asked.numbers[places]
    covered = 0
    holders: list[tuple[Rows, Rows, Floats]] = []
    if view.postings is not None:
        covered = view.postings.rows
        holders.append(view.postings.of(numbers))
    if covered < len(view.alive):
        holders.append(_held_since(view, covered, numbers))
    owners, which, weights = (np.concatenate(parts) for parts in zip(*holders, strict=True))
    scores = np.bincount(owners, weights=asked.rarity[places[which]] * weights, minlength=len(view.alive))
    rows = _each_once(owners, len(view.alive))
    if readable is not None:
        rows = rows[readable[view.article[rows]]]
    shelf, values = view.shelf[rows], scores[rows].astype(np.float32)
    lists: list[_List] = []
    for number, (_, language) in enumerate(view.shelves):
        here = np.flatnonzero(shelf == number)
        if len(here) > _PER_SPACE:
            here = here[np.argpartition(-values[here], _PER_SPACE)[:_PER_SPACE]]
        if language in languages:
            lists.append(_List(language, rows[here], values[here]))
    return lists


def _each_once(rows: Rows, most: int) -> Rows:
    """Every row once, in no order; sorting them, or going through all there are, takes ten times as long."""
    last = np.empty(most, dtype=np.int64)
    places = np.arange(len(rows))
    last[rows] = places
    once: Rows = rows[last[rows] == places]
    return once


def _best_groups(view: View, lists: Sequence[_List], hidden: Mask | None) -> list[int]:
    """Numbers of one version each of the best articles in one language."""
    rows = np.concatenate([one.rows for one in lists]) if lists else np.empty(0, dtype=np.int64)
    if not len(rows):
        return []
    unique, inverse = np.unique(rows, return_inverse=True)
    fused = np.bincount(inverse, weights=np.concatenate([_on_scale(one.scores) for one in lists]))
    ordered = unique[np.argsort(-fused, kind="stable")]
    if hidden is not None:
        ordered = ordered[~hidden[ordered]]
    numbers = view.article[ordered]
    _, firsts = np.unique(view.group[numbers], return_index=True)
    best: list[int] = numbers[np.sort(firsts)[:_ARTICLES]].tolist()
    return best


def _on_scale(scores: Floats) -> npt.NDArray[np.float64]:
    count = len(scores)
    centred: npt.NDArray[np.float64] = scores.astype(np.float64)
    centred -= centred.sum() / max(count, 1)
    variance = float(centred @ centred) / (count - 1) if count > 1 else 0.0
    if not variance:
        return np.full(count, 0.5)
    centred /= 6 * math.sqrt(variance)
    centred += 0.5
    return centred
