"""Keeps the history of the examples in the service's database, and what an unfinished edit needs to be finished."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update

from conversations.store import Database
from learning.changes import Edit, change_json, change_of, intents_of
from learning.edit_plan import FileChange, Plan
from learning.tables import example_edits as edits


class ExampleStore:
    """The edits of every process that shares the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, edit: Edit, plan: Plan) -> None:
        """Write down what is about to be done."""
        async with self._database.write() as connection:
            await connection.execute(
                insert(edits).values(
                    id=edit.id,
                    at=edit.at,
                    by_id=edit.by_id,
                    by_name=edit.by_name,
                    why=edit.why,
                    changes=[change_json(change) for change in edit.changes],
                    intents=f"|{'|'.join(intents_of(edit.changes))}|",
                    undoes=edit.undoes,
                    state="pending",
                    files=_packed(plan.files),
                )
            )

    async def end(self, edit_id: str, state: str) -> None:
        """Say that an edit is ``done`` or ``taken_back``."""
        async with self._database.write() as connection:
            await connection.execute(update(edits).where(edits.c.id == edit_id).values(state=state, files=None))

    async def pending(self) -> list[tuple[Edit, tuple[FileChange, ...]]]:
        """What nobody has finished, the oldest first."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(edits).where(edits.c.state == "pending").order_by(edits.c.seq))
            return [(_edit(row), _unpacked(row.files)) for row in rows]

    async def find(self, edit_id: str) -> Edit | None:
        """A finished edit."""
        found = await self._select(edits.c.id == edit_id, limit=1)
        return found[0] if found else None

    async def history(self, limit: int, before: str | None = None, intent: str | None = None) -> list[Edit]:
        """Finished edits, the newest first; ``before`` is the id of the last one seen."""
        conditions: list[Any] = []
        if before is not None:
            conditions.append(edits.c.seq < select(edits.c.seq).where(edits.c.id == before).scalar_subquery())
        if intent is not None:
            conditions.append(edits.c.intents.contains(f"|{intent}|", autoescape=True))
        return await self._select(*conditions, limit=limit)

    async def count_since(self, moment: datetime) -> int:
        """How many edits were made after a moment."""
        async with self._database.read() as connection:
            query = select(func.count()).where(edits.c.state == "done", edits.c.at > moment)
            return int((await connection.execute(query)).scalar_one())

    async def _select(self, *conditions: Any, limit: int) -> list[Edit]:
        undoing = edits.alias("undoing")
        undone_by = (
            select(func.max(undoing.c.id))
            .where(undoing.c.undoes == edits.c.id, undoing.c.state == "done")
            .correlate(edits)
            .scalar_subquery()
        )
        query = (
            select(edits, undone_by.label("undone_by"))
            .where(edits.c.state == "done", *conditions)
            .order_by(edits.c.seq.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [_edit(row) for row in await connection.execute(query)]


def _edit(row: Any) -> Edit:
    changes = tuple(change_of(form) for form in row.changes)
    undone_by = getattr(row, "undone_by", None)
    return Edit(row.id, row.at, row.by_id, row.by_name, row.why, changes, row.undoes, undone_by)


def _packed(files: Sequence[FileChange]) -> bytes:
    forms = [[one.name, _text(one.before), _text(one.after)] for one in files]
    return zlib.compress(json.dumps(forms).encode())


def _unpacked(packed: bytes) -> tuple[FileChange, ...]:
    forms = json.loads(zlib.decompress(packed))
    return tuple(FileChange(name, _bytes(before), _bytes(after) or b"") for name, before, after in forms)


def _text(content: bytes | None) -> str | None:
    return None if content is None else base64.b85encode(content).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b85decode(text)
