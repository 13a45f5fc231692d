"""Shows an article as it would be published: cut into passages, with what is wrong or odd about it named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge_base.articles import Article, Passage, check_article
from knowledge_base.errors import UnreadableSource
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.readers import Reader
from knowledge_base.splitting import split
from knowledge_base.standing import SAME, statements_of
from knowledge_base.wording import fold, language_of

LONG = 12_000  #: characters; a text of more is seldom about one question
MANY = 40  #: passages
SHORT = 15  #: characters that can hardly answer anything
_HAN = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to look at; ``code`` is one of bad, long, short, exists, title_taken, same_as, language, no_questions."""

    code: str
    detail: str = ""  #: the key of the other article, or what is wrong

    @property
    def stops(self) -> bool:
        """Whether it cannot be taken as it is."""
        return self.code in ("bad", "exists")


@dataclass(frozen=True, slots=True)
class Preview:
    """An article with its passages and problems."""

    article: Article
    passages: tuple[Passage, ...]
    problems: tuple[Problem, ...]


async def previewed(kb: KnowledgeBase, article: Article, taken: Sequence[str] = (), *, new: bool = True) -> Preview:
    """How an article would be cut; ``taken`` are keys that are not free although nothing is published under them."""
    problems = []
    try:
        check_article(article, "")
    except UnreadableSource as problem:
        return Preview(article, (), (Problem("bad", problem.problem),))
    passages = tuple(split(article))
    if new and (article.key in taken or kb.find_article(article.id, article.language) is not None):
        problems.append(Problem("exists", article.key))
    if len(article.body) > LONG or len(passages) > MANY:
        problems.append(Problem("long", str(len(passages))))
    if _weight(article.body) < SHORT:
        problems.append(Problem("short"))
    if language_of(f"{article.title}\n{article.body[:5000]}") != article.language:
        problems.append(Problem("language", language_of(article.body[:5000])))
    if not article.questions:
        problems.append(Problem("no_questions"))
    problems += await _rivals(kb, article)
    return Preview(article, passages, tuple(problems))


async def _rivals(kb: KnowledgeBase, article: Article) -> list[Problem]:
    """Published articles that have the same title, or say the same."""
    everybody = Reader.of(kb.status()["audiences"])
    found: list[Problem] = []
    said = statements_of(article.body)
    for hit in await kb.search(article.title, article.language, 5, everybody):
        other = kb.find_article(hit.passage.article_id, article.language)
        if other is None or other.id == article.id:
            continue
        theirs = statements_of(other.body)
        if said and len(said & theirs) >= SAME * len(said | theirs):
            found.append(Problem("same_as", other.key))
        elif fold(other.title).lower() == fold(article.title).lower():
            found.append(Problem("title_taken", other.key))
    return found


def _weight(text: str) -> int:
    return len(text.strip()) + len(_HAN.findall(text))
