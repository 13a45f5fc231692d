"""Reads which finished conversations could be reviewed, and what samples choose them by."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.episode_tables import episodes, ratings
from conversations.model import Author, Status
from conversations.sight import Sight
from conversations.sight_store import within
from conversations.tables import contacts, conversations, messages, queue_stays, turns
from reviewing.review_tables import reviews
from reviewing.sampling import Candidate

MOST = 5_000  #: the latest of a period
_AT_ONCE = 500


class CandidateStore:
    """Statements of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def candidates(
        self, subject: str, since: datetime, until: datetime, sight: Sight, *, misses: bool
    ) -> list[Candidate]:
        """Resolved in the period, seen, never reviewed before; traces are opened only where ``misses`` are asked for."""
        columns = conversations.c
        reviewed = exists().where(
            reviews.c.conversation_id == columns.id, reviews.c.subject == subject, reviews.c.calibrates.is_(False)
        )
        query = (
            select(
                columns.id, columns.contact_id, columns.resolved_at, columns.channel, columns.language, columns.team_id,
                columns.agent_id, columns.participants, columns.sentiment_label, columns.handoff_reason,
            )
            .join(contacts, contacts.c.id == columns.contact_id)
            .where(
                columns.status == Status.RESOLVED.value,
                columns.resolved_at >= since,
                columns.resolved_at < until,
                columns.merged_into.is_(None),
                columns.forgotten_at.is_(None),
                contacts.c.erased_at.is_(None),
                within(sight),
                ~reviewed,
            )
            .order_by(columns.resolved_at.desc(), columns.id)
            .limit(MOST)
        )  # fmt: skip
        rows = (await self._connection.execute(query)).all()
        found: list[Candidate] = []
        for start in range(0, len(rows), _AT_ONCE):
            found += await self._known(rows[start : start + _AT_ONCE], subject, misses)
        return found

    async def drawn_meanwhile(self, conversation_ids: Collection[str], subject: str) -> bool:
        """Whether a sample that was made since has one of these; nobody else draws them until this transaction ends."""
        ids = sorted(conversation_ids)
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            held = select(conversations.c.id).where(conversations.c.id.in_(some)).order_by(conversations.c.id)
            await self._connection.execute(held.with_for_update())
            drawn = select(reviews.c.id).where(
                reviews.c.conversation_id.in_(some), reviews.c.subject == subject, reviews.c.calibrates.is_(False)
            )
            if (await self._connection.execute(drawn.limit(1))).first() is not None:
                return True
        return False

    async def _known(self, rows: Sequence[Any], subject: str, misses: bool) -> list[Candidate]:
        ids = [row.id for row in rows]
        parts = await self._episodes(ids)
        scores = await self._ratings(ids, subject)
        waits = await self._waits(ids)
        negative = await self._negative(ids)
        answered = await self._missed(ids) if misses else dict.fromkeys(await self._with_turns(ids), 0)
        found = []
        for row in rows:
            of_it = parts.get(row.id, [])
            theirs = [one for one in of_it if one.kind == subject]
            if not theirs or (subject == "bot" and row.id not in answered):
                continue
            last = theirs[-1]
            served = {one["id"]: one.get("name", "") for part in of_it for one in part.agents or ()}
            if subject == "human" and last.agent_id is None:
                continue
            joined = {one["agent_id"] for one in row.participants or () if one.get("agent_id")}
            low, refuted = scores.get(row.id, (None, False))
            intents = [part.intent for part in [*of_it, last] if part.intent]
            found.append(
                Candidate(
                    row.id, row.contact_id, row.resolved_at, row.channel, row.language,
                    last.agent_id if subject == "human" else None,
                    served.get(last.agent_id) if subject == "human" else None,
                    row.team_id, intents[-1] if intents else None,
                    frozenset({*served, *joined, *([row.agent_id] if row.agent_id else [])}),
                    low, refuted, answered.get(row.id, 0), waits.get(row.id, 0.0),
                    row.id in negative or row.sentiment_label == "negative",
                    row.handoff_reason is not None or any(part.ended_by == "handoff" for part in of_it),
                )
            )  # fmt: skip
        return found

    async def _episodes(self, ids: Collection[str]) -> dict[str, list[Any]]:
        query = select(episodes).where(episodes.c.conversation_id.in_(ids)).order_by(episodes.c.number)
        found: dict[str, list[Any]] = {}
        for row in await self._connection.execute(query):
            found.setdefault(row.conversation_id, []).append(row)
        return found

    async def _ratings(self, ids: Collection[str], subject: str) -> dict[str, tuple[int | None, bool]]:
        query = (
            select(ratings.c.conversation_id, ratings.c.score, ratings.c.solved)
            .join(episodes, episodes.c.id == ratings.c.episode_id)
            .where(ratings.c.conversation_id.in_(ids), episodes.c.kind == subject)
        )
        found: dict[str, tuple[int | None, bool]] = {}
        for row in await self._connection.execute(query):
            low, refuted = found.get(row.conversation_id, (None, False))
            scores = [one for one in (low, row.score) if one is not None]
            found[row.conversation_id] = (min(scores, default=None), refuted or row.solved is False)
        return found

    async def _waits(self, ids: Collection[str]) -> dict[str, float]:
        query = select(queue_stays.c.conversation_id, queue_stays.c.queued_at, queue_stays.c.ended_at).where(
            queue_stays.c.conversation_id.in_(ids), queue_stays.c.ended_at.is_not(None)
        )
        found: dict[str, float] = {}
        for row in await self._connection.execute(query):
            waited = (row.ended_at - row.queued_at).total_seconds()
            found[row.conversation_id] = max(waited, found.get(row.conversation_id, 0.0))
        return found

    async def _negative(self, ids: Collection[str]) -> set[str]:
        query = select(messages.c.conversation_id).where(
            messages.c.conversation_id.in_(ids),
            messages.c.author == Author.CONTACT.value,
            messages.c.sentiment_label == "negative",
        )
        return set((await self._connection.execute(query.distinct())).scalars())

    async def _with_turns(self, ids: Collection[str]) -> set[str]:
        query = select(turns.c.conversation_id).where(turns.c.conversation_id.in_(ids)).distinct()
        return set((await self._connection.execute(query)).scalars())

    async def _missed(self, ids: Collection[str]) -> dict[str, int]:
        query = select(turns.c.conversation_id, turns.c.turn_id, turns.c.trace).where(turns.c.conversation_id.in_(ids))
        found: dict[str, int] = {}
        for row in await self._connection.execute(query):
            found[row.conversation_id] = found.get(row.conversation_id, 0) + bool(row.trace.get("missed"))
        return found


async def words_at(connection: AsyncConnection, conversation_id: str, seq: int) -> str | None:
    """The id of the contact's own words at this place; None where there are none."""
    query = select(messages.c.id, messages.c.text).where(
        messages.c.conversation_id == conversation_id,
        messages.c.seq == seq,
        messages.c.author == Author.CONTACT.value,
        messages.c.kind == "text",
        messages.c.recalled_at.is_(None),
    )
    row = (await connection.execute(query)).first()
    return row.id if row is not None and row.text.strip() else None
