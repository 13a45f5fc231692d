"""Builds and runs an ONNX graph whose multiplications are done in eight bits, on one core.

Weights are rounded per output, activations per text as they come. What rounding would spoil are the few channels whose
activations are a hundred times larger than the others: each channel is divided by a factor measured once on sample
texts, and its weights are multiplied by it (Xiao et al. 2023, "SmoothQuant").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Smoothing = Mapping[str, Floats]  #: factors per channel, by the name of the multiplication
_STANDARD = {
    *("Add", "Concat", "Gather", "Identity", "LayerNormalization", "Mul", "ReduceSum", "Relu", "Reshape", "Split"),
    *("Tanh",),
}


class Graph:
    """A graph in the making. ``observed`` adds the input of every multiplication as an output, to measure factors with."""

    def __init__(self, smoothing: Smoothing, *, observed: bool = False) -> None:
        from onnx import helper, numpy_helper

        self._helper, self._stored = helper, numpy_helper.from_array
        self._smoothing, self._observed = smoothing, observed
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs: list[Any] = []
        self._multiplied: dict[str, Floats] = {}

    def input(self, name: str, shape: Sequence[str | int], kind: type[np.generic] = np.float32) -> str:
        """An input of the given shape; names stand for free dimensions."""
        element = self._helper.np_dtype_to_tensor_dtype(np.dtype(kind))
        self._inputs.append(self._helper.make_tensor_value_info(name, element, list(shape)))
        return name

    def constant(self, name: str, values: npt.NDArray[Any]) -> str:
        """A stored tensor."""
        self._constants.append(self._stored(np.ascontiguousarray(values), name))
        return name

    def node(self, operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> str:
        """One operation of the standard or of the runtime's own; returns the first output's name."""
        domain = "" if operator in _STANDARD else "com.microsoft"
        self._nodes.append(self._helper.make_node(operator, inputs, outputs, domain=domain, **attributes))
        return outputs[0]

    def multiply(self, name: str, source: str, weights: Floats, bias: Floats) -> str:
        """``source`` times the weights (one row per output) plus the bias."""
        if self._observed:
            self.node("Identity", [source], [f"{name}.seen"])
            self._multiplied[name] = weights
        if name in self._smoothing:
            factors = self._smoothing[name]
            source = self.node("Mul", [source, self.constant(f"{name}.by", 1 / factors)], [f"{name}.smooth"])
            weights = weights * factors
        steps = np.maximum(np.abs(weights).max(axis=1), 1e-9) / 127
        inputs = [
            source,
            self.constant(f"{name}.weights", np.round(weights / steps[:, None]).astype(np.int8).T),
            self.constant(f"{name}.steps", steps.astype(np.float32)),
            "",
            self.constant(f"{name}.bias", bias),
        ]
        return self.node("DynamicQuantizeMatMul", inputs, [f"{name}.out"])

    def ready(self, output: str) -> Runnable:
        """The finished graph with its one output."""
        import onnx

        names = [output, *(f"{name}.seen" for name in self._multiplied)]
        built = self._helper.make_model(
            self._helper.make_graph(
                self._nodes,
                "encoder",
                self._inputs,
                [onnx.ValueInfoProto(name=name) for name in names],
                self._constants,
            ),
            opset_imports=[self._helper.make_opsetid("", 17), self._helper.make_opsetid("com.microsoft", 1)],
            ir_version=9,
        )
        return Runnable(built.SerializeToString(), output, self._multiplied)


class Runnable:
    """A graph ready to run, with the weights of its multiplications if it is observed."""

    def __init__(self, graph: bytes, output: str, multiplied: Mapping[str, Floats]) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._output = output
        self._multiplied = multiplied

    def __call__(self, **inputs: npt.NDArray[Any]) -> Floats:
        """The output for these inputs."""
        result: Floats = self._session.run([self._output], inputs)[0]
        return result

    def largest(self, **inputs: npt.NDArray[Any]) -> dict[str, Floats]:
        """The largest magnitude in each channel of every multiplied input."""
        values = self._session.run([f"{name}.seen" for name in self._multiplied], inputs)
        return {
            name: np.abs(value).reshape(-1, value.shape[-1]).max(0)
            for name, value in zip(self._multiplied, values, strict=True)
        }

    def smoothing(self, largest: Mapping[str, Floats], strength: float = 0.75) -> dict[str, Floats]:
        """Factors for these magnitudes; ``strength`` is how much of their spread the weights take over."""
        factors: dict[str, Floats] = {}
        for name, weights in self._multiplied.items():
            of_weights = np.maximum(np.abs(weights).max(axis=0), 1e-5)
            # A channel that was silent in the samples may speak in another text; it must not be blown up then.
            of_inputs = np.maximum(largest[name], 0.25 * np.median(largest[name]) + 1e-5)
            raw = of_inputs**strength / of_weights ** (1 - strength)
            factors[name] = (raw / np.exp(np.log(raw).mean())).astype(np.float32)
        return factors
