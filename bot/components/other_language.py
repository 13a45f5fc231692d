"""Lets an intent that has examples in one language only work in the other one, too.

The encoders both languages share know that two sentences mean the same; n-grams and the encoders that know one language
better do not, and would always prefer intents that were taught in the language of the message. So a second head reads the
shared vectors, each language's mean taken off, and the words that mean the same in both languages. Examples in the language of the message tell it the intents they are
of from each other; about untaught intents they are silent, so they do not push them down. How strongly an untaught intent
must be preferred is measured on intents that are taught in both languages, by treating them as untaught; where each language
teaches what the other lacks and too little is taught in both, so strongly that taught intents are seldom lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bot.components.gate_score import Comparison, Surroundings
from bot.components.linear import Array, Features, LinearHead, Recipe, fitted_temperature

#: Examples from which an intent counts as taught in a language, and the share of those in the other one; strays (an English
#: name in a Chinese set) do not teach.
TAUGHT, _SHARE = 3, 0.1
#: Examples that suffice for the shared vectors; the encoder that is spared otherwise must read them all.
_ENOUGH = 3000
#: Examples of taught intents from which a language's own mean is trusted.
_TRUSTED = 60
#: Really untaught intents are found less often than those that only play untaught; what makes up for it (cross-validated).
_MODESTY = 0.5
#: Intents taught in both languages from which that can be measured; where it cannot, the share of held-out taught messages
#: that may be lost, and how much of a temperature is no lead but a tie.
_MEASURABLE, _LOST, _TIE = 4, 0.05, 0.1
#: What carries over between languages is coarse; a strongly regularised head keeps to that (cross-validated).
_REGULARISATION, _ITERATIONS = 1.0, 40


def untaught(
    labels: NDArray[np.int64], languages: NDArray[np.str_], known: Sequence[str], classes: int
) -> dict[str, list[int]]:
    """The intents that each known language lacks although another language teaches them."""
    counts = {language: np.bincount(labels[languages == language], minlength=classes) for language in known}
    found: dict[str, list[int]] = {}
    for language in known:
        elsewhere = np.max([counts[other] for other in known if other != language], axis=0)
        wanted = np.maximum(TAUGHT, _SHARE * elsewhere)
        missing = np.flatnonzero((counts[language] < wanted) & (elsewhere >= TAUGHT)).tolist()
        if missing:
            found[language] = missing
    return found


def enough(labels: NDArray[np.int64], languages: NDArray[np.str_], classes: int) -> NDArray[np.int64]:
    """Which examples are read for the second head: as many of each intent in each language as there may be."""
    most = max(20, _ENOUGH // classes)
    random = np.random.RandomState(8)
    kept: list[NDArray[np.int64]] = []
    for language in sorted(set(languages.tolist()) - {""}):
        for label in range(classes):
            kept.append(random.permutation(np.flatnonzero((languages == language) & (labels == label)))[:most])
    return np.sort(np.concatenate(kept))


@dataclass
class BorrowedHead:
    """How messages of one language are understood by what was taught in the others."""

    missing: list[int]  #: the intents this language lacks
    mean: Array  #: of this language's vectors
    head: LinearHead
    temperature: float
    comparison: Comparison
    surroundings: Surroundings

    @classmethod
    def trained(
        cls,
        shared: Features,
        labels: NDArray[np.int64],
        languages: NDArray[np.str_],
        language: str,
        lacking: Mapping[str, list[int]],
        classes: int,
        recipe: Recipe,
        shift: Array,
    ) -> BorrowedHead:
        """``shared`` are the vectors of examples by the encoders that read both languages, with their shared words;
        ``lacking`` are the intents that each language lacks, and ``shift`` is how far this language's vectors lie from the
        other's, for a set with too few examples to tell."""
        recipe = replace(recipe, inverse_regularisation=_REGULARISATION, iterations=_ITERATIONS)
        missing = lacking[language]
        alone = sorted({intent for other, intents in lacking.items() if other != language for intent in intents})
        common = ~np.isin(labels, missing + alone)
        mine, theirs = languages == language, (languages != language) & (languages != "")
        if alone:
            # One stray would be all that compares what either language teaches alone, and lift one side above the other.
            mine, theirs = mine & ~np.isin(labels, missing), theirs & ~np.isin(labels, alone)
        # The means of what both talk about: other intents would move them by topic, not by language.
        dense = shared.dense
        theirs_mean = dense[theirs & common].mean(0) if (theirs & common).any() else dense[theirs].mean(0)
        mean = dense[mine & common].mean(0) if (mine & common).sum() >= _TRUSTED else theirs_mean + shift
        kept = np.flatnonzero(mine | theirs)
        labels, mine = labels[kept], mine[kept]
        features = _centred(shared[kept], np.where(mine[:, None], mean, theirs_mean))
        lessons = _Lessons(features, labels, mine, alone, classes, recipe)
        temperature, offset = lessons.calibrated(missing)
        head = lessons.head(np.ones(len(labels), dtype=bool), missing)
        head.bias[missing] += np.float32(offset)
        comparison = Comparison.fitted(features.dense, recipe)
        around = Surroundings.of(comparison.turned(features.dense), labels, temperature, recipe)
        return cls(missing, mean, head, temperature, comparison, around)

    def mixed(self, logits: Array, shared: Features, temperature: float) -> Array:
        """The first head's logits with those of the untaught intents beside them: this head decides between its best
        untaught and its best taught intent, and ranks the untaught ones; the first head ranks the taught ones."""
        own = self.head.logits(_centred(shared, self.mean)) * (temperature / self.temperature)
        taught = np.setdiff1d(np.arange(logits.shape[1]), self.missing)
        if not len(taught):
            return np.asarray(own, dtype=np.float32)
        result = logits.copy()
        between = logits[:, taught].max(1, keepdims=True) - own[:, taught].max(1, keepdims=True)
        result[:, self.missing] = own[:, self.missing] + between
        return result

    def evidence(self, rows: Array, logits: Array, shared: Features) -> Array:
        """The gate's evidence, with nearness measured by the shared vectors where the best intent is untaught."""
        borrowed = np.isin(logits.argmax(1), self.missing)
        if borrowed.any():
            turned = self.comparison.turned(_centred(shared, self.mean).dense)
            rows = rows.copy()
            rows[borrowed, 2:4] = self.surroundings.evidence(logits, turned)[borrowed, 2:4]
        return rows


