"""Turns texts into vectors: USE compares questions with questions, E5 compares questions with passages.

Both models travel inside their packages, so nothing is downloaded. ``named_encoders.py`` can put another in E5's place.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from encoders import loaded
from encoders.e5 import E5
from encoders.use import USE
from knowledge_base.errors import EncoderUnavailable
from knowledge_base.wording import fold

Vectors = npt.NDArray[np.float32]
_THREADS = os.cpu_count() or 1  #: for many passages at once; a question is encoded by one


class Encoder(Protocol):
    """A model that puts texts of any language into one space; rows have length one."""

    name: str  #: changes whenever the vectors change, so that stored vectors are not compared with others
    dimensions: int

    def questions(self, texts: Sequence[str]) -> Vectors:
        """One row per question as somebody asks it."""
        ...

    def passages(self, texts: Sequence[str]) -> Vectors:
        """One row per stored text: a title, a stored question or a passage."""
        ...


class UseEncoder:
    """Universal Sentence Encoder multilingual: half a millisecond, well spread cosines, weak on long passages."""

    name = USE.name
    dimensions = USE.width

    def __init__(self) -> None:
        try:
            self._model = loaded.use()
        except OSError as error:
            raise EncoderUnavailable(f"{error}; install the project's requirements") from None

    def questions(self, texts: Sequence[str]) -> Vectors:
        """The same space serves both sides."""
        return self.passages(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """One row per text."""
        return self._model.encode([fold(text) or " " for text in texts])


class E5Encoder:
    """multilingual-e5-small: a few milliseconds, and the better judge of whether a passage answers a question."""

    name = E5.name
    dimensions = E5.width

    def __init__(self) -> None:
        try:
            self._model = loaded.e5()
        except (OSError, ValueError) as error:
            raise EncoderUnavailable(f"{error}; install the project's requirements") from None

    def questions(self, texts: Sequence[str]) -> Vectors:
        """Rows on the asking side; the model's own prefix is added."""
        return self._model.questions([fold(text) for text in texts])

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Rows on the answering side; the model's own prefix is added."""
        return self._model.passages([fold(text) for text in texts], _THREADS)
