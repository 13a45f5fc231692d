"""The index of conversation digests on a Qdrant server, shared by many processes; ``:memory:`` is for tests."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException

from knowledge_base.encoder import Vectors
from knowledge_base.errors import IndexUnavailable
from knowledge_base.index_digests import SPACE

_PREFIX = "conversations-"
_IDENTITY = 0  #: the point that names the collection; it has no vector, so no search finds it
_P = ParamSpec("_P")
_T = TypeVar("_T")


class ServerDigests:
    """Vectors by conversation id in one collection; raises ``IndexUnavailable`` when the server does not answer."""

    def __init__(self, url: str, form: str, dimensions: int) -> None:
        self._url = url
        self._collection = f"{_PREFIX}{form}"
        self._client = (
            QdrantClient(location=url)
            if url == ":memory:"
            else QdrantClient(url=url, timeout=10, check_compatibility=False)
        )
        self.identity = self._ask(self._open, dimensions)

    def put(self, conversation_ids: Sequence[str], vectors: Vectors) -> None:
        """Store or replace vectors."""
        points = [
            models.PointStruct(id=str(uuid.UUID(one)), vector={SPACE: row.tolist()}, payload={})
            for one, row in zip(conversation_ids, vectors, strict=True)
        ]
        self._ask(self._client.upsert, self._collection, points, wait=True)

    def forget(self, conversation_ids: Sequence[str]) -> None:
        """Delete vectors, also those of former encoders; ids that are not there are fine."""
        chosen = models.PointIdsList(points=[str(uuid.UUID(one)) for one in conversation_ids])
        for collection in self._ask(self._client.get_collections).collections:
            if collection.name.startswith(_PREFIX):
                self._ask(self._client.delete, collection.name, chosen, wait=True)

    def nearest(self, vectors: Vectors, limit: int) -> list[list[tuple[str, float]]]:
        """For each row the nearest conversations with their cosines, nearest first."""
        requests = [
            models.QueryRequest(query=row.tolist(), using=SPACE, limit=limit, with_payload=False) for row in vectors
        ]
        answers = self._ask(self._client.query_batch_points, self._collection, requests)
        return [[(uuid.UUID(str(point.id)).hex, float(point.score)) for point in one.points] for one in answers]

    def close(self) -> None:
        """Leave the server."""
        self._client.close()

    def _open(self, dimensions: int) -> str:
        if not self._client.collection_exists(self._collection):
            params = models.VectorParams(
                size=dimensions, distance=models.Distance.COSINE, datatype=models.Datatype.FLOAT16, on_disk=True
            )
            try:
                self._client.create_collection(self._collection, vectors_config={SPACE: params})
            except (ApiException, ValueError):
                if not self._client.collection_exists(self._collection):  # else another process was quicker
                    raise
        found = self._client.retrieve(self._collection, [_IDENTITY], with_payload=True)
        if found and found[0].payload:
            return str(found[0].payload["identity"])
        identity = uuid.uuid4().hex
        point = models.PointStruct(id=_IDENTITY, vector={}, payload={"identity": identity})
        self._client.upsert(self._collection, [point], wait=True)
        again = self._client.retrieve(self._collection, [_IDENTITY], with_payload=True)
        return str((again[0].payload or {})["identity"])

    def _ask(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return call(*args, **kwargs)
        except (ApiException, OSError) as error:
            raise IndexUnavailable(
                f"the Qdrant server at {self._url} did not answer ({error}); check QDRANT_URL and that it runs"
            ) from None
