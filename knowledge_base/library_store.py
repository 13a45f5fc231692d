"""Keeps the articles that are edited in the desk, with all their versions, in the service's database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from knowledge_base.articles import Article
from knowledge_base.library_model import Editor, Kept, Opened, Owned, Version
from knowledge_base.tables import agreements, article_versions, articles, library_revision, metadata

_a, _v = articles.c, article_versions.c
_newest = articles.join(
    article_versions, (_v.id == _a.id) & (_v.language == _a.language) & (_v.revision == _a.revision)
)
_AT_ONCE = 500
_VERSION = tuple(one.label(f"v_{one.name}") for one in article_versions.c)


class LibraryStore:
    """Articles as rows; the engine belongs to the caller."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(read_only=True)
        self._insert: Any = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert

    @classmethod
    def at(cls, url: str) -> LibraryStore:
        """The store of a database beside which no service needs to run."""
        return cls(create_async_engine(url, hide_parameters=True))

    async def close(self) -> None:
        """Let go of the database."""
        await self._engine.dispose()

    async def create_tables(self) -> None:
        """Create what is missing; existing tables are left alone (migrations change them)."""
        async with self._engine.begin() as connection:
            await connection.run_sync(metadata.create_all)

    # -- reading

    async def revision(self) -> int:
        """Raised by every change, by whichever process."""
        async with self._reading.connect() as connection:
            return (await connection.execute(select(library_revision.c.revision))).scalar() or 0

    async def owned(self) -> Owned:
        """What the index has to hold of these articles; nothing where the tables are not made yet."""
        published = select(_v.id, _v.language, _v.hash).join(
            articles, (_v.id == _a.id) & (_v.language == _a.language) & (_v.revision == _a.live)
        )
        try:
            async with self._reading.connect() as connection:
                revision = (await connection.execute(select(library_revision.c.revision))).scalar() or 0
                live = {f"{row.id}/{row.language}": row.hash for row in await connection.execute(published)}
                keys = {f"{row.id}/{row.language}" for row in await connection.execute(select(_a.id, _a.language))}
        except DBAPIError as error:
            if "no such table" in str(error.orig) or "does not exist" in str(error.orig):
                return Owned(0)
            raise
        return Owned(revision, live, frozenset(keys - live.keys()))

    async def published(self, keys: Collection[str]) -> list[Article]:
        """The published content of these articles."""
        pairs = [tuple(key.rsplit("/", 1)) for key in keys]
        found: list[Article] = []
        async with self._reading.connect() as connection:
            for start in range(0, len(pairs), _AT_ONCE):
                query = (
                    select(_v.content)
                    .join(articles, (_v.id == _a.id) & (_v.language == _a.language) & (_v.revision == _a.live))
                    .where(tuple_(_v.id, _v.language).in_(pairs[start : start + _AT_ONCE]))
                )
                found += [Article.from_json(content) for (content,) in await connection.execute(query)]
        return found

    async def all(self) -> list[Opened]:
        """Every article with its newest version, the last changed first."""
        query = select(*articles.c, *_VERSION).select_from(_newest).order_by(_a.updated_at.desc(), _a.id, _a.language)
        async with self._reading.connect() as connection:
            return [_opened(row) for row in await connection.execute(query)]

    async def of(self, article_id: str) -> list[Opened]:
        """An article in every language in which it is kept."""
        query = select(*articles.c, *_VERSION).select_from(_newest).where(_a.id == article_id).order_by(_a.language)
        async with self._reading.connect() as connection:
            return [_opened(row) for row in await connection.execute(query)]

    async def versions(self, article_id: str, language: str) -> list[Version]:
        """All versions, the newest first."""
        query = select(article_versions).where(_v.id == article_id, _v.language == language)
        async with self._reading.connect() as connection:
            return [_version(row) for row in await connection.execute(query.order_by(_v.revision.desc()))]

    async def agreed(self) -> set[str]:
        """The pairs of sentences of which somebody said that they agree."""
        async with self._reading.connect() as connection:
            return set((await connection.execute(select(agreements.c.pair))).scalars())

    async def agree(self, pair: str, by_name: str, at: datetime, *, agrees: bool) -> None:
        """Remember, or forget, that a pair agrees."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(agreements).where(agreements.c.pair == pair))
            if agrees:
                await connection.execute(insert(agreements).values(pair=pair, at=at, by_name=by_name))

    # -- writing

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[LibraryChange]:
        """A transaction in which nobody else changes articles."""
        async with self._engine.begin() as connection:
            first = self._insert(library_revision).values(id=1, revision=0).on_conflict_do_nothing()
            await connection.execute(first)
            await connection.execute(update(library_revision).values(revision=library_revision.c.revision + 1))
            yield LibraryChange(connection)


class LibraryChange:
    """The statements of one change."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, article_id: str, language: str) -> Opened | None:
        """An article as it is now."""
        query = select(*articles.c, *_VERSION).select_from(_newest).where(_a.id == article_id, _a.language == language)
        row = (await self._connection.execute(query)).first()
        return None if row is None else _opened(row)

    async def version(self, article_id: str, language: str, revision: int) -> Version | None:
        """One of an article's versions."""
        query = select(article_versions).where(_v.id == article_id, _v.language == language, _v.revision == revision)
        row = (await self._connection.execute(query)).first()
        return None if row is None else _version(row)

    async def add(self, kept: Kept, version: Version) -> None:
        """An article that was not kept before."""
        names = [one.name for one in articles.c]
        await self._connection.execute(insert(articles).values({name: getattr(kept, name) for name in names}))
        await self._add_version(version)

    async def put(self, kept: Kept, version: Version | None = None) -> None:
        """An article as it is from now on, with its new version if there is one."""
        names = [one.name for one in articles.c if one.name not in ("id", "language")]
        chosen = update(articles).where(_a.id == kept.id, _a.language == kept.language)
        await self._connection.execute(chosen.values({name: getattr(kept, name) for name in names}))
        if version is not None:
            await self._add_version(version)

    async def _add_version(self, version: Version) -> None:
        article = version.article
        await self._connection.execute(
            insert(article_versions).values(
                id=article.id,
                language=article.language,
                revision=version.revision,
                hash=article.version,
                content=article.to_json(),
                restores=version.restores,
                reason=version.reason,
                at=version.at,
                by_id=version.by.id,
                by_name=version.by.name,
            )
        )


def _opened(row: Any) -> Opened:
    values = row._mapping
    kept = Kept(**{one.name: values[one.name] for one in articles.c})
    return Opened(kept, _version_of({name: values[f"v_{name}"] for name in _FIELDS}))


_FIELDS: Sequence[str] = tuple(one.name for one in article_versions.c)


def _version(row: Any) -> Version:
    return _version_of(dict(row._mapping))


def _version_of(values: dict[str, Any]) -> Version:
    return Version(
        values["revision"],
        Article.from_json(values["content"]),
        values["reason"],
        values["at"],
        Editor(values["by_id"], values["by_name"]),
        values["restores"],
    )
