"""Figures of an evaluation: accuracy, what the gate lets through, calibration and time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

OUT_OF_SCOPE = "oos"


@dataclass(frozen=True)
class Parsed:
    """One test line with what the model made of it."""

    intent: str
    predicted: str
    probability: float
    score: float
    threshold: float
    decided: str
    milliseconds: float

    @property
    def passed(self) -> bool:
        """Whether the gate lets the intent act."""
        return self.score >= self.threshold

    @property
    def right(self) -> bool:
        """Whether the best intent is the true one, gate or no gate."""
        return self.predicted == self.intent


def figures(parsed: Sequence[Parsed]) -> dict[str, Any]:
    """The keys that docs and the command promise; without out-of-scope lines the figures about them are None."""
    inside = [line for line in parsed if line.intent != OUT_OF_SCOPE]
    outside = [line for line in parsed if line.intent == OUT_OF_SCOPE]
    times = np.array([line.milliseconds for line in parsed])
    return {
        "test": len(parsed),
        "accuracy": _share([line.right for line in inside]),
        "macro_f1": _macro_f1(inside),
        "in_scope_accuracy_at_gate": _share([line.right and line.passed for line in inside]),
        "oos_recall": _share([not line.passed for line in outside]) if outside else None,
        "oos_recall_by_route": (
            _share([not line.passed or line.decided == "ask_knowledge" for line in outside]) if outside else None
        ),
        "oos_auroc": _auroc(inside, outside) if outside else None,
        # Where the threshold would stand if these lines themselves chose it: what the score can do.
        "oos_recall_at_cost": (
            {str(cost): withheld(inside, outside, cost, _gate_score)[1] for cost in (0.01, 0.02, 0.04)}
            if outside
            else None
        ),
        "ece": _calibration_error(inside),
        "parse_p50": round(float(np.percentile(times, 50)), 2),
        "parse_p95": round(float(np.percentile(times, 95)), 2),
    }


def near_topic(inside: Sequence[Parsed], near: Sequence[Parsed], cost: float = 0.01) -> dict[str, Any]:
    """How many near-topic lines each score withholds at the threshold that costs this much of the in-scope accuracy."""
    result: dict[str, Any] = {"near": len(near), "cost": cost}
    for name, score in (("gate", _gate_score), ("max_softmax", _probability)):
        result[f"{name}_in_scope"], result[f"{name}_recall"] = withheld(inside, near, cost, score)
        result[f"{name}_auroc"] = _auroc(inside, near, score)
    result["recall_gain"] = round(result["gate_recall"] - result["max_softmax_recall"], 4)
    return result


def withheld(
    inside: Sequence[Parsed], outside: Sequence[Parsed], cost: float, score: Callable[[Parsed], float]
) -> tuple[float, float]:
    """In-scope accuracy and out-of-scope recall at the threshold that costs at most this share of the lines in scope."""
    right = np.sort([score(line) for line in inside if line.right])
    threshold = right[min(int(cost * len(inside)), len(right) - 1)] if len(right) else 0.0
    return (
        _share([line.right and score(line) >= threshold for line in inside]),
        _share([score(line) < threshold for line in outside]),
    )


def _gate_score(line: Parsed) -> float:
    return line.score


def _probability(line: Parsed) -> float:
    return line.probability


def _share(hits: Sequence[bool]) -> float:
    return round(float(np.mean(hits)), 4) if hits else 0.0


def by_intent(inside: Sequence[Parsed]) -> dict[str, dict[str, Any]]:
    """Precision, recall and F1 of every intent that a line has."""
    scores: dict[str, dict[str, Any]] = {}
    for intent in sorted({line.intent for line in inside}):
        hit = sum(line.right for line in inside if line.intent == intent)
        true = sum(line.intent == intent for line in inside)
        said = sum(line.predicted == intent for line in inside)
        scores[intent] = {
            "lines": true,
            "precision": round(hit / said, 4) if said else None,
            "recall": round(hit / true, 4),
            "f1": round(2 * hit / (true + said), 4),
        }
    return scores


def _macro_f1(inside: Sequence[Parsed]) -> float:
    scores = [score["f1"] for score in by_intent(inside).values()]
    return round(float(np.mean(scores)), 4) if scores else 0.0


def _auroc(
    inside: Sequence[Parsed], outside: Sequence[Parsed], score: Callable[[Parsed], float] = _gate_score
) -> float:
    good, bad = np.array([score(line) for line in inside]), np.array([score(line) for line in outside])
    wins = np.searchsorted(np.sort(bad), good, "left") + np.searchsorted(np.sort(bad), good, "right")
    return round(float(wins.mean() / (2 * len(bad))), 4)


def reliability(inside: Sequence[Parsed], bins: int = 15) -> list[dict[str, Any]]:
    """For each step of confidence that occurs: where it begins, how many lines, how sure and how often right they were."""
    probability = np.array([line.probability for line in inside])
    right = np.array([line.right for line in inside])
    place = np.minimum((probability * bins).astype(int), bins - 1)
    return [
        {
            "from": round(one / bins, 4),
            "lines": int((place == one).sum()),
            "sure": float(probability[place == one].mean()),
            "right": float(right[place == one].mean()),
        }
        for one in range(bins)
        if (place == one).any()
    ]


def _calibration_error(inside: Sequence[Parsed]) -> float:
    steps = reliability(inside) if inside else []
    return round(sum(abs(step["sure"] - step["right"]) * step["lines"] for step in steps) / max(len(inside), 1), 4)
