"""Follows the conversations and keeps their facts, in one process at a time and off every turn's path.

The audit chain is what is followed: its entries are numbered and committed in that order, so nothing is missed. How far
it has come is kept in the same transaction as what was made, so a process that dies loses and repeats nothing; at the
first start it begins with the first entry there is and works through the history in small steps. What the learning loop
says of turns comes a little later, so a second reading follows behind both.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from conversations.chain_follower import ChainFollower, Progress, at_once
from conversations.model import utc_now
from conversations.store import Database
from conversations.work_leases import WorkLeases
from reporting.fact_store import FactStore
from reporting.facts import Values, facts_of

POSITION, LABELS = "facts", "labels"
#: Nothing that is counted comes of these.
_TELLS_NOTHING = {"noted", "revealed", "viewed"}
_FAMILIES = {"contacts_merged", "contacts_separated"}
#: How much later than a decision its entry may be.
_DECIDED_WITHIN = timedelta(minutes=10)
log = structlog.get_logger()


class FactFollower(ChainFollower):
    """Keeps the facts of every conversation as far as the chain has been read."""

    lease = "reports"

    def __init__(
        self,
        database: Database,
        leases: WorkLeases,
        zone: ZoneInfo,
        *,
        batch: int = 200,
        poll_seconds: float = 2.0,
        breath_seconds: float = 0.05,
        now: Callable[[], datetime] = utc_now,
        give_way: Callable[[], Awaitable[None]] = at_once,
    ) -> None:
        """``give_way`` is awaited before each step."""
        super().__init__(leases, poll_seconds=poll_seconds, breath_seconds=breath_seconds, give_way=give_way)
        self._database = database
        self._zone = zone
        self._batch = batch
        self._now = now

    async def progress(self) -> Progress:
        """How far the history has been read."""
        async with self._database.read() as connection:
            store = FactStore(connection)
            return Progress(await store.position(POSITION, self._zone.key), await store.head())

    async def lag(self) -> tuple[int, float]:
        """How many entries are still to be read, and for how many seconds the oldest of them waits."""
        progress = await self.progress()
        if not progress.behind:
            return 0, 0.0
        async with self._database.read() as connection:
            unread = await FactStore(connection).entries(progress.read, 1)
        waits = [self._now() - datetime.fromisoformat(json.loads(body)["at"]) for _, body in unread]
        return progress.behind, max([0.0, *(one.total_seconds() for one in waits)])

    async def rebuild(self) -> None:
        """Let everything be read again; what was taken from words that are erased now is kept."""
        async with self._database.write() as connection:
            await FactStore(connection).begin_anew()

    async def catch_up(self) -> None:
        """Read everything there is now."""
        while await self.step():
            pass
        while await self.step_of_labels():
            pass

    async def step(self) -> bool:
        """Read the next entries; False when there are none yet."""
        return await self._step(POSITION, None)

    async def step_of_labels(self) -> bool:
        """Take over what the learning loop says of turns, as far as both have read; False when there is nothing new."""
        async with self._database.read() as connection:
            store = FactStore(connection)
            up_to = min(await store.position(POSITION, self._zone.key), await store.labelled_up_to())
        return await self._step(LABELS, up_to)

    async def _step(self, name: str, up_to: int | None) -> bool:
        zone = self._zone
        async with self._database.read() as connection:
            store = FactStore(connection)
            read = await store.position(name, zone.key)
            entries = await store.entries(read, self._batch)
            if up_to is not None:
                entries = [entry for entry in entries if entry[0] <= up_to]
            if not entries:
                return False
            parsed = [json.loads(body) for _, body in entries]
            touched, families = _conversations_in(parsed)
            if families:
                touched |= await store.of_contacts(families)
            if any(entry["kind"].startswith("inbox") for entry in parsed):
                first = min(datetime.fromisoformat(entry["at"]) for entry in parsed)
                touched |= await store.decided_since(first - _DECIDED_WITHIN)
            if touched:
                touched |= await store.before(touched)
            stories = await store.stories(touched)
            last = entries[-1][0]
            # Where the learning loop was ahead of us, its labels are in these facts already.
            with_labels = name == POSITION and await store.position(LABELS, zone.key) == read
            with_labels = with_labels and await store.labelled_up_to() >= last
        facts: dict[str, list[Values]] = {}
        for story in stories:
            for table, rows in facts_of(story, zone).items():
                facts.setdefault(table, []).extend(rows)
        async with self._database.write() as connection:
            store = FactStore(connection)
            await store.put([story.id for story in stories], facts)
            for one in (name, LABELS) if with_labels else (name,):
                await store.move_on(one, last, zone.key, self._now())
        return True

    async def _begin(self) -> None:
        begun = await self.progress()
        if begun.behind:
            log.info("reports_begin", after=begun.read, behind=begun.behind)

    async def _work(self) -> bool:
        return await self.step() or await self.step_of_labels()


def _conversations_in(entries: Sequence[dict[str, Any]]) -> tuple[set[str], set[str]]:
    """The conversations that these entries tell something of, and the contacts whose conversations went elsewhere."""
    found = {
        one["conversation_id"] for one in entries if one.get("conversation_id") and one["kind"] not in _TELLS_NOTHING
    }
    moved = [one["data"] for one in entries if one["kind"] in _FAMILIES]
    return found, {data[name] for data in moved for name in ("source", "target") if isinstance(data.get(name), str)}
