"""The score the gate looks at: whether any intent fits a message at all.

The probability of the best intent says which intent it is; it does not say whether any intent fits. For that the gate
score blends the size of the best logit with the similarity to the nearest examples and, where strange messages were
given, with how unlike them a message is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from bot.components.linear import Array, Recipe


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
    """The mean of the greatest similarities in each row, 0 where there is nothing to compare with."""
    count = min(neighbours, similar.shape[1])
    if count == 0:
        return np.zeros(len(similar), dtype=similar.dtype)
    result: Array = np.partition(similar, -count, axis=1)[:, -count:].mean(1)
    return result


@dataclass(frozen=True)
class Comparison:
    """Turns sentence vectors so that few numbers hold most of what tells them apart; messages are compared in these."""

    directions: Array

    @classmethod
    def fitted(cls, dense: Array, recipe: Recipe) -> Comparison:
        """The principal directions of some thousand examples (singular value decomposition of their covariance)."""
        chosen = np.random.RandomState(5).permutation(len(dense))[:6000]
        _, vectors = np.linalg.eigh(np.cov(_unit(dense[chosen]), rowvar=False))
        return cls(np.ascontiguousarray(vectors[:, ::-1][:, : recipe.directions], dtype=np.float32))

    def turned(self, dense: Array) -> Array:
        """Rows of length one: their products are cosines."""
        return _unit(_unit(dense) @ self.directions)


def _unit(rows: Array) -> Array:
    result: Array = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return result


@dataclass
class Surroundings:
    """The labelled examples around a message and, if there are any, the strangers."""

    examples: Array
    labels: NDArray[np.int64]
    temperature: float
    neighbours: int
    strangers: Strangers | None = None

    def __post_init__(self) -> None:
        """Puts the examples in the order of their intents, so that those of one intent are a slice."""
        order = np.argsort(self.labels, kind="stable")
        self.examples, self.labels = np.ascontiguousarray(self.examples[order]), self.labels[order]

    @classmethod
    def of(cls, turned: Array, labels: NDArray[np.int64], temperature: float, recipe: Recipe) -> Surroundings:
        """The examples to look at: a few hundred of each intent, since every message is compared with all of them."""
        random = np.random.RandomState(11)
        kept = np.concatenate(
            [random.permutation(np.flatnonzero(labels == label))[: recipe.landmarks] for label in np.unique(labels)]
        )
        return cls(turned[kept], labels[kept], temperature, recipe.neighbours)

    def evidence(self, logits: Array, turned: Array) -> Array:
        """What the gate score is made of, one row per message: the best logit, its lead, how near the nearest examples are
        at all and those of the best intent; with strangers also how familiar the message is."""
        similar = turned @ self.examples.T
        best = logits.argmax(1)
        two = np.partition(logits, -2, axis=1)[:, -2:]
        near = _nearest(similar, self.neighbours)
        own = np.empty_like(near)
        for label in np.unique(best):
            first, stop = np.searchsorted(self.labels, [label, label + 1])
            own[best == label] = _nearest(similar[best == label, first:stop], self.neighbours)
        rows = np.stack([two[:, 1] / self.temperature, (two[:, 1] - two[:, 0]) / self.temperature, near, own], axis=1)
        if self.strangers is not None:
            rows = np.concatenate([rows, self.strangers.familiarity(turned, near, self.neighbours)], axis=1)
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
