"""Lets an intent that has examples in one language only work in the other one, too.

The encoder both languages share knows that two sentences mean the same; n-grams and the encoders that know one language
better do not, and would always prefer intents that were taught in the language of the message. So a second head looks at
the shared vectors alone, with each language's mean taken off, and decides how probable the untaught intents are; the
first head shares the rest among the others.
"""

from __future__ import annotations

from collections.abc import Sequence
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
        if missing and len(missing) <= classes / 2:
            found[language] = missing
    return found


@dataclass
class OtherLanguage:
    """The second head, what it looks at, and the intents each language lacks."""

    missing: dict[str, list[int]]
    means: dict[str, Array]
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
        missing: dict[str, list[int]],
        classes: int,
        recipe: Recipe,
    ) -> OtherLanguage:
        """``shared`` are the scaled vectors of the encoder that reads both languages."""
        lacking = sorted({intent for intents in missing.values() for intent in intents})
        # The means of what both languages talk about: other intents would move them by topic, not by language.
        common = ~np.isin(labels, lacking)
        means = {
            language: shared[common & (languages == language)].mean(0)
            for language in sorted(set(languages.tolist()))
            if (common & (languages == language)).any()
        }
        features = _features(shared, languages.tolist(), means)
        half = np.random.RandomState(9).permutation(len(labels)) % 2 == 0
        trial = LinearHead.trained(features[np.flatnonzero(half)], labels[half], classes, recipe)
        temperature = fitted_temperature(trial.logits(features[np.flatnonzero(~half)]), labels[~half])
        comparison = Comparison.fitted(features.dense, recipe)
        around = Surroundings.of(comparison.turned(features.dense), labels, temperature, recipe)
        head = LinearHead.trained(features, labels, classes, recipe, trial)
        return cls(missing, means, head, temperature, comparison, around)

    def mixed(self, logits: Array, shared: Array, languages: Sequence[str], temperature: float) -> Array:
        """The first head's logits, with those of untaught intents set so that they are as probable as this head says."""
        mixed = logits.copy()
        own = softmax(self.head.logits(_features(shared, languages, self.means)), self.temperature)
        for row, language in enumerate(languages):
            lacking = self.missing.get(language)
            if not lacking:
                continue
            taught = np.setdiff1d(np.arange(logits.shape[1]), lacking)
            scaled = logits[row, taught] / temperature
            total = scaled.max() + np.log(np.exp(scaled - scaled.max()).sum())
            chance = np.clip(own[row, lacking], 1e-6, 1)
            left = max(1 - float(chance.sum()), 1e-6)
            mixed[row, lacking] = temperature * (total + np.log(chance / left))
        return mixed

    def evidence(self, rows: Array, logits: Array, shared: Array, languages: Sequence[str]) -> Array:
        """The gate's evidence, with nearness measured by the shared vectors where the best intent is untaught."""
        best = logits.argmax(1)
        chosen = [row for row, language in enumerate(languages) if int(best[row]) in self.missing.get(language, ())]
        if chosen:
            features = _features(shared[chosen], [languages[row] for row in chosen], self.means)
            nearness = self.surroundings.evidence(logits[chosen], self.comparison.turned(features.dense))
            rows = rows.copy()
            rows[chosen, 2:4] = nearness[:, 2:4]
        return rows


def _features(shared: Array, languages: Sequence[str], means: dict[str, Array]) -> Features:
    nothing = np.zeros(shared.shape[1], dtype=np.float32)
    centred = shared - np.stack([means.get(language, nothing) for language in languages])
    return Features(centred.astype(np.float32), sp.csr_matrix((len(shared), 0), dtype=np.float32))
