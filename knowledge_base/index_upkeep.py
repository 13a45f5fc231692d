"""Builds the search graphs of one shard: ``python -m knowledge_base.index_upkeep DIRECTORY``, started by the index."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from qdrant_edge import EdgeShard


def build_graphs(directory: Path) -> None:
    """Merge what was written piecemeal and link it, as slowly as everything else needs it to be."""
    os.nice(5)
    shard = EdgeShard.load(str(directory))
    shard.optimize()
    shard.flush()
    shard.close()


if __name__ == "__main__":
    build_graphs(Path(sys.argv[1]))
