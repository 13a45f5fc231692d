"""What is published, kept beside the index so that a search needs little from it: which article every entry belongs
to, the words it holds, and (unless the index is shared) its vectors.

The ledger is a cache. It carries the generation of the index it was written for; ``edition.py`` brings it up to date
when the index has moved on, and starts it anew when it is missing or damaged.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge_base.columns import Columns, slices
from knowledge_base.entries import FLAT, Head, Kind, Points, Sparse
from knowledge_base.postings import Postings, read_postings, turned_around, worth_writing, write_postings
from knowledge_base.vocabulary import Numbers, Vocabulary

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
_GONE = "gone"
_WORTH_REWRITING = 20_000  #: rows of deleted entries
_NO_NUMBERS = np.empty(0, dtype=np.int32)


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as it is written down; without vectors when the index is shared."""

    point: int
    words: Sparse
    vectors: npt.ArrayLike = ()  #: USE and E5, one behind the other


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

    @property
    def entries(self) -> int:
        """Published entries."""
        return self.vocabulary.entries

    @cached_property
    def passages(self) -> int:
        """Published passages."""
        return sum(self.heads[number].passages for number in self.numbers.values())

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


class Ledger:
    """The files of one view, and the only place that changes it; one thread at a time may."""

    def __init__(self, directory: Path, dimensions: Sequence[int] | None) -> None:
        self._directory = directory
        self._dimensions = tuple(dimensions) if dimensions is not None else None
        directory.mkdir(parents=True, exist_ok=True)
        kept = sorted((int(path.name) for path in directory.iterdir() if path.name.isdigit()), reverse=True)
        self._columns = self._open(kept[0] if kept else 0)
        for older in kept[1:]:
            shutil.rmtree(directory / str(older), ignore_errors=True)
        self.view = self._read()
        self._cover()

    @property
    def generation(self) -> int:
        """Of the index this was last committed for; -1 when nothing is known."""
        return self._columns.generation

    def add(self, articles: Sequence[tuple[Head, Sequence[Line]]]) -> None:
        """Put articles in, each in place of its former version."""
        if not articles:
            return
        self.discard([head.key for head, _ in articles])
        lines = list(chain.from_iterable(entries for _, entries in articles))
        hashed = np.fromiter(chain.from_iterable(line.words.indices for line in lines), dtype=np.uint32)
        weights = np.fromiter(chain.from_iterable(line.words.values for line in lines), dtype=np.float32)
        numbers, vocabulary = self._number(hashed)
        lengths = np.array([len(line.words.indices) for line in lines], dtype=np.int64)
        before = self.view
        first = len(before.alive)
        heads = [head for head, _ in articles]
        self._columns.append(
            articles=_packed([_head_json(head) for head in heads]),
            points=np.array([line.point for line in lines], dtype=np.uint64),
            lengths=lengths,
            words=numbers,
            weights=weights,
        )
        if self._dimensions is not None:
            self._columns.append(vectors=halved(np.asarray([line.vectors for line in lines], dtype=np.float32)))
        starts = first + np.cumsum([0, *(head.entries for head in heads[:-1])])
        known = dict(before.numbers)
        translations = dict(before.translations)
        for number, head in enumerate(heads, start=len(before.heads)):
            known[head.key] = number
            translations[head.id] = (*translations.get(head.id, ()), number)
        counts = vocabulary.counts + np.bincount(numbers, minlength=len(vocabulary.counts))
        self.view = replace(
            before,
            heads=[*before.heads, *heads],
            numbers=known,
            translations=translations,
            first=np.concatenate([before.first, starts]),
            alive=np.concatenate([before.alive, np.ones(len(lines), dtype=np.bool_)]),
            offsets=np.concatenate([before.offsets, before.offsets[-1] + np.cumsum(lengths)]),
            vocabulary=Vocabulary(vocabulary.hashes, counts, before.entries + len(lines)),
            **self._mapped(),
        )

    def discard(self, keys: Iterable[str]) -> None:
        """Take articles out that are there."""
        before = self.view
        gone = [key for key in keys if key in before.numbers]
        if not gone:
            return
        self._columns.append(articles=_packed([json.dumps({_GONE: key}) for key in gone]))
        known, translations = dict(before.numbers), dict(before.translations)
        taken = [known.pop(key) for key in gone]
        for number in taken:
            article_id = before.heads[number].id
            left = tuple(other for other in translations[article_id] if other != number)
            if left:
                translations[article_id] = left
            else:
                del translations[article_id]
        rows = before.rows_of(taken)
        alive = before.alive.copy()
        alive[rows] = False
        self.view = replace(
            before,
            numbers=known,
            translations=translations,
            alive=alive,
            vocabulary=before.vocabulary.less(before.words_of(rows)[0], len(rows)),
        )

    def commit(self, generation: int) -> None:
        """Write down that this is what the index holds in this generation."""
        former = self._columns.directory
        if len(self.view.alive) - self.view.entries > max(_WORTH_REWRITING, self.view.entries // 3):
            self._rewrite()
        self._columns.commit(generation)
        self._cover()
        if former != self._columns.directory:  # views of the old files stay readable until nobody has them
            shutil.rmtree(former, ignore_errors=True)

    def clear(self) -> None:
        """Forget everything, to be filled again from the index."""
        former = self._columns.directory
        self._renew()
        shutil.rmtree(former, ignore_errors=True)

    def close(self) -> None:
        """Stop writing; what was not committed is forgotten."""
        self._columns.close()

    def _cover(self) -> None:
        view = self.view
        covered = view.postings.rows if view.postings else 0
        if view.entries > FLAT and worth_writing(covered, len(view.alive)):
            turned = turned_around(view.words, view.weights, view.offsets, len(view.vocabulary.hashes))
            self.view = replace(view, postings=write_postings(self._columns.directory, turned))

    def _number(self, hashed: npt.NDArray[np.uint32]) -> tuple[Numbers, Vocabulary]:
        vocabulary = self.view.vocabulary
        unique, inverse = np.unique(hashed, return_inverse=True)
        numbers = vocabulary.numbers(unique)
        new = numbers < 0
        numbers[new] = np.arange(len(vocabulary.hashes), len(vocabulary.hashes) + int(new.sum()), dtype=np.int32)
        if new.any():
            self._columns.append(vocabulary=unique[new])
            counts = np.concatenate([vocabulary.counts, np.zeros(int(new.sum()), dtype=np.int64)])
            vocabulary = Vocabulary(np.concatenate([vocabulary.hashes, unique[new]]), counts, vocabulary.entries)
        return numbers[inverse], vocabulary

    def _open(self, number: int) -> Columns:
        layout = {
            "articles": ("u1", 0),
            "points": ("u8", 0),
            "lengths": ("u2", 0),
            "words": ("i4", 0),
            "weights": ("f4", 0),
            "vocabulary": ("u4", 0),
        }
        if self._dimensions is not None:
            layout["vectors"] = ("u2", sum(self._dimensions))
        return Columns(self._directory / str(number), layout)

    def _mapped(self) -> dict[str, Any]:
        return {
            "points": self._columns.view("points"),
            "words": self._columns.view("words"),
            "weights": self._columns.view("weights"),
            "vectors": self._columns.view("vectors") if self._dimensions is not None else None,
        }

    def _read(self) -> View:
        heads: list[Head] = []
        numbers: dict[str, int] = {}
        lines = self._columns.view("articles").tobytes().splitlines()
        for stored in json.loads(b"[" + b",".join(lines) + b"]"):
            if _GONE in stored:
                numbers.pop(stored[_GONE], None)
            else:
                head = Head(*stored["head"])
                numbers[head.key] = len(heads)
                heads.append(head)
        translations: dict[str, tuple[int, ...]] = {}
        for number in numbers.values():
            translations[heads[number].id] = (*translations.get(heads[number].id, ()), number)
        sizes = np.array([head.entries for head in heads], dtype=np.int64)
        first = np.cumsum(sizes) - sizes
        published = np.zeros(len(heads), dtype=np.bool_)
        published[list(numbers.values())] = True
        alive = np.repeat(published, sizes)
        lengths = self._columns.view("lengths").astype(np.int64)
        mapped = self._mapped()
        counted = mapped["words"] if alive.all() else mapped["words"][np.repeat(alive, lengths)]
        hashes = np.array(self._columns.view("vocabulary"), dtype=np.uint32)
        counts = np.bincount(counted if len(counted) else _NO_NUMBERS, minlength=len(hashes))
        return View(
            heads=heads,
            numbers=numbers,
            translations=translations,
            first=first,
            alive=alive,
            offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            postings=read_postings(self._columns.directory, len(alive)),
            vocabulary=Vocabulary(hashes, counts, int(alive.sum())),
            use_width=self._dimensions[0] if self._dimensions is not None else 0,
            **mapped,
        )

    def _renew(self) -> None:
        number = int(self._columns.directory.name) + 1
        self._columns.close()
        self._columns = self._open(number)
        self.view = self._read()

    def _rewrite(self) -> None:
        """Copy what is published into new files."""
        before = self.view
        self._renew()
        kept = sorted(before.numbers.values())
        for start in range(0, len(kept), 2000):
            chosen = kept[start : start + 2000]
            self.add([(before.heads[number], _lines(before, number)) for number in chosen])


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


def _lines(view: View, number: int) -> list[Line]:
    rows = view.rows_of([number])
    lines: list[Line] = []
    for row in rows.tolist():
        span = slice(view.offsets[row], view.offsets[row + 1])
        words = Sparse(view.vocabulary.hashes[view.words[span]].tolist(), view.weights[span].tolist())
        lines.append(
            Line(int(view.points[row]), words, restored(view.vectors[row]) if view.vectors is not None else ())
        )
    return lines


def _head_json(head: Head) -> str:
    return json.dumps({"head": [head.id, head.language, head.version, head.questions, head.passages]})


def _packed(lines: Collection[str]) -> npt.NDArray[np.uint8]:
    return np.frombuffer("".join(f"{line}\n" for line in lines).encode(), dtype=np.uint8)
