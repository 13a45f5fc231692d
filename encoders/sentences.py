"""What every encoder does: texts in, one vector of length one for each out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

import numpy as np

from encoders.graph import Floats

_TOGETHER = 64  #: texts given to a thread at once
_LEFT = 32  #: rows that wait for whoever needs them next; those of the oldest texts are dropped


class SentenceModel:
    """Each text is run alone, so its vector does not depend on what is encoded beside it."""

    width: int

    def __init__(self) -> None:
        """With no rows left for anybody."""
        self._left: OrderedDict[str, Future[Floats]] = OrderedDict()
        self._leaving = Lock()

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

    def encode_and_leave(self, text: str) -> Floats:
        """The row of one text, left for whoever encodes the same text next: two rooms read a message, one pass serves both.

        It is taken once and then forgotten, so nothing is remembered from one message to the next. Whoever needs it while
        it is being worked out waits for it.
        """
        found: Future[Floats] = Future()
        with self._leaving:
            self._left[text] = found
            if len(self._left) > _LEFT:
                self._left.popitem(last=False)
        try:
            found.set_result(self._row(text))
        except BaseException as error:
            found.set_exception(error)
            with self._leaving:
                if self._left.get(text) is found:
                    del self._left[text]
            raise
        return found.result()

    def _rows(self, texts: Sequence[str]) -> Floats:
        rows = np.empty((len(texts), self.width), dtype=np.float32)
        for place, text in enumerate(texts):
            left = self._taken(text)
            rows[place] = self._row(text) if left is None else left
        return rows

    def _row(self, text: str) -> Floats:
        row = self.vector(text)
        unit: Floats = row / max(float(np.linalg.norm(row)), 1e-9)
        return unit

    def _taken(self, text: str) -> Floats | None:
        if not self._left:
            return None
        with self._leaving:
            found = self._left.pop(text, None)
        if found is None:
            return None
        try:
            return found.result()
        except Exception:
            return None  # whoever needs it works it out, and fails on their own account
