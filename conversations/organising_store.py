"""Reads and writes labels, notices to colleagues and merges inside one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.model import Label, Merge, new_id
from conversations.organising_tables import conversation_labels, labels, merges, staff_notices
from conversations.tables import conversations

_MERGING = 0x6D657267  # "merg": merges wait in line for each other, so that two never lock the same pair crosswise


@dataclass(frozen=True, slots=True)
class StaffNotice:
    """Something a member of staff should know; ``kind`` is "mention" or "woke"."""

    kind: str
    staff_id: str
    conversation_id: str
    seq: int
    by_name: str | None = None


class OrganisingStore:
    """What agents organise with."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert

    # labels

    async def all_labels(self) -> list[Label]:
        """Every label, archived ones too, by title."""
        rows = await self._connection.execute(select(labels).order_by(labels.c.key))
        return [_label(row) for row in rows]

    async def find_label(self, label_id: str) -> Label | None:
        """One label."""
        row = (await self._connection.execute(select(labels).where(labels.c.id == label_id))).first()
        return None if row is None else _label(row)

    async def find_label_called(self, key: str) -> Label | None:
        """The label with this title, whatever its case."""
        row = (await self._connection.execute(select(labels).where(labels.c.key == key))).first()
        return None if row is None else _label(row)

    async def add_label(self, label: Label, key: str, created_by: str, now: datetime) -> bool:
        """Insert a label; False if somebody else just made one with this title."""
        added = await self._connection.execute(
            self._insert(labels)
            .values(id=label.id, title=label.title, key=key, colour=label.colour, created_by=created_by, created_at=now)
            .on_conflict_do_nothing()
        )
        return bool(added.rowcount)

    async def change_label(self, label: Label, key: str, now: datetime) -> None:
        """Write a label's title, colour, and whether it is archived."""
        values = {"title": label.title, "key": key, "colour": label.colour}
        values |= {"archived_at": now if label.archived else None}  # type: ignore[dict-item]
        await self._connection.execute(update(labels).where(labels.c.id == label.id).values(**values))

    async def count_labels(self) -> int:
        """How many labels are in use."""
        counted = await self._connection.execute(
            select(func.count()).select_from(labels).where(labels.c.archived_at.is_(None))
        )
        return int(counted.scalar_one())

    async def set_labels(self, conversation_id: str, label_ids: Sequence[str], now: datetime) -> None:
        """Make these the labels of a conversation."""
        await self._connection.execute(
            delete(conversation_labels).where(conversation_labels.c.conversation_id == conversation_id)
        )
        rows = [{"conversation_id": conversation_id, "label_id": label_id, "at": now} for label_id in label_ids]
        if rows:
            await self._connection.execute(insert(conversation_labels), rows)

    # snoozing and notices

    async def due_to_wake(self, now: datetime, limit: int) -> list[str]:
        """Conversations whose time has come."""
        rows = await self._connection.execute(
            select(conversations.c.id)
            .where(conversations.c.snoozed_until <= now)
            .order_by(conversations.c.snoozed_until)
            .limit(limit)
        )
        return list(rows.scalars())

    async def add_notices(self, notices: Iterable[StaffNotice], now: datetime) -> None:
        """Insert notices."""
        rows = [
            {
                "id": new_id(),
                "staff_id": one.staff_id,
                "kind": one.kind,
                "conversation_id": one.conversation_id,
                "seq": one.seq,
                "by_name": one.by_name,
                "at": now,
            }
            for one in notices
        ]
        await self._connection.execute(insert(staff_notices), rows)

    async def unseen_notices(self, staff_id: str, conversation_ids: Sequence[str]) -> dict[str, dict[str, int]]:
        """By conversation and kind, how many notices the member has not seen."""
        if not conversation_ids:
            return {}
        rows = await self._connection.execute(
            select(staff_notices.c.conversation_id, staff_notices.c.kind, func.count().label("unseen"))
            .where(
                staff_notices.c.staff_id == staff_id,
                staff_notices.c.seen_at.is_(None),
                staff_notices.c.conversation_id.in_(conversation_ids),
            )
            .group_by(staff_notices.c.conversation_id, staff_notices.c.kind)
        )
        unseen: dict[str, dict[str, int]] = {}
        for row in rows:
            unseen.setdefault(row.conversation_id, {})[row.kind] = row.unseen
        return unseen

    async def see_notices(self, staff_id: str, conversation_id: str, seq: int, now: datetime) -> int:
        """The member has read up to ``seq``; returns how many notices that settled."""
        seen = await self._connection.execute(
            update(staff_notices)
            .where(
                staff_notices.c.staff_id == staff_id,
                staff_notices.c.conversation_id == conversation_id,
                staff_notices.c.seq <= seq,
                staff_notices.c.seen_at.is_(None),
            )
            .values(seen_at=now)
        )
        return seen.rowcount

    # merges

    async def lock_merging(self) -> None:
        """Wait until no other merge is under way; ends with the transaction."""
        if self._connection.dialect.name == "postgresql":
            await self._connection.execute(select(func.pg_advisory_xact_lock(_MERGING)))

    async def add_merge(self, merge: Merge) -> None:
        """Insert a merge."""
        values = {name: getattr(merge, name) for name in merges.c.keys() if name != "undone_at"}  # noqa: SIM118
        await self._connection.execute(insert(merges).values(**values))

    async def find_merge(self, source_id: str) -> Merge | None:
        """The merge that stands for this source."""
        row = await self._connection.execute(
            select(merges).where(merges.c.source_id == source_id, merges.c.undone_at.is_(None))
        )
        found = row.first()
        return None if found is None else _merge(found)

    async def merges_into(self, target_ids: Sequence[str]) -> list[Merge]:
        """Merges that stand and lead to one of these conversations, oldest first."""
        rows = await self._connection.execute(
            select(merges).where(merges.c.target_id.in_(target_ids), merges.c.undone_at.is_(None)).order_by(merges.c.at)
        )
        return [_merge(row) for row in rows]

    async def note_told(self, merge_id: str, now: datetime) -> None:
        """The contact was told again where to go on."""
        await self._connection.execute(update(merges).where(merges.c.id == merge_id).values(told_at=now))

    async def end_merge(self, merge_id: str, now: datetime) -> None:
        """The merge was undone."""
        await self._connection.execute(update(merges).where(merges.c.id == merge_id).values(undone_at=now))


def _label(row: Row[Any]) -> Label:
    return Label(row.id, row.title, row.colour, row.archived_at is not None)


def _merge(row: Row[Any]) -> Merge:
    values = {name: value for name, value in row._mapping.items() if name != "undone_at"}
    return Merge(**values)
