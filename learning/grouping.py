"""Puts messages of the same wish together, one after the other, in whatever language they are written.

Leader clustering: a message joins the group whose centre is nearest, if it is near enough, and else leads a group of its
own. A group's centre is the mean of its members and moves with each. Groups that have come close are merged now and then.
The same messages in the same order always make the same groups.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

WIDTH = 512
#: Cosines, chosen on the project's own held-out lines (docs/inbox.md, ``python -m benchmarks.grouping``).
JOINS_FROM = 0.52
MERGES_FROM = 0.66
_LEAST_ROOM, _TOGETHER = 16, 512


def packed(vector: Floats) -> bytes:
    """A vector as it is stored: half precision moves a cosine by less than a thousandth."""
    return vector.astype(np.float16).tobytes()


def unpacked(rows: Sequence[bytes]) -> Floats:
    """Stored vectors, one row each, of length one."""
    if not rows:
        return np.zeros((0, WIDTH), np.float32)
    found = np.frombuffer(b"".join(rows), np.float16).reshape(len(rows), -1).astype(np.float32)
    return _units(found)


def mean_of(vectors: Floats) -> Floats:
    """The centre of some vectors."""
    centre: Floats = vectors.mean(axis=0, dtype=np.float32)
    return centre


def medoid(vectors: Floats, centre: Floats) -> int:
    """The place of the vector that stands for all of them: the one nearest to the centre, the first of equals."""
    return int(np.argmax(np.round(vectors @ centre, 5)))


def _units(rows: Floats) -> Floats:
    lengths = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    units: Floats = (rows / lengths).astype(np.float32)
    return units


class Centres:
    """The centres of groups, by their ids, the oldest group first."""

    def __init__(self, ids: Sequence[str] = (), means: Floats | None = None, weights: Sequence[int] = ()) -> None:
        """Take over groups with the means of their members and how many these are."""
        self.ids = list(ids)
        self._places = {group_id: place for place, group_id in enumerate(self.ids)}
        self._weights = list(weights)
        room = max(_LEAST_ROOM, len(self.ids))
        self._sums = np.zeros((room, WIDTH), np.float32)
        self._units = np.zeros((room, WIDTH), np.float32)
        if means is not None and self.ids:
            self._sums[: len(self.ids)] = means * np.asarray(self._weights, np.float32)[:, None]
            self._units[: len(self.ids)] = _units(means)

    def nearest(self, vector: Floats) -> tuple[str, float] | None:
        """The group whose centre is nearest, and how near; None without any."""
        if not self.ids:
            return None
        near = self._units[: len(self.ids)] @ vector
        best = int(np.argmax(near))
        return self.ids[best], float(near[best])

    def near(self, vector: Floats, least: float) -> dict[str, float]:
        """Every group that is at least so near, with how near it is."""
        near = self._units[: len(self.ids)] @ vector
        return {self.ids[place]: float(near[place]) for place in np.flatnonzero(near >= least)}

    def join(self, group_id: str, vector: Floats) -> None:
        """One more member of a group: its centre moves."""
        place = self._places[group_id]
        self._sums[place] += vector
        self._weights[place] += 1
        self._centre(place)

    def lead(self, group_id: str, vector: Floats) -> None:
        """A new group of one."""
        place = len(self.ids)
        if place == len(self._units):
            self._sums, self._units = (np.concatenate([one, np.zeros_like(one)]) for one in (self._sums, self._units))
        self.ids.append(group_id)
        self._places[group_id] = place
        self._weights.append(1)
        self._sums[place] = vector
        self._centre(place)

    def mean(self, group_id: str) -> tuple[Floats, int]:
        """A group's centre, and of how many members it is the mean."""
        place = self._places[group_id]
        mean: Floats = (self._sums[place] / self._weights[place]).astype(np.float32)
        return mean, self._weights[place]

    def _centre(self, place: int) -> None:
        total = self._sums[place]
        self._units[place] = total / max(float(np.linalg.norm(total)), 1e-9)

    def close_pairs(self, least: float, alike: Sequence[object]) -> list[tuple[str, str]]:
        """Groups to merge: pairs that are near enough and ``alike`` in the same thing; the nearest first, each group
        once, the older one (which comes first) named first."""
        units = self._units[: len(self.ids)]
        found: list[tuple[float, int, int]] = []
        for start in range(0, len(units), _TOGETHER):
            near = units[start : start + _TOGETHER] @ units.T
            for row, column in zip(*np.nonzero(near >= least), strict=True):
                first, second = start + int(row), int(column)
                if first < second and alike[first] == alike[second]:
                    found.append((-round(float(near[row, column]), 5), first, second))
        taken: set[int] = set()
        pairs = []
        for _, first, second in sorted(found):
            if first not in taken and second not in taken:
                taken |= {first, second}
                pairs.append((self.ids[first], self.ids[second]))
        return pairs


def join_or_lead(centres: Centres, vector: Floats, new_id: str, least: float = JOINS_FROM) -> str:
    """Put one message into its group, or into a new one of this id; returns the group's id."""
    nearest = centres.nearest(vector)
    if nearest is not None and nearest[1] >= least:
        centres.join(nearest[0], vector)
        return nearest[0]
    centres.lead(new_id, vector)
    return new_id
