"""Trains the model on the project's lines and measures it by leaving whole topics out.

``python -m sentiment.train --out DIR``; nothing is done where the model of these lines is there already. Kernel ridge regression: one system of
equations, and the leave-topics-out scores that calibrate it come out of the same inverse (Rifkin & Lippert 2007).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sentiment.features import Dense, plain
from sentiment.figures import macro_f1
from sentiment.lines import LABELS, LANGUAGES, Line, problems, read, read_test
from sentiment.model import FACTS, FILE, Kernel, SentimentModel, Vocabulary, calibrated
from sentiment.signs import Floats, Signs

ROOT = Path(__file__).resolve().parent.parent
DATA, TEST = ROOT / "nlu_data" / "sentiment", ROOT / "nlu_data" / "test" / "sentiment"
MODEL = ROOT / "var" / "sentiment"
_PARTS = 5  #: topics are left out in so many groups
_MARK = "trained_on.json"


def trained(lines: Sequence[Line], signs: Signs, kernel: Kernel) -> tuple[SentimentModel, Floats]:
    """The model of these lines, and the four scores each line gets from the lines of other topics."""
    texts = [plain(line.text) for line in lines]
    blocks = Dense.raw(signs, texts)
    dense = Dense.fitted(signs, blocks)
    examples = dense.scaled(blocks)
    vocabulary = Vocabulary.fitted(texts)
    wording = Wording(vocabulary, texts)
    alike = kernel.nearness(examples, examples) + kernel.wording * wording.cosines()
    wanted = targets(lines)
    inverse = np.linalg.inv(alike + kernel.ridge * np.eye(len(texts), dtype=np.float32))
    counts = inverse @ wanted
    left_out = without_their_topic(inverse, counts, wanted, [line.topic for line in lines])
    scales, anger = calibration(left_out, lines)
    model = SentimentModel(dense, vocabulary, kernel, examples, counts, wording.gathered(counts), scales, anger)
    return model, left_out


class Wording:
    """The n-grams of all lines: nearly all of them stand in a few lines only."""

    def __init__(self, vocabulary: Vocabulary, texts: Sequence[str]) -> None:
        self._lines = len(texts)
        self._columns: list[list[int]] = [[] for _ in vocabulary.known]  #: the lines that hold each n-gram
        self._values: list[list[float]] = [[] for _ in vocabulary.known]
        for row, text in enumerate(texts):
            for column, value in zip(*vocabulary.entries(text), strict=True):
                self._columns[column].append(row)
                self._values[column].append(float(value))

    def cosines(self, many: int = 60) -> Floats:
        """Every line with every line; n-grams of more than ``many`` lines are multiplied as one matrix."""
        found = np.zeros((self._lines, self._lines), dtype=np.float32)
        frequent = [column for column, rows in enumerate(self._columns) if len(rows) > many]
        matrix = np.zeros((self._lines, len(frequent)), dtype=np.float32)
        for place, column in enumerate(frequent):
            matrix[self._columns[column], place] = self._values[column]
        for rows, values in zip(self._columns, self._values, strict=True):
            if len(rows) <= many:
                found[np.ix_(rows, rows)] += np.multiply.outer(values, values)
        found += matrix @ matrix.T
        return found

    def gathered(self, counts: Floats) -> Floats:
        """What each n-gram counts, summed over the lines that hold it."""
        pairs = zip(self._columns, self._values, strict=True)
        return np.stack([np.asarray(values, dtype=np.float32) @ counts[rows] for rows, values in pairs])


def targets(lines: Sequence[Line]) -> Floats:
    """What the four scores should be: a third more for the right label than for the others, and one for anger."""
    wanted = np.zeros((len(lines), 4), dtype=np.float32)
    for row, line in zip(wanted, lines, strict=True):
        row[:3] = -1 / 3
        row[LABELS.index(line.label)] = 2 / 3
        row[3] = line.angry
    return wanted


def without_their_topic(inverse: Floats, counts: Floats, wanted: Floats, topics: Sequence[str]) -> Floats:
    """The scores of each line by a model that never saw its topic, in either language."""
    scores = np.empty_like(wanted)
    names = sorted(set(topics))
    for part in range(_PARTS):
        rows = np.flatnonzero(np.isin(topics, names[part::_PARTS]))
        if len(rows):
            scores[rows] = wanted[rows] - np.linalg.solve(inverse[np.ix_(rows, rows)], counts[rows])
    return scores


def calibration(scores: Floats, lines: Sequence[Line], steps: int = 60) -> tuple[Floats, Floats]:
    """Scales that turn left-out scores into probabilities: logistic regression by Newton's method, lightly held back."""
    ones = np.ones((len(scores), 1))
    inputs = np.concatenate([scores[:, :3], ones], axis=1).astype(np.float64)
    right = np.eye(3)[[LABELS.index(line.label) for line in lines]]
    scales = np.concatenate([np.eye(3), np.zeros((3, 1))], axis=1)
    for _ in range(steps):
        logits = inputs @ scales.T
        powers = np.exp(logits - logits.max(1, keepdims=True))
        chances = powers / powers.sum(1, keepdims=True)
        slope = (chances - right).T @ inputs + 1e-2 * scales
        bend = np.zeros((12, 12))
        for one in range(3):
            for other in range(3):
                weight = chances[:, one] * ((one == other) - chances[:, other])
                bend[one * 4 : one * 4 + 4, other * 4 : other * 4 + 4] = (inputs * weight[:, None]).T @ inputs
        scales -= np.linalg.solve(bend + 1e-2 * np.eye(12), slope.ravel()).reshape(3, 4)
    seen = np.concatenate([scores[:, 3:4], scores[:, :1], ones], axis=1).astype(np.float64)
    angry = np.array([line.angry for line in lines], dtype=float)
    anger = np.zeros(3)
    for _ in range(steps):
        chance = 1 / (1 + np.exp(-seen @ anger))
        slope = seen.T @ (chance - angry) + 1e-2 * anger
        bend = (seen * (chance * (1 - chance))[:, None]).T @ seen + 1e-2 * np.eye(3)
        anger -= np.linalg.solve(bend, slope)
    return scales.astype(np.float32), anger.astype(np.float32)


