"""Which of several articles that say nearly the same is shown: the one in force, the newer one, and only once."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from knowledge_base.articles import Article
from knowledge_base.splitting import sentences
from knowledge_base.wording import fold, plain, words_of

NOISE = 0.1  #: scores of one question that lie this near to each other do not tell which article is better
SAME_SUBJECT = 0.5  #: the share of common words in two titles from which articles are on the same subject
SAME = 0.8  #: the share of common sentences from which two articles are one
_MARKS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Standing:
    """An article among the results of one question."""

    article: Article
    score: float  #: comparable within the question
    passage: int  #: ordinal of its best passage


def current_edition(article_id: str, find: Callable[[str], Sequence[Article]]) -> str:
    """The id of the article that replaces this one, or its own; ``find`` gives what may be read under an id.

    A successor that cannot be read leaves the old article in force, and a circle of them ends where it began.
    """
    seen = {article_id}
    while True:
        successors = {one.replaced_by for one in find(article_id)} - {None}
        following = next((name for name in sorted(filter(None, successors)) if find(name)), None)
        if following is None or following in seen:
            return article_id
        seen.add(following)
        article_id = following


def settle(results: Sequence[Standing]) -> list[Standing]:
    """The results with newer articles before older ones where scores do not decide, and no article said twice."""
    ordered = list(results)
    for place in range(1, len(ordered)):
        at = place
        # Compared with the article above only: a chain of small differences may be a large one.
        while at and _overtakes(ordered[at], ordered[at - 1]):
            ordered[at - 1], ordered[at] = ordered[at], ordered[at - 1]
            at -= 1
    shown: list[Standing] = []
    for one in ordered:
        twin = next((place for place, other in enumerate(shown) if _same(one.article, other.article)), None)
        if twin is None:
            shown.append(one)
        elif _newer(one, shown[twin]):
            shown[twin] = one
    return shown


def _overtakes(one: Standing, above: Standing) -> bool:
    """Whether a newer article on the same subject fits the question as well as the one above it."""
    near = above.score - one.score < NOISE
    return near and _newer(one, above) and _same_subject(one.article, above.article)


def _same_subject(first: Article, second: Article) -> bool:
    one, other = set(words_of(first.title)), set(words_of(second.title))
    if len(one & other) >= SAME_SUBJECT * len(one | other):
        return True
    said, said_too = _statements(first.body, first.language), _statements(second.body, second.language)
    return bool(said & said_too)


def _newer(one: Standing, other: Standing) -> bool:
    return (one.article.updated or date.min) > (other.article.updated or date.min)


def _same(first: Article, second: Article) -> bool:
    if first.language != second.language:
        return False
    one, other = _statements(first.body, first.language), _statements(second.body, second.language)
    return bool(one | other) and len(one & other) >= SAME * len(one | other)


@lru_cache(maxsize=512)
def _statements(body: str, language: str) -> frozenset[str]:
    bare = (_MARKS.sub("", fold(plain(sentence)).lower()) for sentence in sentences(body[:20_000], language))
    return frozenset(filter(None, bare))
