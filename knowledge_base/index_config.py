"""How the embedded engine stores and searches: what was measured to be fast enough in little memory.

The originals stay on disk, because exact similarities come from the ledger; searches walk graphs over vectors of one
byte per value. Words are searched in the ledger's postings, too; here they are kept to make those again. There is one graph per shelf (kind and language), so a search never meets entries of another. USE judges
passages only once they are candidates, so their USE vectors need no graph.
"""

from __future__ import annotations

from qdrant_edge import (
    Distance,
    EdgeConfig,
    EdgeOptimizersConfig,
    EdgeSparseVectorParams,
    EdgeVectorParams,
    HnswIndexConfig,
    Memory,
    Modifier,
    QuantizationSearchParams,
    ScalarQuantizationConfig,
    ScalarType,
    SearchParams,
    VectorStorageDatatype,
)

_LINKS = 8  #: per entry in a graph
_CARE = 48  #: entries looked at while one is linked
_SMALL_SHELF = 1000  #: KiB below which a shelf is read through rather than linked
EDGE_SEARCH = SearchParams(hnsw_ef=64, quantization=QuantizationSearchParams(rescore=False))


def edge_config(dimensions: dict[str, int]) -> EdgeConfig:
    """The configuration of a new shard whose "use" and "e5" vectors have these dimensions."""
    return EdgeConfig(
        vectors={
            "use": _searched(dimensions["use"]),
            "e5": _searched(dimensions["e5"]),
            "passage_use": EdgeVectorParams(
                size=dimensions["use"],
                distance=Distance.Cosine,
                datatype=VectorStorageDatatype.Float16,
                memory=Memory.Cold,
                hnsw_config=HnswIndexConfig(m=0, ef_construct=4, full_scan_threshold=_SMALL_SHELF, payload_m=0),
            ),
        },
        sparse_vectors={"words": EdgeSparseVectorParams(modifier=Modifier.Idf, memory=Memory.Cold)},
        payload_memory=Memory.Cold,
        optimizers=EdgeOptimizersConfig(default_segment_number=1, max_segment_size=8_000_000),
    )


def _searched(size: int) -> EdgeVectorParams:
    return EdgeVectorParams(
        size=size,
        distance=Distance.Cosine,
        datatype=VectorStorageDatatype.Float16,
        memory=Memory.Cold,
        quantization_config=ScalarQuantizationConfig(ScalarType.Int8, quantile=0.99, memory=Memory.Pinned),
        hnsw_config=HnswIndexConfig(
            m=0, ef_construct=_CARE, full_scan_threshold=_SMALL_SHELF, payload_m=_LINKS, memory=Memory.Cached
        ),
    )
