"""Shows an article as it would be published: cut into passages, with what is wrong or odd about it named."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from knowledge_base.articles import Article, Passage, check_article
from knowledge_base.errors import UnreadableSource
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.readers import Reader
from knowledge_base.splitting import split
from knowledge_base.standing import SAME, statements_of
from knowledge_base.wording import fold, language_of

LONG = 12_000  #: characters; a text of more is seldom about one question
MANY = 40  #: passages
MAX_TITLE = 200  #: characters of what is edited in the desk, as the next four
MAX_TEXT = 200_000
MAX_QUESTIONS, MAX_QUESTION = 100, 500
MAX_TAGS, MAX_TAG = 30, 80
SHOWN = 2_000  #: characters of a text that is too long to be kept
SHORT = 15  #: characters that can hardly answer anything
_HAN = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to look at; ``code`` is one of bad, too_long, long, short, exists, title_taken, same_as, language,
    no_questions, not_compared."""

    code: str
    detail: str = ""  #: the key of the other article, or what is wrong

    @property
    def stops(self) -> bool:
        """Whether it cannot be taken as it is."""
        return self.code in ("bad", "too_long", "exists")


@dataclass(frozen=True, slots=True)
class Preview:
    """An article with its passages and problems."""

    article: Article
    passages: tuple[Passage, ...]
    problems: tuple[Problem, ...]


async def previewed(
    kb: KnowledgeBase, article: Article, taken: Sequence[str] = (), *, new: bool = True, compare: bool = True
) -> Preview:
    """How an article would be cut; ``taken`` are keys that are not free although nothing is published under them."""
    problems = []
    try:
        check_article(article, "")
    except UnreadableSource as problem:
        return Preview(article, (), (Problem("bad", problem.problem),))
    if _too_long(article):
        return Preview(replace(article, body=article.body[:SHOWN]), (), (Problem("too_long"),))
    passages = tuple(await asyncio.to_thread(split, article))
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
    problems += await _rivals(kb, article) if compare else [Problem("not_compared")]
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


def _too_long(article: Article) -> bool:
    return (
        len(article.title) > MAX_TITLE
        or len(article.body) > MAX_TEXT
        or len(article.questions) > MAX_QUESTIONS
        or any(len(one) > MAX_QUESTION for one in article.questions)
        or len(article.tags) > MAX_TAGS
        or any(len(one) > MAX_TAG for one in article.tags)
    )


def _weight(text: str) -> int:
    return len(text.strip()) + len(_HAN.findall(text))
