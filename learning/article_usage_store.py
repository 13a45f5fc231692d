"""Reads what articles were quoted for, and how the parts of conversations in which they were quoted ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.episode_tables import episodes, ratings
from conversations.model import Author
from conversations.tables import conversations, messages
from learning.inbox_tables import mishaps
from learning.reasons import Reason

MOST = 100_000  #: messages with sources that are looked at, the newest
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Quoted:
    """A message that quoted an article: by the bot in answer to ``turn_id``, or by an agent."""

    key: str  #: of the article
    conversation_id: str
    seq: int
    at: datetime
    by_bot: bool
    turn_id: str | None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a conversation that the bot served, and how it ended."""

    id: str
    conversation_id: str
    started_at: datetime
    ended_at: datetime | None
    handed_off: bool
    score: int | None
    solved: bool | None


class ArticleUsageStore:
    """Queries of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def quoted(self, since: datetime) -> list[Quoted]:
        """Every quotation since a moment, the newest first; those of erased conversations are gone."""
        query = (
            select(
                messages.c.conversation_id,
                messages.c.seq,
                messages.c.created_at,
                messages.c.author,
                messages.c.turn_id,
                messages.c.citations,
            )
            .where(
                messages.c.citations.is_not(None),
                messages.c.created_at >= since,
                messages.c.author.in_([Author.BOT.value, Author.AGENT.value]),
            )
            .order_by(messages.c.created_at.desc())
            .limit(MOST)
        )
        found = []
        for row in await self._connection.execute(query):
            keys = {one["passage_id"].rpartition("/")[0] for one in row.citations or () if one.get("passage_id")}
            found += [
                Quoted(key, row.conversation_id, row.seq, row.created_at, row.author == Author.BOT.value, row.turn_id)
                for key in sorted(keys)
            ]
        return found

    async def parts(self, conversation_ids: Collection[str]) -> list[Part]:
        """The bot's parts of these conversations."""
        found: list[Part] = []
        for some in _batches(conversation_ids):
            query = (
                select(
                    episodes.c.id,
                    episodes.c.conversation_id,
                    episodes.c.started_at,
                    episodes.c.ended_at,
                    episodes.c.ended_by,
                    ratings.c.score,
                    ratings.c.solved,
                )
                .outerjoin(ratings, ratings.c.episode_id == episodes.c.id)
                .where(episodes.c.conversation_id.in_(some), episodes.c.kind == "bot")
            )
            found += [
                Part(
                    row.id, row.conversation_id, row.started_at, row.ended_at, row.ended_by == "handoff", row.score,
                    row.solved,
                )
                for row in await self._connection.execute(query)
            ]  # fmt: skip
        return found

    async def disliked(self, message_ids: Collection[str]) -> set[str]:
        """Those of these messages to whose answer the contact said that it did not help."""
        found: set[str] = set()
        for some in _batches(message_ids):
            query = select(mishaps.c.message_id).where(
                mishaps.c.message_id.in_(some), mishaps.c.reasons.bitwise_and(int(Reason.DISLIKED)) != 0
            )
            found |= set((await self._connection.execute(query)).scalars())
        return found

    async def languages(self, conversation_ids: Collection[str]) -> dict[str, str]:
        """The language of each of these conversations."""
        found: dict[str, str] = {}
        for some in _batches(conversation_ids):
            query = select(conversations.c.id, conversations.c.language).where(conversations.c.id.in_(some))
            found |= {row.id: row.language for row in await self._connection.execute(query)}
        return found


def _batches(ids: Iterable[str]) -> list[Sequence[Any]]:
    listed = sorted(set(ids))
    return [listed[start : start + _AT_ONCE] for start in range(0, len(listed), _AT_ONCE)]
