"""Opens what a knowledge base is made of: models, the edition that serves, and what is kept beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from threadpoolctl import ThreadpoolController

from knowledge_base.absence import nothing_there
from knowledge_base.encoder import UseEncoder
from knowledge_base.errors import IndexUnavailable
from knowledge_base.homes import Editions, FolderHome, Home, Opened, ServerHome, built_with, open_editions
from knowledge_base.index_words import asked_words
from knowledge_base.named_encoders import Reranker, passage_encoder, reranker_named
from knowledge_base.quotable import SLICING
from knowledge_base.sentence_store import SentenceStore


@dataclass(frozen=True, slots=True)
class Parts:
    """What was opened; where the server is ``away``, a stand-in serves until ``reopen`` succeeds."""

    opened: Opened
    home: Home
    judge: Reranker | None
    sentences: SentenceStore
    reopen: Callable[[], Opened]
    away: IndexUnavailable | None


def open_parts(
    data_dir: Path, qdrant_url: str | None, encoder: str, reranker: str, reindex: bool, patient: bool
) -> Parts:
    """See ``KnowledgeBase.open``; takes seconds, so it runs in a thread."""
    # Matrices are small here: a second thread of the linear algebra library costs more than it brings.
    ThreadpoolController().limit(limits=1, user_api="blas")
    use, target = UseEncoder(), passage_encoder(encoder)
    asked_words("warm the segmenter up")
    folder = data_dir / "knowledge"
    home: Home = ServerHome(qdrant_url, folder) if qdrant_url else FolderHome(folder)
    reopen = partial(open_editions, home, use, target, encoder, reindex=reindex)
    away: IndexUnavailable | None = None
    try:
        opened = reopen()
    except IndexUnavailable as error:
        if not (patient and home.can_be_away):
            raise
        away = error
        opened = Opened(nothing_there(use, target), None, Editions(built_with(use, target, encoder)))
    judge = reranker_named(reranker) if reranker else None
    sentences = SentenceStore(folder, f"{use.name}/{SLICING}")
    return Parts(opened, home, judge, sentences, reopen, away)
