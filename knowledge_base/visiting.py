"""What somebody sees who opens the address of an article: the page, its successor, or a plain refusal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from knowledge_base.articles import LANGUAGES, Article
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.page import render_page, render_refusal
from knowledge_base.readers import Reader, holds_at
from knowledge_base.standing import current_id


@dataclass(frozen=True, slots=True)
class Visit:
    """An HTTP answer: a page, or the ``location`` to go to instead."""

    status: int
    html: str = ""
    location: str | None = None


def visit(kb: KnowledgeBase, article_id: str, language: str, token: str, at: datetime, *, staff: bool) -> Visit:
    """The page for this visitor; ``token`` is the one in the address, ``staff`` says that staff are signed in here."""
    article = kb.find_article(article_id, language)
    reader = Reader(at=at)
    if article is not None and staff:
        return Visit(200, _page(kb, article, preview=not reader.may_read(article)))
    if article is not None:
        invited = holds_at(article, at) and kb.quoter.links is not None and kb.quoter.links.opens(article, token, at)
        readers = Reader.of(article.audience, at) if invited else reader
        successor = current_id(article_id, lambda name: kb.readable(name, readers))
        if successor != article_id:
            found = {one.language for one in kb.readable(successor, readers)}
            to = language if language in found else sorted(found)[0]
            return Visit(302, location=f"/kb/{to}/{quote(successor)}")
        if invited or reader.may_read(article):
            return Visit(200, _page(kb, article))
    return Visit(404, render_refusal(language if language in LANGUAGES else "en"))


def _page(kb: KnowledgeBase, article: Article, *, preview: bool = False) -> str:
    passages = kb.passages_of(article.id, article.language)
    return render_page(article, passages, kb.languages_of(article.id), preview=preview)
