"""Calibrates a head on examples it has not seen: temperature, the blend of the gate score, and the thresholds.

The gate score is mapped to 0..1 by a logistic function fitted on held-out examples against the strange messages, or
without them against examples of intents that were left out of training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.components.gate_score import Blend, Comparison, Strangers, Surroundings
from bot.components.linear import Array, Features, LinearHead, Recipe, fitted_temperature

#: Parts of the strange messages; each is judged by what the others taught, nearly as many as teach the final gate.
_STRANGE_FOLDS = 5


@dataclass(frozen=True)
class HeldOut:
    """Examples as seen by heads that were trained without them, and examples of intents that those heads never saw."""

    logits: Array
    labels: NDArray[np.int64]
    evidence: Array
    index: NDArray[np.int64]
    foreign: Array


@dataclass(frozen=True)
class Examples:
    """The scaled features and labels of a training set, with the messages that no intent fits (often none)."""

    features: Features
    labels: NDArray[np.int64]
    classes: int
    strange: Features
    comparison: Comparison

    @property
    def has_strangers(self) -> bool:
        """Whether there are enough strange messages to learn from."""
        return len(self.strange) >= 40


def hold_out(
    examples: Examples, recipe: Recipe, *, folds: int, rounds: int, leave_intents_out: bool
) -> tuple[HeldOut, LinearHead]:
    """Trains ``rounds`` heads, each without one fold of every intent and, if so wanted, without a fifth of the intents.

    Returns what they said of what they had not seen, and the last head.
    """
    random = np.random.RandomState(7)
    features, labels, classes = examples.features, examples.labels, examples.classes
    turned, strange_turned = (examples.comparison.turned(one.dense) for one in (features, examples.strange))
    fold_of = np.empty(len(labels), dtype=np.int64)
    for label in range(classes):
        members = random.permutation(np.flatnonzero(labels == label))
        fold_of[members] = (np.arange(len(members)) + random.randint(folds)) % folds
    group_of = random.permutation(classes) % max(5, rounds) if leave_intents_out else np.full(classes, -1)
    strange_of = random.permutation(len(examples.strange)) % _STRANGE_FOLDS
    parts: list[HeldOut] = []
    for one in range(rounds):
        kept = group_of[labels] != one
        train, held = np.flatnonzero(kept & (fold_of != one)), np.flatnonzero(kept & (fold_of == one))
        present = np.flatnonzero(group_of != one)
        renumber = np.full(classes, -1)
        renumber[present] = np.arange(len(present))
        head = LinearHead.trained(features[train], renumber[labels[train]], len(present), recipe)
        logits = head.logits(features[held])
        temperature = fitted_temperature(logits, renumber[labels[held]])
        around = Surroundings.of(turned[train], renumber[labels[train]], temperature, recipe)
        if examples.has_strangers:
            seen = np.empty((len(held), 6), dtype=np.float32)
            strange: list[Array] = []
            group = random.permutation(len(held)) % _STRANGE_FOLDS
            for fold in range(_STRANGE_FOLDS):
                left, rows = np.flatnonzero(strange_of == fold), np.flatnonzero(group == fold)
                around.strangers = Strangers.fitted(turned[train], strange_turned[strange_of != fold])
                strange.append(around.evidence(head.logits(examples.strange[left]), strange_turned[left]))
                seen[rows] = around.evidence(logits[rows], turned[held[rows]])
            unseen = np.concatenate(strange)
        else:
            seen, foreign = around.evidence(logits, turned[held]), np.flatnonzero(~kept)
            unseen = around.evidence(head.logits(features[foreign]), turned[foreign]) if len(foreign) else seen[:0]
        everything = np.full((len(held), classes), -30.0, dtype=np.float32)
        everything[:, present] = logits
        parts.append(HeldOut(everything, labels[held], seen, held, unseen))
    together = HeldOut(*(np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])))
    return together, head


def calibrate(examples: Examples, recipe: Recipe) -> tuple[HeldOut, Blend, LinearHead]:
    """Held-out examples of heads nearly as well trained as the final one, the blend that tells strange messages apart,
    and one of those heads for the final one to start from.

    Small sets are cross-validated throughout; large ones tell enough in one or two rounds.
    """
    size = len(examples.labels)
    few = size <= 3000
    folds = min(recipe.folds, max(2, int(np.bincount(examples.labels, minlength=examples.classes).max())))
    rounds = folds if few else 2 if size <= 6_000 else 1
    own, head = hold_out(examples, recipe, folds=folds if few else 8, rounds=rounds, leave_intents_out=False)
    if examples.has_strangers:
        return own, Blend.fitted(own.evidence, own.foreign), head
    if examples.classes < 6:
        return own, Blend.fitted(own.evidence, own.evidence - 2 * own.evidence.std(0)), head
    rounds = min(2, folds) if few else 1
    strange, _ = hold_out(examples, recipe, folds=folds, rounds=rounds, leave_intents_out=True)
    return own, Blend.fitted(strange.evidence, strange.foreign), head


def thresholds(scores: Array, right: NDArray[np.bool_], cost: float = 0.01) -> tuple[float, float]:
    """The answer threshold that costs at most ``cost`` of the in-scope accuracy, and a clarify threshold that costs a third of it."""

    def at(share: float) -> float:
        good = np.sort(scores[right])
        if not len(good):
            return 0.0
        return float(good[min(len(good) - 1, int(share * len(scores)))]) - 1e-6

    return max(0.0, at(cost)), max(0.0, at(cost / 3))


def per_language(languages: Sequence[str], minimum: int = 60) -> list[str]:
    """The languages with enough examples for thresholds of their own."""
    return sorted({language for language in set(languages) if list(languages).count(language) >= minimum})
