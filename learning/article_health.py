"""What is wrong with articles that were right once: out of date, disliked, or contradicted by another one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from knowledge_base.articles import Article
from knowledge_base.contradicting import Contradiction, contradictions
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.library_store import LibraryStore
from learning.article_usage import Usage

REVIEW_EVERY = timedelta(days=180)
ENDS_SOON = timedelta(days=30)
ENOUGH = 5  #: parts of conversations from which on a bad result says something
HANDED_OFF, BAD_SCORE, DISLIKED = 0.4, 2.5, 3
STALE = ("expired", "ends_soon", "unreviewed", "past_date", "disliked")
_MONTHS = {
    name: number
    for number, names in enumerate(
        [
            "jan january",
            "feb february",
            "mar march",
            "apr april",
            "may",
            "jun june",
            "jul july",
            "aug august",
            "sep sept september",
            "oct october",
            "nov november",
            "dec december",
        ],
        start=1,
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DATES = (
    re.compile(r"(?P<year>20\d{2})\s?[-/.年]\s?(?P<month>\d{1,2})\s?[-/.月]\s?(?P<day>\d{1,2})"),
    re.compile(rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<name>{_MONTH})\.?,?\s+(?P<year>20\d{{2}})\b", re.IGNORECASE),
    re.compile(
        rf"\b(?P<name>{_MONTH})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>20\d{{2}})\b", re.IGNORECASE
    ),
)


def last_date(text: str) -> date | None:
    """The latest day with a year that a text names."""
    found = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            parts = match.groupdict()
            month = _MONTHS[parts["name"].lower()] if "name" in parts else int(parts["month"])
            try:
                found.append(date(int(parts["year"]), month, int(parts["day"])))
            except ValueError:
                continue
    return max(found, default=None)


def stale(article: Article, reviewed_at: datetime | None, usage: Usage | None, now: datetime) -> list[str]:
    """Why a published article should be looked at; some of ``STALE``."""
    found = []
    if article.valid_until is not None:
        if article.valid_until <= now:
            found.append("expired")
        elif article.valid_until <= now + ENDS_SOON:
            found.append("ends_soon")
    looked = reviewed_at
    if looked is None and article.updated is not None:
        looked = datetime(article.updated.year, article.updated.month, article.updated.day, tzinfo=now.tzinfo)
    if looked is not None and now - looked > REVIEW_EVERY:
        found.append("unreviewed")
    named = last_date(f"{article.title}\n{article.body}")
    if named is not None and named < now.date():
        found.append("past_date")
    if usage is not None and _disliked(usage):
        found.append("disliked")
    return found


def _disliked(usage: Usage) -> bool:
    if usage.disliked >= DISLIKED:
        return True
    if usage.rated >= ENOUGH and usage.mean_score is not None and usage.mean_score <= BAD_SCORE:
        return True
    return usage.parts >= ENOUGH and (usage.handed_off_share or 0.0) >= HANDED_OFF


class Contradictions:
    """The contradictions between the articles that are published, found anew in the background when these change."""

    def __init__(self, kb: KnowledgeBase, store: LibraryStore) -> None:
        self._kb = kb
        self._store = store
        self._of: frozenset[tuple[str, str]] | None = None
        self._found: Sequence[Contradiction] = ()
        self._looking: asyncio.Task[None] | None = None

    async def found(self, *, wait: bool = False) -> tuple[list[Contradiction], bool]:
        """What is known so far, and whether that is of the articles as they are now; ``wait`` until it is."""
        current = frozenset(self._kb.versions().items())
        if current != self._of and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._look(current), name="contradictions")
        if wait and self._looking is not None:
            await self._looking
        agreed = await self._store.agreed()
        return [one for one in self._found if one.pair not in agreed], current == self._of

    async def close(self) -> None:
        """Stop looking."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look(self, versions: frozenset[tuple[str, str]]) -> None:
        def look() -> list[Contradiction]:
            return contradictions(self._kb.articles(), self._kb.quoter.prepare)

        self._found, self._of = await asyncio.to_thread(look), versions


def by_article(found: Sequence[Contradiction]) -> Mapping[str, int]:
    """How many contradictions each article is in, by key."""
    counted: dict[str, int] = {}
    for one in found:
        for key in {one.first.article.key, one.second.article.key}:
            counted[key] = counted.get(key, 0) + 1
    return counted
