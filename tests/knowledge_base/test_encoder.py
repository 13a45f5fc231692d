"""The encoders that come with the packages."""

from __future__ import annotations

import numpy as np
import pytest

from knowledge_base.encoder import E5Encoder, Encoder, UseEncoder


@pytest.fixture(scope="module", params=[UseEncoder, E5Encoder])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    built: Encoder = request.param()
    return built


def test_rows_have_length_one_and_the_named_dimensions(encoder: Encoder) -> None:
    for rows in (encoder.questions(["When?", "什么时候"]), encoder.passages(["On Monday.", "周一。"])):
        assert rows.shape == (2, encoder.dimensions)
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-3)
    assert encoder.passages([]).shape == (0, encoder.dimensions)


def test_the_right_text_is_nearer_in_the_other_language_too(encoder: Encoder) -> None:
    texts = ["The refund arrives within three days.", "The watch can be worn while swimming."]
    near = encoder.passages(texts) @ encoder.questions(["退款几天到账", "手表能戴着游泳吗"]).T
    assert near.argmax(axis=0).tolist() == [0, 1]


def test_traditional_characters_mean_the_same_as_simplified_ones(encoder: Encoder) -> None:
    traditional, simplified = encoder.questions(["退貨運費誰付", "退货运费谁付"])
    assert float(traditional @ simplified) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("text", ["", "\0", "\ud83d", "🪁", "a" * 600])
def test_any_text_has_a_row(encoder: Encoder, text: str) -> None:
    assert np.isfinite(encoder.questions([text])).all()
