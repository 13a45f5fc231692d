"""The index inside this process: Qdrant Edge in a directory. One process at a time may have it open.

Every call of the engine holds the interpreter, so the one that takes long (building the search graphs) runs in a
process of its own, on a copy, while this one goes on searching and writing; see ``upkeep``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from qdrant_edge import (
    EdgeShard,
    FieldCondition,
    Filter,
    IntegerIndexParams,
    IsEmptyCondition,
    KeywordIndexParams,
    MatchAny,
    MatchExcept,
    MatchValue,
    PayloadSelector,
    Point,
    Query,
    QueryBatchRequest,
    QueryRequest,
    RangeFloat,
    ScrollRequest,
    SparseVector,
    UpdateOperation,
)

from knowledge_base.columns import replace_file
from knowledge_base.entries import (
    FLAT,
    HEAD_FIELDS,
    INDEXED_FIELDS,
    INDEXED_NUMBERS,
    SEARCHED,
    STATE_POINT,
    Entry,
    Head,
    Near,
    QuestionVectors,
    Sparse,
    Stored,
    head_of,
    shelf_of,
)
from knowledge_base.errors import IndexLocked, IndexUnavailable
from knowledge_base.index_config import EDGE_SEARCH, edge_config
from knowledge_base.readers import Reader

_PAGE = 2000
_ACTIVE = "active.json"
_WALKED = {"quantized.data", "links_compressed.bin"}  #: files that the engine touches page by page when it loads
_WORTH_BUILDING = 5_000  #: entries written since the graphs were built, from which a search would notice


class EdgeIndex:
    """A Qdrant Edge shard; raises ``IndexLocked`` when another process has it."""

    def __init__(self, directory: Path, dimensions: dict[str, int]) -> None:
        self._directory = directory
        self._journal: list[UpdateOperation] | None = None  # what is written while a copy is being worked on
        self._closed = threading.Event()
        try:
            directory.mkdir(parents=True, exist_ok=True)
            active = directory / _ACTIVE
            state: dict[str, Any] = {"shard": "shard-0", "built": 0}
            if active.exists():
                state = json.loads(active.read_text())
            self._path, self._built = directory / str(state["shard"]), int(state["built"])
            if (self._path / "edge_config.json").exists():
                _read_through(self._path)
                self._shard = EdgeShard.load(str(self._path))
            else:
                shutil.rmtree(self._path, ignore_errors=True)  # what a crash left of its creation
                self._path.mkdir()
                self._shard = EdgeShard.create(str(self._path), edge_config(dimensions))
                for name in INDEXED_FIELDS:
                    graphs = KeywordIndexParams(enable_hnsw=name == "shelf")
                    self._shard.update(UpdateOperation.create_field_index(name, graphs))
                for name in INDEXED_NUMBERS:
                    numbers = IntegerIndexParams(lookup=False, range=True, enable_hnsw=False)
                    self._shard.update(UpdateOperation.create_field_index(name, numbers))
                self._shard.flush()
        except OSError as error:
            raise IndexUnavailable(f"{directory} cannot be used ({error.strerror}); check the data directory") from None
        except Exception as error:  # the engine raises bare exceptions
            if "WouldBlock" in str(error):
                raise IndexLocked(
                    f"another process has the index in {directory} open; stop it first,"
                    " or give each an INDEX_DIR of its own, or both QDRANT_URL"
                ) from None
            raise IndexUnavailable(
                f"the index in {directory} cannot be read ({error}); delete that directory and load the articles again"
            ) from None
        for path in directory.glob("shard-*"):
            if path != self._path:
                shutil.rmtree(path, ignore_errors=True)
        self._written = abs(self._shard.info().points_count - self._built)

    def stage(self, entries: Sequence[Entry]) -> None:
        """Write entries that searches do not see yet."""
        if entries:
            self._update(UpdateOperation.upsert_points([_point(entry) for entry in entries]))
            self._written += len(entries)

    def publish(self, heads: Sequence[Head]) -> None:
        """Show these versions and delete every other version of those articles."""
        if not heads:
            return
        self._move_on()
        shelves: defaultdict[str, list[int | Any]] = defaultdict(list)
        for head in heads:
            for ref in head.refs():
                shelves[shelf_of(ref.kind, ref.language)].append(ref.point_id)
        for shelf, points in shelves.items():
            self._update(UpdateOperation.set_payload(points, {"shelf": shelf}))
        these = FieldCondition(key="article_key", match=MatchAny([head.key for head in heads]))
        others = FieldCondition(key="version", match=MatchExcept([head.version for head in heads]))
        self._update(UpdateOperation.delete_points_by_filter(Filter(must=[these, others])))

    def remove(self, article_keys: Collection[str]) -> None:
        """Delete articles with all their entries."""
        if article_keys:
            condition = FieldCondition(key="article_key", match=MatchAny(list(article_keys)))
            self._move_on()
            self._update(UpdateOperation.delete_points_by_filter(Filter(must=[condition])))

    def generation(self) -> int:
        """A number that grows with everything published or removed."""
        found = self._shard.retrieve([STATE_POINT], with_payload=True, with_vector=False)
        return int(found[0].payload["generation"]) if found and found[0].payload else 0

    def heads(self) -> list[Head]:
        """Every published article; of two versions (a crash between showing and deleting) the newer one last."""
        first = FieldCondition(key="holds", match=MatchValue("article"))
        published = Filter(must=[first], must_not=[IsEmptyCondition("shelf")])
        payloads: list[dict[str, Any]] = []
        offset = None
        while True:
            page, offset = self._shard.scroll(
                ScrollRequest(
                    limit=_PAGE,
                    offset=offset,
                    filter=published,
                    with_payload=PayloadSelector.Include([*HEAD_FIELDS, "staged_in"]),
                    with_vector=False,
                )
            )
            payloads.extend(record.payload for record in page if record.payload)
            if offset is None:
                return [head_of(payload) for payload in sorted(payloads, key=lambda one: int(one["staged_in"]))]

    def texts(self, points: Sequence[int]) -> list[dict[str, Any] | None]:
        """The texts of these entries in this order; None where an entry is gone or carries none."""
        records = self._shard.retrieve(list(points), with_payload=PayloadSelector.Include(["text"]), with_vector=False)
        found = {int(record.id): (record.payload or {}).get("text") for record in records}
        return [found.get(point) for point in points]

    def stored(self, points: Sequence[int], *, vectors: bool) -> dict[int, Stored]:
        """These entries' words and, when asked for, vectors, by point id; entries that are gone are left out."""
        wanted = ["words", "use", "passage_use", "e5"] if vectors else ["words"]
        found: dict[int, Stored] = {}
        for record in self._shard.retrieve(list(points), with_payload=False, with_vector=wanted):
            held: dict[str, Any] = record.vector if isinstance(record.vector, dict) else {}
            words = held.get("words")
            bag = Sparse(list(words.indices), list(words.values)) if words is not None else Sparse([], [])
            found[int(record.id)] = Stored(bag, held.get("use") or held.get("passage_use") or (), held.get("e5") or ())
        return found

    def nearest(
        self, question: QuestionVectors, languages: Sequence[str], limit: int, reader: Reader | None = None
    ) -> list[Near]:
        """For each language the nearest published entries (that the ``reader`` may read) in each of the spaces of
        ``SEARCHED``."""
        readable = _readable(reader) if reader is not None else []
        queries: dict[str, Query] = {
            "use": Query.Nearest(question.use.tolist(), using="use"),
            "e5": Query.Nearest(question.e5.tolist(), using="e5"),
        }
        if not question.e5.any():  # its encoder is missing
            del queries["e5"]
        if question.words.indices:
            queries["words"] = Query.Nearest(_sparse(question.words), using="words")
        asked = [(language, kind, space) for language in languages for kind, space in SEARCHED if space in queries]
        requests = [
            QueryRequest(
                limit=limit,
                query=queries[space],
                filter=Filter(
                    must=[FieldCondition(key="shelf", match=MatchValue(shelf_of(kind, language))), *readable]
                ),
                params=None if space == "words" else EDGE_SEARCH,
            )
            for language, kind, space in asked
        ]
        found: list[Near] = []
        answers = self._shard.query_batch(QueryBatchRequest(requests))
        for (language, kind, space), answer in zip(asked, answers, strict=True):
            points = np.array([point.id for point in answer], dtype=np.uint64)
            scores = np.array([point.score for point in answer], dtype=np.float32)
            found.append(Near(kind, language, space, points, scores))
        return found

    def flush(self) -> None:
        """Return once everything written so far survives a power cut."""
        self._shard.flush()

    def close(self) -> None:
        """Write everything down and let others open the index."""
        self._closed.set()
        self._shard.flush()
        self._shard.close()

    def upkeep(self) -> Callable[[], Callable[[], None] | None] | None:
        """The building of search graphs, when enough was written that searches would become slow without.

        Returns None, or what may run in any thread while this index is in use; that returns what has to run where the
        index is written, to put the copy with its graphs in place (or None when the index was closed meanwhile).
        """
        total = self._shard.info().points_count
        if self._journal is not None or total <= FLAT or self._written < max(_WORTH_BUILDING, total // 20):
            return None
        self._shard.flush()
        number = int(self._path.name.partition("-")[2]) + 1
        copy = self._directory / f"shard-{number}"
        shutil.copytree(self._path, copy)
        self._journal = []

        def build() -> Callable[[], None] | None:
            try:
                built = _run_apart(copy, self._closed)
            except BaseException:
                self._journal = None
                shutil.rmtree(copy, ignore_errors=True)
                raise
            return (lambda: self._adopt(copy, total)) if built else None

        return build

    def _adopt(self, copy: Path, built: int) -> None:
        former, operations = self._path, self._journal or []
        shard = EdgeShard.load(str(copy))
        for operation in operations:
            shard.update(operation)
        shard.flush()
        replace_file(self._directory / _ACTIVE, json.dumps({"shard": copy.name, "built": built}).encode())
        self._journal = None
        self._shard, self._path, self._built = shard, copy, built  # the former shard closes when nobody searches in it
        self._written = abs(shard.info().points_count - built)
        shutil.rmtree(former, ignore_errors=True)

    def _update(self, operation: UpdateOperation) -> None:
        self._shard.update(operation)
        if self._journal is not None:
            self._journal.append(operation)

    def _move_on(self) -> None:
        """Leave the generation before anything of it is changed: whoever opens what a crash left must look again."""
        state = Point(STATE_POINT, {}, {"generation": self.generation() + 1})
        self._update(UpdateOperation.upsert_points([state]))


def _run_apart(shard: Path, stop: threading.Event) -> bool:
    """Build the graphs of a shard in another process; False if it was told to stop."""
    command = [sys.executable, "-m", "knowledge_base.index_upkeep", str(shard)]
    root = Path(__file__).resolve().parent.parent
    with subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            if stop.wait(0.05):
                process.kill()
                return False
        if process.returncode:
            told = process.stderr.read() if process.stderr else ""
            raise IndexUnavailable(f"the search graphs could not be built ({told.strip()[-300:]}); searches are slower")
    return True


def _readable(reader: Reader) -> list[FieldCondition]:
    now = int(reader.at.timestamp())
    return [
        FieldCondition(key="audience", match=MatchAny(sorted(reader.audiences))),
        FieldCondition(key="valid_from", range=RangeFloat(lte=now)),
        FieldCondition(key="valid_until", range=RangeFloat(gt=now)),
    ]


def _point(entry: Entry) -> Point:
    use = "use" if entry.ref.kind == "question" else "passage_use"
    vector: dict[str, Any] = {use: entry.use.tolist(), "e5": entry.e5.tolist(), "words": _sparse(entry.words)}
    return Point(entry.ref.point_id, vector, entry.payload())


def _sparse(words: Sparse) -> SparseVector:
    return SparseVector(words.indices, words.values)


def _read_through(shard: Path) -> None:
    """Bring what searches walk into memory in one go; page by page the disk would take ten times as long."""
    chunk = bytearray(4 * 1024 * 1024)
    for path in shard.rglob("*"):
        if path.name in _WALKED:
            with path.open("rb", buffering=0) as file:
                while file.readinto(chunk):
                    pass
