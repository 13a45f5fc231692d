"""An edition with a few articles more than are published, for trying questions before anything is published.

The ledger is copied to a folder that goes with it, and the drafts are encoded like any article; the index itself is only
read. So a question is ranked exactly as it will be once the drafts are published.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from knowledge_base.articles import Article
from knowledge_base.edition import Edition
from knowledge_base.entries import Entry, Head, Near, QuestionVectors, SharedIndex, Stored
from knowledge_base.readers import Reader
from knowledge_base.sentence_store import SentenceStore


def drafted(edition: Edition, drafts: Sequence[Article]) -> tuple[Edition, SentenceStore]:
    """The edition with these articles in place of their published forms; runs where the edition is written."""
    folder = Path(tempfile.mkdtemp(prefix="drafts-"))
    try:
        shutil.copytree(edition.ledger.directory, folder / "ledger")
        index = _WithDrafts(edition.index, edition.shared, edition.ledger.generation)
        made = Edition(
            index,
            folder / "ledger",
            edition.use,
            edition.e5,
            shared=index if edition.shared is not None else None,
            release=lambda: shutil.rmtree(folder, ignore_errors=True),
        )
        made.put_in([made.prepare(article) for article in drafts])
        if edition.shared is None:
            made.commit()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return made, SentenceStore(None, edition.use.name)


class _WithDrafts:
    """An index of which the drafts' entries are kept in memory."""

    def __init__(self, index: Any, shared: SharedIndex | None, generation: int) -> None:
        self._index = index
        self._shared = shared
        self._generation = generation
        self._entries: dict[int, Entry] = {}

    def stage(self, entries: Sequence[Entry]) -> None:
        """Keep them."""
        self._entries.update((entry.ref.point_id, entry) for entry in entries)

    def publish(self, heads: Sequence[Head]) -> None:
        """The ledger alone says what is published here."""
        if self._shared is None:
            self._generation += 1

    def remove(self, article_keys: Collection[str]) -> None:
        """Nothing is ever removed from what is tried."""

    def generation(self) -> int:
        """As the copied ledger has it: what others write meanwhile is not looked at."""
        return self._generation

    def heads(self) -> list[Head]:
        """Never asked for, because the ledger is always up to date."""
        raise AssertionError("the ledger of a trial does not catch up")

    def texts(self, points: Sequence[int]) -> list[dict[str, Any] | None]:
        """Those of the drafts from memory, the others from the index."""
        others = [point for point in points if point not in self._entries]
        found = dict(zip(others, self._index.texts(others), strict=True)) if others else {}
        return [self._entries[point].text if point in self._entries else found[point] for point in points]

    def stored(self, points: Sequence[int], *, vectors: bool) -> dict[int, Stored]:
        """Those of the drafts from memory, the others from the index."""
        own = {point: self._entries[point] for point in points if point in self._entries}
        others = [point for point in points if point not in own]
        found: dict[int, Stored] = self._index.stored(others, vectors=vectors) if others else {}
        return found | {
            point: Stored(one.words, one.use.tolist(), one.e5.tolist()) if vectors else Stored(one.words)
            for point, one in own.items()
        }

    def nearest(
        self, question: QuestionVectors, languages: Sequence[str], limit: int, reader: Reader | None = None
    ) -> list[Near]:
        """What the index finds, with every entry of the drafts: whether the reader may read them, the ranking decides."""
        return [self._with_own(near, question) for near in self._index.nearest(question, languages, limit, reader)]

    def similarities(
        self, question: QuestionVectors, article_keys: Collection[str]
    ) -> tuple[dict[int, float], dict[int, float]]:
        """As of a shared index."""
        assert self._shared is not None
        use, e5 = self._shared.similarities(question, article_keys)
        for point, one in self._entries.items():
            use[point], e5[point] = float(one.use @ question.use), float(one.e5 @ question.e5)
        return use, e5

    def upkeep(self) -> Callable[[], Callable[[], None] | None] | None:
        """Nothing is worth building for one question."""
        return None

    def flush(self) -> None:
        """Nothing here has to survive."""

    def close(self) -> None:
        """The index belongs to the edition that serves."""

    def _with_own(self, near: Near, question: QuestionVectors) -> Near:
        if near.space == "words":
            return near  # across a shared index only; their words count in the ranking all the same
        here = [
            one
            for one in self._entries.values()
            if (one.ref.kind, one.ref.language) == (near.kind, near.language) and one.ref.point_id not in near.points
        ]
        if not here:
            return near
        rows = np.stack([one.use if near.space == "use" else one.e5 for one in here])
        scores = rows @ (question.use if near.space == "use" else question.e5)
        points = np.array([one.ref.point_id for one in here], dtype=np.uint64)
        return Near(
            near.kind,
            near.language,
            near.space,
            np.concatenate([near.points, points]),
            np.concatenate([near.scores, scores.astype(np.float32)]),
        )
