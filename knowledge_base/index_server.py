"""The index on a Qdrant server, shared by many processes; ``:memory:`` is the client's own engine, for tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException

from knowledge_base.entries import INDEXED_FIELDS, INDEXED_NUMBERS, SEARCHED, Entry, QuestionVectors, Signals, Sparse
from knowledge_base.errors import IndexUnavailable
from knowledge_base.readers import Reader

_LIVE = models.FieldCondition(key="status", match=models.MatchValue(value="live"))
_PAGE = 512
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
        points = [_point(entry) for entry in entries]
        if points:
            self._ask(self._client.upsert, self._collection, points, wait=True)

    def publish(self, versions: Sequence[tuple[str, str]]) -> None:
        """Show these (article key, version) pairs and delete every other version of those articles."""
        for key, version in versions:
            article = models.FieldCondition(key="article_key", match=models.MatchValue(value=key))
            this = models.FieldCondition(key="version", match=models.MatchValue(value=version))
            shown = models.Filter(must=[article, this])
            old = models.Filter(must=[article], must_not=[this])
            self._ask(self._client.set_payload, self._collection, {"status": "live"}, points=shown, wait=True)
            self._ask(self._client.delete, self._collection, models.FilterSelector(filter=old), wait=True)

    def remove(self, article_keys: Sequence[str]) -> None:
        """Delete articles with all their entries."""
        if article_keys:
            condition = models.FieldCondition(key="article_key", match=models.MatchAny(any=list(article_keys)))
            selector = models.FilterSelector(filter=models.Filter(must=[condition]))
            self._ask(self._client.delete, self._collection, selector, wait=True)

    def articles(self) -> list[dict[str, Any]]:
        """Every published article as it was staged."""
        first = models.FieldCondition(key="holds", match=models.MatchValue(value="article"))
        records = self._scroll(models.Filter(must=[_LIVE, first]), payload=["article"], vector=False)
        return [record.payload["article"] for record in records if record.payload]

    def words(self) -> dict[int, frozenset[int]]:
        """The hashed words of every published entry, by point id."""
        found: dict[int, frozenset[int]] = {}
        for record in self._scroll(models.Filter(must=[_LIVE]), payload=False, vector=["words"]):
            words = record.vector.get("words") if isinstance(record.vector, dict) else None
            found[int(record.id)] = frozenset(words.indices if isinstance(words, models.SparseVector) else ())
        return found

    def find_near(self, question: QuestionVectors, language: str, limit: int, reader: Reader) -> list[int]:
        """Point ids of a hybrid search among the articles of one language that the reader may read, best first."""
        shown = [_LIVE, *_readable(reader)]
        written = models.FieldCondition(key="language", match=models.MatchValue(value=language))
        nearest: dict[str, list[float] | models.SparseVector] = {
            "use": list(question.use),
            "e5": list(question.e5),
            "words": _sparse(question.words),
        }
        prefetches = [
            models.Prefetch(
                query=nearest[space],
                using=space,
                limit=limit,
                filter=models.Filter(
                    must=[*shown, written, models.FieldCondition(key="kind", match=models.MatchValue(value=kind))]
                ),
            )
            for kind, space in SEARCHED
            if space != "words" or question.words.indices
        ]
        found = self._ask(
            self._client.query_points,
            self._collection,
            prefetch=prefetches,
            query=models.FusionQuery(fusion=models.Fusion.DBSF),
            limit=limit * len(prefetches),
            with_payload=False,
        )
        return [int(point.id) for point in found.points]

    def signals(self, question: QuestionVectors, article_keys: Sequence[str]) -> Signals:
        """Exact similarities of every entry of these articles."""
        of_these = models.Filter(
            must=[_LIVE, models.FieldCondition(key="article_key", match=models.MatchAny(any=list(article_keys)))]
        )
        spaces: list[tuple[str, list[float] | models.SparseVector]] = [
            ("use", list(question.use)),
            ("e5", list(question.e5)),
        ]
        if question.words.indices:
            spaces.append(("words", _sparse(question.words)))
        requests = [
            models.QueryRequest(query=query, using=space, filter=of_these, limit=_MOST_ENTRIES, with_payload=False)
            for space, query in spaces
        ]
        answers = self._ask(self._client.query_batch_points, self._collection, requests)
        return Signals(*({int(point.id): point.score for point in answer.points} for answer in answers))

    def close(self) -> None:
        """Leave the server."""
        self._client.close()

    def _create(self, dimensions: dict[str, int]) -> None:
        if self._client.collection_exists(self._collection):
            return
        self._client.create_collection(
            self._collection,
            vectors_config={
                name: models.VectorParams(size=size, distance=models.Distance.COSINE)
                for name, size in dimensions.items()
            },
            sparse_vectors_config={"words": models.SparseVectorParams(modifier=models.Modifier.IDF)},
        )
        if self._url != ":memory:":  # the client's own engine has no payload indexes and warns about them
            for name in INDEXED_FIELDS:
                self._client.create_payload_index(self._collection, name, models.PayloadSchemaType.KEYWORD)
            for name in INDEXED_NUMBERS:
                self._client.create_payload_index(self._collection, name, models.PayloadSchemaType.INTEGER)

    def _ask(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return call(*args, **kwargs)
        except (ApiException, OSError) as error:
            raise IndexUnavailable(
                f"the Qdrant server at {self._url} did not answer ({error}); check QDRANT_URL and that it runs"
            ) from None

    def _scroll(self, matching: models.Filter, *, payload: bool | list[str], vector: bool | list[str]) -> list[Any]:
        records: list[Any] = []
        offset = None
        while True:
            page, offset = self._ask(
                self._client.scroll,
                self._collection,
                scroll_filter=matching,
                limit=_PAGE,
                offset=offset,
                with_payload=payload,
                with_vectors=vector,
            )
            records.extend(page)
            if offset is None:
                return records


def _readable(reader: Reader) -> list[models.FieldCondition]:
    now = int(reader.at.timestamp())
    return [
        models.FieldCondition(key="audience", match=models.MatchAny(any=sorted(reader.audiences))),
        models.FieldCondition(key="valid_from", range=models.Range(lte=now)),
        models.FieldCondition(key="valid_until", range=models.Range(gt=now)),
    ]


def _point(entry: Entry) -> models.PointStruct:
    vector: dict[str, Any] = {"use": list(entry.use), "e5": list(entry.e5), "words": _sparse(entry.words)}
    return models.PointStruct(id=entry.ref.point_id, vector=vector, payload=entry.payload())


def _sparse(words: Sparse) -> models.SparseVector:
    return models.SparseVector(indices=words.indices, values=words.values)
