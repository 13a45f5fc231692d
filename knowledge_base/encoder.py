"""Turns texts into vectors: USE compares questions with questions, E5 compares questions with passages.

Both models travel inside their packages, so nothing is downloaded. A Hugging Face model in a local directory can take
the place of E5 (``hf:/path/to/model``); it needs the ``transformers`` extra.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

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
            self._model = USE()
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
            self._model = E5()
        except (OSError, ValueError) as error:
            raise EncoderUnavailable(f"{error}; install the project's requirements") from None

    def questions(self, texts: Sequence[str]) -> Vectors:
        """Rows on the asking side; the model's own prefix is added."""
        return self._model.questions([fold(text) for text in texts])

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Rows on the answering side; the model's own prefix is added."""
        return self._model.passages([fold(text) for text in texts], _THREADS)


class HuggingFaceEncoder:
    """Any sentence encoder that ``transformers`` reads from a directory, with mean pooling over its tokens."""

    def __init__(self, model: str, *, question_prefix: str = "", passage_prefix: str = "") -> None:
        if find_spec("transformers") is None or find_spec("torch") is None:
            raise EncoderUnavailable(
                "the encoder hf: needs transformers and torch; install the extra with `uv sync --extra transformers`"
            )
        from transformers import AutoModel, AutoTokenizer

        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(model, local_files_only=True)
            self._model: Any = AutoModel.from_pretrained(model, local_files_only=True).eval()
        except (OSError, ValueError) as error:
            raise EncoderUnavailable(
                f"no model can be read from {model!r}; name a local model directory ({error})"
            ) from None
        self.name = f"hf:{Path(model).name}"
        self.dimensions = int(self._model.config.hidden_size)
        self._prefixes = (question_prefix, passage_prefix)
        self._lock = threading.Lock()

    def questions(self, texts: Sequence[str]) -> Vectors:
        """Rows on the asking side."""
        return self._rows([self._prefixes[0] + fold(text) for text in texts])

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Rows on the answering side."""
        return self._rows([self._prefixes[1] + fold(text) for text in texts])

    def _rows(self, texts: list[str]) -> Vectors:
        import torch

        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        with self._lock, torch.inference_mode():
            batch = self._tokenizer(texts, padding=True, truncation=True, max_length=512, return_tensors="pt")
            states = self._model(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1).to(states.dtype)
            rows = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1).clamp(min=1e-9), dim=1)
        return np.asarray(rows.numpy(), dtype=np.float32)


def passage_encoder(name: str) -> Encoder:
    """The encoder a setting names: ``e5`` (the default) or ``hf:`` and the directory of a model."""
    if name in ("", "e5"):
        return E5Encoder()
    if name.startswith("hf:") and len(name) > 3:
        path = name[3:]
        e5_family = "e5" in Path(path).name.lower()
        return HuggingFaceEncoder(
            path, question_prefix="query: " if e5_family else "", passage_prefix="passage: " if e5_family else ""
        )
    raise EncoderUnavailable(f"the encoder {name!r} is not known; use 'e5' or 'hf:/path/to/model'")
