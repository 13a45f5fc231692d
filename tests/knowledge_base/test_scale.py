"""Another encoder's cosines are put where ranking and gate expect them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.scale import Scale, imputed, scale_of


def rows(seed: int, shared: float, count: int = 60, dimensions: int = 32) -> np.ndarray:
    """Random directions with something in common, of length one."""
    drawn = np.random.default_rng(seed)
    found = drawn.normal(size=(count, dimensions)) + shared
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def pairs(of: np.ndarray) -> np.ndarray:
    return (of @ of.T)[np.triu_indices(len(of), k=1)]


@given(st.floats(0, 2), st.integers(0, 1000))
def test_scaled_cosines_lie_where_e5_would_have_them_whatever_the_encoder(shared: float, seed: int) -> None:
    use, other = rows(seed, 0.3), rows(seed + 1, shared)
    scaled = scale_of(use, other)(pairs(other))
    assert float(scaled.mean()) == pytest.approx(float(imputed(pairs(use)).mean()), abs=1e-3)
    assert float(scaled.std()) == pytest.approx(0.41 * float(pairs(use).std()), rel=0.02)


def test_a_scale_keeps_the_order() -> None:
    scale = scale_of(rows(1, 0.3), rows(2, 0.0))
    cosines = np.array([0.1, 0.5, 0.9], dtype=np.float32)
    assert scale(cosines).tolist() == sorted(scale(cosines).tolist())


def test_of_few_texts_or_of_equal_ones_nothing_can_be_told() -> None:
    assert scale_of(rows(1, 0.3, count=3), rows(2, 0.3, count=3)) == Scale()
    assert scale_of(rows(1, 0.3), np.ones((60, 1), dtype=np.float32)) == Scale()
