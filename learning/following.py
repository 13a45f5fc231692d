"""Follows the conversations and brings what went wrong to the inbox, in one process at a time and off every turn's path.

The audit chain is what is followed: its entries are numbered and committed in that order, so no turn is missed. How far
it has come is kept in the same transaction as what was found, so a process that dies loses and repeats nothing; at the
first start it begins with the first entry there is and works through the history in small steps.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog

from conversations.chain_follower import ChainFollower, Progress, at_once
from conversations.model import new_id, utc_now
from conversations.store import Database
from conversations.work_leases import WorkLeases
from learning.grouping import MERGES_FROM, Floats, join_or_lead
from learning.inbox_store import InboxStore, Known
from learning.judging import Story, mishaps_in
from learning.reasons import Mishap, Reason

POSITION = "inbox"
#: After these a conversation is judged anew.
_TELLS = {"turn", "status", "rated", "rating_corrected", "recalled", "merged", "merge_undone", "moved"}
_UNWANTED = {"wrong", "outdated", "not_relevant"}
_ANSWERS = {"bot", "suggestion", "phrased"}
_REWRITTEN = 0.5  #: share of a card that was written differently before it was sent
_TIDY_EVERY = 200  #: messages; with many groups less often, as each is compared with each
_TIDY_SECONDS = 600.0
log = structlog.get_logger()

#: One row for each text; slow, so it is called in a thread.
Encode = Callable[[Sequence[str]], Floats]


@dataclass(frozen=True, slots=True)
class _Marked:
    """Places in a conversation that people pointed at."""

    corrected: set[int] = field(default_factory=set)  #: agents corrected the bot
    reviewed: set[int] = field(default_factory=set)  #: reviewers sent the message here


@dataclass(frozen=True, slots=True)
class _Judged:
    found: list[Mishap]
    known: dict[str, Known]
    explained: set[str]  #: messages of which the bot's trace is still there


class Follower(ChainFollower):
    """Brings what went wrong to the inbox as far as the chain has been read."""

    lease = "inbox"

    def __init__(
        self,
        database: Database,
        leases: WorkLeases,
        encode: Encode,
        encoder: str,
        *,
        tell: Callable[[Sequence[str]], Awaitable[None]] | None = None,
        batch: int = 200,
        poll_seconds: float = 2.0,
        breath_seconds: float = 0.05,
        now: Callable[[], datetime] = utc_now,
        give_way: Callable[[], Awaitable[None]] = at_once,
    ) -> None:
        """``tell`` hears the ids of groups that something came to; ``encoder`` names what ``encode`` is; ``give_way``
        is awaited before each step."""
        super().__init__(leases, poll_seconds=poll_seconds, breath_seconds=breath_seconds, give_way=give_way)
        self._database = database
        self._encode = encode
        self._encoder = encoder
        self._tell = tell
        self._batch = batch
        self._now = now
        self._added = 0  #: since groups were merged last
        self._groups = 0
        self._tidied = 0.0

    async def progress(self) -> Progress:
        """How far the history has been read."""
        async with self._database.read() as connection:
            store = InboxStore(connection)
            return Progress(await store.position(POSITION), await store.head())

    async def catch_up(self) -> int:
        """Read everything there is now; returns how many messages came to the inbox."""
        came = 0
        while (step := await self.step()) is not None:
            came += step
        await self.tidy()
        return came

    async def _begin(self) -> None:
        begun = await self.progress()
        if begun.behind:
            log.info("inbox_begins", after=begun.read, behind=begun.behind)

    async def _work(self) -> bool:
        came = await self.step()
        many = self._added >= max(_TIDY_EVERY, self._groups // 2)
        if many or (came is None and self._added and time.monotonic() - self._tidied > _TIDY_SECONDS):
            await self.tidy()
        return came is not None

    async def step(self) -> int | None:
        """Read the next entries and bring what went wrong; None when there are none yet."""
        async with self._database.read() as connection:
            store = InboxStore(connection)
            entries = await store.entries(await store.position(POSITION), self._batch)
            if not entries:
                return None
            conversations = _conversations_in([json.loads(body) for _, body in entries])
            judged = {one: await self._judge(store, one, marked) for one, marked in conversations.items()}
            fresh = [mishap for one in judged.values() for mishap in one.found if mishap.message_id not in one.known]
            texts = await store.texts([one.message_id for one in fresh])
        fresh = [one for one in fresh if one.message_id in texts]
        vectors = await asyncio.to_thread(self._encode, [texts[one.message_id] for one in fresh]) if fresh else None
        last = entries[-1][0]
        touched: set[str] = set()
        async with self._database.write() as connection:
            store = InboxStore(connection)
            there = await store.still_there(list(judged)) if judged else set()
            for conversation_id, one in judged.items():
                if conversation_id in there:
                    touched |= await self._renew(store, one)
            if vectors is not None:
                brought = [
                    (one, vector) for one, vector in zip(fresh, vectors, strict=True) if one.conversation_id in there
                ]
                touched |= await self._bring(store, brought, last)
                self._added += len(brought)
            await store.move_on(POSITION, last, self._now())
        if touched and self._tell is not None:
            await self._tell(sorted(touched))
        return len(fresh)

    async def _judge(self, store: InboxStore, conversation_id: str, marked: _Marked) -> _Judged:
        known = {one.message_id: one for one in await store.known_in(conversation_id)}
        corrected = marked.corrected | {one.seq for one in known.values() if one.reasons & Reason.CORRECTED}
        reviewed = marked.reviewed | {one.seq for one in known.values() if one.reasons & Reason.REVIEWER}
        story: Story | None = await store.story(conversation_id, corrected, reviewed)
        if story is None:
            return _Judged([], known, set())
        return _Judged(mishaps_in(story), known, {one.message_id for one in story.asked if one.trace is not None})

    async def _renew(self, store: InboxStore, judged: _Judged) -> set[str]:
        """What is known of messages that are there already; one that nothing is wrong with any more goes, if nobody has
        decided about it."""
        touched, blameless = set(), []
        found = {one.message_id: one for one in judged.found}
        for message_id, known in judged.known.items():
            now, explained = found.get(message_id), message_id in judged.explained
            if now is not None:  # without its trace, what the turn itself showed cannot be seen any more
                await store.change(now if explained else replace(now, reasons=now.reasons | known.reasons))
            elif explained and known.state == "new":
                blameless.append(message_id)
            if now is not None or explained:
                touched.add(known.group_id)
        if blameless:
            await store.remove(blameless)
        for group_id in sorted(touched):
            await store.settle(group_id)
        return touched

    async def _bring(self, store: InboxStore, brought: list[tuple[Mishap, Floats]], arrived: int) -> set[str]:
        if not brought:
            return set()
        centres, states = await store.centres()
        touched: set[str] = set()
        for one, vector in brought:
            group_id = join_or_lead(centres, vector, new_id())
            if group_id not in states:
                await store.add_group(group_id, "new", one.message_id, vector, self._now())
                states[group_id] = "new"
            # What is like something that was ignored is nobody's concern; what is like something done has come again.
            state = "ignored" if states[group_id] == "ignored" else "new"
            await store.add(one, group_id, state, arrived, self._encoder, vector)
            if states[group_id] == "done":
                await store.came_again(group_id, self._now(), one.model_id)
                states[group_id] = "new"
            touched.add(group_id)
        for group_id in sorted(touched):
            await store.settle(group_id)
        self._groups = len(states)
        return touched

    async def tidy(self) -> int:
        """Merge groups that have come close to each other; returns how many went into another one."""
        self._added, self._tidied = 0, time.monotonic()
        async with self._database.read() as connection:
            centres, states = await InboxStore(connection).centres()
        pairs = await asyncio.to_thread(centres.close_pairs, MERGES_FROM, [states[one] for one in centres.ids])
        merged = []
        for kept, other in pairs:
            async with self._database.write() as connection:
                if await InboxStore(connection).merge(kept, other):
                    merged += [kept, other]
        if merged and self._tell is not None:
            await self._tell(merged)
        return len(merged) // 2


def _conversations_in(entries: Sequence[dict[str, Any]]) -> dict[str, _Marked]:
    """The conversations that these entries tell something new of, with the places that people pointed at."""
    found: dict[str, _Marked] = {}
    for entry in entries:
        kind, data = entry["kind"], entry.get("data") or {}
        if kind in _TELLS and entry.get("conversation_id"):
            found.setdefault(entry["conversation_id"], _Marked())
        elif kind == "turn_sent_to_inbox":
            found.setdefault(data["conversation_id"], _Marked()).reviewed.add(int(data["seq"]))
        elif _corrects(kind, data):
            found.setdefault(data["conversation_id"], _Marked()).corrected.add(int(data["seq"]))
    return found


def _corrects(kind: str, data: dict[str, Any]) -> bool:
    """Whether an agent turned down what was to be answered, or wrote it anew."""
    if data.get("kind") not in _ANSWERS:
        return False
    rewritten = kind == "assist_used" and (data.get("distance") or 0) >= _REWRITTEN
    return rewritten or (kind == "assist_rejected" and data.get("reason") in _UNWANTED)
