"""The tables of every room, and the function that brings a database up to date."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from conversations import contact_tables  # noqa: F401  (as below)
from conversations.tables import metadata as conversations_metadata
from crm.tables import metadata as crm_metadata
from handoff.assist import assist_tables  # noqa: F401  (these put their tables in the metadata of the room)
from handoff.tables import metadata as handoff_metadata
from handoff.teams import team_tables  # noqa: F401
from handoff.writing import canned_tables  # noqa: F401
from knowledge_base.generation.tables import metadata as prompts_metadata
from knowledge_base.tables import metadata as knowledge_metadata

METADATAS = (conversations_metadata, crm_metadata, handoff_metadata, knowledge_metadata, prompts_metadata)
ROOT = Path(__file__).resolve().parent.parent


async def migrate(engine: AsyncEngine) -> None:
    """Apply every migration the database lacks; harmless when there is none."""

    def upgrade(connection: Connection) -> None:
        config = Config(str(ROOT / "alembic.ini"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    async with engine.begin() as connection:
        await connection.run_sync(upgrade)
