"""Which words the stored texts hold, so that a question's rare words count for more than its common ones."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The hashed words of every published entry."""

    words: Mapping[int, frozenset[int]] = field(default_factory=dict)  #: by point id
    counts: Mapping[int, int] = field(default_factory=dict)  #: entries that hold each word

    @classmethod
    def of(cls, words: Mapping[int, frozenset[int]]) -> Vocabulary:
        """The vocabulary of these entries."""
        return cls(words, Counter(chain.from_iterable(words.values())))

    def without(self, points: Collection[int]) -> Vocabulary:
        """The vocabulary as if some entries were not stored."""
        if not points:
            return self
        left = Counter(dict(self.counts))
        left.subtract(chain.from_iterable(self.words.get(point, frozenset()) for point in points))
        return Vocabulary({point: words for point, words in self.words.items() if point not in points}, left)

    def rarity(self, word: int) -> float:
        """How telling a word is: BM25's inverse document frequency."""
        count = self.counts.get(word, 0)
        return math.log(1.0 + (len(self.words) - count + 0.5) / (count + 0.5))

    def unknown(self, asked: Collection[int]) -> float:
        """The share of a question's words, by rarity, that no entry holds."""
        return self._share((word for word in asked if not self.counts.get(word)), asked)

    def covered(self, asked: Collection[int], points: Iterable[int]) -> float:
        """The share of a question's words, by rarity, that these entries hold between them."""
        held = frozenset().union(*(self.words.get(point, frozenset()) for point in points))
        return self._share((word for word in asked if word in held), asked)

    def _share(self, part: Iterable[int], whole: Collection[int]) -> float:
        total = sum(map(self.rarity, whole))
        return sum(map(self.rarity, part)) / total if total else 0.0
