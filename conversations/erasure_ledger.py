"""A list of erasures outside the database, so that no old backup brings anybody back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ListedErasure:
    """Whom an erasure concerned: ids only, nothing by which anybody could be known."""

    at: str
    contacts: tuple[str, ...]
    conversations: tuple[str, ...]
    files: tuple[str, ...]

    def line(self) -> str:
        """One line of the ledger."""
        form = {
            "at": self.at,
            "contacts": self.contacts,
            "conversations": self.conversations,
            "files": self.files,
        }
        return json.dumps(form, separators=(",", ":"))


class ErasureLedger:
    """A file with one line for each erasure; it is never restored from a backup, only added to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def note(self, erasures: Iterable[ListedErasure]) -> None:
        """Add lines; they are on the disk when this returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            written = file.seek(0, os.SEEK_END)
            if written:
                file.seek(written - 1)
                if file.read(1) != b"\n":  # the process died while writing
                    file.write(b"\n")
            file.write("".join(f"{one.line()}\n" for one in erasures).encode())
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> list[ListedErasure]:
        """Everything that was noted; a torn line, whose erasure was never confirmed, is left out."""
        if not self.path.exists():
            return []
        found = []
        for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                form = json.loads(line)
                ids = {name: tuple(map(str, form[name])) for name in ("contacts", "conversations", "files")}
                found.append(ListedErasure(str(form["at"]), **ids))
            except (ValueError, KeyError, TypeError):
                continue
        return found
