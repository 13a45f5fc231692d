"""What an index holds and what it must be able to do; ``index.py`` and ``index_server.py`` do it with Qdrant."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from knowledge_base.readers import CUSTOMER

if TYPE_CHECKING:
    from knowledge_base.articles import Article
    from knowledge_base.readers import Reader

Kind = Literal["question", "passage"]
Row = npt.NDArray[np.float32]  #: one vector
Points = npt.NDArray[np.uint64]
#: Payload fields that filters use. An entry has a ``shelf`` once it is published, and searches look only at shelves.
INDEXED_FIELDS = ("shelf", "article_key", "holds", "audience")
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
FLAT = 10_000  #: entries up to which a search compares all of them rather than asking the index
STATE_POINT = 0  #: carries the index's generation; it is on no shelf


@dataclass(frozen=True, slots=True)
class Sparse:
    """A bag of words: hashed words and their weights."""

    indices: list[int]
    values: list[float]


def shelf_of(kind: Kind, language: str) -> str:
    """The name under which published entries of one kind and language are searched."""
    return f"{kind}/{language}"


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
    """For whom and when an article may be found; dates are whole seconds since 1970 in UTC."""

    audience: tuple[str, ...] = (CUSTOMER,)
    valid_from: int = 0
    valid_until: int = ENDLESS

    @classmethod
    def of(cls, article: Article) -> Terms:
        """The terms of an article's entries."""
        start, end = article.valid_from, article.valid_until
        return cls(article.audience, int(start.timestamp()) if start else 0, int(end.timestamp()) if end else ENDLESS)


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a published article without reading it."""

    id: str
    language: str
    version: str
    questions: int  #: entries of each kind
    passages: int
    terms: Terms = Terms()
    replaced_by: str | None = None  #: id of the article that says it now
    updated: str = ""  #: the day, as in 2026-05-01
    sketch: str = ""  #: see ``standing.sketch_of``

    @property
    def key(self) -> str:
        """As in ``Article.key``."""
        return f"{self.id}/{self.language}"

    @property
    def entries(self) -> int:
        """How many entries the article has."""
        return self.questions + self.passages

    def refs(self) -> tuple[EntryRef, ...]:
        """The references of its entries, questions first."""
        return tuple(self.ref(place) for place in range(self.entries))

    def ref(self, place: int) -> EntryRef:
        """The reference of one entry by its place among all of the article's entries."""
        if place < self.questions:
            return EntryRef("question", self.id, self.language, self.version, place)
        return EntryRef("passage", self.id, self.language, self.version, place - self.questions)


@dataclass(frozen=True, slots=True)
class Entry:
    """One searchable text with its vectors, and what is read back from it once it is found."""

    ref: EntryRef
    use: Row
    e5: Row
    words: Sparse
    text: dict[str, Any] | None = None  #: the passage, or (on an article's first question) the article
    head: Head | None = None  #: on an article's first question
    terms: Terms = Terms()
    staged_in: int = 0  #: when it was written; of two versions that a crash left, the later one counts

    def payload(self) -> dict[str, Any]:
        """What is stored beside the vectors; a new entry is on no shelf until its version is published."""
        payload: dict[str, Any] = {
            "kind": self.ref.kind,
            "language": self.ref.language,
            "article_id": self.ref.article_id,
            "article_key": self.ref.article_key,
            "version": self.ref.version,
            "audience": list(self.terms.audience),
            "valid_from": self.terms.valid_from,
            "valid_until": self.terms.valid_until,
        }
        if self.text is not None:
            payload["text"] = self.text
        if self.head is not None:
            payload |= {"holds": "article", "questions": self.head.questions, "passages": self.head.passages}
            payload |= {"staged_in": self.staged_in, "updated": self.head.updated, "sketch": self.head.sketch}
            payload["replaced_by"] = self.head.replaced_by
        return payload


def head_of(payload: dict[str, Any]) -> Head:
    """The head that ``Entry.payload`` wrote beside an article's first question.

    Entries that an older version of this program wrote have no terms: they are for everybody, always.
    """
    terms = Terms(
        tuple(payload.get("audience") or (CUSTOMER,)), payload.get("valid_from", 0), payload.get("valid_until", ENDLESS)
    )
    return Head(
        payload["article_id"],
        payload["language"],
        payload["version"],
        payload["questions"],
        payload["passages"],
        terms,
        payload.get("replaced_by"),
        payload.get("updated", ""),
        payload.get("sketch", ""),
    )


HEAD_FIELDS = [
    *("article_id", "language", "version", "questions", "passages"),
    *("audience", "valid_from", "valid_until", "replaced_by", "updated", "sketch"),
]


@dataclass(frozen=True, slots=True)
class QuestionVectors:
    """A contact's question in every space of the index."""

    use: Row
    e5: Row
    words: Sparse


@dataclass(frozen=True, slots=True)
class Near:
    """The entries of one shelf that are nearest to a question in one space, best first."""

    kind: Kind
    language: str
    space: str  #: "use", "e5" or "words"
    points: Points
    scores: Row


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry as it is read back to rebuild what is kept beside the index."""

    words: Sparse
    use: Sequence[float] = ()  #: empty unless asked for
    e5: Sequence[float] = ()


class Index(Protocol):
    """Where entries live. Entries are staged first and appear in searches once their version is published."""

    def stage(self, entries: Sequence[Entry]) -> None:
        """Write entries that searches do not see yet."""
        ...

    def publish(self, heads: Sequence[Head]) -> None:
        """Show these versions and delete every other version of those articles."""
        ...

    def remove(self, article_keys: Collection[str]) -> None:
        """Delete articles with all their entries."""
        ...

    def generation(self) -> int:
        """A number that grows with everything published or removed, whichever process did it."""
        ...

    def heads(self) -> list[Head]:
        """Every published article."""
        ...

    def texts(self, points: Sequence[int]) -> list[dict[str, Any] | None]:
        """The texts of these entries in this order; None where an entry is gone or carries none."""
        ...

    def stored(self, points: Sequence[int], *, vectors: bool) -> dict[int, Stored]:
        """These entries' words and, when asked for, vectors, by point id; entries that are gone are left out."""
        ...

    def nearest(
        self, question: QuestionVectors, languages: Sequence[str], limit: int, reader: Reader | None = None
    ) -> list[Near]:
        """For each language the nearest published entries in each of the spaces of ``SEARCHED``.

        With a ``reader`` only those that the reader may read; without one, all of them.
        """
        ...

    def upkeep(self) -> Callable[[], Callable[[], None] | None] | None:
        """Long work that keeps searches fast, if any is due.

        It may run in any thread while the index is in use; what it returns, if anything, must run where the index is
        written.
        """
        ...

    def flush(self) -> None:
        """Return once everything written so far survives a power cut."""
        ...

    def close(self) -> None:
        """Write everything down and let others open the index."""
        ...


class SharedIndex(Index, Protocol):
    """An index that other processes change too; it compares vectors itself, because nobody keeps them beside it."""

    def similarities(
        self, question: QuestionVectors, article_keys: Collection[str]
    ) -> tuple[dict[int, float], dict[int, float]]:
        """Exact USE and E5 similarities of every entry of these articles, by point id."""
        ...
