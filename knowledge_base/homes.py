"""Where editions live and which of them serves: a folder of this process, or a Qdrant server for many."""

from __future__ import annotations

import fcntl
import json
import shutil
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import IO, Any, Protocol

import structlog

from knowledge_base.columns import replace_file
from knowledge_base.edition import Edition, form_of
from knowledge_base.encoder import Encoder
from knowledge_base.errors import EncoderUnavailable, IndexUnavailable
from knowledge_base.named_encoders import MissingEncoder, passage_encoder

log = structlog.get_logger()


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

    linger_seconds: float  #: how long a former edition stays, because other processes may still search in it
    can_be_away: bool  #: whether it is another program's, which may come back by itself

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

    linger_seconds = 0.0
    can_be_away = False

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
    """Editions on a Qdrant server, shared by many processes; each keeps its ledgers in a folder of its own."""

    linger_seconds = 60.0
    can_be_away = True

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
        folder, lock = self._free_ledger(built.form)
        return Edition(index, folder, use, encoder, shared=index, release=lock.close)

    def delete(self, form: str) -> None:
        """Delete what is stored of an edition."""
        self._record.delete_collection(f"articles-{form}")
        for folder in self._directory.glob(f"ledger-{form}-*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _free_ledger(self, form: str) -> tuple[Path, IO[str]]:
        """A ledger's folder that no other process on this machine has, and what holds it until it is closed."""
        for number in count():
            folder = self._directory / f"ledger-{form}-{number}"
            folder.mkdir(parents=True, exist_ok=True)
            lock = (folder / "lock").open("w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.close()
                continue
            return folder, lock
        raise AssertionError("there is always another number")


def built_with(use: Encoder, encoder: Encoder, setting: str) -> Built:
    """The edition that these encoders build."""
    return Built(form_of(use.name, encoder.name), setting, encoder.name, encoder.dimensions)


@dataclass(frozen=True, slots=True)
class Opened:
    """The edition that serves and, if its encoder is not the one wanted any more, the one to build."""

    serving: Edition
    building: Edition | None
    editions: Editions


def open_editions(home: Home, use: Encoder, encoder: Encoder, setting: str, *, reindex: bool) -> Opened:
    """Open what serves; ``reindex`` says whether an edition of another encoder is to be replaced."""
    wanted = built_with(use, encoder, setting)
    editions = home.editions()
    if editions is None:
        editions = Editions(serving=wanted)
        home.record(editions)
    editions = without_retired(home, editions)
    abandoned = editions.building
    if editions.serving.form == wanted.form:
        if abandoned is not None and reindex:  # the setting was changed back
            editions = replace(editions, building=None, retired=(abandoned.form,))
            home.record(editions)
            editions = without_retired(home, editions)
        return Opened(home.open(wanted, use, encoder), None, editions)
    serving = home.open(editions.serving, use, _former_encoder(editions.serving))
    if not reindex:
        return Opened(serving, None, editions)
    if abandoned is not None and abandoned.form != wanted.form:
        home.delete(abandoned.form)
    editions = replace(editions, building=wanted)
    home.record(editions)
    return Opened(serving, home.open(wanted, use, encoder), editions)


def _former_encoder(built: Built) -> Encoder:
    """The encoder that an edition was built with, or its stand-in."""
    problem = "its files have changed"
    try:
        encoder = passage_encoder(built.encoder)
        if encoder.name == built.name:
            return encoder
    except EncoderUnavailable as error:
        problem = str(error)
    log.warning(
        "the encoder of the stored articles is missing; words and USE serve until they are encoded anew",
        encoder=built.encoder,
        problem=problem,
    )
    return MissingEncoder(built.name, built.dimensions)


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
