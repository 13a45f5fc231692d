"""Vectors of the slices an article is quoted in, kept in a file so that no answer waits for an encoder.

The file is a cache: it can be deleted, and what is missing is encoded when it is first needed.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np

from knowledge_base.encoder import Vectors

FILE = "sentences.db"
_REMEMBERED = 2000  #: articles


class SentenceStore:
    """Rows by article version, in half precision; without a directory they live in memory only.

    Any thread may use it: what is loaded is made ready in one, what is asked is answered in another.
    """

    def __init__(self, directory: Path | None, encoder: str) -> None:
        self._encoder = encoder
        self._lock = threading.Lock()
        self._recent: OrderedDict[str, Vectors] = OrderedDict()
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(str(directory / FILE) if directory else ":memory:", check_same_thread=False)
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("PRAGMA synchronous=NORMAL")
        self._file.execute("PRAGMA busy_timeout=5000")
        self._file.execute(
            "CREATE TABLE IF NOT EXISTS vectors (version TEXT, encoder TEXT, rows INTEGER, data BLOB,"
            " PRIMARY KEY (version, encoder))"
        )
        self._file.commit()

    def find(self, version: str) -> Vectors | None:
        """The vectors of this version, one row per slice, or None if they were never stored."""
        with self._lock:
            if version in self._recent:
                self._recent.move_to_end(version)
                return self._recent[version]
            found = self._file.execute(
                "SELECT rows, data FROM vectors WHERE version = ? AND encoder = ?", (version, self._encoder)
            ).fetchone()
            if found is None:
                return None
            rows = np.frombuffer(found[1], dtype=np.float16).reshape(found[0], -1).astype(np.float32)
            return self._remember(version, rows)

    def add(self, version: str, rows: Vectors) -> None:
        """Keep the vectors of a version."""
        half = rows.astype(np.float16)
        with self._lock:
            with self._file:
                self._file.execute(
                    "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)",
                    (version, self._encoder, len(half), half.tobytes()),
                )
            self._remember(version, half.astype(np.float32))

    def keep_only(self, versions: set[str]) -> None:
        """Forget versions that no article has any more."""
        with self._lock:
            stored = {version for (version,) in self._file.execute("SELECT version FROM vectors")}
            with self._file:
                self._file.executemany("DELETE FROM vectors WHERE version = ?", [(one,) for one in stored - versions])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    def _remember(self, version: str, rows: Vectors) -> Vectors:
        self._recent[version] = rows
        if len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)
        return rows
