"""How alike the examples of one language are: nearest neighbours in the same and in other intents, and likely mix-ups.

Everything is kept, so that a few changed lines cost a few rows and not the whole comparison again.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
_TOGETHER = 256  #: rows compared at once
_RIDGE = 1.0
#: Vectors as equal as this belong to texts that the encoder cannot read, such as emoji.
_UNREADABLE = 0.9995


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another example, by its place in the list, and the cosine of the two."""

    place: int
    likeness: float


class VectorShelf:
    """The vectors of texts, kept in a file beside the desk's data so that a start does not work them out again."""

    def __init__(self, encode: Callable[[Sequence[str]], Vectors], file: Path) -> None:
        self._encode = encode
        self._file = file
        self._known: dict[bytes, npt.NDArray[np.float16]] | None = None

    def vectors(
        self, texts: Sequence[str], told: Callable[[int, int], None] = lambda _done, _all: None, batch: int = 64
    ) -> Vectors:
        """One row per text; ``told`` hears how many of the unknown ones are done."""
        if self._known is None:
            self._known = self._read()
        digests = [blake2b(text.encode(), digest_size=16).digest() for text in texts]
        missing = list({one: text for one, text in zip(digests, texts, strict=True) if one not in self._known}.items())
        for first in range(0, len(missing), batch):
            told(first, len(missing))
            part = missing[first : first + batch]
            rows = self._encode([text for _, text in part])
            self._known.update((one, row.astype(np.float16)) for (one, _), row in zip(part, rows, strict=True))
        return (
            np.stack([self._known[one] for one in digests]).astype(np.float32)
            if digests
            else np.empty((0, 1), np.float32)
        )

    def keep(self, texts: Iterable[str]) -> None:
        """Write the vectors of these texts down and forget the others."""
        known = self._known or {}
        wanted = {
            one: known[one] for text in texts if (one := blake2b(text.encode(), digest_size=16).digest()) in known
        }
        if not wanted or (wanted.keys() == known.keys() and self._file.exists() and len(self._read()) == len(wanted)):
            return
        self._known = wanted
        self._file.parent.mkdir(parents=True, exist_ok=True)
        content = io.BytesIO()
        np.savez(content, keys=np.frombuffer(b"".join(wanted), np.uint8), rows=np.stack(list(wanted.values())))
        unfinished = self._file.with_suffix(".tmp")
        unfinished.write_bytes(content.getvalue())
        os.replace(unfinished, self._file)

    def _read(self) -> dict[bytes, npt.NDArray[np.float16]]:
        try:
            with np.load(self._file) as stored:
                keys, rows = stored["keys"].tobytes(), stored["rows"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return {}  # it is worked out again
        if len(keys) != 16 * len(rows):
            return {}
        return {keys[16 * place : 16 * place + 16]: row for place, row in enumerate(rows)}


class Likeness:
    """The examples of one language, compared with each other."""

    def __init__(self) -> None:
        self._names: list[tuple[str, str]] = []  #: intent and text of each row
        self._vectors: Vectors = np.empty((0, 1), np.float32)
        self._near: dict[bool, tuple[npt.NDArray[np.int64], Vectors]] = {}
        self.mistaken: list[tuple[str, float] | None] = []  #: what each is likely taken for, and by how much

    def update(
        self, names: Sequence[tuple[str, str]], vectors: Vectors, told: Callable[[int, int], None] = lambda _d, _a: None
    ) -> None:
        """Compare what is new, and what has lost its neighbour."""
        count = len(names)
        former = {name: place for place, name in enumerate(self._names)}
        intents = np.unique([intent for intent, _ in names], return_inverse=True)[1]
        place_of = {name: place for place, name in enumerate(names)}
        new = [place for place, name in enumerate(names) if name not in former]
        dirty = set(new)
        best: dict[bool, tuple[npt.NDArray[np.int64], Vectors]] = {}
        for same in (True, False):
            places, scores = np.full(count, -1, np.int64), np.full(count, -1.0, np.float32)
            if former:
                old_places, old_scores = self._near[same]
                for place, name in enumerate(names):
                    old = former.get(name)
                    if old is None or old_places[old] < 0:
                        continue
                    neighbour = place_of.get(self._names[old_places[old]])
                    if neighbour is None:
                        dirty.add(place)
                    else:
                        places[place], scores[place] = neighbour, old_scores[old]
            best[same] = places, scores
        rows = np.array(sorted(dirty), np.int64)
        fresh = np.zeros(count, bool)
        fresh[new] = True
        for first in range(0, len(rows), _TOGETHER):
            told(first, len(rows))
            part = rows[first : first + _TOGETHER]
            likeness = vectors[part] @ vectors.T
            likeness[np.arange(len(part)), part] = -1
            together = intents[part][:, None] == intents[None, :]
            for same in (True, False):
                seen = np.where(together == same, likeness, np.float32(-1))
                places, scores = best[same]
                places[part], scores[part] = seen.argmax(1), seen.max(1)
                if former:  # what is new may also be the nearest of what was there
                    columns = np.where(fresh[part][:, None], seen, np.float32(-1))
                    nearest, found = columns.argmax(0), columns.max(0)
                    closer = found > scores
                    places[closer], scores[closer] = part[nearest[closer]], found[closer]
        self._names, self._vectors, self._near = list(names), vectors, best
        self.mistaken = _mistaken(intents, sorted({intent for intent, _ in names}), vectors)

    def nearest(self, place: int, *, same_intent: bool) -> Neighbour | None:
        """The most alike example of the same intent, or of the others; None if the texts cannot be told apart."""
        places, scores = self._near[same_intent]
        if places[place] < 0 or scores[place] <= -1 or scores[place] >= _UNREADABLE:
            return None
        return Neighbour(int(places[place]), float(scores[place]))


def _mistaken(intents: npt.NDArray[Any], names: list[str], vectors: Vectors) -> list[tuple[str, float] | None]:
    """What each example is taken for by a linear classifier that has learnt all the others (exact leave-one-out)."""
    if len(names) < 2:
        return [None] * len(intents)
    with_bias = np.hstack([vectors, np.ones((len(vectors), 1), np.float32)])
    truth = np.eye(len(names), dtype=np.float32)[intents]
    inverse = np.linalg.inv((with_bias.T @ with_bias + _RIDGE * np.eye(with_bias.shape[1])).astype(np.float64))
    inverse = inverse.astype(np.float32)
    said = with_bias @ (inverse @ (with_bias.T @ truth))
    weight = np.einsum("ij,ij->i", with_bias @ inverse, with_bias)[:, None]
    said = (said - weight * truth) / np.maximum(1 - weight, 1e-3)
    taken = said.argmax(1)
    lead = said[np.arange(len(said)), taken] - said[np.arange(len(said)), intents]
    return [(names[one], float(by)) if one != own else None for one, own, by in zip(taken, intents, lead, strict=True)]
