"""The index on a Qdrant server, shared by many processes; ``:memory:`` is the client's own engine, for tests."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException

from knowledge_base.entries import (
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
from knowledge_base.errors import IndexUnavailable
from knowledge_base.readers import Reader

_PUBLISHED = models.IsEmptyCondition(is_empty=models.PayloadField(key="shelf"))  # among what must not hold
_PAGE = 512
_WRITTEN_TOGETHER = 256
_RECORD = "articles-editions"
_MOST_ENTRIES = 5000  #: of the candidates of one search
_P = ParamSpec("_P")
_T = TypeVar("_T")


class ServerIndex:
    """One collection on a Qdrant server; raises ``IndexUnavailable`` when the server does not answer."""

    def __init__(self, url: str, collection: str, dimensions: dict[str, int], timeout_seconds: int = 30) -> None:
        self._url = url
        self._collection = collection
        if url == ":memory:":
            self._client = QdrantClient(location=url)
        else:
            self._client = QdrantClient(url=url, timeout=timeout_seconds, check_compatibility=False)
        self._ask(self._create, dimensions)

    def stage(self, entries: Sequence[Entry]) -> None:
        """Write entries that searches do not see yet."""
        for first in range(0, len(entries), _WRITTEN_TOGETHER):
            points = [_point(entry) for entry in entries[first : first + _WRITTEN_TOGETHER]]
            self._ask(self._client.upsert, self._collection, points, wait=True)

    def publish(self, heads: Sequence[Head]) -> None:
        """Show these versions and delete every other version of those articles."""
        if not heads:
            return
        shelves: defaultdict[str, list[int | str | Any]] = defaultdict(list)
        for head in heads:
            for ref in head.refs():
                shelves[shelf_of(ref.kind, ref.language)].append(ref.point_id)
        for shelf, points in shelves.items():
            self._ask(self._client.set_payload, self._collection, {"shelf": shelf}, points=points, wait=True)
        these = _any_of("article_key", [head.key for head in heads])
        shown = _any_of("version", [head.version for head in heads])
        self._delete(models.Filter(must=[these], must_not=[shown]))

    def remove(self, article_keys: Collection[str]) -> None:
        """Delete articles with all their entries."""
        if article_keys:
            self._delete(models.Filter(must=[_any_of("article_key", article_keys)]))

    def generation(self) -> int:
        """A number that grows with everything published or removed, whichever process did it."""
        found = self._ask(self._client.retrieve, self._collection, [STATE_POINT], with_payload=True)
        return int(found[0].payload["generation"]) if found and found[0].payload else 0

    def heads(self) -> list[Head]:
        """Every published article; of two versions (a crash between showing and deleting) the newer one last."""
        first = _any_of("holds", ["article"])
        payloads: list[dict[str, Any]] = []
        offset = None
        while True:
            page, offset = self._ask(
                self._client.scroll,
                self._collection,
                scroll_filter=models.Filter(must=[first], must_not=[_PUBLISHED]),
                limit=_PAGE,
                offset=offset,
                with_payload=[*HEAD_FIELDS, "staged_in"],
            )
            payloads.extend(record.payload for record in page if record.payload)
            if offset is None:
                return [head_of(payload) for payload in sorted(payloads, key=lambda one: int(one["staged_in"]))]

    def texts(self, points: Sequence[int]) -> list[dict[str, Any] | None]:
        """The texts of these entries in this order; None where an entry is gone or carries none."""
        records = self._ask(self._client.retrieve, self._collection, list(points), with_payload=["text"])
        found = {int(record.id): (record.payload or {}).get("text") for record in records}
        return [found.get(point) for point in points]

    def stored(self, points: Sequence[int], *, vectors: bool) -> dict[int, Stored]:
        """These entries' words and, when asked for, vectors, by point id; entries that are gone are left out."""
        wanted = ["words", "use", "passage_use", "e5"] if vectors else ["words"]
        found: dict[int, Stored] = {}
        for first in range(0, len(points), _PAGE):
            records = self._ask(
                self._client.retrieve,
                self._collection,
                list(points[first : first + _PAGE]),
                with_payload=False,
                with_vectors=wanted,
            )
            for record in records:
                held: dict[str, Any] = record.vector if isinstance(record.vector, dict) else {}
                words = held.get("words")
                bag = Sparse(words.indices, words.values) if words is not None else Sparse([], [])
                use = held.get("use") or held.get("passage_use") or ()
                found[int(record.id)] = Stored(bag, use, held.get("e5") or ())
        return found

    def nearest(
        self, question: QuestionVectors, languages: Sequence[str], limit: int, reader: Reader | None = None
    ) -> list[Near]:
        """For each language the nearest published entries (that the ``reader`` may read) in each of the spaces of
        ``SEARCHED``."""
        readable = _readable(reader) if reader is not None else []
        spaces = self._queries(question)
        asked = [(language, kind, space) for language in languages for kind, space in SEARCHED if space in spaces]
        requests = [
            models.QueryRequest(
                query=spaces[space],
                using=space,
                filter=models.Filter(must=[_any_of("shelf", [shelf_of(kind, language)]), *readable]),
                limit=limit,
                with_payload=False,
            )
            for language, kind, space in asked
        ]
        answers = self._ask(self._client.query_batch_points, self._collection, requests)
        found: list[Near] = []
        for (language, kind, space), answer in zip(asked, answers, strict=True):
            ids = np.array([int(point.id) for point in answer.points], dtype=np.uint64)
            scores = np.array([point.score for point in answer.points], dtype=np.float32)
            found.append(Near(kind, language, space, ids, scores))
        return found

    def similarities(
        self, question: QuestionVectors, article_keys: Collection[str]
    ) -> tuple[dict[int, float], dict[int, float]]:
        """Exact USE and E5 similarities of every entry of these articles, by point id."""
        of_these = models.Filter(must=[_any_of("article_key", article_keys)], must_not=[_PUBLISHED])
        dense = {"use": question.use.tolist(), "passage_use": question.use.tolist(), "e5": question.e5.tolist()}
        requests = [
            models.QueryRequest(
                query=query,
                using=space,
                filter=of_these,
                limit=_MOST_ENTRIES,
                with_payload=False,
            )
            for space, query in dense.items()
        ]
        answers = self._ask(self._client.query_batch_points, self._collection, requests)
        use, passage_use, e5 = ({int(point.id): point.score for point in answer.points} for answer in answers)
        return use | passage_use, e5

    def flush(self) -> None:
        """Nothing to do: every write was waited for."""

    def upkeep(self) -> None:
        """Nothing to do: the server looks after its own graphs."""

    def close(self) -> None:
        """Leave the server."""
        self._client.close()

    def _create(self, dimensions: dict[str, int]) -> None:
        if self._client.collection_exists(self._collection):
            return
        self._client.create_collection(
            self._collection,
            vectors_config={
                "use": _searched(dimensions["use"]),
                "e5": _searched(dimensions["e5"]),
                # USE judges passages only once they are candidates: no graph.
                "passage_use": models.VectorParams(
                    size=dimensions["use"],
                    distance=models.Distance.COSINE,
                    datatype=models.Datatype.FLOAT16,
                    on_disk=True,
                    hnsw_config=models.HnswConfigDiff(m=0, payload_m=0),
                ),
            },
            sparse_vectors_config={"words": models.SparseVectorParams(modifier=models.Modifier.IDF)},
        )
        if self._url != ":memory:":  # the client's own engine has no payload indexes and warns about them
            for name in INDEXED_FIELDS:
                graphs = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, enable_hnsw=name == "shelf")
                self._client.create_payload_index(self._collection, name, graphs)
            for name in INDEXED_NUMBERS:
                numbers = models.IntegerIndexParams(
                    type=models.IntegerIndexType.INTEGER, lookup=False, range=True, enable_hnsw=False
                )
                self._client.create_payload_index(self._collection, name, numbers)

    def _ask(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return call(*args, **kwargs)
        except (ApiException, OSError) as error:
            raise _unavailable(self._url, error) from None

    def _delete(self, matching: models.Filter) -> None:
        selector = models.FilterSelector(filter=matching)
        self._ask(self._client.delete, self._collection, selector, wait=True)
        # Processes compare generations for being the same, so a clock that differs between machines does no harm.
        state = models.PointStruct(id=STATE_POINT, vector={}, payload={"generation": time.time_ns()})
        self._ask(self._client.upsert, self._collection, [state], wait=True)

    def _queries(self, question: QuestionVectors) -> dict[str, list[float] | models.SparseVector]:
        queries: dict[str, list[float] | models.SparseVector] = {
            "use": question.use.tolist(),
            "e5": question.e5.tolist(),
        }
        if not question.e5.any():  # its encoder is missing
            del queries["e5"]
        if question.words.indices:
            queries["words"] = _sparse(question.words)
        return queries


class ServerRecord:
    """One small JSON object on the server, for all processes; raises ``IndexUnavailable`` like the index."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = QdrantClient(url=url, timeout=30, check_compatibility=False)

    def read(self) -> dict[str, Any] | None:
        """The object, or None if it was never written."""
        try:
            if not self._client.collection_exists(_RECORD):
                return None
            found = self._client.retrieve(_RECORD, [1], with_payload=True)
        except (ApiException, OSError) as error:
            raise _unavailable(self._url, error) from None
        return found[0].payload if found else None

    def write(self, record: dict[str, Any]) -> None:
        """Replace the object."""
        try:
            if not self._client.collection_exists(_RECORD):
                self._client.create_collection(_RECORD, vectors_config={})
            self._client.upsert(_RECORD, [models.PointStruct(id=1, vector={}, payload=record)], wait=True)
        except (ApiException, OSError) as error:
            raise _unavailable(self._url, error) from None

    def delete_collection(self, name: str) -> None:
        """Delete an edition's collection if it is there."""
        try:
            self._client.delete_collection(name)
        except (ApiException, OSError) as error:
            raise _unavailable(self._url, error) from None


def _unavailable(url: str, error: Exception) -> IndexUnavailable:
    return IndexUnavailable(f"the Qdrant server at {url} did not answer ({error}); check QDRANT_URL and that it runs")


def _any_of(key: str, values: Collection[str]) -> models.FieldCondition:
    return models.FieldCondition(key=key, match=models.MatchAny(any=list(values)))


def _readable(reader: Reader) -> list[models.FieldCondition]:
    now = int(reader.at.timestamp())
    return [
        _any_of("audience", sorted(reader.audiences)),
        models.FieldCondition(key="valid_from", range=models.Range(lte=now)),
        models.FieldCondition(key="valid_until", range=models.Range(gt=now)),
    ]


def _point(entry: Entry) -> models.PointStruct:
    use = "use" if entry.ref.kind == "question" else "passage_use"
    vector: dict[str, Any] = {use: entry.use.tolist(), "e5": entry.e5.tolist(), "words": _sparse(entry.words)}
    return models.PointStruct(id=entry.ref.point_id, vector=vector, payload=entry.payload())


def _sparse(words: Sparse) -> models.SparseVector:
    return models.SparseVector(indices=words.indices, values=words.values)


def _searched(size: int) -> models.VectorParams:
    """Vectors of one byte per value in memory, with a graph for each shelf; the originals are on disk."""
    int8 = models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.99, always_ram=True)
    return models.VectorParams(
        size=size,
        distance=models.Distance.COSINE,
        datatype=models.Datatype.FLOAT16,
        on_disk=True,
        hnsw_config=models.HnswConfigDiff(m=0, payload_m=16),
        quantization_config=models.ScalarQuantization(scalar=int8),
    )
