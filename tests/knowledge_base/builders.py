"""Small articles, and an encoder that needs no model: texts are near when they share words or known translations."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from knowledge_base.articles import Article
from knowledge_base.edition import Edition
from knowledge_base.encoder import Vectors
from knowledge_base.index import EdgeIndex
from knowledge_base.index_server import ServerIndex
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.wording import words_of

SAME_MEANING = {
    "退款": "refund",
    "多久": "long",
    "保修": "warranty",
    "手机": "phone",
    "发票": "invoice",
    "开": "invoice",
}


class WordEncoder:
    """Hashes words into a vector; counts the texts it was given."""

    def __init__(self, name: str = "words", dimensions: int = 128) -> None:
        self.name = name
        self.dimensions = dimensions
        self.encoded = 0

    def questions(self, texts: Sequence[str]) -> Vectors:
        """The same space serves both sides."""
        return self.passages(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """One row per text."""
        self.encoded += len(texts)
        rows = np.full((len(texts), self.dimensions), 1e-3, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in words_of(text):
                row[zlib.crc32(SAME_MEANING.get(word, word).encode()) % self.dimensions] += 1.0
            row /= np.linalg.norm(row)
        return rows


def article(
    article_id: str = "refunds",
    title: str = "How long does a refund take?",
    body: str = "The refund arrives within three working days. Credit cards may take seven days.",
    language: str = "en",
    questions: Sequence[str] = ("When do I get my money back?",),
) -> Article:
    """An article about refunds unless told otherwise."""
    return Article(id=article_id, title=title, language=language, body=body, questions=tuple(questions))


def small_shop() -> list[Article]:
    """Four subjects, one of them in both languages, one in Chinese only."""
    return [
        article(),
        article(
            "refunds",
            "退款多久到账？",
            "退款在三个工作日内原路退回。信用卡最多要七天。",
            "zh",
            ["钱什么时候退回来"],
        ),
        article(
            "warranty",
            "What does the warranty cover?",
            "Every phone has a warranty of 24 months.\n\n## Not covered\nWater damage is not covered by the warranty.",
            questions=["Is my phone still under warranty?"],
        ),
        article(
            "delivery",
            "When will my parcel arrive?",
            "Parcels arrive within three days.",
            questions=["How is it delivered?"],
        ),
        article("invoices", "怎么开发票？", "订单完成后在订单页面申请电子发票。", "zh", ["可以补开发票吗"]),
    ]


@contextmanager
def edge_index(directory: Path, dimensions: int = 128) -> Iterator[EdgeIndex]:
    """An embedded index that is closed afterwards."""
    index = EdgeIndex(directory, {"use": dimensions, "e5": dimensions})
    try:
        yield index
    finally:
        index.close()


def edition(directory: Path, encoder: WordEncoder | None = None) -> Edition:
    """An embedded edition that uses the word encoder for everything."""
    index = EdgeIndex(directory, {"use": 128, "e5": 128})
    return Edition(index, directory / "ledger", WordEncoder(), encoder or WordEncoder())


def shared_edition(index: ServerIndex, directory: Path) -> Edition:
    """What one of several processes sees of an index on a server."""
    return Edition(index, directory, WordEncoder(), WordEncoder(), shared=index)


def knowledge_base(directory: Path, encoder: WordEncoder | None = None) -> KnowledgeBase:
    """A knowledge base in a directory that uses the word encoder for everything."""
    return KnowledgeBase(edition(directory, encoder))
