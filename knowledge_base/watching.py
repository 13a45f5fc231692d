"""Keeps a knowledge base equal to a directory: what is saved there is searchable a moment later."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog
from watchfiles import awatch

from knowledge_base.articles import Article
from knowledge_base.errors import IndexUnavailable, KnowledgeBaseError, UnreadableSource
from knowledge_base.importing import SUFFIXES, find_sources, read_source
from knowledge_base.readers import SHANGHAI
from knowledge_base.results import LoadReport


class Loads(Protocol):
    """A knowledge base, or the library that keeps what was edited by hand in front of it."""

    async def load(self, articles: Iterable[Article]) -> LoadReport:
        """Hold these articles of files."""
        ...


_AGAIN_SECONDS = 10.0
_LOOK_EVERY_MS = 3000
log = structlog.get_logger()


class Folder:
    """The articles of a directory's files; a file that has become unreadable keeps what it last held."""

    def __init__(self, directory: Path, zone: ZoneInfo = SHANGHAI) -> None:
        self._directory = directory
        self._zone = zone
        self._read: dict[Path, tuple[tuple[int, int], list[Article]]] = {}
        self._looked_at: dict[Path, tuple[int, int]] = {}

    def changed(self) -> bool:
        """Whether files came, went or were saved since they were last read."""
        return _stamps(self._directory) != self._looked_at

    def articles(self) -> tuple[list[Article], list[UnreadableSource]]:
        """All articles as they are now, and one problem for each file that could not be taken."""
        problems: list[UnreadableSource] = []
        self._looked_at = _stamps(self._directory)  # before reading: what is saved meanwhile is read again
        before, self._read = self._read, {}
        taken: dict[str, Article] = {}
        for path in find_sources([self._directory]):
            try:
                known, stamp = before.get(path), _stamp(path)
                if known is None or known[0] != stamp:
                    try:
                        known = (stamp, read_source(path, self._zone))
                    except UnreadableSource as problem:
                        problems.append(problem)
                if known is None:
                    continue
                repeated = next((article.key for article in known[1] if article.key in taken), None)
                if repeated is not None:
                    raise UnreadableSource(path.name, f"{repeated} is in another file, too; give one another id")
            except UnreadableSource as problem:
                problems.append(problem)
                continue
            self._read[path] = known
            taken.update((article.key, article) for article in known[1])
        return list(taken.values()), problems


def _stamps(directory: Path) -> dict[Path, tuple[int, int]]:
    found = {}
    for path in find_sources([directory]):
        with contextlib.suppress(UnreadableSource):
            found[path] = _stamp(path)
    return found


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise UnreadableSource(path.name, f"cannot be read ({error.strerror}); check the file") from None
    return status.st_mtime_ns, status.st_size


async def watch(
    kb: Loads,
    directory: Path,
    tell: Callable[[str], None],
    stop: asyncio.Event | None = None,
    zone: ZoneInfo = SHANGHAI,
) -> AsyncIterator[LoadReport]:
    """Load the directory now and after every change, one report each; problems are told and do not end it."""
    folder = Folder(directory, zone)
    yield await _load(kb, folder, tell)
    changes = awatch(
        directory,
        watch_filter=lambda _, path: path.lower().endswith(SUFFIXES),
        stop_event=stop,
        rust_timeout=_LOOK_EVERY_MS,
        yield_on_timeout=True,
    )
    async for (
        told_of
    ) in changes:  # network disks tell of nothing, and nobody tells of what was saved before we listened
        changed = bool(told_of) or await asyncio.to_thread(folder.changed)
        if changed:
            yield await _load(kb, folder, tell)


async def follow(kb: Loads, directory: Path, zone: ZoneInfo = SHANGHAI) -> None:
    """Do so until cancelled, beside everything else that a service does; what goes wrong is logged and tried again."""
    while True:
        try:
            if not await asyncio.to_thread(directory.is_dir):
                raise KnowledgeBaseError(f"{directory} is not a directory; make it, or correct ARTICLES_DIR")
            if not await asyncio.to_thread(find_sources, [directory]):  # a disk that is not mounted must not empty us
                raise KnowledgeBaseError(f"{directory} holds no articles; nothing was removed")
            async for report in watch(
                kb, directory, lambda text: log.warning("article_not_loaded", problem=text), zone=zone
            ):
                if report.added or report.updated or report.removed:
                    changes = {name: len(getattr(report, name)) for name in ("added", "updated", "removed", "kept")}
                    log.info("articles_loaded", passages=report.passages, **changes)
        except Exception as error:
            log.error("articles_not_followed", error=str(error), retry_in_seconds=_AGAIN_SECONDS)
        await asyncio.sleep(_AGAIN_SECONDS)


async def _load(kb: Loads, folder: Folder, tell: Callable[[str], None]) -> LoadReport:
    try:
        articles, problems = await asyncio.to_thread(folder.articles)
        for problem in problems:
            tell(f"not loaded: {problem}")
        return await kb.load(articles)
    except IndexUnavailable:
        raise  # nothing is wrong with the articles: they are loaded once the index is there
    except KnowledgeBaseError as problem:
        tell(f"not loaded: {problem}")
        return LoadReport()
