"""Lets an intent that has examples in one language only work in the other one, too.

The encoder both languages share knows that two sentences mean the same; n-grams and the encoders that know one language
better do not, and would always prefer intents that were taught in the language of the message. Even the shared vectors
lean towards their own language. So a second head, which has seen no example in the language of the message at all, says
how probable the untaught intents are, each language's mean taken off; the first head shares the rest among the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from bot.components.gate_score import Comparison, Surroundings
from bot.components.linear import Array, Features, LinearHead, Recipe, fitted_temperature, softmax

#: Examples from which an intent counts as taught in a language; strays (an English name in a Chinese set) do not teach.
TAUGHT = 3


def untaught(labels: NDArray[np.int64], languages: NDArray[np.str_], classes: int) -> dict[str, list[int]]:
    """The intents that each language lacks; none in a language that has hardly an intent of its own."""
    found: dict[str, list[int]] = {}
    for language in sorted(set(languages.tolist())):
        counts = np.bincount(labels[languages == language], minlength=classes)
        missing = np.flatnonzero(counts < TAUGHT).tolist()
        if missing and len(missing) <= classes * 0.6:
            found[language] = missing
    return found


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
        shared: Array,
        labels: NDArray[np.int64],
        languages: NDArray[np.str_],
        language: str,
        missing: list[int],
        classes: int,
        recipe: Recipe,
    ) -> BorrowedHead:
        """``shared`` are the vectors of every example by the encoders that read both languages."""
        mine, theirs = languages == language, languages != language
        # The means of what both talk about: other intents would move them by topic, not by language.
        common = ~np.isin(labels, missing)
        other_mean = shared[theirs & common].mean(0) if (theirs & common).any() else shared[theirs].mean(0)
        features, known = _features(shared[theirs], other_mean), labels[theirs]
        held = np.random.RandomState(9).permutation(len(known)) % 4 == 0
        trial = LinearHead.trained(features[np.flatnonzero(~held)], known[~held], classes, recipe)
        temperature = fitted_temperature(trial.logits(features[np.flatnonzero(held)]), known[held])
        comparison = Comparison.fitted(features.dense, recipe)
        return cls(
            missing,
            shared[mine & common].mean(0),
            LinearHead.trained(features, known, classes, recipe, trial),
            temperature,
            comparison,
            Surroundings.of(comparison.turned(features.dense), known, temperature, recipe),
        )

    def mixed(self, logits: Array, shared: Array, temperature: float) -> Array:
        """The first head's logits, with those of untaught intents set so that they are as probable as this head says."""
        own = softmax(self.head.logits(_features(shared, self.mean)), self.temperature)
        taught = np.setdiff1d(np.arange(logits.shape[1]), self.missing)
        scaled = logits[:, taught] / temperature
        top = scaled.max(1, keepdims=True)
        total = top + np.log(np.exp(scaled - top).sum(1, keepdims=True))
        chance = np.clip(own[:, self.missing], 1e-6, 1)
        left = np.maximum(1 - chance.sum(1, keepdims=True), 1e-6)
        result = logits.copy()
        result[:, self.missing] = temperature * (total + np.log(chance / left))
        return result

    def evidence(self, rows: Array, logits: Array, shared: Array) -> Array:
        """The gate's evidence, with nearness measured by the shared vectors where the best intent is untaught."""
        borrowed = np.isin(logits.argmax(1), self.missing)
        if borrowed.any():
            turned = self.comparison.turned(_features(shared, self.mean).dense)
            rows = rows.copy()
            rows[borrowed, 2:4] = self.surroundings.evidence(logits, turned)[borrowed, 2:4]
        return rows


def _features(shared: Array, mean: Array) -> Features:
    return Features((shared - mean).astype(np.float32), sp.csr_matrix((len(shared), 0), dtype=np.float32))
