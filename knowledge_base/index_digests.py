"""The index of conversation digests inside this process: a Qdrant Edge shard with one vector per finished conversation.

What it holds can be made again from the database, so a shard that cannot be read is simply begun anew.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

import structlog
from qdrant_edge import (
    Distance,
    EdgeConfig,
    EdgeShard,
    EdgeVectorParams,
    HnswIndexConfig,
    Memory,
    Point,
    Query,
    QueryRequest,
    UpdateOperation,
    VectorStorageDatatype,
)

from knowledge_base.encoder import Vectors
from knowledge_base.errors import IndexLocked, IndexUnavailable

SPACE = "digest"
log = structlog.get_logger()


class EdgeDigests:
    """Vectors by conversation id; raises ``IndexLocked`` when another process has the directory open."""

    def __init__(self, directory: Path, dimensions: int) -> None:
        self._shard_path, named = directory / "shard", directory / "identity"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            if named.exists():
                try:
                    self._shard = EdgeShard.load(str(self._shard_path))
                    self.identity = named.read_text()
                    return
                except Exception as error:  # the engine raises bare exceptions
                    if "WouldBlock" in str(error):
                        raise IndexLocked(
                            f"another process has the index in {directory} open; stop it first,"
                            " or give each an INDEX_DIR of its own, or both QDRANT_URL"
                        ) from None
                    log.warning("the conversation digests cannot be read and are made anew", error=error)
                    named.unlink()
            shutil.rmtree(self._shard_path, ignore_errors=True)  # what a crash left of its creation
            self._shard_path.mkdir()
            self._shard = EdgeShard.create(str(self._shard_path), _config(dimensions))
            self._shard.flush()
            self.identity = uuid.uuid4().hex  #: what was written to another index than this one has to be written again
            named.write_text(self.identity)
        except OSError as error:
            raise IndexUnavailable(f"{directory} cannot be used ({error.strerror}); check the data directory") from None

    def put(self, conversation_ids: Sequence[str], vectors: Vectors) -> None:
        """Store or replace vectors; they survive a power cut when this returns."""
        points = [
            Point(uuid.UUID(one), {SPACE: row.tolist()}, {}) for one, row in zip(conversation_ids, vectors, strict=True)
        ]
        self._shard.update(UpdateOperation.upsert_points(points))
        self._shard.flush()

    def forget(self, conversation_ids: Sequence[str]) -> None:
        """Delete vectors; ids that are not there are fine."""
        self._shard.update(UpdateOperation.delete_points([uuid.UUID(one) for one in conversation_ids]))
        self._shard.flush()

    def nearest(self, vectors: Vectors, limit: int) -> list[list[tuple[str, float]]]:
        """For each row the nearest conversations with their cosines, nearest first."""
        found = []
        for row in vectors:
            request = QueryRequest(limit=limit, query=Query.Nearest(row.tolist(), using=SPACE))
            found.append([(uuid.UUID(str(point.id)).hex, float(point.score)) for point in self._shard.query(request)])
        return found

    def close(self) -> None:
        """Write everything down and let others open the index."""
        self._shard.flush()
        self._shard.close()


def _config(dimensions: int) -> EdgeConfig:
    # Read through from end to end: a hundred thousand finished conversations take about 20 ms of processor time.
    return EdgeConfig(
        vectors={
            SPACE: EdgeVectorParams(
                size=dimensions,
                distance=Distance.Cosine,
                datatype=VectorStorageDatatype.Float16,
                memory=Memory.Cached,
                hnsw_config=HnswIndexConfig(m=0, ef_construct=4, full_scan_threshold=1000, payload_m=0),
            )
        },
        sparse_vectors={},
    )
