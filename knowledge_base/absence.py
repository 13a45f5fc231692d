"""What holds while the server of the index is away: everybody is told so at once, and it is asked until it answers.

Only the first who asks may have to wait for the network; nobody after them does, because a customer who waits is worse
off than one who hears that nothing can be looked up and is given to a person.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import structlog

from knowledge_base.edition import Edition
from knowledge_base.encoder import Encoder
from knowledge_base.entries import Entry, Head, Near, QuestionVectors, Stored
from knowledge_base.errors import IndexUnavailable
from knowledge_base.readers import Reader

_FIRST_LOOK_SECONDS, _LAST_LOOK_SECONDS = 0.5, 10.0
_T = TypeVar("_T")
log = structlog.get_logger()


class Absence:
    """Asks the index in its threads; ``look`` raises ``IndexUnavailable`` for as long as the server stays away."""

    def __init__(
        self,
        possible: bool,
        look: Callable[[], Awaitable[None]],
        in_background: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._possible = possible
        self._look = look
        self._in_background = in_background
        self.problem: str | None = None

    def begin(self, error: IndexUnavailable) -> None:
        """The server did not answer."""
        if self.problem is None and self._possible:
            self.problem = str(error)
            log.error("the knowledge base is away; contacts are told and offered a person", problem=self.problem)
            self._in_background(self._come_back())

    async def ask(self, worker: ThreadPoolExecutor, call: Callable[[], _T]) -> _T:
        """What the index answers; raises ``IndexUnavailable`` at once while its server is known to be away."""
        if self.problem is not None:
            raise IndexUnavailable(self.problem)
        try:
            return await self.asked(worker, call)
        except IndexUnavailable as error:
            self.begin(error)
            raise

    async def asked(self, worker: ThreadPoolExecutor, call: Callable[[], _T]) -> _T:
        """As ``ask``, whatever is known of the server."""
        return await asyncio.get_running_loop().run_in_executor(worker, call)

    async def if_there(self, worker: ThreadPoolExecutor, call: Callable[[], object]) -> None:
        """Do what a server that is away does not need: it has everything that was written already."""
        with contextlib.suppress(IndexUnavailable):
            await self.asked(worker, call)

    async def _come_back(self) -> None:
        pause = _FIRST_LOOK_SECONDS
        while self.problem is not None:
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311  # spreads the looks of processes
            pause = min(2 * pause, _LAST_LOOK_SECONDS)
            try:
                await self._look()
            except IndexUnavailable as error:
                self.problem = str(error)
            except Exception as error:  # something else is wrong with it: nothing can be looked up either
                log.exception("the knowledge base cannot be opened")
                self.problem = str(error) or type(error).__name__
            else:
                self.problem = None
                log.info("the knowledge base is there again")


def nothing_there(use: Encoder, encoder: Encoder) -> Edition:
    """An edition that holds nothing, for as long as the real one cannot be opened."""
    folder, index = Path(tempfile.mkdtemp(prefix="knowledge-away-")), _Nothing()
    release = lambda: shutil.rmtree(folder, ignore_errors=True)  # noqa: E731
    return Edition(index, folder, use, encoder, shared=index, release=release)


class _Nothing:
    """An index that cannot be read: what is published is not known, and writing is refused."""

    def stage(self, entries: Sequence[Entry]) -> None:
        raise IndexUnavailable("the index could not be opened yet")

    def publish(self, heads: Sequence[Head]) -> None:
        raise IndexUnavailable("the index could not be opened yet")

    def remove(self, article_keys: Collection[str]) -> None:
        raise IndexUnavailable("the index could not be opened yet")

    def generation(self) -> int:
        return 0

    def heads(self) -> list[Head]:
        return []

    def texts(self, points: Sequence[int]) -> list[dict[str, Any] | None]:
        return [None] * len(points)

    def stored(self, points: Sequence[int], *, vectors: bool) -> dict[int, Stored]:
        return {}

    def nearest(
        self, question: QuestionVectors, languages: Sequence[str], limit: int, reader: Reader | None = None
    ) -> list[Near]:
        raise IndexUnavailable("the index could not be opened yet")

    def similarities(
        self, question: QuestionVectors, article_keys: Collection[str]
    ) -> tuple[dict[int, float], dict[int, float]]:
        raise IndexUnavailable("the index could not be opened yet")

    def flush(self) -> None:
        return None

    def upkeep(self) -> None:
        return None

    def close(self) -> None:
        return None
