"""All articles in one list: those the desk keeps, and those that only lie in files; with what is known of each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from handoff.learning.knowledge_bodies import ArticlesQuery
from handoff.learning.knowledge_side import KnowledgeSide
from knowledge_base.articles import Article
from knowledge_base.library_model import Kept
from learning.article_health import by_article, stale
from learning.article_usage import Usage


@dataclass(frozen=True, slots=True)
class Row:
    """An article in its newest form; ``live`` is what is published, if anything is."""

    article: Article
    kept: Kept | None
    live: Article | None
    usage: Usage | None
    stale: tuple[str, ...]


@dataclass(slots=True)
class ArticleList:
    """Reads the list; articles that have not changed are not read from the index again."""

    side: KnowledgeSide
    _known: dict[str, Article] = field(default_factory=dict)

    async def rows(self, now: datetime) -> list[Row]:
        """Every article, those that were edited last first, then the files' by id."""
        live = await asyncio.to_thread(self._published)
        usage = await self.side.usage.all()
        rows = []
        for opened in await self.side.library.store.all():
            key = opened.kept.key
            rows.append(self._row(opened.version.article, opened.kept, live.pop(key, None), usage, now))
        rows += [self._row(article, None, article, usage, now) for _, article in sorted(live.items())]
        return rows

    async def counts(self, now: datetime) -> dict[str, int]:
        """How many there are of each kind that can be filtered by."""
        rows, contradicting = await self.rows(now), by_article((await self.side.contradictions.found())[0])
        states = dict.fromkeys(("draft", "published", "archived"), 0)
        for row in rows:
            states[_state(row)] += 1
        flags = ("stale", "contradicting", "unused", "ahead", "one_language")
        languages = _languages(rows)
        return states | {name: sum(_flagged(row, name, contradicting, languages) for row in rows) for name in flags}

    def chosen(self, rows: list[Row], query: ArticlesQuery, contradicting: Mapping[str, int]) -> list[Row]:
        """Those that a query asks for."""
        wanted = query.q.strip().lower()
        languages = _languages(rows)
        return [
            row
            for row in rows
            if (not query.state or _state(row) == query.state)
            and (query.state or _state(row) != "archived")
            and (not query.language or row.article.language == query.language)
            and (not query.flag or _flagged(row, query.flag, contradicting, languages))
            and (not wanted or wanted in _searched(row.article))
        ]

    def _published(self) -> dict[str, Article]:
        versions = self.side.kb.versions()
        found = {}
        for key, version in versions.items():
            article: Article | None = self._known.get(key)
            if article is None or article.version != version:
                article_id, _, language = key.rpartition("/")
                article = self.side.kb.find_article(article_id, language)
            if article is not None:
                found[key] = article
        self._known = dict(found)
        return found

    def _row(
        self, article: Article, kept: Kept | None, live: Article | None, usage: Mapping[str, Usage], now: datetime
    ) -> Row:
        used = usage.get(article.key)
        reviewed = kept.reviewed_at if kept else None
        return Row(article, kept, live, used, tuple(stale(live, reviewed, used, now)) if live else ())


def _state(row: Row) -> str:
    return row.kept.state if row.kept else "published"


def _languages(rows: list[Row]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in rows:
        if _state(row) != "archived":
            found.setdefault(row.article.id, set()).add(row.article.language)
    return found


def _flagged(row: Row, flag: str, contradicting: Mapping[str, int], languages: Mapping[str, set[str]]) -> bool:
    if flag == "stale":
        return bool(row.stale)
    if flag == "contradicting":
        return row.article.key in contradicting
    if flag == "unused":
        return row.live is not None and (row.usage is None or row.usage.by_bot + row.usage.by_agents == 0)
    if flag == "ahead":
        return row.kept is not None and row.kept.ahead
    return len(languages.get(row.article.id, ())) == 1


def _searched(article: Article) -> str:
    return "\n".join((article.id, article.title, *article.questions, *article.tags, article.body)).lower()
