"""Finds the entities of a message by the catalogue of ``nlu_data/entities`` and the product names of ``nlu_data/lookups``."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot import settings
from bot.answers import ANSWERS
from bot.entities.catalogue import Catalogue, build, load
from bot.entities.finder import Entity, Finder
from bot.nlu_data import words_in

#: The entities that the forms and the intent classifier are built on, as a property of a message.
FOUND = "found_entities"
_FILE = "entities.json"


# Registered as a featurizer because it must also run over the examples: the n-grams see what was found.
@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class PatternEntities(GraphComponent):
    """Sets ``entities`` of a message. A model keeps the catalogue it was trained with, the product names, and the words
    that customers write often."""

    def __init__(self, model_storage: ModelStorage, resource: Resource, finder: Finder) -> None:
        """``finder`` is empty until training."""
        self._model_storage = model_storage
        self._resource = resource
        self._finder = finder
        self._zone = ZoneInfo(settings.time_zone())

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> PatternEntities:
        """Starts without a catalogue; training brings it."""
        return cls(model_storage, resource, Finder(Catalogue(())))

    def train(self, training_data: TrainingData) -> Resource:
        """Takes the catalogue as it is now, the product names from the synonyms, and the frequent words of the examples."""
        names = dict(training_data.entity_synonyms)
        names.update({name: name for name in set(names.values())})
        frequent = words_in(example.get(TEXT) or "" for example in training_data.training_examples)
        catalogue = load(settings.entity_catalogue())
        self._finder = Finder(catalogue, frequent, names)
        learned = {"catalogue": catalogue.source, "products": names, "frequent": sorted(frequent)}
        with self._model_storage.write_to(self._resource) as directory:
            (directory / _FILE).write_text(json.dumps(learned, ensure_ascii=False), encoding="utf-8")
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
        """Reads back what training kept."""
        with model_storage.read_from(resource) as directory:
            learned = json.loads((directory / _FILE).read_text(encoding="utf-8"))
        finder = Finder(build(learned["catalogue"]), learned["frequent"], learned["products"])
        return cls(model_storage, resource, finder)

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets ``entities`` in Rasa's form, with ``normalized`` beside ``value``."""
        for message in messages:
            metadata = message.get("metadata") or {}
            expected = ANSWERS.get(metadata.get("requested_slot") or "", set())
            reading = self._finder.find(message.get(TEXT) or "", self._said_at(metadata), expected)
            message.set(FOUND, list(reading.core))
            message.set(ENTITIES, as_rasa(reading.entities), add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leaves what was found where the n-grams look for it, without annotating the examples."""
        now = datetime.now(timezone.utc)
        for message in training_data.training_examples:
            message.set(FOUND, list(self._finder.find(message.get(TEXT) or "", now).core))
        return training_data

    def _said_at(self, metadata: Mapping[str, Any]) -> datetime:
        """When the message was sent, in the zone of who sent it: both as the turn says, else now and the desk's zone."""
        zone = self._zone
        try:
            zone = ZoneInfo(metadata["time_zone"]) if metadata.get("time_zone") else zone
            sent_at = datetime.fromisoformat(metadata["sent_at"].replace("Z", "+00:00"))
        except (KeyError, ValueError, AttributeError, TypeError, OSError):
            sent_at = datetime.now(timezone.utc)
        return (sent_at if sent_at.tzinfo else sent_at.replace(tzinfo=timezone.utc)).astimezone(zone)


def as_rasa(entities: Collection[Entity]) -> list[dict[str, Any]]:
    """Entities as Rasa hands them on; one that ``is_a`` wider kind (a mobile number is a phone) is told as both."""
    told = []
    for entity in entities:
        body = {
            "start": entity.start,
            "end": entity.end,
            "value": entity.value,
            "normalized": entity.normalized,
            "extractor": "PatternEntities",
        }
        told.append({"entity": entity.entity, **body})
        if entity.is_a:
            told.append({"entity": entity.is_a, **body})
    return told
