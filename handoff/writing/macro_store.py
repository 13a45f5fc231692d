"""Keeps macros: shared ones and those that members keep for themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, or_, select, update

from conversations.model import new_id
from conversations.store import Database
from handoff.writing.canned import SHARED
from handoff.writing.canned_tables import macros
from handoff.writing.macros import Macro


@dataclass(frozen=True, slots=True)
class MacroDraft:
    """A macro as somebody writes it, its steps already checked."""

    owner: str
    title_zh: str
    title_en: str
    steps: tuple[dict[str, Any], ...]


class MacroStore:
    """Macros in the service's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def visible_to(self, member_id: str) -> list[Macro]:
        """A member's own and everybody's, most used first."""
        query = (
            select(macros)
            .where(or_(macros.c.owner == member_id, macros.c.owner == SHARED))
            .order_by(macros.c.uses.desc(), macros.c.title_en, macros.c.id)
        )
        async with self._database.read() as connection:
            return [_macro(row) for row in await connection.execute(query)]

    async def find(self, macro_id: str, member_id: str) -> Macro | None:
        """One that the member may run."""
        query = select(macros).where(
            macros.c.id == macro_id, or_(macros.c.owner == member_id, macros.c.owner == SHARED)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else _macro(row)

    async def add(self, draft: MacroDraft, by: str, now: datetime) -> Macro:
        """Keep a new one."""
        macro = Macro(new_id(), draft.owner, draft.title_zh, draft.title_en, draft.steps, 0, None, now, by)
        row = {name: getattr(macro, name) for name in Macro.__slots__} | {"steps": list(draft.steps)}
        async with self._database.write() as connection:
            await connection.execute(insert(macros), row)
        return macro

    async def change(self, macro_id: str, draft: MacroDraft, by: str, now: datetime) -> bool:
        """Write it anew; False when it is gone."""
        values = {"owner": draft.owner, "title_zh": draft.title_zh, "title_en": draft.title_en}
        values |= {"steps": list(draft.steps), "updated_at": now, "updated_by": by}  # type: ignore[dict-item]
        async with self._database.write() as connection:
            done = await connection.execute(update(macros).where(macros.c.id == macro_id).values(**values))
        return done.rowcount == 1

    async def remove(self, macro_id: str) -> bool:
        """Delete one; False when it is gone already."""
        async with self._database.write() as connection:
            done = await connection.execute(delete(macros).where(macros.c.id == macro_id))
        return done.rowcount == 1

    async def count_use(self, macro_id: str, now: datetime) -> None:
        """Somebody ran it."""
        async with self._database.write() as connection:
            await connection.execute(
                update(macros).where(macros.c.id == macro_id).values(uses=macros.c.uses + 1, last_used_at=now)
            )


def _macro(row: Any) -> Macro:
    values = dict(row._mapping)
    return Macro(**values | {"steps": tuple(values["steps"])})
