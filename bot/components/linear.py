"""The arithmetic of the intent head: a linear softmax classifier, its calibration, and the score the gate looks at.

The probability of the best intent says which intent it is; it does not say whether any intent fits. For that the gate
score blends the size of the best logit with the similarity to the nearest examples and, where strange messages were
given, with how unlike them a message is. It is mapped to 0..1 by a logistic function fitted on held-out examples against
those strange messages, or without them against examples of intents that were left out of training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Recipe:
    """How a head is trained; the values were chosen by cross-validation on several public sets and our own."""

    dense_weight: float = 1.0
    ngram_weight: float = 1.0
    inverse_regularisation: float = 30.0
    iterations: int = 80
    folds: int = 5
    neighbours: int = 3
    landmarks: int = 250  #: examples of each intent that messages are compared with


@dataclass
class Scaler:
    """Centres the sentence vector and weighs n-grams by rarity; only n-grams seen in training are kept."""

    mean: Array
    columns: NDArray[np.int64]
    idf: Array
    dense_weight: float
    ngram_weight: float
    lookup: NDArray[np.int32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.lookup = np.full(2**18, -1, dtype=np.int32)
        self.lookup[self.columns] = np.arange(len(self.columns), dtype=np.int32)

    @classmethod
    def fitted(cls, dense: Array, ngrams: sp.csr_matrix, classes: int, recipe: Recipe) -> Scaler:
        """The scaler of these examples.

        The more examples an intent has, the more its wording can be trusted: above 100 per intent the weight of n-grams
        grows with the square root of their number, up to 3.5 times (cross-validated between 10 and 1 000 per intent).
        """
        examples = ngrams.shape[0]
        trust = min(3.5, max(1.0, (examples / classes / 100) ** 0.5))
        frequency = np.bincount(ngrams.indices, minlength=ngrams.shape[1])
        # An n-gram that occurs once in a large set costs time and teaches next to nothing.
        columns = np.flatnonzero(frequency >= (2 if examples > 1000 else 1))
        idf = np.log((1 + examples) / (1 + frequency[columns])) + 1
        return cls(dense.mean(0), columns, idf.astype(np.float32), recipe.dense_weight, recipe.ngram_weight * trust)

    def scale(self, dense: Array, ngrams: sp.csr_matrix) -> tuple[Array, sp.csr_matrix]:
        """Both kinds of features, ready for the linear layer."""
        position = self.lookup[ngrams.indices]
        known = position >= 0
        counts = (
            np.add.reduceat(np.append(known, False), ngrams.indptr[:-1]) if ngrams.nnz else np.zeros(ngrams.shape[0])
        )
        counts = np.where(np.diff(ngrams.indptr) == 0, 0, counts)
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        position = position[known]
        values = (1 + np.log(ngrams.data[known])) * self.idf[position]
        rows = np.repeat(np.arange(ngrams.shape[0]), np.diff(indptr))
        norm = np.sqrt(np.bincount(rows, weights=values**2, minlength=ngrams.shape[0]))
        values = values / np.maximum(norm[rows], 1e-9) * self.ngram_weight
        sparse = sp.csr_matrix(
            (values.astype(np.float32), position, indptr), shape=(ngrams.shape[0], len(self.columns))
        )
        return ((dense - self.mean) * np.float32(self.dense_weight)).astype(np.float32), sparse


@dataclass
class LinearHead:
    """A trained softmax layer with everything needed to score a message."""

    scaler: Scaler
    weights: Array
    bias: Array

    @classmethod
    def trained(
        cls, dense: Array, ngrams: sp.csr_matrix, labels: NDArray[np.int64], classes: int, recipe: Recipe
    ) -> LinearHead:
        """Multinomial logistic regression by L-BFGS; rare intents weigh more, by the square root of their rarity."""
        scaler = Scaler.fitted(dense, ngrams, classes, recipe)
        x, s = scaler.scale(dense, ngrams)
        transposed = s.T.tocsr()
        examples, width = x.shape
        inputs = width + s.shape[1]
        size = inputs * classes
        target = np.zeros((examples, classes), dtype=np.float32)
        target[np.arange(examples), labels] = 1
        counts = np.maximum(np.bincount(labels, minlength=classes), 1)
        weight = np.sqrt(1 / counts).astype(np.float32)[labels]
        weight /= weight.sum()
        decay = np.float32(1 / (recipe.inverse_regularisation * examples))

        def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            point = theta.astype(np.float32)
            w, b = point[:size].reshape(inputs, classes), point[size:]
            z = x @ w[:width] + s @ w[width:] + b
            z -= z.max(1, keepdims=True)
            e = np.exp(z)
            total = e.sum(1, keepdims=True)
            value = float((weight * (np.log(total[:, 0]) - (z * target).sum(1))).sum()) + 0.5 * float(decay) * float(
                np.vdot(w, w)
            )
            slope = (e / total - target) * weight[:, None]
            gradient = np.empty_like(point)
            grid = gradient[:size].reshape(inputs, classes)
            grid[:width] = x.T @ slope
            grid[width:] = transposed @ slope
            grid += decay * w
            gradient[size:] = slope.sum(0)
            return value, gradient.astype(np.float64)

        options = {"maxiter": recipe.iterations, "maxcor": 6, "ftol": 1e-6, "gtol": 1e-6}
        best = minimize(loss, np.zeros(size + classes), jac=True, method="L-BFGS-B", options=options).x.astype(
            np.float32
        )
        return cls(scaler, best[:size].reshape(inputs, classes), best[size:])

    def logits(self, dense: Array, ngrams: sp.csr_matrix) -> Array:
        """One row per message, one column per intent."""
        x, s = self.scaler.scale(dense, ngrams)
        width = x.shape[1]
        result: Array = x @ self.weights[:width] + s @ self.weights[width:] + self.bias
        return result


def softmax(logits: Array, temperature: float = 1.0) -> Array:
    """Probabilities row by row."""
    z = logits / temperature
    e = np.exp(z - z.max(-1, keepdims=True))
    result: Array = e / e.sum(-1, keepdims=True)
    return result


def fitted_temperature(logits: Array, labels: NDArray[np.int64]) -> float:
    """The temperature at which held-out probabilities fit best."""

    def loss(log_temperature: float) -> float:
        p = softmax(logits, float(np.exp(log_temperature)))[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(p, 1e-9)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-4, 4), method="bounded").x))


@dataclass
class Strangers:
    """Messages that no intent fits, and a linear detector that tells them from the examples by their sentence vectors."""

    examples: Array
    centre: Array
    weights: Array
    bias: float

    @classmethod
    def fitted(cls, inside: Array, strange: Array) -> Strangers:
        """A strongly regularised logistic regression, both sides weighing the same."""
        centre = inside.mean(0)
        x = np.concatenate([inside, strange]) - centre
        y = np.concatenate([np.ones(len(inside)), -np.ones(len(strange))])
        weight = np.concatenate([np.full(len(inside), 0.5 / len(inside)), np.full(len(strange), 0.5 / len(strange))])

        def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            margin = y * (x @ theta[:-1] + theta[-1])
            pull = -weight * y / (1 + np.exp(margin))
            value = float((weight * np.logaddexp(0, -margin)).sum() + 1e-3 * np.vdot(theta[:-1], theta[:-1]))
            return value, np.append(pull @ x + 2e-3 * theta[:-1], pull.sum())

        best = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B").x
        return cls(strange, centre, best[:-1].astype(np.float32), float(best[-1]))

    def familiarity(self, dense: Array, near: Array, neighbours: int) -> Array:
        """Two columns: the detector's logit, and by how much the nearest examples are nearer than the nearest stranger."""
        logit = (dense - self.centre) @ self.weights + self.bias
        return np.stack([logit, near - _nearest(dense @ self.examples.T, neighbours)], axis=1)


