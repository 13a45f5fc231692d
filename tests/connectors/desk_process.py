"""A whole desk in a process of its own, which a test may kill: ``python -m tests.connectors.desk_process FOLDER SECONDS ENTRY``."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from connectors.accounts import connectors_of
from connectors.base import Connector, Means
from tests.connectors.desk import running_server
from tests.connectors.shop_bot import ShopBot


async def _serve(folder: Path, lease_seconds: float, entry: dict[str, Any]) -> None:
    def made(means: Means) -> Sequence[Connector]:
        return connectors_of([entry], means)

    async with running_server(folder, made, bot=ShopBot(), lease_seconds=lease_seconds):
        await asyncio.Event().wait()


@asynccontextmanager
async def desk_process(
    folder: Path, entry: dict[str, Any], lease_seconds: float
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A running desk on the database of the folder; whatever became of it, it is gone at the end."""
    command = (sys.executable, "-m", "tests.connectors.desk_process", str(folder), str(lease_seconds))
    process = await asyncio.create_subprocess_exec(
        *command, json.dumps(entry), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), float(sys.argv[2]), json.loads(sys.argv[3])))
