"""Finds messages and conversations in full text, Chinese and English, by how well they match and how recent they are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from conversations.model import Author
from conversations.search_store import IndexedMessage, SearchFilter, SearchStore
from conversations.segmenting import Found, Range, Search, find, fold, parse, snippet
from conversations.sight import EVERYTHING, Sight
from conversations.transcripts import Transcripts

POOL = 400  #: the newest matches that are ranked; older ones are found with more words or a date
_MONTH_SECONDS = 30 * 86400.0
_INDEX_BATCH = 100
_INDEX_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that matches; ``marks`` are ranges of the snippet's characters (code points) that were asked for."""

    conversation_id: str
    seq: int
    author: str
    author_name: str | None
    kind: str
    created_at: datetime
    snippet: str
    marks: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A conversation that fits, with its best message unless it fits by its contact, customer or number."""

    conversation_id: str
    hit: Hit | None = None


class Searching(Transcripts):
    """The searching part of ``Conversations``."""

    async def search_messages(
        self, text: str, wanted: SearchFilter, now: datetime, *, offset: int = 0, limit: int = POOL
    ) -> tuple[list[Hit], int]:
        """Messages that contain everything in ``text``, the best of the newest ``POOL`` first, and how many those are."""
        search = parse(text)
        if not search.asks:
            return [], 0
        async with self.database.read() as connection:
            found = await SearchStore(connection).find_messages(search, wanted, POOL)
        best = ranked(search, text, found, now)
        return [_hit(*one) for one in best[offset : offset + limit]], len(best)

    async def search_conversations(
        self, text: str, customer_ids: Sequence[str], limit: int, now: datetime, sight: Sight = EVERYTHING
    ) -> list[Match]:
        """Conversations about ``text``, with a contact of that name or address, or with one of the customers."""
        search = parse(text)
        found: list[IndexedMessage] = []
        async with self.database.read() as connection:
            store = SearchStore(connection)
            contact_ids = await store.find_contacts(search, limit, sight) if search.asks else []
            number = "".join(text.split())
            about = await store.conversations_about(contact_ids, customer_ids, number, limit, sight)
            if search.asks:
                found = await store.find_messages(search, SearchFilter(sight=sight), POOL)
        best: dict[str, Match] = {}
        by_message: dict[str, Hit] = {}
        for message, places in ranked(search, text, found, now):
            if message.conversation_id not in by_message and len(by_message) < limit:
                by_message[message.conversation_id] = _hit(message, places)
        for conversation_id in about:
            best[conversation_id] = Match(conversation_id, by_message.get(conversation_id))
        for conversation_id, hit in by_message.items():
            best.setdefault(conversation_id, Match(conversation_id, hit))
        return list(best.values())[:limit]

    async def compact_search_index(self) -> None:
        """Merge what was deleted out of the index's files, a little at a time; PostgreSQL does this by itself."""
        first = True
        while self.database.is_sqlite:
            async with self.database.write() as connection:
                if await SearchStore(connection).merge_deleted(first=first):
                    return
            first = False
            await asyncio.sleep(_INDEX_PAUSE_SECONDS)

    async def fill_search_index(self) -> int:
        """Index what was written before there was an index, a little at a time; returns how many batches it took."""
        batches = 0
        contact_id = ""
        while True:
            async with self.database.read() as connection:
                missing = await SearchStore(connection).unindexed_contacts(contact_id, _INDEX_BATCH)
            if not missing:
                break
            async with self.database.write() as connection:
                for contact_id in missing:
                    await SearchStore(connection).put_contact(contact_id)
            batches += 1
            await asyncio.sleep(_INDEX_PAUSE_SECONDS)
        before: tuple[datetime, str] | None = None
        while True:
            async with self.database.write() as connection:
                before = await SearchStore(connection).index_older(before, _INDEX_BATCH)
            batches += 1
            if before is None:
                return batches
            await asyncio.sleep(_INDEX_PAUSE_SECONDS)


def ranked(
    search: Search, text: str, found: Sequence[IndexedMessage], now: datetime
) -> list[tuple[IndexedMessage, Found]]:
    """What fits by match and recency: a month makes as much difference as a word found only by its stem."""
    whole = " ".join(fold(text).text.split())
    scored = []
    for message in found:
        places = find(search, message.text, whole)
        age = max(0.0, (now - message.created_at).total_seconds())
        said_by_people = 0.2 if message.author in (Author.CONTACT, Author.AGENT) else 0.0
        scored.append((places.quality + said_by_people + 0.8 * 0.5 ** (age / _MONTH_SECONDS), message, places))
    scored.sort(key=lambda one: (-one[0], -one[1].created_at.timestamp(), one[1].id))
    return [(message, places) for _, message, places in scored]


def _hit(message: IndexedMessage, places: Found) -> Hit:
    shown = snippet(message.text, places.ranges)
    return Hit(
        message.conversation_id,
        message.seq,
        message.author,
        message.author_name,
        message.kind,
        message.created_at,
        shown.text,
        shown.marks,
    )
