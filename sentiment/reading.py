"""What the service takes of this room: a function that says how a text feels, or the news that there is no model."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sentiment.model import SentimentModel

log = logging.getLogger(__name__)
T = TypeVar("T")


def sentiment_reader(folder: Path, form: Callable[[str, float, float], T]) -> Callable[[str], T] | None:
    """A function from a text to ``form(label, value, anger)``; None, and an error in the log, without a trained model."""
    try:
        model = SentimentModel.load(folder)
        model.read("warm up")
    except OSError as error:
        log.error("messages go without sentiment: %s", error)
        return None

    def read(text: str) -> T:
        found = model.read(text)
        return form(found.label, round(found.value, 4), round(found.anger, 4))

    return read
