"""The published entries at one moment, as numbers in columns: what a search reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from knowledge_base.columns import slices
from knowledge_base.entries import EntryRef, Head, Kind, Points, Terms
from knowledge_base.postings import Postings, turned_around
from knowledge_base.readers import CUSTOMER, Reader
from knowledge_base.vocabulary import Numbers, Vocabulary

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class View:
    """The published entries at one moment; never changed, only replaced, so any thread may look at it.

    Entries are rows; those of an article are neighbours, questions first. Articles are numbered in order of arrival.
    """

    heads: Sequence[Head]  #: by number; also former versions
    numbers: dict[str, int]  #: by article key; only what is published
    translations: dict[str, tuple[int, ...]]  #: numbers by article id; only what is published
    first: Rows  #: first row of each article, by number
    alive: Mask  #: by row
    points: Points
    offsets: Rows  #: where each row's words begin, and the end of the last
    words: Numbers
    weights: Floats
    vectors: npt.NDArray[np.uint16] | None  #: see ``halved``
    postings: Postings | None  #: of the first so many rows
    vocabulary: Vocabulary
    use_width: int  #: how many of a row's vector values are USE's
    crowding: Floats | None = None  #: of the first so many rows; see ``crowding.py``

    @property
    def entries(self) -> int:
        """Published entries."""
        return self.vocabulary.entries

    @cached_property
    def passages(self) -> int:
        """Published passages."""
        return sum(self.heads[number].passages for number in self.numbers.values())

    @property
    def versions(self) -> dict[str, str]:
        """The published version of each article, by key."""
        return {key: self.heads[number].version for key, number in self.numbers.items()}

    def head(self, article_key: str) -> Head | None:
        """The published version of an article."""
        number = self.numbers.get(article_key)
        return None if number is None else self.heads[number]

    def point_of(self, article_key: str, place: int) -> int:
        """The point of an entry by its place among its article's entries."""
        return int(self.points[self.first[self.numbers[article_key]] + place])

    def rows_of(self, numbers: Sequence[int]) -> Rows:
        """The rows of some articles, one article after the other."""
        return slices(self.first[list(numbers)], [self.heads[number].entries for number in numbers])

    def find_rows(self, points: Points) -> Rows:
        """The rows of published points, -1 for unknown ones."""
        order, arranged = self._by_point
        if not len(arranged):
            return np.full(len(points), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(arranged, points), len(arranged) - 1)
        return np.where(arranged[places] == points, order[places], -1)

    @cached_property
    def article(self) -> npt.NDArray[np.int32]:
        """The number of each row's article."""
        return np.repeat(np.arange(len(self.heads), dtype=np.int32), [head.entries for head in self.heads])

    @cached_property
    def group(self) -> npt.NDArray[np.int32]:
        """The same number for all translations of an article, by article number."""
        known: dict[str, int] = {}
        return np.array([known.setdefault(head.id, len(known)) for head in self.heads], dtype=np.int32)

    def open_to(self, reader: Reader) -> Mask | None:
        """Which articles, by number, the reader may read; None when all that is published is open to the reader."""
        limited, audiences, kinds, begins, ends = self._limits
        if not len(limited):
            return None
        now = int(reader.at.timestamp())
        meant = np.array([not reader.audiences.isdisjoint(audience) for audience in audiences])
        may = meant[kinds] & (begins <= now) & (now < ends)
        if may.all():
            return None
        readable = np.ones(len(self.heads), dtype=np.bool_)
        readable[limited[~may]] = False
        return readable

    @cached_property
    def audiences(self) -> frozenset[str]:
        """Everybody for whom some published article is written."""
        return frozenset({CUSTOMER}.union(*(self.heads[number].terms.audience for number in self.numbers.values())))

    @cached_property
    def _limits(self) -> tuple[Rows, list[tuple[str, ...]], Numbers, Rows, Rows]:
        """The published articles that are not for everybody, always: their numbers, and for each of them which of
        some audiences it is for and between which seconds it holds."""
        everybody = Terms()
        limited = [number for number in self.numbers.values() if self.heads[number].terms != everybody]
        terms = [self.heads[number].terms for number in limited]
        audiences: dict[tuple[str, ...], int] = {}
        kinds = [audiences.setdefault(one.audience, len(audiences)) for one in terms]
        return (
            np.array(limited, dtype=np.int64),
            list(audiences),
            np.array(kinds, dtype=np.int32),
            np.array([one.valid_from for one in terms], dtype=np.int64),
            np.array([one.valid_until for one in terms], dtype=np.int64),
        )

    @cached_property
    def replaced(self) -> frozenset[str]:
        """Ids of the published articles that name a successor."""
        return frozenset(head.id for number in self.numbers.values() if (head := self.heads[number]).replaced_by)

    def place(self, rows: Rows) -> Rows:
        """Each row's place among its article's entries."""
        return rows - self.first[self.article[rows]]

    def words_of(self, rows: Rows) -> tuple[Numbers, Floats, Rows]:
        """The words of some rows, their weights, and for each word which of the given rows it is in."""
        starts = self.offsets[rows]
        lengths = self.offsets[rows + 1] - starts
        places = slices(starts, lengths)
        return self.words[places], self.weights[places], np.repeat(np.arange(len(rows)), lengths)

    def near(self, rows: Rows, use: Floats, e5: Floats) -> tuple[Floats, Floats]:
        """Exact similarities of some rows to a question's vectors."""
        assert self.vectors is not None, "vectors are kept here unless the index is shared"
        chosen = restored(self.vectors[rows])
        return chosen[:, : self.use_width] @ use, chosen[:, self.use_width :] @ e5

    def crowded(self, rows: Rows) -> Floats:
        """USE's and E5's crowding of some rows; not a number where it is not measured (yet)."""
        found = np.full((len(rows), 2), np.nan, dtype=np.float32)
        if self.crowding is not None:
            known = rows < len(self.crowding)
            found[known] = self.crowding[rows[known]]
        return found

    def near_in_use(self, rows: Rows, use: Floats) -> Floats:
        """Exact USE similarities of some rows."""
        assert self.vectors is not None, "vectors are kept here unless the index is shared"
        return restored(self.vectors[rows, : self.use_width]) @ use

    @cached_property
    def matrices(self) -> tuple[Floats, Floats]:
        """Vectors ready for multiplication, only asked for while there are few: USE's of the rows of questions (see
        ``asking``; passages are not searched by them) and E5's of all rows."""
        assert self.vectors is not None, "vectors are kept here unless the index is shared"
        return (
            np.ascontiguousarray(restored(self.vectors[self.asking, : self.use_width])),
            np.ascontiguousarray(restored(self.vectors[:, self.use_width :])),
        )

    @cached_property
    def asking(self) -> Rows:
        """The published rows of questions, in any language."""
        rows = [rows for (kind, _), rows in self.shelves.items() if kind == "question"]
        return np.sort(np.concatenate(rows)) if rows else np.empty(0, dtype=np.int64)

    @cached_property
    def all_postings(self) -> Postings:
        """Every word's rows; only asked for while there are few entries."""
        return turned_around(self.words, self.weights, self.offsets, len(self.vocabulary.hashes))

    @cached_property
    def shelves(self) -> dict[tuple[Kind, str], Rows]:
        """Published rows by kind and language."""
        languages = np.array([head.language for head in self.heads])[self.article]
        questions = np.array([head.questions for head in self.heads], dtype=np.int64)
        asks = self.place(np.arange(len(self.alive))) < questions[self.article]
        found: dict[tuple[Kind, str], Rows] = {}
        for language in sorted({head.language for head in self.heads}):
            here = self.alive & (languages == language)
            found["question", language] = np.flatnonzero(here & asks)
            found["passage", language] = np.flatnonzero(here & ~asks)
        return found

    @cached_property
    def refs(self) -> list[tuple[int, EntryRef]]:
        """Published rows with what they stand for; only asked for to measure, not to search."""
        return [
            (int(self.first[number]) + place, ref)
            for number in self.numbers.values()
            for place, ref in enumerate(self.heads[number].refs())
        ]

    @cached_property
    def shelf(self) -> npt.NDArray[np.int16]:
        """The number of each row's shelf, as in ``shelves``; -1 for rows that are not published."""
        found = np.full(len(self.alive), -1, dtype=np.int16)
        for number, rows in enumerate(self.shelves.values()):
            found[rows] = number
        return found

    @cached_property
    def _by_point(self) -> tuple[Rows, Points]:
        rows = np.flatnonzero(self.alive)
        order = rows[np.argsort(self.points[rows], kind="stable")]
        return order, self.points[order]


def halved(values: Floats) -> npt.NDArray[np.uint16]:
    """The upper half of each number's bits, rounded: three digits, which is more than a cosine needs, and restored
    many times faster than a 16-bit float of the usual kind."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    rounded: npt.NDArray[np.uint16] = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return rounded


def restored(values: npt.NDArray[np.uint16]) -> Floats:
    """Numbers from their upper halves."""
    wide = values.astype(np.uint32)
    wide <<= 16
    return wide.view(np.float32)
