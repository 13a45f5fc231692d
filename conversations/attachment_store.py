"""Reads and writes what is known of stored files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select

from conversations.model import Attachment
from conversations.store import Database
from conversations.tables import attachments


class AttachmentStore:
    """The rows of the attachments table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, attachment: Attachment, owner: str, now: datetime) -> None:
        """Insert a file that was written."""
        async with self._database.write() as connection:
            await connection.execute(
                insert(attachments).values(asdict(attachment) | {"owner": owner, "created_at": now})
            )

    async def find(self, attachment_ids: Sequence[str]) -> dict[str, tuple[Attachment, str]]:
        """Files and their owners by id."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(attachments).where(attachments.c.id.in_(attachment_ids)))
            return {row.id: (_attachment(row), row.owner) for row in rows}

    async def remove(self, attachment_id: str) -> None:
        """Forget a file."""
        async with self._database.write() as connection:
            await connection.execute(delete(attachments).where(attachments.c.id == attachment_id))


def _attachment(row: Row[Any]) -> Attachment:
    return Attachment(row.id, row.name, row.media_type, row.size)
