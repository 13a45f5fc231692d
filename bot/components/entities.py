"""Finds entities by the patterns of ``bot.patterns`` and the product names of ``nlu_data/lookups``."""

from __future__ import annotations

import json
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.patterns import Found, compact, find_entities, product_pattern

FOUND = "found_entities"


# Registered as a featurizer because it must also run over the examples: the n-grams see what was found.
@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class PatternEntities(GraphComponent):
    """Sets ``entities`` of a message; what it learns in training is the list of product names."""

    def __init__(self, model_storage: ModelStorage, resource: Resource, canonical: dict[str, str]) -> None:
        """``canonical`` maps every written form of a product to the name it goes by."""
        self._model_storage = model_storage
        self._resource = resource
        self._set_products(canonical)

    def _set_products(self, canonical: dict[str, str]) -> None:
        self._written = canonical
        self._canonical = {compact(alias): name for alias, name in canonical.items()}
        self._products = product_pattern(canonical)

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> PatternEntities:
        """Starts without product names; training brings them."""
        return cls(model_storage, resource, {})

    def train(self, training_data: TrainingData) -> Resource:
        """Takes the product names from the synonyms of the training data."""
        names = dict(training_data.entity_synonyms)
        names.update({name: name for name in set(names.values())})
        self._set_products(names)
        with self._model_storage.write_to(self._resource) as directory:
            (directory / "products.json").write_text(json.dumps(names, ensure_ascii=False), encoding="utf-8")
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> PatternEntities:
        """Reads the product names back."""
        with model_storage.read_from(resource) as directory:
            names = json.loads((directory / "products.json").read_text(encoding="utf-8"))
        return cls(model_storage, resource, names)

    def find(self, text: str) -> list[Found]:
        """The entities of a text."""
        return find_entities(text, self._products, self._canonical)

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets ``entities`` in Rasa's form."""
        for message in messages:
            found = self.find(message.get(TEXT) or "")
            message.set(FOUND, found)
            entities = [{"extractor": "PatternEntities", **vars(entity)} for entity in found]
            message.set(ENTITIES, entities, add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leaves what was found where the n-grams look for it, without annotating the examples."""
        for message in training_data.training_examples:
            message.set(FOUND, self.find(message.get(TEXT) or ""))
        return training_data
