"""Keeps canned replies: shared ones and those that members keep for themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from conversations.model import new_id
from conversations.store import Database
from handoff.writing.canned import SHARED, BadCanned, CannedDraft, CannedReply
from handoff.writing.canned_tables import canned_replies


class CannedStore:
    """Canned replies in the service's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def visible_to(self, member_id: str) -> list[CannedReply]:
        """A member's own and everybody's, most used first."""
        query = (
            select(canned_replies)
            .where(or_(canned_replies.c.owner == member_id, canned_replies.c.owner == SHARED))
            .order_by(canned_replies.c.uses.desc(), canned_replies.c.shortcut, canned_replies.c.owner.desc())
        )
        async with self._database.read() as connection:
            return [_reply(row) for row in await connection.execute(query)]

    async def find(self, canned_id: str, member_id: str) -> CannedReply | None:
        """One that the member may use."""
        query = select(canned_replies).where(
            canned_replies.c.id == canned_id,
            or_(canned_replies.c.owner == member_id, canned_replies.c.owner == SHARED),
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else _reply(row)

    async def add(self, owner: str, draft: CannedDraft, by: str, now: datetime) -> CannedReply:
        """Keep a new one; raises ``BadCanned`` when the owner has that shortcut already."""
        reply = CannedReply(new_id(), owner, **asdict(draft), uses=0, last_used_at=None, updated_at=now, updated_by=by)
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(canned_replies), asdict(reply))
        except IntegrityError:
            raise _taken(draft) from None
        return reply

    async def change(self, canned_id: str, owner: str, draft: CannedDraft, by: str, now: datetime) -> bool:
        """Write another text or another owner; False when it is gone, ``BadCanned`` when the shortcut is taken."""
        values = asdict(draft) | {"owner": owner, "updated_at": now, "updated_by": by}
        try:
            async with self._database.write() as connection:
                done = await connection.execute(
                    update(canned_replies).where(canned_replies.c.id == canned_id).values(**values)
                )
        except IntegrityError:
            raise _taken(draft) from None
        return done.rowcount == 1

    async def remove(self, canned_id: str) -> bool:
        """Delete one; False when it is gone already."""
        async with self._database.write() as connection:
            done = await connection.execute(delete(canned_replies).where(canned_replies.c.id == canned_id))
        return done.rowcount == 1

    async def count_use(self, canned_id: str, now: datetime) -> None:
        """Somebody inserted it."""
        async with self._database.write() as connection:
            await connection.execute(
                update(canned_replies)
                .where(canned_replies.c.id == canned_id)
                .values(uses=canned_replies.c.uses + 1, last_used_at=now)
            )

    async def take_in(self, owner: str, drafts: Sequence[CannedDraft], by: str, now: datetime) -> tuple[int, int, int]:
        """Add or change by shortcut, all in one transaction; returns how many were added, changed and left as they were."""
        added = changed = unchanged = 0
        async with self._database.write() as connection:
            rows = await connection.execute(select(canned_replies).where(canned_replies.c.owner == owner))
            known = {row.shortcut: _reply(row) for row in rows}
            for draft in drafts:
                stamp = {"updated_at": now, "updated_by": by}
                before = known.get(draft.shortcut)
                if before is None:
                    row = asdict(draft) | stamp | {"id": new_id(), "owner": owner, "uses": 0}
                    await connection.execute(insert(canned_replies), row)
                    added += 1
                elif asdict(draft).items() <= asdict(before).items():
                    unchanged += 1
                else:
                    where = canned_replies.c.id == before.id
                    await connection.execute(update(canned_replies).where(where).values(**asdict(draft), **stamp))
                    changed += 1
        return added, changed, unchanged


def _reply(row: Any) -> CannedReply:
    return CannedReply(**row._mapping)


def _taken(draft: CannedDraft) -> BadCanned:
    return BadCanned("exists", f"There is a canned reply with the shortcut /{draft.shortcut} already.", draft.shortcut)
