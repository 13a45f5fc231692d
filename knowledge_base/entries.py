"""What an index holds and what it must be able to do; ``index.py`` and ``index_server.py`` do it with Qdrant."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol

from knowledge_base.readers import CUSTOMER

if TYPE_CHECKING:
    from knowledge_base.articles import Article
    from knowledge_base.readers import Reader

Kind = Literal["question", "passage"]
INDEXED_FIELDS = ("status", "kind", "holds", "language", "article_id", "article_key", "version", "audience")
INDEXED_NUMBERS = ("valid_from", "valid_until")
ENDLESS = 2**40  #: seconds; what an article without an end is valid until
#: Which vectors a hybrid search looks at; USE alone misleads on passages, so there it only helps to score.
SEARCHED: tuple[tuple[Kind, str], ...] = (
    ("question", "use"),
    ("question", "e5"),
    ("question", "words"),
    ("passage", "e5"),
    ("passage", "words"),
)


@dataclass(frozen=True, slots=True)
class Sparse:
    """A bag of words: hashed words and their weights."""

    indices: list[int]
    values: list[float]


@dataclass(frozen=True)
class EntryRef:
    """Which text of which article an entry stands for."""

    kind: Kind  #: "question" covers the title and every stored way to ask
    article_id: str
    language: str
    version: str
    ordinal: int  #: position among the article's questions or passages

    @cached_property
    def article_key(self) -> str:
        """The article and its language, as in ``Article.key``."""
        return f"{self.article_id}/{self.language}"

    @cached_property
    def point_id(self) -> int:
        """The same text of the same version always has the same id, so writing it twice changes nothing."""
        name = f"{self.article_key}/{self.version}/{self.kind}/{self.ordinal}"
        return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())  # searched faster than a UUID


@dataclass(frozen=True, slots=True)
class Terms:
    """For whom and when an entry may be found; dates are whole seconds since 1970 in UTC."""

    audience: tuple[str, ...] = (CUSTOMER,)
    valid_from: int = 0
    valid_until: int = ENDLESS

    @classmethod
    def of(cls, article: Article) -> Terms:
        """The terms of an article's entries."""
        start, end = article.valid_from, article.valid_until
        return cls(article.audience, int(start.timestamp()) if start else 0, int(end.timestamp()) if end else ENDLESS)


@dataclass(frozen=True, slots=True)
class Entry:
    """One searchable text with its vectors; the first question of an article carries the article itself."""

    ref: EntryRef
    use: Sequence[float]
    e5: Sequence[float]
    words: Sparse
    article: dict[str, Any] | None = None
    terms: Terms = Terms()

    def payload(self) -> dict[str, Any]:
        """What is stored beside the vectors; a new entry is staged until its version is published."""
        payload: dict[str, Any] = {
            "status": "staged",
            "kind": self.ref.kind,
            "language": self.ref.language,
            "article_id": self.ref.article_id,
            "article_key": self.ref.article_key,
            "version": self.ref.version,
            "audience": list(self.terms.audience),
            "valid_from": self.terms.valid_from,
            "valid_until": self.terms.valid_until,
        }
        if self.article is not None:
            payload |= {"holds": "article", "article": self.article}
        return payload


@dataclass(frozen=True, slots=True)
class QuestionVectors:
    """A contact's question in every space of the index."""

    use: Sequence[float]
    e5: Sequence[float]
    words: Sparse


@dataclass(frozen=True, slots=True)
class Signals:
    """How near the entries of some articles are to a question, by point id; no words in common means no entry."""

    use: dict[int, float] = field(default_factory=dict)
    e5: dict[int, float] = field(default_factory=dict)
    words: dict[int, float] = field(default_factory=dict)


class Index(Protocol):
    """Where entries live. Entries are staged first and appear in searches once their version is published."""

    def stage(self, entries: Sequence[Entry]) -> None:
        """Write entries that searches do not see yet."""
        ...

    def publish(self, versions: Sequence[tuple[str, str]]) -> None:
        """Show these (article key, version) pairs and delete every other version of those articles."""
        ...

    def remove(self, article_keys: Sequence[str]) -> None:
        """Delete articles with all their entries."""
        ...

    def articles(self) -> list[dict[str, Any]]:
        """Every published article as it was staged."""
        ...

    def words(self) -> dict[int, frozenset[int]]:
        """The hashed words of every published entry, by point id."""
        ...

    def find_near(self, question: QuestionVectors, language: str, limit: int, reader: Reader) -> list[int]:
        """Point ids of a hybrid search among the articles of one language that the reader may read, best first."""
        ...

    def signals(self, question: QuestionVectors, article_keys: Sequence[str]) -> Signals:
        """Exact similarities of every entry of these articles."""
        ...

    def close(self) -> None:
        """Write everything down and let others open the index."""
        ...
