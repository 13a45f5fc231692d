"""The encoders that come with the packages, and the one that does not."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from knowledge_base.encoder import E5Encoder, Encoder, HuggingFaceEncoder, UseEncoder, passage_encoder
from knowledge_base.errors import EncoderUnavailable

HAVE_TRANSFORMERS = find_spec("transformers") is not None and find_spec("torch") is not None


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


def test_an_unknown_encoder_is_refused_with_the_known_ones() -> None:
    with pytest.raises(EncoderUnavailable, match="'e5' or 'hf:"):
        passage_encoder("glove")


@pytest.mark.skipif(HAVE_TRANSFORMERS, reason="transformers and torch are installed")
def test_without_transformers_a_hugging_face_model_says_what_to_install() -> None:
    with pytest.raises(EncoderUnavailable, match="--extra transformers"):
        passage_encoder("hf:/models/any")


@pytest.mark.skipif(not HAVE_TRANSFORMERS, reason="transformers and torch are not installed")
def test_a_hugging_face_model_in_a_directory_encodes(tmp_path_factory: pytest.TempPathFactory) -> None:
    from transformers import BertConfig, BertModel, BertTokenizerFast

    directory = tmp_path_factory.mktemp("tiny-e5")
    (directory / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "refund", "days"]))
    BertTokenizerFast(str(directory / "vocab.txt")).save_pretrained(directory)
    config = BertConfig(vocab_size=7, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    BertModel(config).save_pretrained(directory)
    encoder = HuggingFaceEncoder(str(directory))
    rows = encoder.questions(["refund days", "refund"])
    assert rows.shape == (2, 16)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)


@pytest.mark.skipif(not HAVE_TRANSFORMERS, reason="transformers and torch are not installed")
def test_a_missing_hugging_face_model_is_named() -> None:
    with pytest.raises(EncoderUnavailable, match="/no/such/model"):
        HuggingFaceEncoder("/no/such/model")
