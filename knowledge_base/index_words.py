"""Bags of words for keyword search, with Qdrant's own BM25 weights over words that are already segmented."""

from __future__ import annotations

from functools import cache

from qdrant_edge import Bm25, Bm25Config, SparseVector, TokenizerType

from knowledge_base.entries import Sparse
from knowledge_base.vocabulary import SATURATION
from knowledge_base.wording import words_of

_USUAL_LENGTH = 40.0  #: words; titles and passages of help articles


@cache
def _bm25() -> Bm25:
    return Bm25(Bm25Config(k=SATURATION, avg_len=_USUAL_LENGTH, tokenizer=TokenizerType.Whitespace))


def _sparse(vector: SparseVector) -> Sparse:
    return Sparse(list(vector.indices), list(vector.values))


def stored_words(text: str) -> Sparse:
    """The words of a stored text, weighted by how often they occur in how short a text."""
    return _sparse(_bm25().embed_document(" ".join(words_of(text))))


def asked_words(text: str) -> Sparse:
    """The words of a question, each counted once."""
    return _sparse(_bm25().embed_query(" ".join(words_of(text))))


def words_in_common(first: Sparse, second: Sparse) -> float:
    """Which share of the first text's words the second one has."""
    return len(set(first.indices) & set(second.indices)) / len(first.indices) if first.indices else 0.0
