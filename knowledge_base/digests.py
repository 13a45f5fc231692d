"""Finds finished conversations that asked for something similar, by the sentence vectors of what their contacts asked.

Only vectors and conversation ids are kept here; the words stay in the database, from which all of it can be made again.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar

import structlog

from knowledge_base.encoder import Vectors
from knowledge_base.errors import IndexUnavailable

log = structlog.get_logger()
_T = TypeVar("_T")
SentenceVectors = Callable[[Sequence[str]], Vectors]


class DigestIndex(Protocol):
    """Keeps one vector per conversation."""

    identity: str  #: changes when the index was lost and begun anew

    def put(self, conversation_ids: Sequence[str], vectors: Vectors) -> None:
        """Store or replace vectors; they are safe when this returns."""

    def forget(self, conversation_ids: Sequence[str]) -> None:
        """Delete vectors."""

    def nearest(self, vectors: Vectors, limit: int) -> list[list[tuple[str, float]]]:
        """For each row the nearest conversations with their cosines."""

    def close(self) -> None:
        """Let go of it."""


class ConversationDigests:
    """One index with the encoder that fills it; encoding and searching run in a thread of their own."""

    def __init__(self, opening: Callable[[], DigestIndex], vectors: SentenceVectors, form: str) -> None:
        """``opening`` raises ``IndexUnavailable`` while the index cannot be had, and is then called again later."""
        self._opening = opening
        self._index: DigestIndex | None = None
        self._vectors = vectors
        self._form = form
        self._worker = ThreadPoolExecutor(1, "digests")

    @property
    def there(self) -> bool:
        """Whether the index could be opened; every use tries again while it could not."""
        return self._index is not None

    async def current_form(self) -> str:
        """What was put in under another form has to be put in again; raises ``IndexUnavailable``."""
        if self._index is None:
            await self._run(self._opened)
        assert self._index is not None
        return f"{self._form}-{self._index.identity}"

    @classmethod
    async def open(
        cls, data_dir: Path, qdrant_url: str | None, vectors: SentenceVectors, encoder: str, version: str
    ) -> ConversationDigests:
        """The digests in ``data_dir``, or on the Qdrant server; ``encoder`` names what ``vectors`` encodes with, and
        ``version`` how digests are written."""
        form = hashlib.sha256(f"{encoder}\n{version}".encode()).hexdigest()[:16]

        def index() -> DigestIndex:
            dimensions = vectors(["."]).shape[1]
            if qdrant_url:
                from knowledge_base.index_digests_server import ServerDigests

                return ServerDigests(qdrant_url, form, dimensions)
            from knowledge_base.index_digests import EdgeDigests

            for former in (data_dir / "conversations").glob("*"):
                if former.name != form:  # nobody would erase contacts in it any more
                    shutil.rmtree(former, ignore_errors=True)
            return EdgeDigests(data_dir / "conversations" / form, dimensions)

        opened = cls(index, vectors, form)
        try:
            await opened.current_form()
        except IndexUnavailable as error:
            if qdrant_url is None:
                raise
            log.warning("similar conversations are not found for now", problem=str(error))
        return opened

    async def put(self, digests: Sequence[tuple[str, str]]) -> None:
        """Store what each conversation (by id) was about; a digest that is there already is replaced."""
        if digests:
            await self._run(
                lambda: self._opened().put([one for one, _ in digests], self.encode([t for _, t in digests]))
            )

    async def nearest(self, texts: Sequence[str], limit: int) -> list[tuple[str, float]]:
        """The conversations nearest to any of the texts, with their best cosine, nearest first."""
        if not texts:
            return []
        rows = await self._run(lambda: self._opened().nearest(self.encode(texts), limit))
        best: dict[str, float] = {}
        for conversation_id, cosine in (pair for row in rows for pair in row):
            best[conversation_id] = max(cosine, best.get(conversation_id, -1.0))
        return sorted(best.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]

    async def forget(self, conversation_ids: Sequence[str]) -> None:
        """Delete what is kept of these conversations."""
        if conversation_ids:
            await self._run(lambda: self._opened().forget(conversation_ids))

    async def similarities(self, texts: Sequence[str]) -> Vectors:
        """The cosine of each text with each other one."""
        rows = await self._run(lambda: self.encode(texts))
        similar: Vectors = rows @ rows.T
        return similar

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row of length one per text; takes about a millisecond each."""
        return self._vectors(texts)

    async def close(self) -> None:
        """Finish what is running and let others open the index."""
        if self._index is not None:
            await self._run(self._index.close)
        self._worker.shutdown(wait=True)

    def _opened(self) -> DigestIndex:
        if self._index is None:
            self._index = self._opening()
        return self._index

    async def _run(self, call: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, call)
