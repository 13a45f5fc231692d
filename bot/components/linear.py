"""The intent head: scaled features and a linear softmax classifier over them."""

from __future__ import annotations

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
    directions: int = 128  #: of the sentence vectors in which messages are compared


@dataclass(frozen=True)
class Features:
    """Scaled features of some messages: sentence vectors and n-grams, one row each."""

    dense: Array
    ngrams: sp.csr_matrix

    def __getitem__(self, rows: NDArray[np.int64]) -> Features:
        return Features(self.dense[rows], self.ngrams[rows])

    def __len__(self) -> int:
        return len(self.dense)


@dataclass(frozen=True)
class Row:
    """The scaled features of one message: its sentence vectors, and the places and values of its n-grams."""

    dense: Array
    columns: NDArray[np.int64]
    values: Array


@dataclass
class Scaler:
    """Centres the sentence vectors and weighs n-grams by rarity; only n-grams seen in training are kept.

    A zero in a sentence vector means that the encoder it belongs to does not read this message's language; it stays zero.
    """

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
        mean = dense.sum(0) / np.maximum((dense != 0).sum(0), 1)
        return cls(
            mean.astype(np.float32), columns, idf.astype(np.float32), recipe.dense_weight, recipe.ngram_weight * trust
        )

    def scale(self, dense: Array, ngrams: sp.csr_matrix) -> Features:
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
        return Features(self._centred(dense), sparse)

    def scale_one(self, dense: Array, columns: NDArray[np.int64], counts: Array) -> Row:
        """As ``scale`` for the vectors, n-grams and their counts of one message, several times as quick."""
        position = self.lookup[columns]
        known = position >= 0
        position = position[known]
        values = (1 + np.log(counts[known])) * self.idf[position]
        values *= self.ngram_weight / max(float(np.linalg.norm(values)), 1e-9)
        return Row(self._centred(dense), position, values.astype(np.float32))

    def _centred(self, dense: Array) -> Array:
        centred = np.where(dense == 0, np.float32(0), dense - self.mean) * np.float32(self.dense_weight)
        return centred.astype(np.float32, copy=False)


@dataclass
class LinearHead:
    """A trained softmax layer."""

    weights: Array
    bias: Array

    @classmethod
    def trained(
        cls,
        features: Features,
        labels: NDArray[np.int64],
        classes: int,
        recipe: Recipe,
        start: LinearHead | None = None,
        silent: NDArray[np.bool_] | None = None,
    ) -> LinearHead:
        """Multinomial logistic regression by L-BFGS, rare intents weighing nearly as much as frequent ones; ``start`` helps.

        ``silent`` marks, per example, the intents that it says nothing about: it pushes none of them down. Vectors of
        encoders that read none of the examples are left out of the computation.
        """
        read = np.append(features.dense.any(axis=0), np.ones(features.ngrams.shape[1], dtype=bool))
        x, s = features.dense[:, read[: features.dense.shape[1]]], features.ngrams
        transposed = s.T.tocsr()
        examples, width = x.shape
        inputs = width + s.shape[1]
        size = inputs * classes
        target = np.zeros((examples, classes), dtype=np.float32)
        target[np.arange(examples), labels] = 1
        counts = np.maximum(np.bincount(labels, minlength=classes), 1)
        weight = (counts**-0.75).astype(np.float32)[labels]
        weight /= weight.sum()
        decay = np.float32(1 / (recipe.inverse_regularisation * examples))

        def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            point = theta.astype(np.float32)
            w, b = point[:size].reshape(inputs, classes), point[size:]
            z = x @ w[:width] + s @ w[width:] + b
            if silent is not None:
                z[silent] = -1e4
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

        first = np.zeros(size + classes)
        if start is not None:
            first = np.concatenate([start.weights[read].ravel(), start.bias])
        steps = recipe.iterations if start is None else recipe.iterations // 2
        options = {"maxiter": steps, "maxcor": 6, "ftol": 1e-6, "gtol": 1e-6}
        best = minimize(loss, first, jac=True, method="L-BFGS-B", options=options).x.astype(np.float32)
        weights = np.zeros((len(read), classes), dtype=np.float32)
        weights[read] = best[:size].reshape(inputs, classes)
        return cls(weights, best[size:])

    def logits(self, features: Features) -> Array:
        """One row per message, one column per intent."""
        width = features.dense.shape[1]
        result: Array = features.dense @ self.weights[:width] + features.ngrams @ self.weights[width:] + self.bias
        return result

    def logits_of(self, row: Row) -> Array:
        """As ``logits`` for one message."""
        width = row.dense.shape[1]
        result: Array = row.dense @ self.weights[:width] + row.values @ self.weights[width + row.columns] + self.bias
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
