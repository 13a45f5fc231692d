"""Splits Chinese, English and mixed text into words; positions refer to the text as it was written."""

from __future__ import annotations

import logging
import re
from typing import Any

import jieba
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.training_data.message import Message

from bot.text import fold, is_cjk

jieba.setLogLevel(logging.WARNING)

_RUN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+|[^\W_]+(?:['’][^\W_]+)?|[^\w\s]")


def words_of(text: str) -> list[tuple[str, int]]:
    """The words of a text with their positions, folded and in lower case."""
    folded = fold(text)
    words: list[tuple[str, int]] = []
    for run in _RUN.finditer(folded):
        if is_cjk(run.group()[0]):
            words += [(word, run.start() + start) for word, start, _ in jieba.tokenize(run.group())]
        else:
            for part in re.finditer(r"[\u3400-\u9fff]+|[^\u3400-\u9fff]+", run.group()):
                words.append((part.group().lower(), run.start() + part.start()))
    return words


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=False)
class BilingualTokenizer(Tokenizer):
    """jieba for runs of Chinese characters, words and single signs for the rest."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """What Rasa's base class expects."""
        return {
            "intent_tokenization_flag": False,
            "intent_split_symbol": "_",
            "token_pattern": None,
            "prefix_separator_symbol": None,
        }

    @staticmethod
    def required_packages() -> list[str]:
        """Packages that must be there at run time."""
        return ["jieba"]

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> BilingualTokenizer:
        """Loads jieba's dictionary now rather than with the first message."""
        jieba.initialize()
        return cls(config)

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        """Rasa's tokens of one attribute of a message."""
        return [Token(word, start) for word, start in words_of(message.get(attribute))]
