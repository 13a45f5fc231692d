"""Chooses what is replayed: the models there are, and the conversations that somebody may still look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.tables import contacts, conversations, turns
from learning.model_tables import model_serving, model_versions


@dataclass(frozen=True, slots=True)
class Version:
    """A model that can be replayed on."""

    name: str
    made_at: datetime
    note: str
    live: bool


class ReplayChoiceStore:
    """Queries of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def choose(
        self, most_turns: int, channels: Sequence[str], languages: Sequence[str], since: datetime | None
    ) -> tuple[list[str], int]:
        """Whole conversations, the latest first, until they have so many turns; nothing of whom was erased."""
        last = func.max(turns.c.finished_at)
        query = (
            select(turns.c.conversation_id, func.count().label("turns"), last.label("last"))
            .join(conversations, conversations.c.id == turns.c.conversation_id)
            .join(contacts, contacts.c.id == conversations.c.contact_id)
            .where(conversations.c.forgotten_at.is_(None), contacts.c.erased_at.is_(None))
            .group_by(turns.c.conversation_id)
            .order_by(last.desc(), turns.c.conversation_id)
            .limit(most_turns)
        )
        if channels:
            query = query.where(conversations.c.channel.in_(list(channels)))
        if languages:
            query = query.where(conversations.c.language.in_(list(languages)))
        if since is not None:
            query = query.having(last >= since)
        chosen: list[str] = []
        counted = 0
        for row in await self._connection.execute(query):
            if counted >= most_turns:
                break
            chosen.append(row.conversation_id)
            counted += int(row.turns)
        return chosen, counted

    async def versions(self) -> list[Version]:
        """The models that there are, the newest first."""
        live = (await self._connection.execute(select(model_serving.c.live))).scalar()
        v = model_versions.c
        query = select(v.name, v.made_at, v.note).where(v.state == "ready").order_by(v.made_at.desc(), v.name)
        return [
            Version(row.name, row.made_at, row.note, row.name == live) for row in await self._connection.execute(query)
        ]

    async def find_version(self, name: str) -> Version | None:
        """A model by its name."""
        return next((one for one in await self.versions() if one.name == name), None)