@dataclass(frozen=True)
class _Lessons:
    """What the second head is taught: examples of both languages, ``mine`` those in the language of the messages, ``alone``
    the intents that only these teach."""

    features: Features
    labels: NDArray[np.int64]
    mine: NDArray[np.bool_]
    alone: list[int]
    classes: int
    recipe: Recipe

    def head(self, chosen: NDArray[np.bool_], untaught: list[int]) -> LinearHead:
        """A head of the chosen examples, each silent about the intents untaught in its language."""
        rows = np.flatnonzero(chosen)
        silent = np.zeros((len(rows), self.classes), dtype=bool)
        silent[np.ix_(self.mine[rows], untaught)] = True
        silent[np.ix_(~self.mine[rows], self.alone)] = True
        silent[np.arange(len(rows)), self.labels[rows]] = False
        return LinearHead.trained(self.features[rows], self.labels[rows], self.classes, self.recipe, silent=silent)

    def calibrated(self, missing: list[int]) -> tuple[float, float]:
        """The temperature, and what is added to the logits of untaught intents."""
        random = np.random.RandomState(9)
        quarters = random.permutation(len(self.labels)) % 4
        held = quarters == 0
        mine = self.mine & ~np.isin(self.labels, missing)
        both = np.setdiff1d(np.unique(self.labels[mine]), self.alone)
        if len(both) < _MEASURABLE and self.alone:
            return self._cautious(missing, quarters)
        if len(both) < _MEASURABLE:
            # The other language teaches every intent, so its examples compare all of them.
            logits = self.head(~held, missing).logits(self.features[np.flatnonzero(held)])
            return fitted_temperature(logits, self.labels[held]), 0.0
        logits, labels, leads, strange = [], [], [], []
        for group in np.array_split(random.permutation(both), 3)[:2]:
            left_out = mine & np.isin(self.labels, group)
            lacking = np.array(sorted({*missing, *group.tolist()}))
            seen = np.flatnonzero(mine & (left_out | held))
            said = self.head(~left_out & ~(held & mine), lacking.tolist()).logits(self.features[seen])
            logits.append(said)
            labels.append(self.labels[seen])
            # As many intents are doubted as will be: the group stands for as many of the missing ones.
            others = random.permutation(missing)[len(group) :]
            doubted = np.concatenate([group, others]).astype(np.int64)
            sure = np.setdiff1d(np.arange(self.classes), lacking)
            leads.append(said[:, doubted].max(1) - said[:, sure].max(1))
            strange.append(np.isin(self.labels[seen], group))
        temperature = fitted_temperature(np.concatenate(logits), np.concatenate(labels))
        return temperature, _fair(np.concatenate(leads), np.concatenate(strange)) + _MODESTY * temperature

    def _cautious(self, missing: list[int], quarters: NDArray[np.int64]) -> tuple[float, float]:
        """As ``calibrated``, by what held-out messages about taught intents make of the untaught ones."""
        logits = np.zeros((len(self.labels), self.classes), dtype=np.float32)
        for quarter in range(4):
            held = quarters == quarter
            logits[held] = self.head(~held, missing).logits(self.features[np.flatnonzero(held)])
        taught = np.setdiff1d(np.arange(self.classes), missing)
        leads = logits[:, missing].max(1) - logits[:, taught].max(1)
        temperature = fitted_temperature(logits, self.labels)
        # A tie, as between two intents of one language each, is no lead.
        return temperature, -float(np.quantile(leads[self.mine], 1 - _LOST)) - _TIE * temperature


def _fair(leads: Array, strange: NDArray[np.bool_]) -> float:
    """What is added to the lead of untaught intents, so that they are missed as often as taught ones are lost to them."""
    steps = np.sort(-leads)
    found = np.searchsorted(np.sort(-leads[strange]), steps) / max(strange.sum(), 1)
    lost = np.searchsorted(np.sort(-leads[~strange]), steps) / max((~strange).sum(), 1)
    return float(steps[np.argmin(np.abs(1 - found - lost))])


def _centred(shared: Features, mean: Array) -> Features:
    return Features((shared.dense - mean).astype(np.float32), shared.ngrams)