def _nearest(similar: Array, neighbours: int) -> Array:
    count = min(neighbours, similar.shape[1])
    result: Array = np.partition(similar, -count, axis=1)[:, -count:].mean(1)
    return result


@dataclass
class Surroundings:
    """The labelled examples around a message and, if there are any, the strangers."""

    examples: Array
    labels: NDArray[np.int64]
    temperature: float
    neighbours: int
    strangers: Strangers | None = None

    @classmethod
    def of(cls, dense: Array, labels: NDArray[np.int64], temperature: float, recipe: Recipe) -> Surroundings:
        """The examples to look at: a few hundred of each intent, since every message is compared with all of them."""
        random = np.random.RandomState(11)
        kept = np.concatenate(
            [random.permutation(np.flatnonzero(labels == label))[: recipe.landmarks] for label in np.unique(labels)]
        )
        return cls(dense[kept], labels[kept], temperature, recipe.neighbours)

    def evidence(self, logits: Array, dense: Array) -> Array:
        """What the gate score is made of, one row per message: the best logit, its lead, how near the nearest examples are
        at all and those of the best intent; with strangers also how familiar the message is."""
        similar = dense @ self.examples.T
        best = logits.argmax(1)
        ordered = np.sort(logits, axis=1)
        near = _nearest(similar, self.neighbours)
        own = _nearest(np.where(self.labels[None, :] == best[:, None], similar, 0.0), self.neighbours)
        rows = np.stack(
            [ordered[:, -1] / self.temperature, (ordered[:, -1] - ordered[:, -2]) / self.temperature, near, own], axis=1
        )
        if self.strangers is not None:
            rows = np.concatenate([rows, self.strangers.familiarity(dense, near, self.neighbours)], axis=1)
        return rows.astype(np.float32)


