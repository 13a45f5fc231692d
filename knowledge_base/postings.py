"""Which entries hold a word: the ledger's words turned around, in files, for the first so many rows.

Rows never change, so what is written stays right; rows that came later are looked through one by one until there are
enough of them to write everything again.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge_base.columns import Columns, slices

Numbers = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
_LAYOUT = {"begins": ("i8", 0), "owners": ("i4", 0), "weights": ("f4", 0)}
_FEW_ROWS = 2000


@dataclass(frozen=True)
class Postings:
    """For each word, by number, the rows that hold it and its weights there."""

    begins: Rows  #: where each word's rows begin, and where the last word's end
    owners: Numbers
    weights: Floats
    rows: int  #: how many rows, from the first, are covered

    def lengths(self, words: Numbers) -> Rows:
        """How many rows hold each of these words; 0 for words that came later."""
        known = words < len(self.begins) - 1
        places = np.where(known, words, 0)
        found: Rows = np.where(known, self.begins[places + 1] - self.begins[places], 0)
        return found

    def of(self, words: Numbers) -> tuple[Rows, Rows, Floats]:
        """The rows that hold some words: which row, which of the given words, and its weight there."""
        lengths = self.lengths(words)
        there = np.flatnonzero(lengths)
        places = slices(self.begins[words[there]], lengths[there])
        return self.owners[places].astype(np.int64), np.repeat(there, lengths[there]), self.weights[places]


def turned_around(words: Numbers, weights: Floats, offsets: Rows, vocabulary: int) -> Postings:
    """The postings of rows whose words lie between consecutive offsets."""
    rows = len(offsets) - 1
    order = np.argsort(words, kind="stable")
    owner = np.repeat(np.arange(rows, dtype=np.int32), np.diff(offsets))
    counts = np.bincount(words, minlength=vocabulary) if len(words) else np.zeros(vocabulary, dtype=np.int64)
    begins = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Postings(begins, owner[order], np.asarray(weights)[order], rows)


def worth_writing(covered: int, rows: int, *, more_to_come: bool) -> bool:
    """Whether so many rows came later that looking through them takes noticeable time."""
    return rows - covered > max(_FEW_ROWS, rows // (4 if more_to_come else 50))


def write_postings(directory: Path, postings: Postings) -> Postings:
    """Put postings in files in place of former ones, and read them from there from now on."""
    columns = Columns(directory / f"postings-{postings.rows}", _LAYOUT)
    columns.clear()
    columns.append(begins=postings.begins, owners=postings.owners, weights=postings.weights)
    columns.commit(postings.rows)
    written = _viewed(columns)
    columns.close()
    for path in directory.glob("postings-*"):
        if path != columns.directory:
            shutil.rmtree(path, ignore_errors=True)
    return written


def read_postings(directory: Path, rows: int) -> Postings | None:
    """The postings written last, if they are whole and belong to these rows."""
    for path in directory.glob("postings-*"):
        columns = Columns(path, _LAYOUT)
        written = _viewed(columns)
        columns.close()
        if 0 <= written.rows <= rows and columns.generation >= 0:
            return written
    return None


def _viewed(columns: Columns) -> Postings:
    begins, owners, weights = (columns.view(name) for name in _LAYOUT)
    return Postings(begins, owners, weights, columns.generation)
