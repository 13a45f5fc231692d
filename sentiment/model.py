"""The trained model: a message's label, its value from -1 to 1, and how upset its writer is from 0 to 1."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sentiment.features import Dense, grams, plain
from sentiment.lines import LABELS
from sentiment.signs import Floats, Signs

FILE, FACTS = "sentiment.npz", "sentiment.json"


@dataclass(frozen=True, slots=True)
class Sentiment:
    """How one message feels."""

    label: str  #: "negative", "neutral" or "positive"
    value: float  #: probability of positive minus that of negative: -1 to 1
    anger: float  #: probability that the writer is angry or in distress: 0 to 1
    probabilities: tuple[float, float, float]  #: in the order of ``LABELS``


@dataclass(frozen=True)
class Kernel:
    """How alike two messages are: the parts of the sum, fitted by cross-validation (docs/sentiment.md)."""

    near: float = 3.0  #: weight of exp(-width · squared distance) of the dense rows
    width: float = 0.3
    wording: float = 1.0  #: weight of the cosine of the n-grams
    constant: float = 0.1
    ridge: float = 0.1

    def nearness(self, rows: Floats, others: Floats, lengths: Floats | None = None) -> Floats:
        """One row for each of ``rows``, one column for each of ``others`` with squared ``lengths``; without n-grams."""
        lengths = (others**2).sum(1) if lengths is None else lengths
        squares = (rows**2).sum(1)[:, None] + lengths[None] - 2 * rows @ others.T
        near: Floats = self.near * np.exp(-self.width * np.maximum(squares, 0)) + self.constant
        return near


class Vocabulary:
    """The n-grams that stand in two training lines or more, with how much each tells."""

    def __init__(self, known: Sequence[str], weights: Floats) -> None:
        self.known = list(known)
        self.weights = weights  #: inverse document frequency
        self._place = {gram: place for place, gram in enumerate(self.known)}

    @classmethod
    def fitted(cls, texts: Sequence[str]) -> Vocabulary:
        """Of plain texts."""
        count: dict[str, int] = {}
        for text in texts:
            for gram in grams(text):
                count[gram] = count.get(gram, 0) + 1
        known = sorted(gram for gram, number in count.items() if number >= 2)
        weights = [np.log((1 + len(texts)) / (1 + count[gram])) + 1 for gram in known]
        return cls(known, np.asarray(weights, dtype=np.float32))

    def entries(self, text: str) -> tuple[list[int], Floats]:
        """The columns and values of one plain text; together of length one, or none."""
        found = [(self._place[gram], number) for gram, number in grams(text).items() if gram in self._place]
        columns = [column for column, _ in found]
        values = np.asarray([1 + np.log(number) for _, number in found], dtype=np.float32)
        values = values * self.weights[columns] if columns else values
        return columns, values / max(float(np.linalg.norm(values)), 1e-9)


class SentimentModel:
    """Reads messages; may be used from any thread."""

    def __init__(
        self,
        dense: Dense,
        vocabulary: Vocabulary,
        kernel: Kernel,
        examples: Floats,
        near: Floats,
        wording: Floats,
        scales: Floats,
        anger: Floats,
    ) -> None:
        self.dense = dense
        self.vocabulary = vocabulary
        self.kernel = kernel
        self.examples = examples  #: dense rows of the training lines
        self._lengths = (examples**2).sum(1)
        self.near = near  #: lines × (three labels and anger): what each nearness counts
        self.wording = wording  #: n-grams × (three labels and anger)
        self.scales = scales  #: 3 × 4: logits of the labels from their scores, and a constant
        self.anger = anger  #: logit of anger from its score, the negative score, and a constant

    def read(self, text: str) -> Sentiment:
        """How one message feels; nothing but spaces is neutral."""
        return self.read_all([text])[0]

    def read_all(self, texts: Sequence[str]) -> list[Sentiment]:
        """How each of the messages feels."""
        said = [plain(text) for text in texts]
        spoken = [text for text in said if text]
        read = iter(self._read(spoken) if spoken else ())
        return [next(read) if text else Sentiment("neutral", 0.0, 0.0, (0.0, 1.0, 0.0)) for text in said]

    def _read(self, texts: Sequence[str]) -> list[Sentiment]:
        scores = self.kernel.nearness(self.dense.rows(texts), self.examples, self._lengths) @ self.near
        for row, text in zip(scores, texts, strict=True):
            columns, values = self.vocabulary.entries(text)
            if columns:
                row += self.kernel.wording * (values @ self.wording[columns])
        probabilities, anger = calibrated(scores, self.scales, self.anger)
        return [
            Sentiment(LABELS[int(row.argmax())], float(row[2] - row[0]), float(angry), (*map(float, row),))  # type: ignore[arg-type]
            for row, angry in zip(probabilities, anger, strict=True)
        ]

    def save(self, folder: Path) -> None:
        """Write the model as two files that hold numbers and text only."""
        folder.mkdir(parents=True, exist_ok=True)
        blocks = {f"centre_{n}": values for n, values in enumerate(self.dense.centres)}
        blocks |= {f"scale_{n}": values for n, values in enumerate(self.dense.scales)}
        np.savez_compressed(
            folder / FILE,
            examples=self.examples.astype(np.float16),
            near=self.near.astype(np.float32),
            wording=self.wording.astype(np.float32),
            idf=self.vocabulary.weights,
            scales=self.scales,
            anger=self.anger,
            **blocks,  # type: ignore[arg-type]
        )
        facts = {"grams": self.vocabulary.known, "signs": self.dense.signs.state(), "kernel": vars(self.kernel)}
        (folder / FACTS).write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> SentimentModel:
        """Read what ``save`` wrote; raises ``FileNotFoundError`` that says what to run."""
        if not (folder / FACTS).exists() or not (folder / FILE).exists():
            raise FileNotFoundError(f"there is no trained sentiment model in {folder}; run `make setup`")
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        with np.load(folder / FILE, allow_pickle=False) as stored:
            held = {name: stored[name] for name in stored.files}
        blocks = range(3)
        dense = Dense(
            Signs.of_state(facts["signs"]), [held[f"centre_{n}"] for n in blocks], [held[f"scale_{n}"] for n in blocks]
        )
        return cls(
            dense,
            Vocabulary(facts["grams"], held["idf"]),
            Kernel(**facts["kernel"]),
            held["examples"].astype(np.float32),
            held["near"],
            held["wording"],
            held["scales"],
            held["anger"],
        )


def calibrated(scores: Floats, scales: Floats, anger: Floats) -> tuple[Floats, Floats]:
    """Probabilities of the three labels, and of anger, from the four scores of each message."""
    ones = np.ones((len(scores), 1), dtype=scores.dtype)
    logits = np.concatenate([scores[:, :3], ones], axis=1) @ scales.T
    logits -= logits.max(1, keepdims=True)
    powers = np.exp(logits)
    angry = np.concatenate([scores[:, 3:4], scores[:, :1], ones], axis=1) @ anger
    chances = powers / powers.sum(1, keepdims=True)
    return chances.astype(np.float32), (1 / (1 + np.exp(-angry))).astype(np.float32)
