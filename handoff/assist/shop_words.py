"""The words that the shop's own articles use, so that a product is not mistaken for a person."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import Any, Protocol

from knowledge_base.articles import Article

_WORD = re.compile(r"[A-Za-z][\w'’-]*")
_NUMBER = re.compile(r"\d(?:[\s-]?\d)+")
_MOST_ARTICLES = 3000  #: beyond them, only what they say counts as the shop's own


class ArticleSource(Protocol):
    """What is needed of the knowledge base."""

    def articles(self) -> list[Article]:
        """Every article."""

    def status(self) -> dict[str, Any]:
        """How many articles and entries there are."""


class ShopWords:
    """Answers whether a word is the shop's; read again when the number of articles or entries has changed."""

    def __init__(self, source: ArticleSource) -> None:
        self._source = source
        self._of: tuple[object, object] | None = None
        self._words: frozenset[str] = frozenset()
        self._numbers: frozenset[str] = frozenset()
        self._text = ""
        self._reading = asyncio.Lock()

    async def refresh(self) -> None:
        """Read the articles if they have changed since."""
        status = self._source.status()
        now = (status.get("articles"), status.get("entries"))
        if now == self._of:
            return
        async with self._reading:
            if now != self._of:
                articles = await asyncio.to_thread(self._source.articles)
                await asyncio.to_thread(self._learn, articles[:_MOST_ARTICLES])
                self._of = now

    def knows(self, word: str) -> bool:
        """Whether an article uses the word, number or address."""
        if word.isascii() and word.replace("'", "").isalpha():
            return word in self._words
        digits = re.sub(r"\D", "", word)
        if digits and len(digits) >= len(word.strip()) // 2 and "@" not in word and "/" not in word:
            return digits in self._numbers
        return len(word) >= 2 and word in self._text

    def _learn(self, articles: Iterable[Article]) -> None:
        text = "\n".join(part for one in articles for part in (one.title, one.body, *one.questions))
        self._text = text
        self._words = frozenset(_WORD.findall(text))
        self._numbers = frozenset(re.sub(r"\D", "", number) for number in _NUMBER.findall(text))
