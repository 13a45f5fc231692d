"""Runs the model's graph one node after the other; for the few nodes of a turn Rasa's general scheduler costs more than they do."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from rasa.core.processor import MessageProcessor
from rasa.engine.graph import GraphNode
from rasa.engine.loader import load_predict_graph_runner
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.storage import ModelMetadata


class StraightRunner(DaskGraphRunner):  # type: ignore[misc]  # rasa is not installed where types are checked
    """Works out the order of the nodes once per set of targets."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """As the runner it replaces."""
        super().__init__(*arguments, **named)
        self._plans: dict[tuple[str, ...], list[tuple[str, GraphNode, list[str]]]] = {}

    def run(self, inputs: dict[str, Any] | None = None, targets: list[str] | None = None) -> dict[str, Any]:
        """The outputs of the targets."""
        wanted = tuple(targets or self._graph_schema.target_names)
        if wanted not in self._plans:
            self._plans[wanted] = self._plan(wanted)
        outputs = {name: (name, value) for name, value in (inputs or {}).items()}
        for name, node, needs in self._plans[wanted]:
            outputs[name] = node(*[outputs[need] for need in needs])
        return {name: outputs[name][1] for name in wanted}

    def _plan(self, wanted: tuple[str, ...]) -> list[tuple[str, GraphNode, list[str]]]:
        ordered: dict[str, tuple[str, GraphNode, list[str]]] = {}

        def visit(name: str) -> None:
            if name in ordered or name not in self._graph_schema.nodes:
                return  # done already, or one of the inputs
            needs = list(self._graph_schema.nodes[name].needs.values())
            for need in needs:
                visit(need)
            ordered[name] = (name, self._instantiated_nodes[name], needs)

        for name in wanted:
            visit(name)
        return list(ordered.values())


class StraightProcessor(MessageProcessor):  # type: ignore[misc]
    """Rasa's message processor with that runner."""

    @staticmethod
    def _load_model(model_path: str) -> tuple[str, ModelMetadata, StraightRunner]:
        with tempfile.TemporaryDirectory() as folder:
            metadata, runner = load_predict_graph_runner(
                Path(folder), Path(model_path), LocalModelStorage, StraightRunner
            )
        return Path(model_path).name, metadata, runner