@dataclass
class Blend:
    """The gate score: a logistic function of the evidence."""

    centre: Array
    spread: Array
    weights: Array
    bias: float

    @classmethod
    def fitted(cls, inside: Array, outside: Array) -> Blend:
        """Separates messages that belong from messages that do not, both sides weighing the same."""
        both = np.concatenate([inside, outside])
        centre, spread = both.mean(0), both.std(0) + 1e-6
        x = (both - centre) / spread
        y = np.concatenate([np.ones(len(inside)), -np.ones(len(outside))])
        weight = np.concatenate([np.full(len(inside), 0.5 / len(inside)), np.full(len(outside), 0.5 / len(outside))])

        def loss(theta: NDArray[np.float64]) -> float:
            margin = y * (x @ theta[:-1] + theta[-1])
            return float((weight * np.logaddexp(0, -margin)).sum() + 1e-3 * (theta[:-1] ** 2).sum())

        # No part of the evidence may count against a message: the score must grow with each of them.
        bounds = [(0.0, None)] * x.shape[1] + [(None, None)]
        best = minimize(loss, np.concatenate([np.full(x.shape[1], 0.5), [0.0]]), method="L-BFGS-B", bounds=bounds).x
        return cls(centre, spread, best[:-1].astype(np.float32), float(best[-1]))

    def score(self, rows: Array) -> Array:
        """Scores from 0 to 1."""
        z = ((rows - self.centre) / self.spread) @ self.weights + self.bias
        result: Array = 1 / (1 + np.exp(-z))
        return result


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
    """The features and labels of a training set, with the messages that no intent fits (often none)."""

    dense: Array
    ngrams: sp.csr_matrix
    labels: NDArray[np.int64]
    classes: int
    strange_dense: Array
    strange_ngrams: sp.csr_matrix

    @property
    def has_strangers(self) -> bool:
        """Whether there are enough strange messages to learn from."""
        return len(self.strange_dense) >= 40


def hold_out(examples: Examples, recipe: Recipe, *, folds: int, rounds: int, leave_intents_out: bool) -> HeldOut:
    """Trains ``rounds`` heads, each without one fold of every intent and, if so wanted, without a fifth of the intents."""
    random = np.random.RandomState(7)
    dense, ngrams, labels, classes = examples.dense, examples.ngrams, examples.labels, examples.classes
    fold_of = np.empty(len(labels), dtype=np.int64)
    for label in range(classes):
        members = random.permutation(np.flatnonzero(labels == label))
        fold_of[members] = (np.arange(len(members)) + random.randint(folds)) % folds
    group_of = random.permutation(classes) % max(5, rounds) if leave_intents_out else np.full(classes, -1)
    half_of = random.permutation(len(examples.strange_dense)) % max(2, rounds)
    parts: list[HeldOut] = []
    for one in range(rounds):
        kept = group_of[labels] != one
        train, held = np.flatnonzero(kept & (fold_of != one)), np.flatnonzero(kept & (fold_of == one))
        present = np.flatnonzero(group_of != one)
        renumber = np.full(classes, -1)
        renumber[present] = np.arange(len(present))
        head = LinearHead.trained(dense[train], ngrams[train], renumber[labels[train]], len(present), recipe)
        logits = head.logits(dense[held], ngrams[held])
        temperature = fitted_temperature(logits, renumber[labels[held]])
        around = Surroundings.of(dense[train], renumber[labels[train]], temperature, recipe)
        foreign = (dense[~kept], ngrams[np.flatnonzero(~kept)])
        if examples.has_strangers:
            around.strangers = Strangers.fitted(dense[train], examples.strange_dense[half_of != one])
            foreign = (examples.strange_dense[half_of == one], examples.strange_ngrams[np.flatnonzero(half_of == one)])
        everything = np.full((len(held), classes), -30.0, dtype=np.float32)
        everything[:, present] = logits
        seen = around.evidence(logits, dense[held])
        unseen = around.evidence(head.logits(*foreign), foreign[0]) if len(foreign[0]) else seen[:0]
        parts.append(HeldOut(everything, labels[held], seen, held, unseen))
    return HeldOut(*(np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])))


def calibrate(examples: Examples, recipe: Recipe) -> tuple[HeldOut, Blend]:
    """Held-out examples of heads nearly as well trained as the final one, and the blend that tells strange messages apart.

    Small sets are cross-validated throughout; large ones tell enough in one or two rounds.
    """
    size = len(examples.labels)
    few = size <= 3000
    folds = min(recipe.folds, max(2, int(np.bincount(examples.labels, minlength=examples.classes).max())))
    rounds = folds if few else 2 if size <= 10_000 else 1
    own = hold_out(examples, recipe, folds=folds if few else 8, rounds=rounds, leave_intents_out=False)
    if examples.has_strangers:
        return own, Blend.fitted(own.evidence, own.foreign)
    if examples.classes < 6:
        return own, Blend.fitted(own.evidence, own.evidence - 2 * own.evidence.std(0))
    strange = hold_out(examples, recipe, folds=folds, rounds=min(2, folds) if few else 1, leave_intents_out=True)
    return own, Blend.fitted(strange.evidence, strange.foreign)


def thresholds(scores: Array, right: NDArray[np.bool_], cost: float = 0.04) -> tuple[float, float]:
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