def report(lines: Sequence[Line], left_out: Floats, model: SentimentModel) -> dict[str, float]:
    """Macro F1 by language with whole topics left out, and how well anger is told."""
    chances, anger = calibrated(left_out, model.scales, model.anger)
    found: dict[str, float] = {}
    for language in LANGUAGES:
        rows = [row for row, line in enumerate(lines) if line.language == language]
        wanted = [lines[row].label for row in rows]
        found[language] = macro_f1(wanted, [LABELS[int(chances[row].argmax())] for row in rows])
    angry = np.array([line.angry for line in lines])
    ranks = anger[angry][:, None] > anger[~angry][None]
    return found | {"anger_auroc": float(ranks.mean())}


def fingerprint() -> str:
    """A hash over everything the model depends on: the lines, the words and the code of this room."""
    digest = hashlib.sha256()
    measuring = {"evaluate.py", "figures.py", "reading.py"}
    code = [path for path in Path(__file__).parent.glob("*.py") if path.name not in measuring]
    for path in sorted([*DATA.rglob("*.yml"), *code]):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def main() -> None:
    """Check the lines, train, and write the model, if anything changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=MODEL, help="folder of the trained model")
    parser.add_argument("--force", action="store_true", help="train although nothing changed")
    arguments = parser.parse_args()
    out: Path = arguments.out
    mark, remembered = fingerprint(), out / _MARK
    there = remembered.exists() and (out / FILE).exists() and (out / FACTS).exists()
    if there and not arguments.force and json.loads(remembered.read_text())["fingerprint"] == mark:
        return
    began = time.perf_counter()
    lines = read(DATA)
    wrong = problems(lines, read_test(TEST))
    if wrong:
        raise SystemExit("The lines must be corrected first:\n" + "\n".join(f"  {sentence}" for sentence in wrong))
    model, left_out = trained(lines, Signs.read(DATA), Kernel())
    model.save(out)
    figures = report(lines, left_out, model)
    remembered.write_text(json.dumps({"fingerprint": mark, "topics_left_out": figures}))
    told = ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
    print(f"      sentiment: {len(lines)} lines; macro F1 with whole topics left out: {told}", flush=True)
    print(f"      written to {out} in {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
