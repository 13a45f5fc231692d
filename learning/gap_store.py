"""Reads what the knowledge base could not answer and what agents answered then, and keeps what trainers decided."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, insert, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.model import Author, MessageKind
from conversations.sight import EVERYTHING, Scope, Sight
from conversations.store import Database
from conversations.tables import contacts, conversations, messages
from learning.gap_tables import gap_decisions, metadata
from learning.inbox_list_store import Group
from learning.inbox_sight_store import inbox_list, seen_by
from learning.inbox_tables import mishap_decisions, mishap_groups, mishap_vectors, mishaps
from learning.reasons import Reason

_WANTED = int(Reason.MISSED | Reason.HANDED_OFF)
_AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class GapDecision:
    """What a trainer decided about a gap; ``kind`` is article, merged, rejected or again."""

    id: str
    group_id: str
    kind: str
    article_id: str | None
    language: str | None
    contacts: int
    reason: str
    at: datetime
    by_id: str
    by_name: str


@dataclass(frozen=True, slots=True)
class AgentLine:
    """What an agent said in a conversation."""

    conversation_id: str
    contact_id: str
    seq: int
    text: str
    at: datetime


async def create_tables(database: Database) -> None:
    """Create what is missing, for databases that no migration made."""
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)


class GapStore:
    """Statements of one transaction."""

    def __init__(self, connection: AsyncConnection, sight: Sight = EVERYTHING) -> None:
        """What it reads is what somebody with this ``sight`` may see."""
        self._connection = connection
        self._sight = sight

    async def groups(self, since: datetime | None, limit: int) -> list[Group]:
        """Groups that the inbox has of missed and escalated questions and that nobody has decided otherwise, those that
        were sent to knowledge, and those with a decision here; the most contacts first."""
        g, m = mishap_groups.c, mishaps.c
        seen, narrowed = seen_by(self._sight), self._sight.scope is not Scope.EVERYTHING
        missed = select(m.group_id).where(seen, m.reasons.bitwise_and(_WANTED) != 0, m.state == "new")
        if since is not None:
            missed = missed.where(m.at >= since)
        sent = select(mishap_decisions.c.group_id).where(
            mishap_decisions.c.kind == "gap", mishap_decisions.c.state == "made"
        )
        query = (
            select(g.id)
            .where(
                g.merged_into.is_(None),
                g.id.in_(select(m.group_id).where(seen)) if narrowed else true(),
                or_(
                    (g.state == "new") & g.id.in_(missed),
                    g.id.in_(sent),
                    g.id.in_(select(gap_decisions.c.group_id)),
                ),
            )
            .order_by(g.contacts.desc(), g.cost.desc(), g.last_at.desc(), g.id)
            .limit(limit)
        )
        store, found = inbox_list(self._connection, self._sight), []
        for group_id in (await self._connection.execute(query)).scalars().all():
            group = await store.find_group(group_id)
            if group is not None:
                found.append(group)
        return found

    async def affected(self, group_ids: Collection[str]) -> dict[str, int]:
        """How many contacts have a message in each of these groups, whatever was decided about it."""
        query = (
            select(mishaps.c.group_id, func.count(mishaps.c.contact_id.distinct()))
            .where(mishaps.c.group_id.in_(list(group_ids)), seen_by(self._sight))
            .group_by(mishaps.c.group_id)
        )
        return {row[0]: int(row[1]) for row in await self._connection.execute(query)}

    async def vectors(self, message_ids: Collection[str]) -> dict[str, bytes]:
        """The stored vectors of these messages."""
        query = select(mishap_vectors.c.message_id, mishap_vectors.c.vector).where(
            mishap_vectors.c.message_id.in_(list(message_ids))
        )
        return {row.message_id: row.vector for row in await self._connection.execute(query)}

    async def agent_lines(self, conversation_ids: Collection[str]) -> list[AgentLine]:
        """What agents said to contacts in these conversations, in order; nothing of contacts that were erased."""
        found: list[AgentLine] = []
        listed = sorted(conversation_ids)
        for start in range(0, len(listed), _AT_ONCE):
            query = (
                select(
                    messages.c.conversation_id,
                    conversations.c.contact_id,
                    messages.c.seq,
                    messages.c.text,
                    messages.c.created_at,
                )
                .join(conversations, conversations.c.id == messages.c.conversation_id)
                .join(contacts, contacts.c.id == conversations.c.contact_id)
                .where(
                    messages.c.conversation_id.in_(listed[start : start + _AT_ONCE]),
                    messages.c.author == Author.AGENT.value,
                    messages.c.kind == MessageKind.TEXT.value,
                    messages.c.recalled_at.is_(None),
                    conversations.c.forgotten_at.is_(None),
                    contacts.c.erased_at.is_(None),
                )
                .order_by(messages.c.conversation_id, messages.c.seq)
            )
            found += [
                AgentLine(row.conversation_id, row.contact_id, row.seq, row.text, row.created_at)
                for row in await self._connection.execute(query)
                if row.text
            ]
        return found

    async def decisions(self) -> dict[str, list[GapDecision]]:
        """Everything that was decided, by the group as it is called now; the oldest first."""
        moved = {
            row.id: row.merged_into
            for row in await self._connection.execute(
                select(mishap_groups.c.id, mishap_groups.c.merged_into).where(mishap_groups.c.merged_into.is_not(None))
            )
        }
        found: dict[str, list[GapDecision]] = {}
        for row in await self._connection.execute(select(gap_decisions).order_by(gap_decisions.c.at)):
            one = GapDecision(**row._mapping)
            name = one.group_id
            while name in moved:
                name = moved[name]
            found.setdefault(name, []).append(one)
        return found

    async def lock_group(self, group_id: str) -> bool:
        """Whether there is such a group; nobody else decides about it until this transaction ends."""
        query = select(mishap_groups.c.id).where(mishap_groups.c.id == group_id).with_for_update()
        return (await self._connection.execute(query)).first() is not None

    async def add(self, decision: GapDecision) -> None:
        """Note what was decided."""
        await self._connection.execute(insert(gap_decisions).values(**asdict(decision)))


def last_of(decisions: Sequence[GapDecision]) -> GapDecision | None:
    """The decision that counts."""
    return decisions[-1] if decisions else None
