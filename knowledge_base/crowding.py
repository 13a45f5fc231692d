"""How crowded the place of each stored question is, so that one that is near to everything does not win for that alone.

In spaces of many dimensions some texts are among the nearest of far too many others ("hubs"). What a question has in
common with its nearest strangers is therefore taken off its similarities, as cross-domain similarity local scaling does
(Conneau et al. 2018, Word translation without parallel data); passages measured better without.
"""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from knowledge_base.columns import replace_file
from knowledge_base.view import Floats, Rows, View, restored

_NEAREST = 10
_COMPARISONS = 40_000_000  #: per language, beyond which questions are compared with some that stand for all of them
_LEAST_SAMPLE = 1024
_BLOCK = 512  #: rows compared at once
_GROWN = 1.25  #: times as many, or as few, entries: the sample stands for them no longer
_FILE = "crowding-1"  #: another number after a change of how it is measured
_NOT_COUNTED = -2.0


@dataclass(frozen=True, slots=True)
class Crowding:
    """For the first so many rows how near the nearest stored questions of other articles are; not for passages."""

    values: Floats  #: USE and E5, by row
    sampled: Rows  #: the questions that stood for all of them
    entries: int  #: that were published when these were chosen

    def covers(self, view: View) -> bool:
        """Whether all rows were measured, and against questions that still stand for what is published."""
        return len(self.values) == len(view.alive) and self.represents(view)

    def represents(self, view: View) -> bool:
        """Whether the sampled questions still stand for what is published."""
        return self.entries / _GROWN <= view.entries <= self.entries * _GROWN


def measured(view: View, former: Crowding | None) -> Crowding:
    """The crowding of all rows; what ``former`` covers is not measured again unless there are far more entries now."""
    if former is not None and not former.represents(view):
        former = None
    rows = len(view.alive)
    values = np.full((rows, 2), np.nan, dtype=np.float32)
    sampled = former.sampled if former is not None else _sample(view)
    covered = 0
    if former is not None:
        covered = len(former.values)
        values[:covered] = former.values
    languages = np.array([head.language for head in view.heads])
    for (kind, language), published in view.shelves.items():
        if kind == "question":
            new = published[np.searchsorted(published, covered) :]
            values[new] = _nearness(view, new, sampled[languages[view.article[sampled]] == language])
    return Crowding(values, sampled, former.entries if former is not None else view.entries)


def _sample(view: View) -> Rows:
    chosen = [
        # A point's number is as good as drawn.
        rows[np.argsort(view.points[rows], kind="stable")[: max(_COMPARISONS // max(len(rows), 1), _LEAST_SAMPLE)]]
        for (kind, _), rows in view.shelves.items()
        if kind == "question"
    ]
    return np.concatenate(chosen) if chosen else np.empty(0, dtype=np.int64)


def _nearness(view: View, rows: Rows, sampled: Rows) -> Floats:
    assert view.vectors is not None, "without vectors nothing is measured"
    values = np.zeros((len(rows), 2), dtype=np.float32)
    if not len(sampled):
        return values
    group = view.group[view.article]
    vectors = restored(np.asarray(view.vectors[sampled]))
    spaces = (slice(0, view.use_width), slice(view.use_width, None))
    samples = [np.ascontiguousarray(vectors[:, space].T) for space in spaces]
    nearest = min(_NEAREST, len(sampled))
    for first in range(0, len(rows), _BLOCK):
        block = rows[first : first + _BLOCK]
        own = group[block][:, None] == group[sampled][None, :]
        here = restored(np.asarray(view.vectors[block]))
        for place, space in enumerate(spaces):
            cosines = here[:, space] @ samples[place]
            cosines[own] = _NOT_COUNTED
            cosines.partition(len(sampled) - nearest, axis=1)
            most = cosines[:, len(sampled) - nearest :]
            counted = most > _NOT_COUNTED
            most[~counted] = 0.0
            values[first : first + len(block), place] = most.sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
    return values


def write_crowding(directory: Path, crowding: Crowding) -> None:
    """Keep it for the next start."""
    content = io.BytesIO()
    np.savez(content, values=crowding.values, sampled=crowding.sampled, entries=crowding.entries)
    packed = content.getvalue()
    replace_file(directory / _FILE, zlib.crc32(packed).to_bytes(4) + packed)


def read_crowding(directory: Path, rows: int) -> Crowding | None:
    """What was kept for these rows or the first of them, if it is whole; what belongs to others is thrown away."""
    path = directory / _FILE
    try:
        stored = path.read_bytes()
        if int.from_bytes(stored[:4]) != zlib.crc32(stored[4:]):
            raise ValueError("damaged")
        with np.load(io.BytesIO(stored[4:])) as held:
            crowding = Crowding(held["values"], held["sampled"], int(held["entries"]))
        if len(crowding.values) > rows:
            raise ValueError("of other rows")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError):
        path.unlink(missing_ok=True)
        return None
    return crowding
