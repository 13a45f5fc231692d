"""Counts what the log shows in hundredths of a score, and fits to it how likely it is that acting, asking back and
quoting turn out well.

Each of the three is a logistic curve over the score. It begins as what those meant who fitted the model's own thresholds
(or, without any, as if a score of 0.8 were right eight times in ten) and gives way to outcomes as they come in; with none
at all it stays there, and its uncertainty is that of the belief. Uncertainty comes from weighing whole conversations anew, as messages of one are not independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learning.limit_cases import Band, Case, Done

Floats = NDArray[np.float64]
#: Mean and spread of a curve's offset and of its slope.
Belief = tuple[tuple[float, float], tuple[float, float]]
CELLS = 101  #: hundredths from 0 to 1
STEPS = np.arange(CELLS) / 100
DRAWS = 200
#: Spread over all cells, so that where no message lies the curves decide and not the gaps between messages.
_DUST = 1e-6
_MIDDLES = np.clip((np.arange(CELLS) + 0.5) / 100, 0.005, 0.995)
_LOGITS = np.log(_MIDDLES / (1 - _MIDDLES))
#: What is believed before any outcome, as mean and spread of a curve's offset and slope.
_CALIBRATED = ((0.0, 1.5), (1.0, 0.75))
#: At the thresholds that a model came with, so many are believed to turn out well: those who fitted them meant it so. With
#: the usual costs this makes them the recommended ones as long as nothing else is known.
_RIGHT_AT_LIMIT, _ANSWERS_AT_GATE = 0.88, 0.84
_ASKING = ((0.5, 1.5), (0.5, 0.75))
#: Messages worth of belief that so many of those asked back, and of those missed, went to a person at once.
_BELIEVED_HANDED, _BELIEVED_KEPT = 0.2, 1.8
_UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Limits:
    """The thresholds of one language."""

    answer: float
    clarify: float
    retrieval: float

    @property
    def cells(self) -> tuple[int, int, int]:
        """The first cells at which each is reached; the bot never asks back above where it acts."""
        answer = cell_of_limit(self.answer)
        return answer, min(cell_of_limit(self.clarify), answer), cell_of_limit(self.retrieval)


def cell_of(score: float) -> int:
    """The cell that a score falls into."""
    return int(min(max(score, 0.0), 1.0) * 100 + 1e-9)


def cell_of_limit(limit: float) -> int:
    """The first cell whose scores all reach a threshold."""
    return min(CELLS - 1, int(np.ceil(min(max(limit, 0.0), 1.0) * 100 - 1e-9)))


@dataclass(frozen=True)
class Counted:
    """The log in cells; the first axis of each array is the draw, of which the first is the log as it is."""

    scored: Floats  #: draw, cell: messages on which the thresholds of the intent decided
    unsearched: Floats  #: draw, cell: those of them of which nobody knows what the articles would have had
    searched: Floats  #: draw, cell of the intent's score, cell of the article's: those that were searched
    alone: Floats  #: draw, cell of the article's score: searched whatever the intent's score
    articles: Floats  #: draw, cell: how the article's scores lie among messages below the thresholds; sums to 1
    right: Floats  #: draw, cell: how likely acting is right
    helps: Floats  #: draw, cell: how likely asking back helps
    answers: Floats  #: draw, cell of the article's score: how likely the article is right
    handed: Floats  #: draw, band: the share of a band's messages that went to a person in the same turn
    missed_to_person: Floats  #: draw: the share of misses that did

    @property
    def total(self) -> Floats:
        """How many messages there are, by draw."""
        return np.asarray(self.scored.sum(1) + self.alone.sum(1))


def counted(
    cases: Sequence[Case], silence: float, draws: int = DRAWS, seed: int = 7, own: Limits | None = None
) -> Counted:
    """The log and ``draws`` versions of it with the conversations weighed anew; ``silence`` is how much an answer that
    nobody said anything about counts as a right one, ``own`` the thresholds that the model came with, where known."""
    acting_belief, quoting_belief = _CALIBRATED, _CALIBRATED
    if own is not None:
        acting_belief = _around(own.answer, _RIGHT_AT_LIMIT)
        quoting_belief = _around(own.retrieval, _ANSWERS_AT_GATE)
    log = _Log(cases, draws, seed)
    scored, found = log.score >= 0, log.article >= 0
    looked_up = (log.band == Band.KNOWLEDGE) & found
    searched, alone = log.square(looked_up), log.line("article", ~scored & found)
    below = searched.sum(1)
    # Messages that went to the articles by their intent say a little about those below the thresholds, when few did.
    articles = below + alone / (1 + below.sum(1, keepdims=True)) + _DUST
    acting, quoting = log.done == Done.ACTED, log.done == Done.ANSWERED
    acting &= log.band == Band.ACT
    handed = log.done == Done.HANDED_OFF
    missed = found & (handed | (log.done == Done.MISSED))
    return Counted(
        scored=log.line("score", scored) + _DUST,
        unsearched=log.line("score", scored & ~looked_up) + _DUST,
        searched=searched,
        alone=alone + _DUST,
        articles=articles / articles.sum(1, keepdims=True),
        right=_fitted(*log.verdicts("score", log.act_wrong, acting, silence), log.belief(acting_belief)),
        helps=_fitted(*log.verdicts("score", log.unhelped, acting, 0.0), log.belief(_ASKING)),
        answers=_fitted(*log.verdicts("article", log.answer_wrong, quoting, silence), log.belief(quoting_belief)),
        handed=np.stack([_share(log.sum(handed & (log.band == one)), log.sum(log.band == one)) for one in Band], 1),
        missed_to_person=_share(log.sum(found & handed), log.sum(missed)),
    )


def _around(limit: float, share: float) -> Belief:
    """The belief that so many turn out well at a threshold, and more above it."""
    at = min(max(limit, 0.02), 0.98)
    slope = _CALIBRATED[1]
    return (float(np.log(share / (1 - share)) - slope[0] * np.log(at / (1 - at))), 1.0), slope


class Treated:
    """What was done with each message, to be compared with what other thresholds would have done."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self._log = _Log(cases)

    def differs(self, limits: Limits) -> float:
        """The share of messages with which these thresholds would do something else: what is said of those is not seen
        but reckoned."""
        answer, clarify, retrieval = limits.cells
        log = self._log
        if not len(log.done):
            return 0.0
        band = (log.score >= clarify).astype(int) + (log.score >= answer)
        scored, found = log.score >= 0, log.article >= 0
        other = scored & (band != log.band)
        looked_up = (~scored | (band == Band.KNOWLEDGE)) & found & ~other
        other |= looked_up & ((log.article >= retrieval) != (log.done == Done.ANSWERED))
        return float(other.mean())


