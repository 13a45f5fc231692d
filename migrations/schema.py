"""The tables of every room, and the function that brings a database up to date."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from conversations import contact_tables, sight_tables  # noqa: F401  (as below)
from conversations.tables import metadata as conversations_metadata
from crm.tables import metadata as crm_metadata
from handoff.access import access_tables  # noqa: F401
from handoff.assist import assist_tables  # noqa: F401  (these put their tables in the metadata of the room)
from handoff.tables import metadata as handoff_metadata
from handoff.teams import team_tables  # noqa: F401
from handoff.writing import canned_tables  # noqa: F401
from knowledge_base.generation.tables import metadata as prompts_metadata
from knowledge_base.tables import metadata as knowledge_metadata
from learning.gap_tables import metadata as gap_metadata
from learning.inbox_tables import metadata as inbox_metadata
from learning.limit_tables import metadata as limit_metadata
from learning.model_tables import metadata as model_metadata
from learning.replay_tables import metadata as replay_metadata
from learning.tables import metadata as learning_metadata
from reporting import digest_tables  # noqa: F401
from reporting.alert_tables import metadata as alert_metadata
from reporting.tables import metadata as reporting_metadata
from reviewing.review_tables import metadata as review_metadata

METADATAS = (
    conversations_metadata,
    crm_metadata,
    handoff_metadata,
    knowledge_metadata,
    prompts_metadata,
    learning_metadata,
    inbox_metadata,
    model_metadata,
    replay_metadata,
    limit_metadata,
    gap_metadata,
    alert_metadata,
    reporting_metadata,
    review_metadata,
)
ROOT = Path(__file__).resolve().parent.parent
_LOCK = 0x66726F6E74646573  #: any number that nobody else locks in this database


async def migrate(engine: AsyncEngine) -> None:
    """Apply every migration the database lacks; harmless when there is none."""

    def upgrade(connection: Connection) -> None:
        config = Config(str(ROOT / "alembic.ini"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    async with engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # processes that start together wait for the first one
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        await connection.run_sync(upgrade)
