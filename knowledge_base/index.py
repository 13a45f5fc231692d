"""The index inside this process: Qdrant Edge in a directory. One process at a time may have it open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qdrant_edge import (
    Distance,
    EdgeConfig,
    EdgeShard,
    EdgeSparseVectorParams,
    EdgeVectorParams,
    FieldCondition,
    Filter,
    Fusion,
    MatchAny,
    MatchExcept,
    MatchValue,
    Memory,
    Modifier,
    PayloadSchemaType,
    PayloadSelector,
    Point,
    Prefetch,
    Query,
    QueryBatchRequest,
    QueryRequest,
    RangeFloat,
    ScrollRequest,
    SparseVector,
    UpdateOperation,
)

from knowledge_base.entries import INDEXED_FIELDS, INDEXED_NUMBERS, SEARCHED, Entry, QuestionVectors, Signals, Sparse
from knowledge_base.errors import IndexLocked, IndexUnavailable
from knowledge_base.readers import Reader

_LIVE = FieldCondition(key="status", match=MatchValue("live"))
_FUSION: Any = Fusion.Dbsf()  # the package's stubs do not call it a fusion
_PAGE = 512
_MOST_ENTRIES = 5000  #: of the candidates of one search


class EdgeIndex:
    """A Qdrant Edge shard; raises ``IndexLocked`` when another process has it."""

    def __init__(self, directory: Path, dimensions: dict[str, int]) -> None:
        self._directory = directory
        config = EdgeConfig(
            vectors={
                name: EdgeVectorParams(size=size, distance=Distance.Cosine, memory=Memory.Cached)
                for name, size in dimensions.items()
            },
            sparse_vectors={"words": EdgeSparseVectorParams(modifier=Modifier.Idf)},
            payload_memory=Memory.Cached,
        )
        try:
            directory.mkdir(parents=True, exist_ok=True)
            if (directory / "edge_config.json").exists():
                self._shard = EdgeShard.load(str(directory))
            else:
                self._shard = EdgeShard.create(str(directory), config)
                for name in INDEXED_FIELDS:
                    self._shard.update(UpdateOperation.create_field_index(name, PayloadSchemaType.Keyword))
                for name in INDEXED_NUMBERS:
                    self._shard.update(UpdateOperation.create_field_index(name, PayloadSchemaType.Integer))
                self._shard.flush()
        except OSError as error:
            raise IndexUnavailable(f"{directory} cannot be used ({error.strerror}); check the data directory") from None
        except Exception as error:  # the engine raises bare exceptions
            if "WouldBlock" in str(error):
                raise IndexLocked(
                    f"another process has the index in {directory} open; stop it first, or give both QDRANT_URL"
                ) from None
            raise IndexUnavailable(
                f"the index in {directory} cannot be read ({error}); delete that directory and load the articles again"
            ) from None

    def stage(self, entries: Sequence[Entry]) -> None:
        """Write entries that searches do not see yet."""
        self._shard.update(UpdateOperation.upsert_points([_point(entry) for entry in entries]))

    def publish(self, versions: Sequence[tuple[str, str]]) -> None:
        """Show these (article key, version) pairs and delete every other version of those articles."""
        for key, version in versions:
            article = FieldCondition(key="article_key", match=MatchValue(key))
            this = FieldCondition(key="version", match=MatchValue(version))
            others = FieldCondition(key="version", match=MatchExcept([version]))
            update = self._shard.update
            update(UpdateOperation.set_payload_by_filter(Filter(must=[article, this]), {"status": "live"}))
            update(UpdateOperation.delete_points_by_filter(Filter(must=[article, others])))
        self._shard.optimize()
        self._shard.flush()

    def remove(self, article_keys: Sequence[str]) -> None:
        """Delete articles with all their entries."""
        if article_keys:
            condition = FieldCondition(key="article_key", match=MatchAny(list(article_keys)))
            self._shard.update(UpdateOperation.delete_points_by_filter(Filter(must=[condition])))
            self._shard.flush()

    def articles(self) -> list[dict[str, Any]]:
        """Every published article as it was staged."""
        first = FieldCondition(key="holds", match=MatchValue("article"))
        records = self._scroll(Filter(must=[_LIVE, first]), payload=["article"], vector=False)
        return [record.payload["article"] for record in records if record.payload]

    def words(self) -> dict[int, frozenset[int]]:
        """The hashed words of every published entry, by point id."""
        records = self._scroll(Filter(must=[_LIVE]), payload=False, vector=["words"])
        return {
            int(record.id): frozenset(record.vector["words"].indices if isinstance(record.vector, dict) else ())
            for record in records
        }

    def find_near(self, question: QuestionVectors, language: str, limit: int, reader: Reader) -> list[int]:
        """Point ids of a hybrid search among the articles of one language that the reader may read, best first."""
        shown = [_LIVE, *_readable(reader)]
        written = FieldCondition(key="language", match=MatchValue(language))
        nearest: dict[str, list[float] | SparseVector] = {
            "use": list(question.use),
            "e5": list(question.e5),
            "words": _sparse(question.words),
        }
        prefetches = [
            Prefetch(
                limit=limit,
                query=Query.Nearest(nearest[space], using=space),
                filter=Filter(must=[*shown, written, FieldCondition(key="kind", match=MatchValue(kind))]),
            )
            for kind, space in SEARCHED
            if space != "words" or question.words.indices
        ]
        request = QueryRequest(limit=limit * len(prefetches), prefetches=prefetches, query=_FUSION)
        return [int(point.id) for point in self._shard.query(request)]

    def signals(self, question: QuestionVectors, article_keys: Sequence[str]) -> Signals:
        """Exact similarities of every entry of these articles."""
        of_these = Filter(must=[_LIVE, FieldCondition(key="article_key", match=MatchAny(list(article_keys)))])
        queries = [Query.Nearest(list(question.use), using="use"), Query.Nearest(list(question.e5), using="e5")]
        if question.words.indices:
            queries.append(Query.Nearest(_sparse(question.words), using="words"))
        requests = [QueryRequest(limit=_MOST_ENTRIES, query=query, filter=of_these) for query in queries]
        answers = self._shard.query_batch(QueryBatchRequest(requests))
        return Signals(*({int(point.id): point.score for point in points} for points in answers))

    def close(self) -> None:
        """Write everything down and let others open the index."""
        self._shard.flush()
        self._shard.close()

    def _scroll(self, matching: Filter, *, payload: bool | list[str], vector: bool | list[str]) -> list[Any]:
        records: list[Any] = []
        selected = PayloadSelector.Include(payload) if isinstance(payload, list) else payload
        offset = None
        while True:
            page, offset = self._shard.scroll(
                ScrollRequest(limit=_PAGE, offset=offset, filter=matching, with_payload=selected, with_vector=vector)
            )
            records.extend(page)
            if offset is None:
                return records


def _readable(reader: Reader) -> list[FieldCondition]:
    now = int(reader.at.timestamp())
    return [
        FieldCondition(key="audience", match=MatchAny(sorted(reader.audiences))),
        FieldCondition(key="valid_from", range=RangeFloat(lte=now)),
        FieldCondition(key="valid_until", range=RangeFloat(gt=now)),
    ]


def _point(entry: Entry) -> Point:
    vector: dict[str, Any] = {"use": list(entry.use), "e5": list(entry.e5), "words": _sparse(entry.words)}
    return Point(entry.ref.point_id, vector, entry.payload())


def _sparse(words: Sparse) -> SparseVector:
    return SparseVector(words.indices, words.values)
