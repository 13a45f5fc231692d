"""Reads and writes episodes and their ratings inside one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.episode_tables import episodes, ratings
from conversations.episodes import Episode, Kind
from conversations.model import Agent, Author, Rating
from conversations.prepared_store import Prepared
from conversations.sealing_store import SealingStore
from conversations.tables import contacts, conversations, messages

_BEGIN = Prepared(insert(episodes))
_SELECT: Select[Any] = select(
    episodes,
    ratings.c.episode_id,
    ratings.c.score,
    ratings.c.solved,
    ratings.c.nps,
    ratings.c.comment,
    ratings.c.rated_at,
    ratings.c.corrected_at,
).outerjoin(ratings, ratings.c.episode_id == episodes.c.id)


class RatedRow(NamedTuple):
    """An episode that ended or was asked about, with where it took place, for the report."""

    episode: Episode
    channel: str
    language: str


def _episode_of(row: Row[Any]) -> Episode:
    rating = None
    if row.episode_id is not None:
        rating = Rating(
            conversation_id=row.conversation_id,
            score=row.score,
            comment=row.comment,
            rated_at=row.rated_at,
            episode_id=row.id,
            solved=row.solved,
            nps=row.nps,
            corrected_at=row.corrected_at,
        )
    return Episode(
        id=row.id,
        conversation_id=row.conversation_id,
        number=row.number,
        kind=Kind(row.kind),
        started_at=row.started_at,
        agents=tuple(Agent(one["id"], one["name"]) for one in row.agents or ()),
        team_id=row.team_id,
        intent=row.intent,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
        asked_at=row.asked_at,
        rating=rating,
        model=row.model,
    )


class EpisodeStore:
    """Who served contacts, and what they thought of it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert

    async def begin(self, episode: Episode) -> None:
        """Insert an episode that has just begun."""
        values = {name: getattr(episode, name) for name in ("id", "conversation_id", "number", "started_at", "team_id")}
        values |= {"kind": episode.kind.value, "model": episode.model} | _agents(episode.agents)
        await _BEGIN.run(self._connection, values)

    async def serve(self, episode_id: str, agents: Sequence[Agent], team_id: str | None) -> None:
        """Note that another agent goes on with an episode."""
        values = _agents(agents) | {"team_id": team_id}
        await self._connection.execute(update(episodes).where(episodes.c.id == episode_id).values(**values))

    async def end(self, episode_id: str, at: datetime, by: str, *, intent: str | None) -> None:
        """Note that an episode is over, why, and what it was about."""
        values = {"ended_at": at, "ended_by": by, "intent": intent}
        await self._connection.execute(update(episodes).where(episodes.c.id == episode_id).values(**values))

    async def note_model(self, conversation_id: str, model: str | None, *, instead_of: str | None = None) -> None:
        """Note which version of the model serves the bot's running episode, unless another one began it."""
        begun = episodes.c.model.is_(None) if instead_of is None else episodes.c.model == instead_of
        running = (episodes.c.conversation_id == conversation_id) & episodes.c.ended_at.is_(None)
        bots = update(episodes).where(running, episodes.c.kind == Kind.BOT.value, begun)
        await self._connection.execute(bots.values(model=model))

    async def reopen_last(self, conversation_id: str) -> None:
        """Let the last episode of a conversation go on."""
        found = await self.of_conversation(conversation_id)
        if found and found[-1].ended_at is not None:
            again = update(episodes).where(episodes.c.id == found[-1].id)
            await self._connection.execute(again.values(ended_at=None, ended_by=None))

    async def of_conversation(self, conversation_id: str) -> list[Episode]:
        """The episodes of a conversation in order."""
        rows = await self._connection.execute(
            _SELECT.where(episodes.c.conversation_id == conversation_id).order_by(episodes.c.number)
        )
        return [_episode_of(row) for row in rows]

    async def contact_spoke(self, conversation_id: str) -> bool:
        """Whether the contact said anything in a conversation; where they were only told something, nobody served them."""
        said = (messages.c.conversation_id == conversation_id) & (messages.c.author == Author.CONTACT.value)
        return (await self._connection.execute(select(messages.c.id).where(said).limit(1))).first() is not None

    async def ratings_of(self, conversation_ids: Sequence[str]) -> dict[str, Rating]:
        """By conversation, the score its contact gave last."""
        rows = await self._connection.execute(
            select(ratings)
            .join(episodes, episodes.c.id == ratings.c.episode_id)
            .where(ratings.c.conversation_id.in_(list(conversation_ids)), ratings.c.score.is_not(None))
            .order_by(episodes.c.number)
        )
        return {row.conversation_id: Rating(**row._mapping) for row in rows}

    async def mark_asked(self, episode_ids: Sequence[str], at: datetime) -> None:
        """Note that the contact was asked about these episodes."""
        asked = update(episodes).where(episodes.c.id.in_(episode_ids), episodes.c.asked_at.is_(None))
        await self._connection.execute(asked.values(asked_at=at))

    async def put_rating(self, rating: Rating, owner: str) -> None:
        """Store the answer about an episode, sealed for its owner, in the place of an earlier one."""
        assert rating.episode_id is not None
        values = await SealingStore(self._connection).sealed(ratings, rating.episode_id, owner, asdict(rating))
        changed = {name: value for name, value in values.items() if name not in ("episode_id", "conversation_id")}
        kept = self._insert(ratings).values(**values)
        await self._connection.execute(kept.on_conflict_do_update(index_elements=["episode_id"], set_=changed))

    async def unasked(self, contact_id: str) -> bool:
        """Whether a contact wants no more ratings to be asked for."""
        row = await self._connection.execute(select(contacts.c.unasked_at).where(contacts.c.id == contact_id))
        return row.scalar() is not None

    async def ask_no_more(self, contact_id: str, at: datetime) -> None:
        """Remember that a contact wants no more ratings to be asked for."""
        never = update(contacts).where(contacts.c.id == contact_id, contacts.c.unasked_at.is_(None))
        await self._connection.execute(never.values(unasked_at=at))

    async def report_rows(self, since: datetime, until: datetime, limit: int = 100_000) -> list[RatedRow]:
        """Every episode that ended in a period and was resolved or asked about, oldest first."""
        rows = await self._connection.execute(
            _SELECT.add_columns(conversations.c.channel, conversations.c.language)
            .join(conversations, conversations.c.id == episodes.c.conversation_id)
            .where(
                episodes.c.ended_at >= since,
                episodes.c.ended_at < until,
                or_(episodes.c.asked_at.is_not(None), episodes.c.ended_by == "resolved"),
            )
            .order_by(episodes.c.ended_at, episodes.c.id)
            .limit(limit)
        )
        return [RatedRow(_episode_of(row), row.channel, row.language) for row in rows]


def _agents(agents: Sequence[Agent]) -> dict[str, Any]:
    listed = [asdict(one) for one in agents] or None
    return {"agents": listed, "agent_id": agents[-1].id if agents else None}
