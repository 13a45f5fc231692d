"""The articles that trainers edit in the desk: drafts, versions, and what is published of them.

The database decides what is published; the index follows in the same breath. Where a process dies in between, or the
index is away, the next look (``refresh``, in every process) makes the index hold what the database says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from knowledge_base.articles import Article, check_article
from knowledge_base.errors import KnowledgeBaseError, UnreadableSource
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.library_model import Change, Editor, Kept, LibraryRefused, Opened, Origin, Version
from knowledge_base.library_store import LibraryChange, LibraryStore
from knowledge_base.results import LoadReport

_AGAIN = 3  #: times that files are loaded again because somebody published meanwhile
log = structlog.get_logger()


class Library:
    """The edited articles of one desk, and the knowledge base that answers from them."""

    def __init__(
        self, store: LibraryStore, kb: KnowledgeBase, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.store = store
        self.kb = kb
        self._now = now
        self._indexed = -1  #: the revision of the library that this process's index holds
        self._following = asyncio.Lock()

    # -- keeping the index

    async def refresh(self) -> bool:
        """Make the index hold what is published, if this or another process changed it; False where it is away."""
        if await self.store.revision() == self._indexed:
            return True
        async with self._following:
            try:
                await self._follow()
            except KnowledgeBaseError as error:
                log.warning("articles_not_indexed", error=str(error))
                return False
        return True

    async def load(
        self,
        articles: Iterable[Article],
        progress: Callable[[int, int], None] | None = None,
        *,
        complete: bool = True,
    ) -> LoadReport:
        """As ``KnowledgeBase.load`` for what files hold; what is edited in the desk stays as it is there."""
        files = list(articles)
        async with self._following:
            for _ in range(_AGAIN):
                owned = await self.store.owned()
                own = await self.store.published(owned.live) if owned.live else []
                of_files = [one for one in files if one.key not in owned.live and one.key not in owned.held]
                report = await self.kb.load([*of_files, *own], progress, complete=complete)
                self._indexed = owned.revision
                if await self.store.revision() == owned.revision:
                    break
            else:
                await self._follow()
        current = self.kb.versions()
        kept = {one.key for one in files if one.key in owned.held or one.key in owned.live}
        differs = {one.key for one in files if one.key in kept and current.get(one.key) != one.version}
        return replace(report, kept=tuple(sorted(differs)))

    async def _follow(self) -> None:
        owned = await self.store.owned()
        there = self.kb.versions()
        wanted = [key for key, version in owned.live.items() if there.get(key) != version]
        if wanted:
            await self.kb.load(await self.store.published(wanted), complete=False)
        for key in owned.held & there.keys():
            article_id, _, language = key.rpartition("/")
            await self.kb.remove(article_id, language)
        self._indexed = owned.revision

    # -- writing

    async def create(
        self, article: Article, by: Editor, reason: str = "", *, origin: Origin = "desk", source: str = ""
    ) -> Change:
        """A new draft; raises ``LibraryRefused`` where there is an article of this id and language."""
        checked = _checked(article)
        if self.kb.find_article(article.id, article.language) is not None:
            raise _exists(article)
        async with self.store.changing() as change:
            if await change.find(article.id, article.language) is not None:
                raise _exists(article)
            kept, version = self._new(checked, by, reason, origin, source)
            await change.add(kept, version)
        return Change(kept, version, None, await self.refresh())

    async def take_over(self, article_id: str, language: str, by: Editor) -> Change:
        """Keep an article of a file in the desk from now on: published as it is, and no import changes it any more."""
        article = self.kb.find_article(article_id, language)
        async with self.store.changing() as change:
            if await change.find(article_id, language) is not None:
                raise LibraryRefused("exists", "Somebody has taken this article over already. Reload it.")
            if article is None:
                raise _not_found()
            kept, version = self._new(article, by, "", "file", "")
            kept = replace(kept, live=1, published_at=self._now())
            await change.add(kept, version)
        return Change(kept, version, version, await self.refresh())

    async def save(self, article: Article, revision: int, by: Editor, reason: str = "") -> Change:
        """A new version, in place of the newest one, which the writer saw as ``revision``; published it is not yet."""
        checked = _checked(article)
        async with self.store.changing() as change:
            opened = await self._open(change, article.id, article.language, revision)
            if opened.version.article == checked:
                raise LibraryRefused("nothing", "Nothing was changed, so there is nothing to save.")
            kept, version = self._next(opened, checked, by, reason)
            await change.put(kept, version)
        return Change(kept, version, opened.version, await self.refresh())

    async def restore(self, article_id: str, language: str, revision: int, to: int, by: Editor) -> Change:
        """A new version that says what an older one said."""
        async with self.store.changing() as change:
            opened = await self._open(change, article_id, language, revision)
            older = await change.version(article_id, language, to)
            if older is None:
                raise _not_found()
            if older.article == opened.version.article:
                raise LibraryRefused("nothing", "That version says the same as the newest one.")
            kept, version = self._next(opened, older.article, by, "", restores=to)
            await change.put(kept, version)
        return Change(kept, version, opened.version, await self.refresh())

    async def publish(self, article_id: str, language: str, revision: int, by: Editor) -> Change:
        """Tell customers the newest version from now on, as far as its dates and audience allow."""
        async with self.store.changing() as change:
            opened = await self._open(change, article_id, language, revision)
            former = opened.kept.live
            if former == revision:
                raise LibraryRefused("nothing", "This version is published already.")
            before = None if former is None else await change.version(article_id, language, former)
            now = self._now()
            kept = replace(
                opened.kept, live=revision, archived=False, published_at=now, reviewed_at=now, updated_at=now,
                updated_by=by.name,
            )  # fmt: skip
            await change.put(kept)
        return Change(kept, opened.version, before, await self.refresh())

    async def unpublish(
        self, article_id: str, language: str, revision: int, by: Editor, *, archive: bool = False
    ) -> Change:
        """Tell nobody any more; an archived article also leaves the list of what is being written."""
        async with self.store.changing() as change:
            opened = await self._open(change, article_id, language, revision, archived=True)
            if opened.kept.archived == archive and opened.kept.live is None:
                raise LibraryRefused("nothing", "Nobody is told this article already.")
            kept = replace(opened.kept, live=None, archived=archive, updated_at=self._now(), updated_by=by.name)
            await change.put(kept)
        return Change(kept, opened.version, opened.version, await self.refresh())

    async def review(self, article_id: str, language: str, by: Editor) -> Change:
        """Note that somebody has read the article and it still holds."""
        async with self.store.changing() as change:
            opened = await change.find(article_id, language)
            if opened is None:
                raise _not_found()
            kept = replace(opened.kept, reviewed_at=self._now())
            await change.put(kept)
        return Change(kept, opened.version, opened.version, await self.refresh())

    # -- parts

    async def _open(
        self, change: LibraryChange, article_id: str, language: str, revision: int, *, archived: bool = False
    ) -> Opened:
        opened = await change.find(article_id, language)
        if opened is None:
            raise _not_found()
        if opened.kept.revision != revision:
            theirs = opened.version
            raise LibraryRefused(
                "changed",
                f"{theirs.by.name} has saved another version meanwhile. Compare both and decide.",
                {
                    "revision": theirs.revision,
                    "by": theirs.by.name,
                    "at": theirs.at.isoformat(),
                    "article": theirs.article.to_json(),
                },
            )
        return opened

    def _new(self, article: Article, by: Editor, reason: str, origin: Origin, source: str) -> tuple[Kept, Version]:
        now = self._now()
        kept = Kept(
            article.id, article.language, 1, None, False, origin, source, now, by.name, now, by.name, now
        )  # fmt: skip
        return kept, Version(1, article, reason, now, by)

    def _next(
        self, opened: Opened, article: Article, by: Editor, reason: str, restores: int | None = None
    ) -> tuple[Kept, Version]:
        now, revision = self._now(), opened.kept.revision + 1
        kept = replace(opened.kept, revision=revision, archived=False, updated_at=now, updated_by=by.name)
        return kept, Version(revision, article, reason, now, by, restores)


def _checked(article: Article) -> Article:
    try:
        return check_article(article, article.title.strip()[:80] or article.id)
    except UnreadableSource as problem:
        raise LibraryRefused("bad_article", problem.problem) from None


def _exists(article: Article) -> LibraryRefused:
    return LibraryRefused(
        "exists", f"There is an article {article.id} in this language already. Open it, or choose another id."
    )


def _not_found() -> LibraryRefused:
    return LibraryRefused("not_found", "There is no such article any more. Reload the list.")
