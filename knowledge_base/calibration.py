"""The retrieval gate's score: how likely it is that an article answers a question, from 0 to 1.

A logistic model over the features of ``ranking``; its coefficients are fitted by ``benchmarks/fit_retrieval_gate.py``
and stored beside this file, so one threshold means the same for every question and language.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from knowledge_base.ranking import FEATURES

STORED = Path(__file__).with_name("calibration.json")


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weights of the features, the score from which the product answers, and what the encoder prefers."""

    weights: Mapping[str, float]
    intercepts: Mapping[str, float]  #: by the asker's language
    gate: float
    encoder: str  #: the passage encoder all of this was measured with
    advantage: Mapping[str, Mapping[str, float]]  #: of texts in the asker's language, by that language; see ``rank``

    def score(self, features: Mapping[str, float], language: str) -> float:
        """The probability that the article with these features answers a question in this language."""
        total = self.intercepts[language] + sum(weight * features[name] for name, weight in self.weights.items())
        return 1.0 / (1.0 + math.exp(-min(max(total, -30.0), 30.0)))


def load_calibration(path: Path = STORED) -> Calibration:
    """The stored coefficients; a file made for other features is refused."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    if set(stored["weights"]) - set(FEATURES):
        raise ValueError(f"{path.name} was fitted for other features; run benchmarks/fit_retrieval_gate.py again")
    return Calibration(**stored)
