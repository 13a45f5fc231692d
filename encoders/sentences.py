"""What every encoder does: texts in, one vector of length one for each out."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from encoders.graph import Floats

_TOGETHER = 64  #: texts given to a thread at once


class SentenceModel:
    """Each text is run alone, so its vector does not depend on what is encoded beside it."""

    width: int

    def vector(self, text: str) -> Floats:
        """The text's vector, of any length."""
        raise NotImplementedError

    def largest(self, text: str) -> dict[str, Floats]:
        """The largest magnitude in each channel of every multiplied input, for a model that is observed."""
        raise NotImplementedError

    def smoothing(self, largest: dict[str, Floats]) -> dict[str, Floats]:
        """Smoothing factors for the magnitudes seen, for a model that is observed."""
        raise NotImplementedError

    def encode(self, texts: Sequence[str], threads: int = 1) -> Floats:
        """One row per text; more than one thread pays for hundreds of texts."""
        if threads <= 1 or len(texts) <= _TOGETHER:
            return self._rows(texts)
        parts = [texts[first : first + _TOGETHER] for first in range(0, len(texts), _TOGETHER)]
        with ThreadPoolExecutor(threads) as pool:
            return np.concatenate(list(pool.map(self._rows, parts)))

    def _rows(self, texts: Sequence[str]) -> Floats:
        rows = np.empty((len(texts), self.width), dtype=np.float32)
        for place, text in enumerate(texts):
            rows[place] = self.vector(text)
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        return rows
