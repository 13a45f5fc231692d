"""Who had to do with a conversation, as rows, and what a member of staff sees as a condition of every query."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.model import Status
from conversations.sight import Facts, Scope, Sight
from conversations.sight_tables import conversation_people
from conversations.tables import contacts, conversations

_MOST_MERGED = 100


def within(sight: Sight) -> ColumnElement[bool]:
    """That a row of ``conversations`` is one the member sees: the same as ``Sight.shows``."""
    if sight.scope is Scope.EVERYTHING:
        return true()
    columns = conversations.c
    had_to_do = exists().where(
        conversation_people.c.conversation_id == columns.id, conversation_people.c.staff_id == sight.staff_id
    )
    routed = or_(columns.team_id.is_(None), columns.team_id.in_(sorted(sight.team_ids)))
    if sight.takes_rest:
        routed = or_(routed, columns.team_id.not_in(sorted(sight.other_team_ids)))
    if sight.scope is Scope.OWN:
        return or_(and_(columns.status == Status.QUEUED.value, routed), had_to_do)
    return or_(columns.status == Status.BOT.value, routed, had_to_do)


class SightStore:
    """Reads and notes what decides who sees a conversation."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert

    async def note(self, conversation_id: str, staff_ids: Iterable[str]) -> None:
        """These have something to do with the conversation from now on."""
        rows = [{"conversation_id": conversation_id, "staff_id": one} for one in sorted(staff_ids)]
        if rows:
            await self._connection.execute(self._insert(conversation_people).on_conflict_do_nothing(), rows)

    async def facts_of(self, conversation_id: str) -> Facts | None:
        """What decides about one conversation; None where there is none."""
        columns = conversations.c
        query = select(columns.status, columns.team_id).where(columns.id == conversation_id)
        row = (await self._connection.execute(query)).first()
        if row is None:
            return None
        theirs = select(conversation_people.c.staff_id).where(conversation_people.c.conversation_id == conversation_id)
        people = (await self._connection.execute(theirs)).scalars()
        return Facts(Status(row.status), row.team_id, frozenset(people))

    async def seen(self, sight: Sight, conversation_ids: Collection[str]) -> set[str]:
        """Those of the conversations that the member sees."""
        chosen = conversations.c.id.in_(list(conversation_ids))
        rows = await self._connection.execute(select(conversations.c.id).where(chosen, within(sight)))
        return set(rows.scalars())

    async def seen_contacts(self, sight: Sight, contact_ids: Collection[str]) -> set[str]:
        """Those of the contacts with whom there is a conversation that the member sees; merged ones as what they became."""
        roots = {one: one for one in contact_ids}
        for _ in range(_MOST_MERGED):
            asked = select(contacts.c.id, contacts.c.merged_into).where(
                contacts.c.id.in_(set(roots.values())), contacts.c.merged_into.is_not(None)
            )
            into = {row.id: row.merged_into for row in await self._connection.execute(asked)}
            if not into:
                break
            roots = {one: into.get(root, root) for one, root in roots.items()}
        theirs = exists().where(conversations.c.contact_id == contacts.c.id, within(sight))
        rows = await self._connection.execute(
            select(contacts.c.id).where(contacts.c.id.in_(set(roots.values())), theirs)
        )
        visible = set(rows.scalars())
        return {one for one, root in roots.items() if root in visible}
