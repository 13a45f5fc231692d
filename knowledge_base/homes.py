"""Where editions live and which of them serves: a folder of this process, or a Qdrant server for many."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from knowledge_base.columns import replace_file
from knowledge_base.edition import Edition, form_of
from knowledge_base.encoder import Encoder
from knowledge_base.errors import IndexUnavailable


@dataclass(frozen=True, slots=True)
class Built:
    """An edition by the names of what it was built with."""

    form: str
    encoder: str  #: as in the setting, so that it can be loaded again
    name: str  #: the encoder's own
    dimensions: int  #: of the encoder's vectors


@dataclass(frozen=True, slots=True)
class Editions:
    """Which edition answers, which one is being built, and which ones are left to delete."""

    serving: Built
    building: Built | None = None
    retired: tuple[str, ...] = ()  #: forms

    def to_json(self) -> dict[str, Any]:
        """As plain values, for storage."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Editions:
        """What ``to_json`` described."""
        building = stored.get("building")
        return cls(
            Built(**stored["serving"]), Built(**building) if building else None, tuple(stored.get("retired", ()))
        )


class Home(Protocol):
    """Keeps editions; its record changes all at once or not at all."""

    def editions(self) -> Editions | None:
        """The record, or None before anything was built."""
        ...

    def record(self, editions: Editions) -> None:
        """Replace the record."""
        ...

    def open(self, built: Built, use: Encoder, encoder: Encoder) -> Edition:
        """An edition with what is stored of it so far."""
        ...

    def delete(self, form: str) -> None:
        """Delete what is stored of an edition."""
        ...


class FolderHome:
    """Editions embedded in this process, in one folder."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def editions(self) -> Editions | None:
        """The record, or None before anything was built."""
        path = self._directory / "editions.json"
        try:
            return Editions.from_json(json.loads(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise IndexUnavailable(
                f"{path} cannot be read ({error}); delete the folder {self._directory} and load the articles again"
            ) from None

    def record(self, editions: Editions) -> None:
        """Replace the record."""
        self._directory.mkdir(parents=True, exist_ok=True)
        replace_file(self._directory / "editions.json", json.dumps(editions.to_json()).encode())

    def open(self, built: Built, use: Encoder, encoder: Encoder) -> Edition:
        """An edition with what is stored of it so far."""
        from knowledge_base.index import EdgeIndex

        directory = self._directory / f"index-{built.form}"
        index = EdgeIndex(directory, {"use": use.dimensions, "e5": encoder.dimensions})
        return Edition(index, directory / "ledger", use, encoder)

    def delete(self, form: str) -> None:
        """Delete what is stored of an edition."""
        shutil.rmtree(self._directory / f"index-{form}", ignore_errors=True)


class ServerHome:
    """Editions on a Qdrant server, shared by many processes; each keeps its ledgers in its own folder."""

    def __init__(self, url: str, directory: Path) -> None:
        from knowledge_base.index_server import ServerRecord

        self._url = url
        self._directory = directory
        self._record = ServerRecord(url)

    def editions(self) -> Editions | None:
        """The record, or None before anything was built."""
        stored = self._record.read()
        return Editions.from_json(stored) if stored else None

    def record(self, editions: Editions) -> None:
        """Replace the record."""
        self._record.write(editions.to_json())

    def open(self, built: Built, use: Encoder, encoder: Encoder) -> Edition:
        """An edition with what is stored of it so far."""
        from knowledge_base.index_server import ServerIndex

        index = ServerIndex(self._url, f"articles-{built.form}", {"use": use.dimensions, "e5": encoder.dimensions})
        return Edition(index, self._directory / f"ledger-{built.form}", use, encoder, shared=index)

    def delete(self, form: str) -> None:
        """Delete what is stored of an edition."""
        self._record.delete_collection(f"articles-{form}")
        shutil.rmtree(self._directory / f"ledger-{form}", ignore_errors=True)


def built_with(use: Encoder, encoder: Encoder, setting: str) -> Built:
    """The edition that these encoders build."""
    return Built(form_of(use.name, encoder.name), setting, encoder.name, encoder.dimensions)


def without_retired(home: Home, editions: Editions) -> Editions:
    """Delete the editions that no longer serve; returns the record without them."""
    if not editions.retired:
        return editions
    for form in editions.retired:
        if form != editions.serving.form:
            home.delete(form)
    left = replace(editions, retired=())
    home.record(left)
    return left
