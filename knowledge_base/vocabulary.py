"""Which words the stored texts hold, so that a question's rare words count for more than its common ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

SATURATION = 1.2  #: of BM25; what a word's weight grows towards is one more than this
Numbers = npt.NDArray[np.int32]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Vocabulary:
    """Every word that was ever stored, numbered in the order of arrival; never changed, only replaced."""

    hashes: npt.NDArray[np.uint32]  #: of the words, by number
    counts: Counts  #: published entries that hold each word, by number
    entries: int  #: published entries

    @cached_property
    def _order(self) -> npt.NDArray[np.intp]:
        return np.argsort(self.hashes, kind="stable")

    @cached_property
    def _sorted(self) -> npt.NDArray[np.uint32]:
        return self.hashes[self._order]

    def numbers(self, hashes: npt.NDArray[np.uint32]) -> Numbers:
        """The numbers of hashed words, -1 for words that were never stored."""
        found = np.full(len(hashes), -1, dtype=np.int32)
        if len(self.hashes) and len(hashes):
            places = np.minimum(np.searchsorted(self._sorted, hashes), len(self.hashes) - 1)
            known = self._sorted[places] == hashes
            found[known] = self._order[places[known]]
        return found

    def asked(self, indices: Sequence[int]) -> Asked:
        """What the stored texts know of a question's words."""
        numbers = self.numbers(np.array(indices, dtype=np.uint32))
        counts = np.where(numbers >= 0, self.counts[numbers] if len(self.counts) else 0, 0).astype(np.float64)
        # How telling a word is: BM25's inverse document frequency.
        rarity = np.log1p((self.entries - counts + 0.5) / (counts + 0.5))
        return Asked(numbers, rarity, counts)

    def less(self, words: Numbers, entries: int) -> Vocabulary:
        """The vocabulary without some entries, given all the words they hold."""
        taken = np.bincount(words, minlength=len(self.counts)) if len(words) else 0
        return Vocabulary(self.hashes, self.counts - taken, self.entries - entries)


@dataclass(frozen=True)
class Asked:
    """A question's words as the stored texts know them."""

    numbers: Numbers  #: -1 for words that were never stored
    rarity: npt.NDArray[np.float64]
    counts: npt.NDArray[np.float64]

    @property
    def best(self) -> float:
        """The keyword score of a text that has every word of the question, so that scores become shares of it."""
        return float(self.rarity.sum()) * (SATURATION + 1.0)

    @property
    def unknown(self) -> float:
        """The share of the question's words, by rarity, that no entry holds."""
        total = float(self.rarity.sum())
        return float(self.rarity[self.counts == 0].sum()) / total if total else 0.0

    def shares(self, held: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        """The shares of the question's words, by rarity, that groups of entries hold; one row of words per group."""
        total = float(self.rarity.sum())
        share: npt.NDArray[np.float64] = held @ self.rarity / total if total else np.zeros(len(held))
        return share
