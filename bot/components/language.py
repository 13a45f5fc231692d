"""Decides the language of a message: Chinese or English by what is written, else by the turn's hint."""

from __future__ import annotations

import re
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.text import fold, is_cjk

LANGUAGES = ("zh", "en")

# Numbers, addresses of the net and identifiers say nothing about the language they are typed in.
_NEUTRAL = re.compile(r"\S+@\S+|https?://\S+|\b\w*\d\w*\b", re.ASCII)
_LATIN_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")
#: Beside Chinese, a capital begins a name or an abbreviation (Murmur Max, HDMI), unless it begins one of these.
_ENGLISH_WORDS = (
    "i my me we you your it is are was the a an to of for in on and or not no do does did can could will "
    "would have has where when what why how who please want need this that help hello hi thanks thank "
    "order"
)
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_WHOLE = 3  #: characters or words from which a message is surely in its language


def detect_language(text: str, hint: str | None = None) -> str:
    """``zh`` or ``en``; the hint decides texts that are written alike in both, such as names and numbers."""
    fallback = hint if hint in LANGUAGES else "zh"
    plain = _NEUTRAL.sub(" ", fold(text))
    han = sum(map(is_cjk, plain))
    words = _LATIN_WORD.findall(plain)
    if han:
        spoken = sum(word.islower() or word.lower() in _ENGLISH for word in words)
        return "zh" if han >= spoken else "en"
    if not words or sum(map(len, words)) <= 2:
        return fallback
    if len(words) > 1 and all(word.istitle() for word in words):
        return fallback  # a name, a company or a product
    return "en"


def is_clear(text: str) -> bool:
    """Whether a message is a whole one in one language: no bare number or name, no "ok", not half Chinese and half English."""
    plain = _NEUTRAL.sub(" ", fold(text))
    han = sum(map(is_cjk, plain))
    spoken = sum(word.islower() or word.lower() in _ENGLISH for word in _LATIN_WORD.findall(plain))
    if han:
        return (han >= _WHOLE and spoken * _WHOLE < han) or (spoken >= _WHOLE and han * _WHOLE < spoken)
    return spoken >= _WHOLE


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class LanguageDetector(GraphComponent):
    """Puts ``language`` into the parse, from where the turn fills the slot of that name."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> LanguageDetector:
        """Needs no configuration."""
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets the property ``language`` of each message."""
        for message in messages:
            hint = (message.get("metadata") or {}).get("language_hint")
            message.set("language", detect_language(message.get(TEXT) or "", hint), add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """As ``process``, for the examples."""
        self.process(training_data.training_examples)
        return training_data
