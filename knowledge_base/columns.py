"""Columns of numbers in files: appended to by one thread, read in place by all, and valid up to the last commit.

What they hold is a cache of the index. A commit names how much of each file counts and carries a checksum; anything
else found on disk is thrown away and written again from the index.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
_COMMIT = "commit.json"
_FORMAT = 1
_CHECKED = 4 << 20  #: bytes of each column, from its end, that the checksum covers


class ColumnFile:
    """One column of equal rows, ``width`` values of ``dtype`` each (0: a row is one value)."""

    def __init__(self, path: Path, dtype: str, width: int = 0) -> None:
        self._path = path
        self._dtype = np.dtype(dtype)
        self._width = width
        self._row_bytes = self._dtype.itemsize * max(width, 1)
        self._file = path.open("ab")
        self.length = self._file.tell() // self._row_bytes

    def append(self, rows: Array) -> None:
        """Write rows behind the others; views taken before stay as they are."""
        if len(rows):
            self._file.write(np.ascontiguousarray(rows, dtype=self._dtype).tobytes())
            self._file.flush()
            self.length += len(rows)

    def view(self) -> Array:
        """All rows, read from the file as they are looked at."""
        shape = (self.length, self._width) if self._width else (self.length,)
        if not self.length:
            return np.empty(shape, dtype=self._dtype)
        return np.asarray(np.memmap(self._path, dtype=self._dtype, mode="r", shape=shape))

    def truncate(self, length: int) -> None:
        """Forget rows behind this length; raises ``ValueError`` when there are fewer."""
        if self.length < length:
            raise ValueError(f"{self._path.name} is shorter than its commit says")
        self._file.truncate(length * self._row_bytes)
        self.length = length

    def checksum(self) -> int:
        """Of the end of the column, which is what a crash would tear."""
        with self._path.open("rb") as file:
            file.seek(max(0, self.length * self._row_bytes - _CHECKED))
            return zlib.crc32(file.read(_CHECKED))

    def sync(self) -> None:
        """Return once the rows survive a power cut."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Stop writing."""
        self._file.close()


class Columns:
    """The columns of one folder with the commit that makes them valid."""

    def __init__(self, directory: Path, layout: Mapping[str, tuple[str, int]]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self._layout = dict(layout)
        self._files = {name: ColumnFile(directory / name, *kind) for name, kind in layout.items()}
        self.generation = -1  #: of the index whose content this is; -1 is of none
        self._restore()

    def append(self, **rows: Array) -> None:
        """Write behind the columns named."""
        for name, values in rows.items():
            self._files[name].append(values)

    def view(self, name: str) -> Array:
        """A column as it is now."""
        return self._files[name].view()

    def length(self, name: str) -> int:
        """Rows in a column."""
        return self._files[name].length

    def commit(self, generation: int) -> None:
        """From now on, opening the folder again finds exactly what the columns hold now."""
        for file in self._files.values():
            file.sync()
        state = {
            "format": _FORMAT,
            "layout": {name: list(kind) for name, kind in self._layout.items()},
            "generation": generation,
            "columns": {name: [file.length, file.checksum()] for name, file in self._files.items()},
        }
        replace_file(self.directory / _COMMIT, json.dumps(state).encode())
        self.generation = generation

    def clear(self) -> None:
        """Forget all rows."""
        for file in self._files.values():
            file.truncate(0)

    def close(self) -> None:
        """Stop writing."""
        for file in self._files.values():
            file.close()

    def _restore(self) -> None:
        try:
            state = json.loads((self.directory / _COMMIT).read_bytes())
            if state["format"] != _FORMAT or state["layout"] != {n: list(k) for n, k in self._layout.items()}:
                raise ValueError("another layout")
            for name, file in self._files.items():
                length, checksum = state["columns"][name]
                file.truncate(length)
                if file.checksum() != checksum:
                    raise ValueError(f"{name} is damaged")
            self.generation = int(state["generation"])
        except (OSError, ValueError, KeyError, TypeError):
            self.clear()


def replace_file(path: Path, content: bytes) -> None:
    """Write a small file so that after a crash it holds either all of the old or all of the new content."""
    temporary = path.with_name(f"{path.name}.new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def slices(starts: Sequence[int] | Array, lengths: Sequence[int] | Array) -> npt.NDArray[np.int64]:
    """The numbers of several runs of rows, one run after the other."""
    lengths = np.asarray(lengths, dtype=np.int64)
    starts = np.asarray(starts, dtype=np.int64)
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    run: npt.NDArray[np.int64] = np.arange(total, dtype=np.int64)
    run += np.repeat(starts - (ends - lengths), lengths)
    return run
