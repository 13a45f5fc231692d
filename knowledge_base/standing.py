"""Which of several articles that say nearly the same is shown: the one in force, the newer one, and only once."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from knowledge_base.articles import Article
from knowledge_base.wording import fold, plain, words_of

if TYPE_CHECKING:
    from knowledge_base.entries import Head

NOISE = 0.1  #: scores of one question that lie this near to each other do not tell which article is better
SAME_SUBJECT = 0.5  #: the share of common words in two titles from which articles are on the same subject
SAME = 0.8  #: the share of common statements from which two articles are one
_MAYBE_SAME = 0.6  #: as far as sketches tell
_SKETCHED = 16  #: statements
_DIGITS = 8  #: of a statement in a sketch
_MARKS = re.compile(r"[\W_]+")
_STATEMENT_ENDS = re.compile(r"[。！？；!?;\n]|\.(?=\s)")
_LONGEST = 20_000  #: characters that are compared


class Replaceable(Protocol):
    """An article, or what is known of it."""

    @property
    def replaced_by(self) -> str | None:
        """The id of the article that says it now."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """An article among the results of one question."""

    head: Head
    score: float  #: comparable within the question
    passage: int  #: ordinal of its best passage


def current_id(article_id: str, find: Callable[[str], Sequence[Replaceable]]) -> str:
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


def settle(results: Sequence[Standing], read: Callable[[str], Article | None]) -> list[Standing]:
    """The results with newer articles before older ones where scores do not decide, and no article said twice.

    ``read`` gives an article by its key; only those are read that the heads do not tell apart.
    """
    ordered = list(results)
    for place in range(1, len(ordered)):
        at = place
        # Compared with the article above only: a chain of small differences may be a large one.
        while at and _overtakes(ordered[at], ordered[at - 1], read):
            ordered[at - 1], ordered[at] = ordered[at], ordered[at - 1]
            at -= 1
    shown: list[Standing] = []
    saying: list[frozenset[str]] = []  # the statements in the sketches of each of them and its twins
    for one in ordered:
        said = _sketched(one.head.sketch)
        rivals = [place for place, others in enumerate(saying) if not others.isdisjoint(said)]
        twin = next((place for place in rivals if _same(one.head, shown[place].head, read)), None)
        if twin is None:
            shown.append(one)
            saying.append(said)
            continue
        saying[twin] |= said
        if _newer(one, shown[twin]):
            shown[twin] = one
    return shown


def sketch_of(article: Article) -> str:
    """The least of the hashes of what an article says, so that another that says the same can be told unread."""
    hashes = sorted(f"{zlib.crc32(one.encode()):0{_DIGITS}x}" for one in statements_of(article.body))
    return "".join(hashes[:_SKETCHED])


def _overtakes(one: Standing, above: Standing, read: Callable[[str], Article | None]) -> bool:
    """Whether a newer article on the same subject fits the question as well as the one above it."""
    near = above.score - one.score < NOISE
    return near and _newer(one, above) and _same_subject(one.head, above.head, read)


def _same_subject(first: Head, second: Head, read: Callable[[str], Article | None]) -> bool:
    if not _sketched(first.sketch).isdisjoint(_sketched(second.sketch)):
        return True
    articles = read(first.key), read(second.key)
    one, other = (_title_words(article.title) if article else frozenset[str]() for article in articles)
    return bool(one | other) and len(one & other) >= SAME_SUBJECT * len(one | other)


@lru_cache(maxsize=4096)
def _title_words(title: str) -> frozenset[str]:
    return frozenset(words_of(title))


def _newer(one: Standing, other: Standing) -> bool:
    return one.head.updated > other.head.updated


def _same(first: Head, second: Head, read: Callable[[str], Article | None]) -> bool:
    if first.language != second.language or not _look_the_same(first.sketch, second.sketch):
        return False
    articles = read(first.key), read(second.key)
    one, other = (statements_of(article.body) if article else frozenset[str]() for article in articles)
    return bool(one | other) and len(one & other) >= SAME * len(one | other)


def _look_the_same(first: str, second: str) -> bool:
    one, other = _sketched(first), _sketched(second)
    least = sorted(one | other)[:_SKETCHED]
    return sum(hashed in one and hashed in other for hashed in least) >= _MAYBE_SAME * len(least)


@lru_cache(maxsize=4096)
def _sketched(sketch: str) -> frozenset[str]:
    return frozenset(sketch[at : at + _DIGITS] for at in range(0, len(sketch), _DIGITS))


def statements_of(body: str) -> frozenset[str]:
    """What a text says, sentence by sentence, without marks and case."""
    said = _STATEMENT_ENDS.split(plain(body[:_LONGEST]))
    return frozenset(filter(None, (_MARKS.sub("", fold(one).lower()) for one in said)))
