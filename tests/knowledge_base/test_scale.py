"""Another encoder's cosines are put where ranking and gate expect them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.scale import FAR, NEAR, Scale, imputed, scale_of

Floats = npt.NDArray[np.float32]
LANGUAGES = ["zh", "en"] * 20


def texts(seed: int, shared: float, near: float) -> tuple[Floats, Floats]:
    """Titles and passages: all have something in common, and those of one article have more."""
    drawn = np.random.default_rng(seed)
    subject = drawn.normal(size=(40, 64)) + shared
    rows = [subject * near + drawn.normal(size=(40, 64)) for _ in range(2)]
    titles, passages = ((one / np.linalg.norm(one, axis=1, keepdims=True)).astype(np.float32) for one in rows)
    return titles, passages


@given(st.floats(0, 2), st.floats(1, 5), st.integers(0, 1000))
def test_near_and_far_lie_where_e5_has_them_whatever_the_encoder(shared: float, near: float, seed: int) -> None:
    titles, passages = texts(seed, shared, near)
    scaled = scale_of(titles, passages, LANGUAGES)(titles @ passages.T)
    own = np.eye(40, dtype=np.bool_)
    strange = np.equal.outer(LANGUAGES, LANGUAGES) & ~own
    assert float(scaled[own].mean()) == pytest.approx(NEAR, abs=1e-3)
    assert float(scaled[strange].mean()) == pytest.approx(FAR, abs=1e-3)


def test_a_scale_keeps_the_order() -> None:
    scale = scale_of(*texts(1, 0.3, 2), LANGUAGES)
    cosines = np.array([0.1, 0.5, 0.9], dtype=np.float32)
    assert scale(cosines).tolist() == sorted(scale(cosines).tolist())


def test_of_few_articles_or_of_an_encoder_that_tells_nothing_apart_nothing_can_be_told() -> None:
    titles, passages = texts(1, 0.3, 2)
    assert scale_of(titles[:3], passages[:3], LANGUAGES[:3]) == Scale()
    assert scale_of(titles, passages, [str(number) for number in range(40)]) == Scale()
    same = np.ones((40, 1), dtype=np.float32)
    assert scale_of(same, same, LANGUAGES) == Scale()


def test_what_use_says_is_near_is_expected_to_be_near() -> None:
    low, high = imputed(np.array([0.1, 0.9], dtype=np.float32)).tolist()
    assert 0.7 < low < high < 1
