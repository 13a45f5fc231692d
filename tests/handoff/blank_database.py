"""The tables of a desk on SQLite, made once for a process and copied for each desk: making them costs more than most tests."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from conversations.store import Database
from crm.store import create_tables as create_crm_tables
from handoff.store import StaffStore
from knowledge_base.generation.prompt_store import PromptStore
from learning.inbox_store import create_tables as create_inbox_tables
from learning.limit_store import create_tables as create_limit_tables

_made: list[bytes] = []


async def blank_database(folder: Path) -> Database:
    """A database in a folder, with the tables of every room that a desk has; what lies there already stays."""
    path = folder / "desk.db"
    if not path.exists():
        if not _made:
            with tempfile.TemporaryDirectory() as place:
                _made.append(await _make(Path(place) / "desk.db"))
        path.write_bytes(_made[0])
    return Database.open(f"sqlite+aiosqlite:///{path}")


async def _make(path: Path) -> bytes:
    database = Database.open(f"sqlite+aiosqlite:///{path}")
    await database.create_tables()
    await create_crm_tables(database.engine)
    await StaffStore(database).create_tables()
    await create_inbox_tables(database)
    await create_limit_tables(database)
    await PromptStore(database.engine).create_tables()
    await database.close()  # whoever closes last moves everything out of the log into the file
    return await asyncio.to_thread(path.read_bytes)
