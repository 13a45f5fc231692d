"""Turns a message into what the model compares: two sentence vectors, surface signs, and the wording itself."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from encoders import loaded
from sentiment.signs import Floats, Signs

LONGEST = 2_000  #: characters that are read of a message
_HAN = re.compile(r"[\u4e00-\u9fff]")
_WORDS = re.compile(r"[a-z']+")
_GRAM_SIZES = (1, 2, 3, 4)


@cache
def _simplifier() -> Any:
    from opencc import OpenCC  # type: ignore[import-untyped]

    return OpenCC("t2s")


def plain(text: str) -> str:
    """The text in half-width letters, simplified characters and single spaces, its case kept."""
    text = text[:LONGEST].encode("utf-8", "replace").decode()
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    return str(_simplifier().convert(text)) if _HAN.search(text) else text


def vectors(texts: Sequence[str], threads: int = 1) -> tuple[Floats, Floats]:
    """The rows of both encoders for plain texts."""
    read = [_as_read(text) for text in texts]
    if len(read) == 1:  # the knowledge base asks for the same two a moment later
        use, e5 = loaded.use().encode_and_leave(read[0]), loaded.e5().question_and_leave(read[0])
        return use[None], e5[None]
    return loaded.use().encode(read, threads), loaded.e5().questions(read, threads)


def _as_read(text: str) -> str:
    """As written, unless it is shouted: the encoders hardly know words in capitals."""
    return (text.lower() if text.isupper() else text) or " "


def grams(text: str) -> Counter[str]:
    """Characters in ones to fours, and English words and pairs of words, of a plain text."""
    lowered = text.lower()
    found: Counter[str] = Counter()
    for size in _GRAM_SIZES:
        found.update(lowered[start : start + size] for start in range(len(lowered) - size + 1))
    words = _WORDS.findall(lowered)
    found.update(f"w {word}" for word in words)
    found.update(f"w {first} {second}" for first, second in pairwise(words))
    return found


class Dense:
    """Vectors and signs side by side, each block centred and with rows of length one on average."""

    def __init__(self, signs: Signs, centres: list[Floats], scales: list[Floats]) -> None:
        self.signs = signs
        self.centres = centres
        self.scales = scales

    @classmethod
    def fitted(cls, signs: Signs, blocks: Sequence[Floats]) -> Dense:
        """Measured on the training lines; ``blocks`` are those of ``raw``."""
        use, e5, rows = blocks
        centres = [block.mean(0) for block in blocks]
        scales = [np.float32(1 / np.sqrt(((block - block.mean(0)) ** 2).sum(1).mean())) for block in (use, e5)]
        spread = (1 / ((rows.std(0) + 1e-6) * np.sqrt(rows.shape[1]))).astype(np.float32)
        return cls(signs, centres, [np.asarray(scale) for scale in scales] + [spread])

    @staticmethod
    def raw(signs: Signs, texts: Sequence[str]) -> tuple[Floats, Floats, Floats]:
        """The blocks of plain texts before scaling."""
        use, e5 = vectors(texts, min(os.cpu_count() or 1, 2) if len(texts) > 100 else 1)
        return use, e5, np.stack([signs.row(text) for text in texts])

    def rows(self, texts: Sequence[str]) -> Floats:
        """One row per plain text."""
        return self.scaled(self.raw(self.signs, texts))

    def scaled(self, blocks: Sequence[Floats]) -> Floats:
        """The blocks of ``raw`` as one matrix."""
        parts = [
            (block - centre) * scale for block, centre, scale in zip(blocks, self.centres, self.scales, strict=True)
        ]
        return np.concatenate(parts, axis=1).astype(np.float32)