class _Log:
    """The cases as columns, and sums over them for every draw at once."""

    def __init__(self, cases: Sequence[Case], draws: int = 0, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._draws = draws
        self.score = _cells([case.score for case in cases])
        self.article = _cells([case.retrieval for case in cases])
        self.band = np.array([-1 if case.band is None else case.band for case in cases], int)
        self.done = np.array([case.done for case in cases], int)
        self.act_wrong = _verdicts([case.act_wrong for case in cases])
        self.answer_wrong = _verdicts([case.answer_wrong for case in cases])
        self.unhelped = _verdicts([None if case.helped is None else not case.helped for case in cases])
        names, self._of_case = np.unique([case.conversation_id for case in cases], return_inverse=True)
        self._conversations = len(names)
        self._weights = np.ones((draws + 1, len(names)))
        if draws and len(names):
            drawn = self._random.standard_exponential((draws, len(names)))
            self._weights[1:] = drawn * (len(names) / drawn.sum(1, keepdims=True))

    def belief(self, belief: Belief) -> tuple[Floats, Floats]:
        """Where a curve begins, by draw, and how firmly."""
        means, spreads = np.array(belief).T
        return np.vstack([means, self._random.normal(means, spreads, (self._draws, 2))]), spreads

    def sum(self, chosen: NDArray[np.bool_]) -> Floats:
        """How many are chosen."""
        return np.asarray(self._weights @ np.bincount(self._of_case[chosen], minlength=self._conversations))

    def line(self, score: str, chosen: NDArray[np.bool_]) -> Floats:
        """Those that are chosen, by the cell of a score."""
        flat = self._of_case[chosen] * CELLS + getattr(self, score)[chosen]
        counts = np.bincount(flat, minlength=self._conversations * CELLS)
        return np.asarray(self._weights @ counts.reshape(self._conversations, CELLS))

    def square(self, chosen: NDArray[np.bool_]) -> Floats:
        """Those that are chosen, by the cells of both scores."""
        cells = self.score[chosen] * CELLS + self.article[chosen]
        return _summed(self._weights[:, self._of_case[chosen]], cells, CELLS * CELLS).reshape(-1, CELLS, CELLS)

    def verdicts(
        self, score: str, wrong: NDArray[np.int_], done: NDArray[np.bool_], silence: float
    ) -> tuple[Floats, Floats]:
        """What turned out well and badly, by the cell of a score."""
        known = getattr(self, score) >= 0
        well = self.line(score, known & (wrong == 0))
        if silence:
            well = well + silence * self.line(score, known & (wrong == _UNKNOWN) & done)
        return well, self.line(score, known & (wrong == 1))


def _cells(scores: Sequence[float | None]) -> NDArray[np.int_]:
    return np.array([-1 if one is None else cell_of(one) for one in scores], int)


def _verdicts(wrong: Sequence[bool | None]) -> NDArray[np.int_]:
    return np.array([_UNKNOWN if one is None else int(one) for one in wrong], int)


def _summed(weights: Floats, cells: NDArray[np.int_], size: int) -> Floats:
    made = np.zeros((len(weights), size))
    if len(cells):
        order = np.argsort(cells, kind="stable")
        borders, starts = np.unique(cells[order], return_index=True)
        made[:, borders] = np.add.reduceat(weights[:, order], starts, axis=1)
    return made


def _share(part: Floats, whole: Floats) -> Floats:
    return np.asarray((part + _BELIEVED_HANDED) / (whole + _BELIEVED_HANDED + _BELIEVED_KEPT))


def _fitted(yes: Floats, no: Floats, believed: tuple[Floats, Floats]) -> Floats:
    """Logistic curves over the cells that fit the counts and the belief best, never falling; one row for each draw."""
    belief, spread = believed
    at = belief.copy()
    precision = 1 / spread**2
    tried = yes + no
    for _ in range(25):
        likely = _logistic(at)
        error = yes - tried * likely
        curve = tried * likely * (1 - likely)
        slope0 = error.sum(1) - (at[:, 0] - belief[:, 0]) * precision[0]
        slope1 = (error * _LOGITS).sum(1) - (at[:, 1] - belief[:, 1]) * precision[1]
        h00, h11 = curve.sum(1) + precision[0], (curve * _LOGITS**2).sum(1) + precision[1]
        h01 = (curve * _LOGITS).sum(1)
        det = h00 * h11 - h01**2
        step = np.stack([(h11 * slope0 - h01 * slope1) / det, (h00 * slope1 - h01 * slope0) / det], 1)
        at = at + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-9:
            break
    falling = at[:, 1] < 0
    if falling.any():  # a higher score is never worse news: the best curve without a slope
        flat = at[falling]
        flat[:, 1] = 0.0
        for _ in range(25):
            likely = _logistic(flat)
            error = (yes[falling] - tried[falling] * likely).sum(1)
            error -= (flat[:, 0] - belief[falling, 0]) * precision[0]
            flat[:, 0] += np.clip(error / ((tried[falling] * likely * (1 - likely)).sum(1) + precision[0]), -1.0, 1.0)
        at[falling] = flat
    return _logistic(at)


def _logistic(at: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(at[:, :1] + at[:, 1:] * _LOGITS, -30, 30))))
