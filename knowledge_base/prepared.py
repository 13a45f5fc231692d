"""From an article to the texts that are searched, and from what an index gives back to passages."""

from __future__ import annotations

from typing import Any

from knowledge_base.articles import Article, Passage
from knowledge_base.entries import Head, Terms
from knowledge_base.index_words import stored_words
from knowledge_base.splitting import split
from knowledge_base.standing import sketch_of


class Prepared:
    """An article ready to be written: its head, its entries' texts and their words; vectors follow."""

    def __init__(self, article: Article) -> None:
        self.article = article
        self.passages = tuple(split(article))
        self.questions = questions_of(article)
        self.head = Head(
            article.id,
            article.language,
            article.version,
            len(self.questions),
            len(self.passages),
            Terms.of(article),
            article.replaced_by,
            article.updated.isoformat() if article.updated else "",
            sketch_of(article),
        )
        self.searched = [searched_text(passage) for passage in self.passages]
        self.words = [stored_words(text) for text in (*self.questions, *self.searched)]


def questions_of(article: Article) -> list[str]:
    """The title and every other way to ask, each once."""
    return list(dict.fromkeys((article.title, *article.questions)))


def searched_text(passage: Passage) -> str:
    """A passage with the title and headings above it, which say what it is about."""
    return "\n".join(dict.fromkeys((passage.title, *passage.headings, passage.text)))


def passage_json(passage: Passage) -> dict[str, Any]:
    """What is stored of a passage beside its vectors."""
    return {
        "anchor": passage.anchor,
        "title": passage.title,
        "headings": list(passage.headings),
        "text": passage.text,
        "start": passage.start,
    }


def passage_in(head: Head, stored: dict[str, Any]) -> Passage:
    """The passage that ``passage_json`` described, of this version of its article."""
    return Passage(
        article_id=head.id,
        language=head.language,
        anchor=stored["anchor"],
        title=stored["title"],
        headings=tuple(stored["headings"]),
        text=stored["text"],
        version=head.version,
        start=stored["start"],
    )
