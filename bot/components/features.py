"""Turns a message into numbers: a sentence vector that knows meaning across languages, and hashed n-grams that know wording."""

from __future__ import annotations

import os
from functools import cache, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import yaml
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.constants import TOKENS_NAMES
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from sklearn.utils import murmurhash3_32

from bot import settings
from bot.components.entities import FOUND
from bot.components.language import LANGUAGES
from bot.entities.finder import Entity
from bot.residual import residual
from bot.text import fold_case, is_cjk
from encoders.e5 import E5
from encoders.minilm import MiniLM
from encoders.use import USE

DENSE = "sentence_vector"
SECOND_DENSE = "second_sentence_vector"
NGRAMS = "ngrams"
_COLUMNS = 2**18

# Entities that tell nothing about the intent apart from being there are seen by the n-grams as one sign.
_MASKED = {"email", "order_number", "ticket_number", "invoice_number", "tracking_number", "phone", "code", "last4"}


#: For the examples in training; a message is encoded by one. A training beside turns leaves the processors to them.
_THREADS = int(os.environ.get("BOT_JOB_THREADS") or os.cpu_count() or 1)


@cache
def _use() -> USE:
    return USE()


@cache
def _e5() -> E5:
    return E5()


@cache
def _minilm() -> MiniLM:
    return MiniLM()


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
    """512 numbers by the multilingual universal sentence encoder, which puts both languages into one space."""

    _STRETCH = np.float32(0.85)

    def __init__(self) -> None:
        """Loads the encoder now rather than with the first message."""
        _use().vector("warm")

    def _add(self, messages: list[Message]) -> None:
        for message, vector in zip(messages, _use().encode(_texts(messages), _THREADS) * self._STRETCH):
            message.add_features(Features(vector[None, :], FEATURE_TYPE_SENTENCE, TEXT, DENSE))


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SecondSentenceEncoder(_Featurizer):
    """768 numbers by the encoders that know one language better: E5 for Chinese (the first half), MiniLM for the rest.

    A half that does not read a message is zero. With ``e5_reads: everything`` E5 reads messages without Chinese, too:
    a point of accuracy for twice the time.
    """

    #: The vectors of E5 lie close together; stretched, their differences weigh as much as the others'.
    _E5_STRETCH, _MINILM_STRETCH = np.float32(2.0), np.float32(1.3)

    def __init__(self, e5_reads_everything: bool) -> None:
        """Loads the encoders now rather than with the first message."""
        self._e5_reads_everything = e5_reads_everything
        _e5().vector("warm")
        _minilm().vector("warm")

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """What E5 reads: ``chinese`` or ``everything``."""
        return {"e5_reads": "chinese"}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SecondSentenceEncoder:
        """Raises ``ValueError`` for an unknown ``e5_reads``."""
        if config["e5_reads"] not in {"chinese", "everything"}:
            raise ValueError(f"e5_reads in the pipeline is {config['e5_reads']!r}; use 'chinese' or 'everything'.")
        return cls(config["e5_reads"] == "everything")

    def _add(self, messages: list[Message]) -> None:
        texts = _texts(messages)
        chinese = np.array([any(map(is_cjk, text)) for text in texts], dtype=bool)
        vectors = np.zeros((len(texts), E5.width + MiniLM.width), dtype=np.float32)
        by_e5 = np.flatnonzero(chinese | self._e5_reads_everything)
        by_minilm = np.flatnonzero(~chinese)
        if len(by_e5):
            read = _e5().questions([texts[row] for row in by_e5], _THREADS)
            vectors[by_e5, : E5.width] = read * self._E5_STRETCH
        if len(by_minilm):
            read = _minilm().encode([texts[row] for row in by_minilm], _THREADS)
            vectors[by_minilm, E5.width :] = read * self._MINILM_STRETCH
        for message, vector in zip(messages, vectors):
            message.add_features(Features(vector[None, :], FEATURE_TYPE_SENTENCE, TEXT, SECOND_DENSE))


def _texts(messages: list[Message]) -> list[str]:
    return [fold_case(message.get(TEXT)) for message in messages]


def read_in_both_languages(messages: list[Message]) -> npt.NDArray[np.float32]:
    """Vectors by the encoders that read both languages; E5 reads now what it was spared before."""
    rows = np.concatenate([message.get_dense_features(TEXT, [DENSE, SECOND_DENSE])[1].features for message in messages])
    vectors: npt.NDArray[np.float32] = rows[:, : USE.width + E5.width].copy()
    spared = np.flatnonzero(~vectors[:, USE.width :].any(axis=1))
    if len(spared):
        read = _e5().questions(_texts([messages[row] for row in spared]), _THREADS)
        vectors[spared, USE.width :] = read * SecondSentenceEncoder._E5_STRETCH
    return vectors


@cache
def shift_to(language: str) -> npt.NDArray[np.float32]:
    """By how much the shared vectors of a language lie apart from the other's, measured on the bot's own replies."""
    texts: dict[str, list[str]] = {one: [] for one in LANGUAGES}
    for path in sorted((settings.BOT / "responses").glob("*.yml")):
        for variations in yaml.safe_load(path.read_text(encoding="utf-8"))["responses"].values():
            for reply in variations:
                texts[reply["condition"][0]["value"]].append(fold_case(reply["text"]))
    means = {
        one: np.concatenate(
            [
                _use().encode(said).mean(0) * SentenceEncoder._STRETCH,
                _e5().questions(said).mean(0) * SecondSentenceEncoder._E5_STRETCH,
            ]
        )
        for one, said in texts.items()
    }
    (other,) = set(LANGUAGES) - {language}
    shift: npt.NDArray[np.float32] = means[language] - means[other]
    return shift


def _masked(text: str, found: list[Entity]) -> str:
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
    """Counts of character n-grams, words, word pairs and kinds of entity, hashed into a fixed number of columns.

    The hashing keeps no vocabulary, so there is nothing to train or store.
    """

    def _add(self, messages: list[Message]) -> None:
        for message in messages:
            columns, counts = np.unique([_column(gram) for gram in _ngrams(message)], return_counts=True)
            row = sp.csr_matrix((counts.astype(np.float32), columns, [0, len(columns)]), shape=(1, _COLUMNS))
            message.add_features(Features(row, FEATURE_TYPE_SENTENCE, TEXT, NGRAMS))


@lru_cache(maxsize=100_000)
def _column(gram: str) -> int:
    return int(murmurhash3_32(gram, positive=True)) % _COLUMNS
