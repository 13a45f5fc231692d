"""Finds conversations that may be with the same person as another one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.conversation_rows import conversation_of
from conversations.conversation_store import SELECT_CONVERSATION
from conversations.model import Conversation, Status
from conversations.sealing_store import SealingStore
from conversations.sight import EVERYTHING, Sight
from conversations.sight_store import within
from conversations.tables import addresses, contacts, conversations

RECENT = timedelta(days=7)
_LIMIT = 10


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A conversation that may be with the same person; ``why`` is "customer", "contact", "address" or "name"."""

    conversation: Conversation
    why: str


class DuplicateStore:
    """Reads that need no lock."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def likely(
        self, of: Conversation, reached_at: tuple[str, ...], now: datetime, sight: Sight = EVERYTHING
    ) -> list[Duplicate]:
        """Open ones and those of the last days: same customer or contact, same phone or e-mail, or same name."""
        reasons: list[tuple[Any, str]] = [(conversations.c.contact_id == of.contact_id, "contact")]
        if of.customer_id is not None:
            reasons.insert(0, (contacts.c.customer_id == of.customer_id, "customer"))
        known = [value for value in dict.fromkeys((*reached_at, of.address.contact)) if value]
        theirs = select(addresses.c.contact_id).where(addresses.c.contact.in_(known))
        reasons.append((conversations.c.contact_id.in_(theirs), "address"))
        if of.contact_name and of.contact_name.strip():
            marks = SealingStore(self._connection).marks
            reasons.append((contacts.c.name_mark == marks.of_name(of.contact_name), "name"))
        why = case(*[(condition, word) for condition, word in reasons], else_=None).label("why")
        rows = await self._connection.execute(
            SELECT_CONVERSATION.add_columns(why)
            .where(
                conversations.c.id != of.id,
                conversations.c.merged_into.is_(None),
                within(sight),
                or_(*(condition for condition, _ in reasons)),
                or_(
                    conversations.c.status != Status.RESOLVED.value,
                    and_(conversations.c.updated_at >= now - RECENT),
                ),
            )
            .order_by(conversations.c.updated_at.desc(), conversations.c.id)
            .limit(5 * _LIMIT)
        )
        found = [Duplicate(conversation_of(row), row.why) for row in rows]
        rank = ["customer", "contact", "address", "name"]
        found.sort(key=lambda one: (one.conversation.status is Status.RESOLVED, rank.index(one.why)))
        return found[:_LIMIT]
