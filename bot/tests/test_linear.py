"""The arithmetic of the intent head on small made-up sets whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from bot.components.linear import (
    Blend,
    Examples,
    LinearHead,
    Recipe,
    Surroundings,
    calibrate,
    fitted_temperature,
    softmax,
    thresholds,
)
from bot.measure import Parsed, figures

CLASSES = 8


def clusters(size: int, strangers: int = 0) -> Examples:
    """Messages around one centre per intent, and strangers anywhere."""
    random = np.random.RandomState(0)
    centres = random.randn(CLASSES, 24)

    def unit(rows: np.ndarray) -> np.ndarray:
        return (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)).astype(np.float32)

    def ngrams(rows: int) -> sp.csr_matrix:
        return sp.random(rows, 2**18, density=2e-5, format="csr", dtype=np.float32, random_state=random)

    labels = np.arange(size) % CLASSES
    return Examples(
        unit(centres[labels] * 1.5 + random.randn(size, 24)), ngrams(size), labels, CLASSES,
        unit(random.randn(strangers, 24)), ngrams(strangers),
    )  # fmt: skip


@pytest.fixture(scope="module")
def examples() -> Examples:
    return clusters(480)


def test_a_head_learns_what_can_be_learnt(examples: Examples) -> None:
    head = LinearHead.trained(examples.dense[:400], examples.ngrams[:400], examples.labels[:400], CLASSES, Recipe())
    right = head.logits(examples.dense[400:], examples.ngrams[400:]).argmax(1) == examples.labels[400:]
    assert right.mean() > 0.9


def test_a_message_without_known_ngrams_is_still_ranked(examples: Examples) -> None:
    head = LinearHead.trained(examples.dense, examples.ngrams, examples.labels, CLASSES, Recipe(iterations=20))
    empty = sp.csr_matrix((1, 2**18), dtype=np.float32)
    alone = head.logits(examples.dense[:1], empty)
    together = head.logits(examples.dense[:2], sp.csr_matrix(sp.vstack([empty, examples.ngrams[1]])))
    assert np.isfinite(alone).all()
    assert np.allclose(alone[0], together[0], atol=1e-4)


def test_temperature_makes_probabilities_honest() -> None:
    random = np.random.RandomState(1)
    true = random.randn(4000, 5) * 2
    labels = (softmax(true).cumsum(1) > random.rand(4000, 1)).argmax(1)
    assert fitted_temperature((true * 3).astype(np.float32), labels) == pytest.approx(3, rel=0.15)


@pytest.mark.parametrize("strangers", [0, 120])
def test_the_score_is_high_for_what_belongs_and_low_for_what_does_not(strangers: int) -> None:
    held, blend = calibrate(clusters(480, strangers), Recipe(iterations=40))
    assert (blend.weights >= 0).all()
    inside = blend.score(held.evidence)
    assert ((inside >= 0) & (inside <= 1)).all()
    assert inside.mean() > 0.8
    if strangers:
        assert blend.score(held.foreign).mean() < 0.4


def test_more_evidence_never_lowers_the_score() -> None:
    random = np.random.RandomState(2)
    blend = Blend.fitted(random.randn(300, 4) + [1, 1, 0, -1], random.randn(300, 4))
    rows = random.randn(50, 4)
    assert (blend.score(rows + 0.5) >= blend.score(rows)).all()


def test_the_threshold_costs_what_it_may_cost() -> None:
    random = np.random.RandomState(3)
    scores, right = random.rand(2000), random.rand(2000) < 0.9
    answer, clarify = thresholds(scores, right, cost=0.02)
    assert right.mean() - (right & (scores >= answer)).mean() == pytest.approx(0.02, abs=0.002)
    assert clarify < answer


def test_evidence_of_a_copy_of_an_example_is_the_strongest(examples: Examples) -> None:
    around = Surroundings(examples.dense, examples.labels, 1.0, 1)
    logits = np.eye(CLASSES, dtype=np.float32)[examples.labels[:5]]
    assert around.evidence(logits, examples.dense[:5])[:, 2] == pytest.approx(1, abs=1e-3)


def test_the_figures_of_an_evaluation_mean_what_they_say() -> None:
    lines = [
        Parsed("a", "a", 0.9, 0.9, 0.5, "a", 1.0),
        Parsed("a", "a", 0.6, 0.4, 0.5, "clarify", 2.0),
        Parsed("b", "a", 0.5, 0.8, 0.5, "a", 3.0),
        Parsed("oos", "a", 0.4, 0.1, 0.5, "out_of_scope", 4.0),
        Parsed("oos", "ask_knowledge", 0.9, 0.85, 0.5, "ask_knowledge", 5.0),
    ]
    result = figures(lines)
    assert result["accuracy"] == pytest.approx(2 / 3, abs=1e-3)
    assert result["in_scope_accuracy_at_gate"] == pytest.approx(1 / 3, abs=1e-3)
    assert (result["oos_recall"], result["oos_recall_by_route"]) == (0.5, 1.0)
    assert result["oos_auroc"] == pytest.approx(4 / 6, abs=1e-3)
    assert result["parse_p50"] == 3.0
