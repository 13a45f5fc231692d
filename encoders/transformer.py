"""A BERT-like encoder with mean pooling, several times as quick in eight bits as in floating point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from encoders.graph import Floats, Graph, Runnable, Smoothing


@dataclass(frozen=True)
class Linear:
    """Weights, one row per output, and the bias."""

    weights: Floats
    bias: Floats

    @classmethod
    def stacked(cls, parts: Sequence[Linear]) -> Linear:
        """Several layers over one input as one."""
        return cls(np.concatenate([part.weights for part in parts]), np.concatenate([part.bias for part in parts]))


@dataclass(frozen=True)
class Norm:
    """The scale and shift of a layer normalisation."""

    scale: Floats
    shift: Floats


@dataclass(frozen=True)
class Layer:
    """One layer: attention (query, key and value stacked), its output, then the two steps of the feed-forward part."""

    attention: Linear
    attended: Linear
    after_attention: Norm
    wider: Linear
    narrower: Linear
    after: Norm


@dataclass(frozen=True)
class Transformer:
    """Everything of a model but its token embeddings."""

    heads: int
    epsilon: float
    before: Norm
    layers: Sequence[Layer]

    def runnable(self, smoothing: Smoothing, *, observed: bool = False) -> Runnable:
        """From ``embedded`` tokens (1, token, channel) to the last layer's states."""
        graph = Graph(smoothing, observed=observed)

        def multiply(name: str, source: str, linear: Linear) -> str:
            return graph.multiply(name, source, linear.weights, linear.bias)

        def norm_of(name: str, norm: Norm) -> list[str]:
            return [graph.constant(f"{name}.scale", norm.scale), graph.constant(f"{name}.shift", norm.shift)]

        def add(name: str, first: str, second: str, norm: Norm) -> str:
            inputs = [first, second, *norm_of(name, norm)]
            return graph.node("SkipLayerNormalization", inputs, [name], epsilon=self.epsilon)

        embedded = graph.input("embedded", [1, "tokens", len(self.before.scale)])
        inputs = [embedded, *norm_of("before", self.before)]
        state = graph.node("LayerNormalization", inputs, ["state"], epsilon=self.epsilon)
        for number, layer in enumerate(self.layers):
            stacked = multiply(f"{number}.attention", state, layer.attention)
            parts = [f"{number}.{part}" for part in ("q", "k", "v")]
            graph.node("Split", [stacked], parts, axis=-1)
            context = graph.node("MultiHeadAttention", parts, [f"{number}.context"], num_heads=self.heads)
            outcome = multiply(f"{number}.attended", context, layer.attended)
            state = add(f"{number}.middle", state, outcome, layer.after_attention)
            grown = graph.node("Gelu", [multiply(f"{number}.wider", state, layer.wider)], [f"{number}.grown"])
            outcome = multiply(f"{number}.narrower", grown, layer.narrower)
            state = add(f"{number}.state", state, outcome, layer.after)
        return graph.ready(state)
