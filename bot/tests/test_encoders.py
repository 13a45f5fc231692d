"""MiniLM in eight bits against the same network in floating point, and its place in the features."""

from __future__ import annotations

import numpy as np
import pytest
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from scipy.special import erf

from bot.components.features import SECOND_DENSE, SecondSentenceEncoder
from encoders import minilm
from encoders.e5 import E5
from encoders.minilm import MiniLM
from encoders.transformer import Linear, Norm, Transformer


def in_floating_point(model: Transformer, state: np.ndarray) -> np.ndarray:
    def linear(x: np.ndarray, layer: Linear) -> np.ndarray:
        return x @ layer.weights.T + layer.bias

    def norm(x: np.ndarray, of: Norm) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + model.epsilon) * of.scale + of.shift

    state = norm(state, model.before)
    for layer in model.layers:
        query, key, value = (
            part.reshape(len(state), model.heads, -1).transpose(1, 0, 2)
            for part in np.split(linear(state, layer.attention), 3, axis=-1)
        )
        attention = np.exp(query @ key.transpose(0, 2, 1) / np.sqrt(query.shape[-1]))
        attention /= attention.sum(-1, keepdims=True)
        context = (attention @ value).transpose(1, 0, 2).reshape(len(state), -1)
        state = norm(state + linear(context, layer.attended), layer.after_attention)
        wide = linear(state, layer.wider)
        state = norm(state + linear(wide * 0.5 * (1 + erf(wide / np.sqrt(2))), layer.narrower), layer.after)
    return state


def test_minilm_gives_the_vectors_of_the_unrounded_network(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Transformer] = []
    build = minilm._transformer

    def kept(weights: dict[str, np.ndarray]) -> Transformer:
        made.append(build(weights))
        return made[-1]

    monkeypatch.setattr(minilm, "_transformer", kept)
    model = MiniLM()
    for text in (
        "where is my parcel",
        "I'd like to return the headphones I bought last week, the left side is silent.",
    ):
        exact = in_floating_point(made[0], model._embedded(text)[0].astype(np.float64)).mean(0)
        assert exact / np.linalg.norm(exact) @ model.encode([text])[0] > 0.995, text


def test_minilm_knows_a_paraphrase_from_another_question() -> None:
    question, paraphrase, other = MiniLM().encode(
        ["My card has not arrived yet", "I'm still waiting for my card", "How do I change my PIN?"]
    )
    assert question @ paraphrase > question @ other + 0.2


def test_a_text_longer_than_the_model_reads_is_cut() -> None:
    assert np.isfinite(MiniLM().encode(["parcel " * 2000])).all()


@pytest.mark.parametrize(
    ("text", "everything", "by_e5", "by_minilm"),
    [
        ("where is my parcel", False, False, True),
        ("我的快递到哪了", False, True, False),
        ("我的 order 到哪了", False, True, False),
        ("where is my parcel", True, True, True),
        ("12345678", False, False, True),
    ],
)
def test_each_language_is_read_by_the_encoder_that_knows_it(
    text: str, everything: bool, by_e5: bool, by_minilm: bool
) -> None:
    message = Message({TEXT: text})
    SecondSentenceEncoder(everything).process([message])
    vector = message.get_dense_features(TEXT, [SECOND_DENSE])[1].features[0]
    assert (vector[: E5.width].any(), vector[E5.width :].any()) == (by_e5, by_minilm)
