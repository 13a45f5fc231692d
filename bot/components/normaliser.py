"""Reads a message before it is understood, and gives the written text back afterwards.

Between ``Normaliser`` and ``WrittenText`` the text of a message is its reading (plain letters, characters for pinyin, words
for emoji, slips repaired). Positions of entities and the text itself are those of the message again at the end.
"""

from __future__ import annotations

import json
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.components.gate import FREE_TEXT
from bot.components.language import LANGUAGES
from bot.negation import Refusal, find_refusal
from bot.reading.edits import Reading
from bot.reading.emoji import read_emoji
from bot.reading.letters import plain_letters
from bot.reading.pinyin import PinyinReader
from bot.reading.regional import RegionalWords, regional_words
from bot.reading.spelling import ChineseSpelling, EnglishSpelling
from bot.reading.wordlore import WordLore
from bot.text import is_cjk

READING = "reading"
REFUSED = "refused"
_READ = "read_message"
_WRITTEN = "written_text"
#: What is left of a message after a refusal may be one of these without asking for anything.
_ASKS_NOTHING = {
    "deny", "affirm", "thanks", "stop", "praise", "laugh", "apology", "greet", "goodbye", "hold_on", "insult",
    "clarify", "out_of_scope", "inform",
}  # fmt: skip


class Reader:
    """Turns a message into its reading; the steps run from letters to words."""

    def __init__(self, lore: WordLore, regional: dict[str, str], *, refuses: bool = True) -> None:
        """All is learned when a model is trained; ``refuses`` says whether the model knows what a refusal comes to."""
        self.refuses = refuses
        self._regional = RegionalWords(regional)
        self._pinyin = PinyinReader(lore)
        self._english = EnglishSpelling(lore)
        self._chinese = ChineseSpelling(lore)

    def read(self, message: str, hint: str | None, *, repair: bool = True) -> Reading:
        """The reading; ``hint`` is the language for a message without words, ``repair`` corrects slips too."""
        reading = Reading.of(message)
        if not message.isascii():
            traditional = any(written != simple and is_cjk(written) for written, simple in zip(message, reading.text))
            reading = reading.edited(plain_letters(reading.text, message))
            if traditional:
                reading = reading.edited(self._regional.edits(reading.text))
            reading = reading.edited(read_emoji(reading.text, _language(reading.text, hint)))
        reading = reading.edited(self._pinyin.edits(reading.text))
        if repair:
            reading = reading.edited(self._english.edits(reading.text))
            reading = reading.edited(self._chinese.edits(reading.text))
        return reading


def _language(text: str, hint: str | None) -> str:
    if any(map(is_cjk, text)):
        return "zh"
    if any(character.isascii() and character.isalpha() for character in text):
        return "en"
    return hint if hint in LANGUAGES else "zh"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class Normaliser(GraphComponent):
    """Puts the reading in the place of the text; learns its tables from the examples."""

    def __init__(self, model_storage: ModelStorage, resource: Resource, reader: Reader | None = None) -> None:
        """``reader`` is there once trained or loaded."""
        self._model_storage = model_storage
        self._resource = resource
        self._reader = reader

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Normaliser:
        """Untrained."""
        return cls(model_storage, resource)

    @staticmethod
    def required_packages() -> list[str]:
        """Packages that must be there at run time."""
        return ["jieba", "pypinyin", "rapidfuzz"]

    def train(self, training_data: TrainingData) -> Resource:
        """Gathers the lore of words from the examples."""
        texts = [message.get(TEXT) for message in training_data.training_examples if message.get(TEXT)]
        names = {*training_data.entity_synonyms, *training_data.entity_synonyms.values()}
        lore, regional = WordLore.gathered(texts, names), regional_words()
        with self._model_storage.write_to(self._resource) as directory:
            stored = {"lore": lore.stored(), "regional": regional, "refuses": "deny" in training_data.intents}
            (directory / "words.json").write_text(json.dumps(stored, ensure_ascii=False), encoding="utf-8")
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> Normaliser:
        """Reads the lore back."""
        with model_storage.read_from(resource) as directory:
            stored = json.loads((directory / "words.json").read_text(encoding="utf-8"))
        reader = Reader(WordLore.restored(stored["lore"]), stored["regional"], refuses=stored["refuses"])
        return cls(model_storage, resource, reader)

    def process(self, messages: list[Message]) -> list[Message]:
        """Replaces the text by its reading, without what the message asks not to do."""
        assert self._reader is not None
        for message in messages:
            written = message.get(TEXT) or ""
            metadata = message.get("metadata") or {}
            reading = self._reader.read(written, metadata.get("language_hint"))
            message.set(READING, reading.text, add_to_output=True)
            if self._reader.refuses and metadata.get("requested_slot") not in FREE_TEXT:
                refusal = find_refusal(reading.text)
                if refusal is not None:
                    message.set(REFUSED, refusal)
                    reading = reading.edited(refusal.edits)
            message.set(_WRITTEN, written)
            message.set(_READ, reading)
            message.set(TEXT, reading.text)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """The examples are read like messages, so that the model learns from what it will see; their slips stay."""
        assert self._reader is not None
        for message in training_data.training_examples:
            if message.get(TEXT):
                message.set(TEXT, self._reader.read(message.get(TEXT), None, repair=False).text or message.get(TEXT))
        return training_data


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class WrittenText(GraphComponent):
    """The last component: gives the text and the places of entities back as written, and keeps refused tasks from starting."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> WrittenText:
        """Needs no configuration."""
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets text, entities and ``refused``, the intents that the message asks not to carry out."""
        for message in messages:
            reading: Reading | None = message.get(_READ)
            if reading is None:
                continue
            refusal: Refusal | None = message.get(REFUSED)
            message.set(REFUSED, sorted(refusal.intents) if refusal else [], add_to_output=True)
            if refusal is not None:
                self._refuse(message, refusal)
            written = message.get(_WRITTEN)
            for entity in message.get(ENTITIES) or []:
                entity["start"], entity["end"] = reading.place_of(entity["start"], entity["end"])
            message.set(TEXT, written)
        return messages

    @staticmethod
    def _refuse(message: Message, refusal: Refusal) -> None:
        intent = message.get(INTENT) or {}
        if refusal.asks_nothing_else or intent.get("name") in refusal.intents | _ASKS_NOTHING:
            message.set(INTENT, {"name": "deny", "confidence": 1.0}, add_to_output=True)
