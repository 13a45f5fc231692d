"""Keeps a knowledge base equal to a directory: what is saved there is searchable a moment later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from zoneinfo import ZoneInfo

from watchfiles import awatch

from knowledge_base.articles import Article
from knowledge_base.errors import KnowledgeBaseError, UnreadableSource
from knowledge_base.importing import SUFFIXES, find_sources, read_source
from knowledge_base.knowledge_base import KnowledgeBase, LoadReport
from knowledge_base.readers import SHANGHAI


class Folder:
    """The articles of a directory's files; a file that has become unreadable keeps what it last held."""

    def __init__(self, directory: Path, zone: ZoneInfo = SHANGHAI) -> None:
        self._directory = directory
        self._zone = zone
        self._read: dict[Path, tuple[tuple[int, int], list[Article]]] = {}

    def articles(self) -> tuple[list[Article], list[UnreadableSource]]:
        """All articles as they are now, and one problem for each file that could not be taken."""
        problems: list[UnreadableSource] = []
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


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise UnreadableSource(path.name, f"cannot be read ({error.strerror}); check the file") from None
    return status.st_mtime_ns, status.st_size


async def watch(
    kb: KnowledgeBase,
    directory: Path,
    tell: Callable[[str], None],
    stop: asyncio.Event | None = None,
    zone: ZoneInfo = SHANGHAI,
) -> AsyncIterator[LoadReport]:
    """Load the directory now and after every change, one report each; problems are told and do not end it."""
    folder = Folder(directory, zone)
    yield await _load(kb, folder, tell)
    changes = awatch(directory, watch_filter=lambda _, path: path.lower().endswith(SUFFIXES), stop_event=stop)
    async for _ in changes:
        yield await _load(kb, folder, tell)


async def _load(kb: KnowledgeBase, folder: Folder, tell: Callable[[str], None]) -> LoadReport:
    try:
        articles, problems = await asyncio.to_thread(folder.articles)
        for problem in problems:
            tell(f"not loaded: {problem}")
        return await kb.load(articles)
    except KnowledgeBaseError as problem:
        tell(f"not loaded: {problem}")
        return LoadReport()
