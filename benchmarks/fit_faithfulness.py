"""Fits the weights of ``support_of`` on the development sentences; prints them to be copied by hand.

``python -m benchmarks.fit_faithfulness``. Sentences that an exact check refuses are left out, because nothing is weighed
for them; supported sentences held against other passages stand for what was made up.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from knowledge_base.encoder import UseEncoder
from knowledge_base.evaluate_faithfulness import ROOM, Line, judge, read_lines
from knowledge_base.generation.faithfulness import FaithfulnessChecker, Features

_OTHERS = 6  #: passages each supported sentence is held against
_STEPS = 60_000


def unrelated(lines: Sequence[Line]) -> list[Line]:
    """Supported sentences with passages about something else."""
    choose = random.Random(5)
    passages = list({id(line.passage): line.passage for line in lines}.values())
    return [
        Line(other, line.text, line.language, False, "unrelated")
        for line in lines
        if line.supported
        for other in choose.sample([one for one in passages if one is not line.passage], _OTHERS)
    ]


def fit(rows: Sequence[tuple[Line, Features]], names: Sequence[str]) -> tuple[list[float], float]:
    """Weights of a logistic regression and its constant; an unsupported sentence that passes costs twice."""
    values = np.array([[getattr(features, name) for name in names] for _, features in rows])
    wanted = np.array([line.supported for line, _ in rows], dtype=float)
    cost = np.array([1.0 if line.supported else 0.5 if line.kind == "unrelated" else 2.0 for line, _ in rows])
    weights, constant = np.zeros(len(names)), 0.0
    for _ in range(_STEPS):
        error = (1 / (1 + np.exp(-(values @ weights + constant))) - wanted) * cost
        weights -= 0.1 * (values.T @ error / len(rows) + 0.001 * weights)
        constant -= 0.1 * float(error.mean())
    return weights.round(2).tolist(), round(constant, 2)


def main() -> None:
    """Print both sets of weights."""
    checker = FaithfulnessChecker(UseEncoder().passages)
    written = read_lines(ROOM / "dev" / "faithfulness.yml")
    lines = [*written, *unrelated(written)]
    verdicts = judge(checker, lines)
    for across, names in ((False, ("nearness", "covered", "anchored")), (True, ("nearness", "anchored"))):
        rows = [
            (line, checker.features(line.text, line.passage, line.passage.text, line.language))
            for line, verdict in zip(lines, verdicts, strict=True)
            if verdict.reason in ("", "meaning", "clause") and line.across == across
        ]
        weights, constant = fit(rows, names)
        print("across languages" if across else "same language", dict(zip(names, weights, strict=True)), constant)


if __name__ == "__main__":
    main()
