"""Follows the conversations and keeps what each turn shows about thresholds, in one process at a time.

Like the inbox it follows the audit chain, with a position of its own: a conversation is read again whenever something
happens in it, so that a rating that comes days later finds its answers.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from conversations.chain_follower import ChainFollower, Progress, at_once
from conversations.model import utc_now
from conversations.store import Database
from conversations.work_leases import WorkLeases
from learning.inbox_store import InboxStore
from learning.limit_cases import Case, cases_in
from learning.limit_store import LimitStore

POSITION = "limits"
_TELLS = {"turn", "status", "rated", "rating_corrected", "recalled", "merged", "merge_undone"}


class LimitFollower(ChainFollower):
    """Keeps the cases of every conversation as far as the chain has been read."""

    lease = "limits"

    def __init__(
        self,
        database: Database,
        leases: WorkLeases,
        *,
        batch: int = 100,
        poll_seconds: float = 3.0,
        breath_seconds: float = 0.1,
        now: Callable[[], datetime] = utc_now,
        give_way: Callable[[], Awaitable[None]] = at_once,
    ) -> None:
        """``give_way`` is awaited before each step."""
        super().__init__(leases, poll_seconds=poll_seconds, breath_seconds=breath_seconds, give_way=give_way)
        self._database = database
        self._batch = batch
        self._now = now

    async def progress(self) -> Progress:
        """How far the history has been read."""
        async with self._database.read() as connection:
            store = InboxStore(connection)
            return Progress(await store.position(POSITION), await store.head())

    async def catch_up(self) -> None:
        """Read everything there is now."""
        while await self.step():
            pass

    async def step(self) -> bool:
        """Read the next entries; False when there are none yet."""
        async with self._database.read() as connection:
            inbox = InboxStore(connection)
            entries = await inbox.entries(await inbox.position(POSITION), self._batch)
            if not entries:
                return False
            touched = _conversations_in([json.loads(body) for _, body in entries])
            found: dict[str, list[Case]] = {}
            for conversation_id in touched:
                story = await inbox.story(conversation_id, ())
                found[conversation_id] = [] if story is None else cases_in(story)
        async with self._database.write() as connection:
            inbox = InboxStore(connection)
            there = await inbox.still_there(touched) if touched else set()
            kept = [case for conversation_id in touched if conversation_id in there for case in found[conversation_id]]
            await LimitStore(connection).put(touched, kept)
            await inbox.move_on(POSITION, entries[-1][0], self._now())
        return True

    async def _work(self) -> bool:
        return await self.step()


def _conversations_in(entries: Sequence[dict[str, Any]]) -> list[str]:
    found = {entry["conversation_id"] for entry in entries if entry["kind"] in _TELLS and entry.get("conversation_id")}
    return sorted(found)
