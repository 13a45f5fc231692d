"""Builds the edition of another encoder beside the one that serves, and puts it in place when it holds the same articles.

Only the serving edition is written to; what it has and the new one lacks is encoded until nothing is. So what changes
meanwhile is taken along, and what was built before a crash is not built again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, ParamSpec, TypeVar

import structlog

from knowledge_base.edition import Edition

_TOGETHER = 4  #: articles encoded before others may write
_TOLD_EVERY_SECONDS = 15.0
_COMMITTED_EVERY_SECONDS = 10.0
_P = ParamSpec("_P")
_T = TypeVar("_T")
log = structlog.get_logger()


@dataclass(slots=True)
class Progress:
    """How far a new edition is."""

    encoder: str
    total: int  #: articles
    done: int = 0
    phase: Literal["encoding", "linking", "done", "failed"] = "encoding"
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain values, for the status."""
        return {
            "encoder": self.encoder,
            "phase": self.phase,
            "done": self.done,
            "total": self.total,
            "problem": self.problem,
        }


class Reindexing:
    """One rebuild; ``writing`` is the lock that everything holds which changes articles."""

    def __init__(self, serving: Edition, building: Edition, writing: asyncio.Lock, encoder: str) -> None:
        self.building = building
        self._serving = serving
        self._writing = writing
        self._worker = ThreadPoolExecutor(1, "knowledge-base-build", initializer=_yield_to_others)
        self.progress = Progress(encoder, total=len(serving.view.numbers))
        self._chance = random.SystemRandom()  # processes that build the same edition seldom choose the same articles
        self._told_at = self._committed_at = time.monotonic()

    async def run(self, swap: Callable[[], None]) -> None:
        """Build until both editions hold the same articles, then call ``swap`` while nobody can write."""
        log.info("knowledge is encoded anew", encoder=self.progress.encoder, articles=self.progress.total)
        while True:
            await self._encode_missing()
            self.progress.phase = "linking"
            await self._link()
            async with self._writing:
                if self._missing() or self._surplus():  # written while the graphs were built
                    self.progress.phase = "encoding"
                    continue
                await self.on_worker(self.building.commit)
                swap()
                self.progress.phase = "done"
                log.info("knowledge is encoded anew: done", encoder=self.progress.encoder, articles=self.progress.done)
                return

    async def on_worker(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run something where the new edition is written."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, lambda: call(*args, **kwargs))

    def stop(self) -> None:
        """Let the thread end."""
        self._worker.shutdown(wait=True)

    async def _encode_missing(self) -> None:
        while True:
            async with self._writing:
                missing = self._missing()
                keys = self._chance.sample(missing, min(_TOGETHER, len(missing)))
                surplus = self._surplus()
                if surplus:
                    await self.on_worker(self.building.forget, surplus)
                if keys:
                    await self.on_worker(self._build, keys)
                elif not surplus:
                    return
                await self._tell()

    def _build(self, keys: list[str]) -> None:
        built = []
        for key in keys:
            article = self._serving.article(key)
            if article is not None:
                built.append(self.building.prepare(article))
        self.building.put_in(built)

    async def _link(self) -> None:
        build = await self.on_worker(self.building.index.upkeep)
        if build is not None:
            adopt = await asyncio.to_thread(build)
            if adopt is not None:
                await self.on_worker(adopt)

    def _missing(self) -> list[str]:
        built, wanted = self.building.view.versions, self._serving.view.versions
        missing = [key for key, version in wanted.items() if built.get(key) != version]
        self.progress.total = len(wanted)
        self.progress.done = self.progress.total - len(missing)
        return missing

    def _surplus(self) -> list[str]:
        return sorted(self.building.view.numbers.keys() - self._serving.view.numbers.keys())

    async def _tell(self) -> None:
        now = time.monotonic()
        if now - self._committed_at > _COMMITTED_EVERY_SECONDS:
            self._committed_at = now
            await self.on_worker(self.building.commit)
        if now - self._told_at > _TOLD_EVERY_SECONDS:
            self._told_at = now
            progress = self.progress
            log.info("encoding", encoder=progress.encoder, done=progress.done, total=progress.total)


def _yield_to_others() -> None:
    """Contacts come first: Linux can slow a single thread down, elsewhere this does nothing."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
