"""Which articles answered what, and how the people who were told it rated that: conversations joined with knowledge."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.model import utc_now
from conversations.sight import EVERYTHING, Scope, Sight
from conversations.sight_store import SightStore
from conversations.store import Database
from learning.article_usage_store import ArticleUsageStore, Part, Quoted
from learning.inbox_store import InboxStore

DAYS = 180  #: that are looked back
KEPT_SECONDS = 60.0  #: before the figures are read again
SHOWN = 50  #: questions of one article
_AT_ONCE = 400
LOW = 2  #: a score of this or less is a bad one


@dataclass(slots=True)
class Usage:
    """How one article in one language was used in the time that is looked back on."""

    by_bot: int = 0  #: times quoted
    by_agents: int = 0
    parts: int = 0  #: of conversations in which the bot quoted it
    handed_off: int = 0  #: of these
    rated: int = 0
    mean_score: float | None = None
    low: int = 0
    unsolved: int = 0
    disliked: int = 0  #: answers to which the contact said that they did not help
    last_at: datetime | None = None

    @property
    def handed_off_share(self) -> float | None:
        """The share of the bot's parts that people had to take over."""
        return self.handed_off / self.parts if self.parts else None


@dataclass(frozen=True, slots=True)
class Answered:
    """A question that was answered from an article; its words are read from the conversation."""

    message_id: str
    conversation_id: str
    seq: int  #: of the answer
    at: datetime
    language: str
    score: int | None
    handed_off: bool
    disliked: bool
    text: str


@dataclass(slots=True)
class _Known:
    usage: dict[str, Usage] = field(default_factory=dict)
    quoted: dict[str, list[Quoted]] = field(default_factory=dict)
    part_of: dict[tuple[str, int], Part] = field(default_factory=dict)
    disliked: set[str] = field(default_factory=set)
    read_at: float = float("-inf")


class ArticleUsage:
    """The figures of one process, read again once they are old."""

    def __init__(self, database: Database, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._now = now
        self._known = _Known()

    async def all(self, *, fresh: bool = False) -> Mapping[str, Usage]:
        """By article key; what was never quoted is not in it."""
        return (await self._read(fresh=fresh)).usage

    async def questions(self, key: str, sight: Sight = EVERYTHING) -> list[Answered]:
        """What was asked and answered from an article, the newest first."""
        known = await self._read(fresh=False)
        listed = [one for one in known.quoted.get(key, ()) if one.by_bot and one.turn_id]
        async with self._database.read() as connection:
            quoted = await _seen(connection, sight, listed)
            texts = await InboxStore(connection).texts([one.turn_id for one in quoted if one.turn_id])
            languages = await ArticleUsageStore(connection).languages([one.conversation_id for one in quoted])
        found = []
        for one in quoted:
            part = known.part_of.get((one.conversation_id, one.seq))
            if one.turn_id in texts:
                found.append(
                    Answered(
                        one.turn_id,
                        one.conversation_id,
                        one.seq,
                        one.at,
                        languages.get(one.conversation_id, "en"),
                        part.score if part else None,
                        part.handed_off if part else False,
                        one.turn_id in known.disliked,
                        texts[one.turn_id],
                    )
                )
        return found

    async def _read(self, *, fresh: bool) -> _Known:
        if not fresh and time.monotonic() - self._known.read_at < KEPT_SECONDS:
            return self._known
        since = self._now() - timedelta(days=DAYS)
        async with self._database.read() as connection:
            store = ArticleUsageStore(connection)
            quoted = await store.quoted(since)
            parts = await store.parts({one.conversation_id for one in quoted if one.by_bot})
            disliked = await store.disliked({one.turn_id for one in quoted if one.turn_id})
        self._known = _added_up(quoted, parts, disliked)
        return self._known


async def _seen(connection: AsyncConnection, sight: Sight, listed: Sequence[Quoted]) -> list[Quoted]:
    """The first of them that somebody sees."""
    if sight.scope is Scope.EVERYTHING:
        return list(listed[:SHOWN])
    found: list[Quoted] = []
    for start in range(0, len(listed), _AT_ONCE):
        part = listed[start : start + _AT_ONCE]
        seen = await SightStore(connection).seen(sight, {one.conversation_id for one in part})
        found += [one for one in part if one.conversation_id in seen]
        if len(found) >= SHOWN:
            break
    return found[:SHOWN]


def _added_up(quoted: Sequence[Quoted], parts: Sequence[Part], disliked: set[str]) -> _Known:
    known = _Known(disliked=disliked, read_at=time.monotonic())
    of_conversation: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        of_conversation[part.conversation_id].append(part)
    told_in: dict[str, dict[str, Part]] = defaultdict(dict)
    for one in quoted:
        known.quoted.setdefault(one.key, []).append(one)
        usage = known.usage.setdefault(one.key, Usage())
        usage.last_at = max(filter(None, (usage.last_at, one.at)))
        if not one.by_bot:
            usage.by_agents += 1
            continue
        usage.by_bot += 1
        usage.disliked += one.turn_id in disliked
        here = [part for part in of_conversation[one.conversation_id] if part.started_at <= one.at]
        if here:
            part = max(here, key=lambda part: part.started_at)
            known.part_of[one.conversation_id, one.seq] = part
            told_in[one.key][part.id] = part
    for key, found in told_in.items():
        usage = known.usage[key]
        usage.parts = len(found)
        usage.handed_off = sum(part.handed_off for part in found.values())
        usage.unsolved = sum(part.solved is False for part in found.values())
        scores = [part.score for part in found.values() if part.score is not None]
        usage.rated, usage.low = len(scores), sum(score <= LOW for score in scores)
        usage.mean_score = round(sum(scores) / len(scores), 2) if scores else None
    return known
