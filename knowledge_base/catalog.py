"""What the index holds, in memory: articles by name, passages by id, and what each point in the index stands for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from knowledge_base.articles import Article, Passage
from knowledge_base.entries import EntryRef
from knowledge_base.splitting import split
from knowledge_base.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Shelf:
    """One article with its passages and the references of its entries."""

    article: Article
    passages: tuple[Passage, ...]
    refs: tuple[EntryRef, ...]


@dataclass(slots=True)
class Catalog:
    """All published articles; only the thread that writes the index changes it."""

    shelves: dict[str, Shelf] = field(default_factory=dict)  #: by article key
    refs: dict[int, EntryRef] = field(default_factory=dict)  #: by point id
    languages: dict[str, tuple[str, ...]] = field(default_factory=dict)  #: by article id
    vocabulary: Vocabulary = field(default_factory=Vocabulary)

    def add(self, shelf: Shelf) -> None:
        """Put an article in, in place of its former version."""
        self.discard(shelf.article.key)
        self.shelves[shelf.article.key] = shelf
        self.refs.update((ref.point_id, ref) for ref in shelf.refs)
        known = self.languages.get(shelf.article.id, ())
        self.languages[shelf.article.id] = (*known, shelf.article.language)

    def discard(self, article_key: str) -> None:
        """Take an article out if it is there."""
        shelf = self.shelves.pop(article_key, None)
        if shelf is None:
            return
        for ref in shelf.refs:
            self.refs.pop(ref.point_id, None)
        article = shelf.article
        left = tuple(language for language in self.languages[article.id] if language != article.language)
        if left:
            self.languages[article.id] = left
        else:
            del self.languages[article.id]

    def find_article(self, article_id: str, language: str) -> Article | None:
        """The article in this language, or None."""
        shelf = self.shelves.get(f"{article_id}/{language}")
        return shelf.article if shelf else None

    def find_passage(self, passage_id: str) -> Passage | None:
        """The passage with this id in the current version of its article, or None."""
        shelf = self.shelves.get(passage_id.rpartition("/")[0])
        if shelf is None:
            return None
        return next((passage for passage in shelf.passages if passage.id == passage_id), None)

    def keys_of(self, article_id: str) -> Iterator[str]:
        """The article's keys in every language it is written in."""
        return (f"{article_id}/{language}" for language in self.languages.get(article_id, ()))


def shelve(article: Article) -> Shelf:
    """The article cut into passages, with a reference for each text that will be searched."""
    passages = tuple(split(article))
    version = article.version
    counts = (("question", len(questions_of(article))), ("passage", len(passages)))
    refs = tuple(
        EntryRef("question" if kind == "question" else "passage", article.id, article.language, version, ordinal)
        for kind, count in counts
        for ordinal in range(count)
    )
    return Shelf(article, passages, refs)


def questions_of(article: Article) -> list[str]:
    """The title and every other way to ask, each once."""
    return list(dict.fromkeys((article.title, *article.questions)))


def searched_text(passage: Passage) -> str:
    """A passage with the title and headings above it, which say what it is about."""
    return "\n".join(dict.fromkeys((passage.title, *passage.headings, passage.text)))
