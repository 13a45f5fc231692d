"""Words of Taiwan and Hong Kong for what the mainland calls otherwise: OpenCC's phrases, and the shop's everyday words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from bot.reading.edits import Edit
from bot.text import fold

_OWN = Path(__file__).with_name("regional.yml")


def regional_words() -> dict[str, str]:
    """Regional word → mainland word, both in simplified characters; our own list wins over OpenCC's."""
    import opencc  # type: ignore[import-not-found]

    words: dict[str, str] = {}
    own = {fold(key): value for key, value in yaml.safe_load(_OWN.read_text(encoding="utf-8")).items()}
    for name in ("HKVariantsRevPhrases.txt", "TWPhrasesRev.txt"):
        path = Path(opencc.__file__).parent / "dictionary" / name
        for line in path.read_text(encoding="utf-8").splitlines():
            regional, _, meant = line.partition("\t")
            words[fold(regional)] = fold(meant.split(" ")[0])
    words.update(own)
    return {
        regional: meant
        for regional, meant in words.items()
        if regional != meant and (len(regional) > 1 or regional in own)
    }


class RegionalWords:
    """Finds the longest regional words of a text."""

    def __init__(self, words: dict[str, str]) -> None:
        """``words`` as ``regional_words`` gives them."""
        self._words = words
        ordered = sorted(words, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def edits(self, text: str) -> Iterator[Edit]:
        """Edits for a text that is written in traditional characters (simplified by folding)."""
        for found in self._pattern.finditer(text) if self._pattern else ():
            yield Edit(found.start(), found.end(), self._words[found.group()])
