"""Looks articles and passages up by their names in the edition that serves."""

from __future__ import annotations

from knowledge_base.articles import Article, Passage
from knowledge_base.edition import Edition
from knowledge_base.readers import Reader


class Catalogue:
    """What is held, without searching in it."""

    _serving: Edition

    def versions(self) -> dict[str, str]:
        """The version of every article that is held, by key."""
        return self._serving.view.versions

    def find_article(self, article_id: str, language: str) -> Article | None:
        """The article in this language, or None."""
        return self._serving.article(f"{article_id}/{language}")

    def find_passage(self, passage_id: str) -> Passage | None:
        """The passage with this id in the current version of its article, or None."""
        passages = self._serving.passages(passage_id.rpartition("/")[0])
        return next((passage for passage in passages if passage.id == passage_id), None)

    def passages_of(self, article_id: str, language: str) -> tuple[Passage, ...]:
        """The article's passages in order; none if there is no such article."""
        return self._serving.passages(f"{article_id}/{language}")

    def languages_of(self, article_id: str) -> tuple[str, ...]:
        """The languages the article is written in."""
        view = self._serving.view
        return tuple(view.heads[number].language for number in view.translations.get(article_id, ()))

    def articles(self) -> list[Article]:
        """Every article, by key; read from the index one by one."""
        found = (self._serving.article(key) for key in sorted(self._serving.view.numbers))
        return [article for article in found if article is not None]

    def readable(self, article_id: str, reader: Reader) -> list[Article]:
        """The article in every language in which the reader may read it."""
        found = (self._serving.article(head.key) for head in self._serving.readable(article_id, reader))
        return [article for article in found if article is not None]
