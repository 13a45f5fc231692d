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
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge_base.columns import Columns
from knowledge_base.crowding import measured, read_crowding, write_crowding
from knowledge_base.entries import FLAT, Head, Sparse, Terms
from knowledge_base.postings import read_postings, turned_around, worth_writing, write_postings
from knowledge_base.view import View, halved, restored
from knowledge_base.vocabulary import Numbers, Vocabulary

_GONE = "gone"
_WORTH_REWRITING = 20_000  #: rows of deleted entries
_WORTH_KEEPING = 200  #: rows; the crowding of fewer is measured again at the next start
_NO_NUMBERS = np.empty(0, dtype=np.int32)


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as it is written down; without vectors when the index is shared."""

    point: int
    words: Sparse
    vectors: npt.ArrayLike = ()  #: USE and E5, one behind the other


class Ledger:
    """The files of one view, and the only place that changes it; one thread at a time may."""

    def __init__(self, directory: Path, dimensions: Sequence[int] | None) -> None:
        self.directory = directory
        self._dimensions = tuple(dimensions) if dimensions is not None else None
        directory.mkdir(parents=True, exist_ok=True)
        kept = sorted((int(path.name) for path in directory.iterdir() if path.name.isdigit()), reverse=True)
        self._columns = self._open(kept[0] if kept else 0)
        for older in kept[1:]:
            shutil.rmtree(directory / str(older), ignore_errors=True)
        self.view = self._read()
        self._crowding = read_crowding(self._columns.directory, len(self.view.alive))
        self._kept = len(self._crowding.values) if self._crowding else 0  # rows whose crowding is in its file
        self._cover(more_to_come=False)

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

    def commit(self, generation: int, *, more_to_come: bool = False) -> None:
        """Write down that this is what the index holds in this generation."""
        former = self._columns.directory
        if len(self.view.alive) - self.view.entries > max(_WORTH_REWRITING, self.view.entries // 3):
            self._rewrite()
        self._columns.commit(generation)
        self._cover(more_to_come=more_to_come)
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

    def _cover(self, *, more_to_come: bool) -> None:
        view = self.view
        covered = view.postings.rows if view.postings else 0
        if view.entries > FLAT and worth_writing(covered, len(view.alive), more_to_come=more_to_come):
            turned = turned_around(view.words, view.weights, view.offsets, len(view.vocabulary.hashes))
            self.view = replace(view, postings=write_postings(self._columns.directory, turned))
        if self._dimensions is not None and not more_to_come:
            self._measure_crowding()

    def _measure_crowding(self) -> None:
        former = self._crowding
        if self._crowding is None or not self._crowding.covers(self.view):
            self._crowding = measured(self.view, self._crowding)
        if self.view.crowding is not self._crowding.values:
            self.view = replace(self.view, crowding=self._crowding.values)
        rows = len(self.view.alive)
        if self._crowding is not former and rows - self._kept > _WORTH_KEEPING:
            write_crowding(self._columns.directory, self._crowding)
            self._kept = rows

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
        return Columns(self.directory / str(number), layout)

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
                head = _head_in(stored)
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
        self._crowding, self._kept = None, 0
        self.view = self._read()

    def _rewrite(self) -> None:
        """Copy what is published into new files."""
        before = self.view
        self._renew()
        kept = sorted(before.numbers.values())
        for start in range(0, len(kept), 2000):
            chosen = kept[start : start + 2000]
            self.add([(before.heads[number], _lines(before, number)) for number in chosen])


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
    stored: dict[str, Any] = {
        "head": [head.id, head.language, head.version, head.questions, head.passages],
        "sketch": head.sketch,
    }
    if head.terms != Terms():
        stored["terms"] = [head.terms.audience, head.terms.valid_from, head.terms.valid_until]
    if head.replaced_by is not None:
        stored["replaced_by"] = head.replaced_by
    if head.updated:
        stored["updated"] = head.updated
    return json.dumps(stored)


def _head_in(stored: dict[str, Any]) -> Head:
    terms = Terms()
    if "terms" in stored:
        audience, valid_from, valid_until = stored["terms"]
        terms = Terms(tuple(audience), valid_from, valid_until)
    name, language, version, questions, passages = stored["head"]
    return Head(
        name,
        language,
        version,
        questions,
        passages,
        terms=terms,
        replaced_by=stored.get("replaced_by"),
        updated=stored.get("updated", ""),
        sketch=stored.get("sketch", ""),
    )


def _packed(lines: Collection[str]) -> npt.NDArray[np.uint8]:
    return np.frombuffer("".join(f"{line}\n" for line in lines).encode(), dtype=np.uint8)
