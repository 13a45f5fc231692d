"""Reads and writes the versions of the handoff rules, and what a preview of rules looks back on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.tables import contacts, conversations, handoff_rules, messages, turns


@dataclass(frozen=True, slots=True)
class RulesVersion:
    """One version of the rules, who wrote it and why; version 0 are the rules that come with the product."""

    version: int
    rules: dict[str, Any]
    note: str
    author_id: str
    author: str
    created_at: datetime | None


class RuleStore:
    """The rules inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def highest(self) -> int:
        """The number of the version in force, 0 if staff wrote none."""
        return (await self._connection.execute(select(func.max(handoff_rules.c.version)))).scalar() or 0

    async def find_latest(self) -> RulesVersion | None:
        """The version in force, if staff wrote one."""
        found = await self.versions(1)
        return found[0] if found else None

    async def versions(self, limit: int) -> list[RulesVersion]:
        """The latest versions, newest first."""
        rows = await self._connection.execute(
            select(handoff_rules).order_by(handoff_rules.c.version.desc()).limit(limit)
        )
        return [RulesVersion(**row._mapping) for row in rows]

    async def add(self, version: RulesVersion) -> None:
        """Put a version into force; raises ``IntegrityError`` where somebody else took its number."""
        values = {name: getattr(version, name) for name in RulesVersion.__slots__}
        await self._connection.execute(insert(handoff_rules).values(values))

    async def conversations_since(self, since: datetime, limit: int) -> list[Any]:
        """Rows with id, channel, language, customer_id and own_tier of conversations opened since, newest first."""
        rows = await self._connection.execute(
            select(
                conversations.c.id,
                conversations.c.channel,
                conversations.c.language,
                contacts.c.customer_id,
                contacts.c.tier.label("own_tier"),
            )
            .join(contacts, contacts.c.id == conversations.c.contact_id)
            .where(conversations.c.opened_at >= since)
            .order_by(conversations.c.opened_at.desc())
            .limit(limit)
        )
        return list(rows)

    async def turns_of(self, conversation_ids: list[str]) -> list[Any]:
        """Rows of turns in order, with text, anger and sentiment of the message each answers."""
        rows = await self._connection.execute(
            select(
                turns.c.conversation_id,
                turns.c.in_seq,
                turns.c.out_seqs,
                turns.c.trace,
                messages.c.text,
                messages.c.anger,
                messages.c.sentiment,
            )
            .join(messages, messages.c.id == turns.c.turn_id)
            .where(turns.c.conversation_id.in_(conversation_ids))
            .order_by(turns.c.conversation_id, turns.c.in_seq)
        )
        return list(rows)

    async def latest_turns(self, conversation_id: str, limit: int) -> list[Any]:
        """The last rows of ``turns_of`` one conversation, oldest first."""
        rows = await self._connection.execute(
            select(
                turns.c.conversation_id,
                turns.c.in_seq,
                turns.c.out_seqs,
                turns.c.trace,
                messages.c.text,
                messages.c.anger,
                messages.c.sentiment,
            )
            .join(messages, messages.c.id == turns.c.turn_id)
            .where(turns.c.conversation_id == conversation_id)
            .order_by(turns.c.in_seq.desc())
            .limit(limit)
        )
        return list(rows)[::-1]

    async def said_in(self, conversation_ids: list[str]) -> dict[tuple[str, int], str]:
        """What the bot said, by conversation and seq."""
        rows = await self._connection.execute(
            select(messages.c.conversation_id, messages.c.seq, messages.c.text).where(
                messages.c.conversation_id.in_(conversation_ids), messages.c.author == "bot"
            )
        )
        return {(row.conversation_id, row.seq): row.text for row in rows}
