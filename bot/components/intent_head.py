"""The intent head as a Rasa component: trains, calibrates and stores the linear classifier, without pickles."""

from __future__ import annotations

import json
import logging
import os
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.components.calibration import Examples, calibrate, per_language, thresholds
from bot.components.features import DENSE, NGRAMS, SECOND_DENSE, read_in_both_languages, shift_to
from bot.components.gate_score import Blend, Comparison, Strangers, Surroundings
from bot.components.language import LANGUAGES, detect_language
from bot.components.linear import Array, Features, LinearHead, Recipe, Scaler, fitted_temperature, softmax
from bot.components.other_language import BorrowedHead, enough, untaught
from bot.reading.shared_words import SharedWords

#: The intent of messages that no intent fits; it is never predicted, it only teaches the gate.
OUT_OF_SCOPE = "out_of_scope"
#: Where the gate finds the score and the model's own thresholds.
GATE = "gate"
#: The variable that says how much of the in-scope accuracy the gate may cost; what a set's owner wants, not the pipeline.
GATE_COST = "GATE_COST"
_RANKING_LENGTH = 10
_BORROWED_ARRAYS = ("mean", "weights", "bias", "directions", "examples", "labels")

logger = logging.getLogger(__name__)


def _features(messages: list[Message]) -> tuple[Array, sp.csr_matrix]:
    dense, ngrams = [], []
    for message in messages:
        dense.append(message.get_dense_features(TEXT, [DENSE, SECOND_DENSE])[1].features)
        ngrams.append(message.get_sparse_features(TEXT, [NGRAMS])[1].features)
    return np.concatenate(dense), sp.csr_matrix(sp.vstack(ngrams))


def _features_of(message: Message) -> tuple[Array, NDArray[np.int64], Array]:
    """The sentence vectors of one message, the columns of its n-grams and their counts."""
    dense = message.get_dense_features(TEXT, [DENSE, SECOND_DENSE])[1].features
    ngrams = message.get_sparse_features(TEXT, [NGRAMS])[1].features
    return dense, ngrams.indices, ngrams.data


