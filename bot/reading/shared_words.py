"""Words of service talk that mean the same in both languages, as features that hold across them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import scipy.sparse as sp
import yaml

from bot.text import fold_case, is_cjk

#: Beside sentence vectors of about length one (cross-validated); more would let a single word decide.
_WEIGHT = 0.6


class SharedWords:
    """Meanings, each with the words for it in either language."""

    def __init__(self, meanings: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        """``meanings`` maps a name to its words under ``zh`` (found anywhere) and ``en`` (found where a word begins)."""
        self.meanings = meanings
        self._chinese = [re.compile("|".join(map(re.escape, words["zh"]))) for words in meanings.values()]
        self._english = [
            re.compile(f"(?<![a-z])(?:{'|'.join(map(re.escape, words['en']))})") for words in meanings.values()
        ]

    @classmethod
    def written(cls) -> SharedWords:
        """Those in the file beside this one."""
        content = Path(__file__).with_suffix(".yml").read_text(encoding="utf-8")
        return cls(
            {
                name: {language: [str(word) for word in words] for language, words in of.items()}
                for name, of in yaml.safe_load(content).items()
            }
        )

    def found(self, text: str) -> list[int]:
        """The places of the meanings that a message mentions."""
        plain = f"{fold_case(text)} "
        patterns = self._chinese if any(map(is_cjk, plain)) else self._english
        return [place for place, pattern in enumerate(patterns) if pattern.search(plain)]

    def features(self, texts: Sequence[str]) -> sp.csr_matrix:
        """One row per text, one column per meaning; rows that mention any have the same length."""
        found = [self.found(text) for text in texts]
        places = np.array([place for row in found for place in row], dtype=np.int64)
        values = np.array([_WEIGHT / len(row) ** 0.5 for row in found for _ in row], dtype=np.float32)
        ends = np.concatenate([[0], np.cumsum([len(row) for row in found])])
        return sp.csr_matrix((values, places, ends), shape=(len(texts), len(self.meanings)))
