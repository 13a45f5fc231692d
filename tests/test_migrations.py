"""The migrations lead to exactly the tables that the code uses."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from conversations.store import Database
from migrations.schema import METADATAS, migrate


def not_the_index(name: str | None, kind: str, _parents: object) -> bool:
    """FTS5 keeps tables of its own, which no metadata describes."""
    return not (kind == "table" and name is not None and name.startswith("search_index"))


async def test_migrating_an_empty_database_gives_the_tables_of_every_room(tmp_path: Path) -> None:
    database = Database.open(f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}")
    await migrate(database.engine)
    await migrate(database.engine)  # a second time changes nothing

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": False, "include_name": not_the_index})
        return list(compare_metadata(context, list(METADATAS)))  # type: ignore[arg-type]

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()