def _spoken(text: str) -> str:
    """The language a text is written in, none if it is written alike in both ("ok", a name, a number)."""
    guesses = {detect_language(text, hint) for hint in LANGUAGES}
    return guesses.pop() if len(guesses) == 1 else ""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class LinearIntentClassifier(GraphComponent):
    """Ranks the intents with calibrated probabilities and computes the score that the gate compares with its thresholds."""

    def __init__(self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource) -> None:
        """An untrained classifier; ``load`` and ``train`` fill it."""
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._head: LinearHead | None = None
        self._shared_words = SharedWords.written()

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The recipe's values, which ``config.yml`` may change."""
        return dict(vars(Recipe()))

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> LinearIntentClassifier:
        """An untrained classifier."""
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        """Cross-validates for the calibration, then trains on everything and stores the result."""
        everything = [example for example in training_data.intent_examples if example.get(TEXT)]
        messages = [message for message in everything if message.get(INTENT) != OUT_OF_SCOPE]
        strange = [message for message in everything if message.get(INTENT) == OUT_OF_SCOPE]
        self._intents = sorted({message.get(INTENT) for message in messages})
        if len(self._intents) < 2:
            raise ValueError("The training data must hold at least two intents.")
        number = {intent: position for position, intent in enumerate(self._intents)}
        labels = np.array([number[message.get(INTENT)] for message in messages])
        dense, ngrams = _features(messages)
        recipe = Recipe(**{name: self._config[name] for name in vars(Recipe())})
        self._scaler = Scaler.fitted(dense, ngrams, len(self._intents), recipe)
        features = self._scaler.scale(dense, ngrams)
        strange_features = self._scaler.scale(*_features(strange)) if strange else features[np.arange(0)]
        self._comparison = Comparison.fitted(features.dense, recipe)
        examples = Examples(features, labels, len(self._intents), strange_features, self._comparison)
        held, self._blend, start = calibrate(examples, recipe)
        self._temperature = fitted_temperature(held.logits, held.labels)
        scores = self._blend.score(held.evidence)
        right = held.logits.argmax(1) == held.labels
        languages = np.array([detect_language(messages[i].get(TEXT)) for i in held.index])
        cost = float(os.environ.get(GATE_COST) or 0.01)
        self._thresholds = {"any": thresholds(scores, right, cost)}
        for language in per_language(languages.tolist()):
            chosen = languages == language
            self._thresholds[language] = thresholds(scores[chosen], right[chosen], cost)
        logger.info("Held-out intent accuracy %.3f on %d examples.", right.mean(), len(right))
        self._head = LinearHead.trained(features, labels, len(self._intents), recipe, start)
        turned = self._comparison.turned(features.dense)
        self._around = Surroundings.of(turned, labels, self._temperature, recipe)
        if examples.has_strangers:
            self._around.strangers = Strangers.fitted(turned, self._comparison.turned(strange_features.dense))
        spoken = np.array([_spoken(message.get(TEXT)) for message in messages])
        missing = self._borrow(messages, labels, spoken, recipe)
        self._report = {
            "examples": len(messages),
            "held_out_accuracy": float(right.mean()),
            "held_out_accuracy_by_language": {
                language: float(right[languages == language].mean()) for language in set(languages.tolist())
            },
            "taught_in_the_other_language_only": {
                language: [self._intents[intent] for intent in intents] for language, intents in missing.items()
            },
        }
        self._persist()
        return self._resource

    def _borrow(
        self, messages: list[Message], labels: NDArray[np.int64], spoken: NDArray[np.str_], recipe: Recipe
    ) -> dict[str, list[int]]:
        """Trains a head for each language that lacks intents; returns the intents it lacks."""
        classes = len(self._intents)
        missing, self._borrowed = untaught(labels, spoken, LANGUAGES, classes), {}
        chosen = enough(labels, spoken, classes)
        if missing and len(chosen):
            shared = self._shared([messages[row] for row in chosen])
            for language, intents in missing.items():
                self._borrowed[language] = BorrowedHead.trained(
                    shared, labels[chosen], spoken[chosen], language, missing, classes, recipe, shift_to(language)
                )
                names = ", ".join(self._intents[intent] for intent in intents)
                logger.warning("No examples in %s, understood through the other language: %s.", language, names)
        return missing

    def _shared(self, messages: list[Message]) -> Features:
        """What both languages have in common of these messages."""
        return Features(
            read_in_both_languages(messages), self._shared_words.features([message.get(TEXT) for message in messages])
        )

    def _strange_arrays(self) -> dict[str, Array]:
        strangers = self._around.strangers
        if strangers is None:
            return {}
        return {
            "strange_examples": strangers.examples.astype(np.float16),
            "strange_centre": strangers.centre,
            "strange_weights": strangers.weights,
        }

    def _borrowed_arrays(self) -> dict[str, Array]:
        return {
            f"borrowed_{language}_{name}": values
            for language, borrowed in self._borrowed.items()
            for name, values in {
                "mean": borrowed.mean,
                "weights": borrowed.head.weights.astype(np.float16),
                "bias": borrowed.head.bias,
                "directions": borrowed.comparison.directions,
                "examples": borrowed.surroundings.examples.astype(np.float16),
                "labels": borrowed.surroundings.labels,
            }.items()
        }

    def _persist(self) -> None:
        assert self._head is not None
        scaler = self._scaler
        with self._model_storage.write_to(self._resource) as directory:
            np.savez(
                directory / "head.npz",
                mean=scaler.mean,
                columns=scaler.columns,
                idf=scaler.idf,
                weights=self._head.weights.astype(np.float16),
                bias=self._head.bias,
                directions=self._comparison.directions,
                examples=self._around.examples.astype(np.float16),
                labels=self._around.labels,
                **self._strange_arrays(),
                **self._borrowed_arrays(),
                centre=self._blend.centre,
                spread=self._blend.spread,
                blend=self._blend.weights,
            )
            facts = {
                "intents": self._intents,
                "dense_weight": scaler.dense_weight,
                "ngram_weight": scaler.ngram_weight,
                "temperature": self._temperature,
                "blend_bias": self._blend.bias,
                "neighbours": self._around.neighbours,
                "stranger_bias": self._around.strangers.bias if self._around.strangers else None,
                "shared_words": self._shared_words.meanings,
                "borrowed": {
                    language: {"missing": borrowed.missing, "temperature": borrowed.temperature}
                    for language, borrowed in self._borrowed.items()
                },
                "thresholds": self._thresholds,
                "report": self._report,
            }
            (directory / "head.json").write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> LinearIntentClassifier:
        """Reads the trained classifier back; arrays are loaded with pickling switched off."""
        self = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as directory:
            facts = json.loads((directory / "head.json").read_text(encoding="utf-8"))
            with np.load(directory / "head.npz", allow_pickle=False) as arrays:
                held = {name: arrays[name] for name in arrays.files}
        self._scaler = Scaler(held["mean"], held["columns"], held["idf"], facts["dense_weight"], facts["ngram_weight"])
        self._head = LinearHead(held["weights"].astype(np.float32), held["bias"])
        self._comparison = Comparison(held["directions"])
        self._around = Surroundings(
            held["examples"].astype(np.float32), held["labels"], facts["temperature"], facts["neighbours"]
        )
        if facts["stranger_bias"] is not None:
            self._around.strangers = Strangers(
                held["strange_examples"].astype(np.float32),
                held["strange_centre"],
                held["strange_weights"],
                facts["stranger_bias"],
            )
        self._shared_words = SharedWords(facts["shared_words"])
        self._borrowed = {}
        for language, of in facts["borrowed"].items():
            arrays = {name: held[f"borrowed_{language}_{name}"] for name in _BORROWED_ARRAYS}
            self._borrowed[language] = BorrowedHead(
                of["missing"],
                arrays["mean"],
                LinearHead(arrays["weights"].astype(np.float32), arrays["bias"]),
                of["temperature"],
                Comparison(arrays["directions"]),
                Surroundings(
                    arrays["examples"].astype(np.float32), arrays["labels"], of["temperature"], facts["neighbours"]
                ),
            )
        self._blend = Blend(held["centre"], held["spread"], held["blend"], facts["blend_bias"])
        self._intents, self._temperature = facts["intents"], facts["temperature"]
        self._thresholds, self._report = facts["thresholds"], facts["report"]
        return self

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets intent, ranking and gate score; a message without text has no intent and score 0."""
        assert self._head is not None
        for message in messages:
            if not message.get(TEXT) or not message.features:
                message.set(INTENT, {"name": None, "confidence": 0.0}, add_to_output=True)
                message.set(GATE, {"score": 0.0, "thresholds": self._thresholds, "intents": self._intents})
                continue
            row = self._scaler.scale_one(*_features_of(message))
            logits = self._head.logits_of(row)
            borrowed = self._borrowed.get(_spoken(message.get(TEXT))) if self._borrowed else None
            if borrowed is not None:
                shared = self._shared([message])
                logits = borrowed.mixed(logits, shared, self._temperature)
            probabilities = softmax(logits, self._temperature)[0]
            rows = self._around.evidence(logits, self._comparison.turned(row.dense))
            if borrowed is not None:
                rows = borrowed.evidence(rows, logits, shared)
            order = np.argsort(-probabilities)[:_RANKING_LENGTH]
            ranking = [{"name": self._intents[i], "confidence": float(probabilities[i])} for i in order]
            message.set(INTENT, dict(ranking[0]), add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
            score = float(self._blend.score(rows)[0])
            message.set(GATE, {"score": score, "thresholds": self._thresholds, "intents": self._intents})
        return messages
