"""Reads and writes what is known of stored files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select

from conversations.key_rotation_store import KeyRotationStore
from conversations.model import Attachment
from conversations.sealed_tables import keys_of
from conversations.sealing import DESK, Files
from conversations.sealing_store import SealingStore
from conversations.store import Database
from conversations.tables import attachments


class AttachmentStore:
    """The rows of the attachments table."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seal: Files | None = None

    async def add(self, attachment: Attachment, owner: str, now: datetime) -> None:
        """Insert a file that was written."""
        row = asdict(attachment) | {"owner": owner, "created_at": now}
        async with self._database.write() as connection:
            sealed = await SealingStore(connection).sealed(attachments, attachment.id, DESK, row)
            await connection.execute(insert(attachments).values(sealed))

    async def find(self, attachment_ids: Sequence[str]) -> dict[str, tuple[Attachment, str]]:
        """Files and their owners by id."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(attachments).where(attachments.c.id.in_(attachment_ids)))
            return {row.id: (_attachment(row), row.owner) for row in rows}

    async def seal(self) -> Files:
        """What seals the contents of files; it is made of a key that stays the same for ever."""
        if self._seal is None:
            async with self._database.read() as connection:
                self._seal = keys_of(connection.dialect).files
        return self._seal

    async def older_are_sealed(self) -> bool:
        """Whether every file from before they were sealed is sealed."""
        async with self._database.read() as connection:
            return await KeyRotationStore(connection).files_are_sealed()

    async def note_older_sealed(self, now: datetime) -> None:
        """Everything on the disk is sealed from now on."""
        async with self._database.write() as connection:
            await KeyRotationStore(connection).note_files_sealed(now)

    async def remove(self, attachment_id: str) -> None:
        """Forget a file."""
        async with self._database.write() as connection:
            await connection.execute(delete(attachments).where(attachments.c.id == attachment_id))


def _attachment(row: Row[Any]) -> Attachment:
    return Attachment(row.id, row.name, row.media_type, row.size)
