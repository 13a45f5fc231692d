"""What is live: promoting a version, comparing it with the live one on a share of the conversations, and going back.

Each change has every bot load the version first; only then one transaction writes the row that every process reads, the
change and the audit entry. Running conversations are not touched: they stay on the version they began with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from conversations.audit import AuditEntry, AuditLog
from conversations.bot_models import BotModels, BotState
from conversations.errors import DialogueUnavailable, ModelGone
from conversations.model import Agent, utc_now
from conversations.store import Database
from conversations.work_leases import WorkLeases
from learning.model_choice import Choice, Served
from learning.replay_estimate import Gate
from learning.serving_store import Change, ServingStore

EVERY_SECONDS = 2.0
LEASE = "model serving"
SHORTEST_REASON = 10  #: characters of why there was no replay
MOST_CHANGES = 100
log = structlog.get_logger()


class ServingRefused(Exception):
    """A change that was not made; ``code`` is one of changed, no_model, bot_failed, live_already, blocked,
    replay_needed, reason_needed, bad_share, nothing_before, no_comparison or no_bot."""

    def __init__(self, code: str, message: str, **detail: Any) -> None:
        super().__init__(message)
        self.code = code
        self.detail = detail


async def no_replay(_name: str) -> Gate:
    """No replays are known."""
    return Gate(False, None, "no_replay")


async def _nobody_listens(_change: Change) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Overview:
    """All that the page of what is live shows, apart from the figures."""

    choice: Choice | None
    since: datetime | None  #: of the last change
    live_since: datetime | None
    live_by: Agent | None
    before: str | None  #: what was live before, and can be again
    pinned: dict[str, int]
    bots: list[BotState]
    changes: list[Change] = field(default_factory=list)


class Serving:
    """What is live, in one service process."""

    def __init__(
        self,
        database: Database,
        audit: AuditLog,
        bots: BotModels,
        served: Served,
        leases: WorkLeases,
        *,
        tell: Callable[[Change], Awaitable[None]] = _nobody_listens,
        now: Callable[[], datetime] = utc_now,
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        """``served`` is what conversations ask; ``tell`` is told of every change made here."""
        self._database = database
        self._audit = audit
        self._bots = bots
        self._served = served
        self._leases = leases
        self._tell = tell
        self._now = now
        self._every_seconds = every_seconds
        self._task: asyncio.Task[None] | None = None
        #: What replays say about a version that is to be promoted or compared.
        self.gate: Callable[[str], Awaitable[Gate]] = no_replay

    async def start(self) -> None:
        """Follow what other processes change, and keep the bots at it."""
        self._task = asyncio.create_task(self._run(), name="model serving")

    async def close(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self.refresh()
                if await self._leases.take(LEASE):
                    await self.reconcile()
            except Exception as error:
                log.warning("models_not_followed", error=repr(error))
            await asyncio.sleep(self._every_seconds)

    async def refresh(self) -> Choice | None:
        """Take over what serves now."""
        async with self._database.read() as connection:
            found = await ServingStore(connection).find()
        self._served.choice = found[0] if found else None
        return self._served.choice

    # -- looking ------------------------------------------------------------------------------------------------

    async def overview(self) -> Overview:
        """What serves, what the bots have, and how it came to be so."""
        bots = await self._bots.look()
        async with self._database.read() as connection:
            store = ServingStore(connection)
            found, pinned, changes = await store.find(), await store.pinned(), await store.changes(MOST_CHANGES)
            became = await store.change_to(found[0].live) if found else None
        if found is None:
            return Overview(None, None, None, None, None, pinned, bots, changes)
        choice, since = found
        return Overview(
            choice,
            since,
            became.at if became else since,
            became.by if became else None,
            became.before if became else None,
            pinned,
            bots,
            changes,
        )

    # -- changing -----------------------------------------------------------------------------------------------

    async def promote(
        self, name: str, agent: Agent, revision: int, *, note: str = "", without_replay: bool = False
    ) -> Choice:
        """Let new conversations begin on a version; without a replay that passed, only with a written reason."""
        choice = await self._at(revision)
        if name == choice.live:
            raise ServingRefused("live_already", f"{name} is live already.")
        gate = await self._passed(name)
        if not gate.passed:
            if not without_replay:
                raise ServingRefused("replay_needed", f"{name} was not replayed; replay it, or say why not.")
            if len(note.strip()) < SHORTEST_REASON:
                raise ServingRefused("reason_needed", "Say in a sentence why it goes live without a replay.")
        await self._loaded(name, choice)
        after = Choice(choice.revision + 1, name)
        return await self._write(after, Change("promote", name, choice.live, None, 0, _proof(gate), note, agent))

    async def compare(self, name: str, share: int, agent: Agent, revision: int, *, note: str = "") -> Choice:
        """Let a share of the new conversations, in percent, begin on another version than the live one."""
        choice = await self._at(revision)
        if not 1 <= share <= 99:
            raise ServingRefused("bad_share", "The share must be a whole number from 1 to 99.")
        if name == choice.live:
            raise ServingRefused("live_already", f"{name} is live already; compare it with another version.")
        gate = await self._passed(name)
        await self._loaded(name, choice)
        after = Choice(choice.revision + 1, choice.live, name, share)
        made = Change("compare", choice.live, choice.live, name, share, _proof(gate), note, agent)
        return await self._write(after, made)

    async def stop(self, agent: Agent, revision: int, *, note: str = "") -> Choice:
        """End the comparison: new conversations begin on what is live."""
        choice = await self._at(revision)
        if choice.candidate is None:
            raise ServingRefused("no_comparison", "No comparison is running.")
        after = Choice(choice.revision + 1, choice.live)
        made = Change("stop", choice.live, choice.live, choice.candidate, choice.share, note=note, by=agent)
        return await self._write(after, made)

    async def rollback(self, agent: Agent, revision: int, *, note: str = "") -> Choice:
        """Back to what was live before; a bot that does not answer does not hold it up, one that lacks the version does."""
        choice = await self._at(revision)
        async with self._database.read() as connection:
            became = await ServingStore(connection).change_to(choice.live)
        if became is None or became.before is None:
            raise ServingRefused("nothing_before", "No other version was live before this one.")
        await self._loaded(became.before, choice, all_bots=False)
        after = Choice(choice.revision + 1, became.before)
        return await self._write(after, Change("rollback", became.before, choice.live, note=note, by=agent))

    async def _at(self, revision: int) -> Choice:
        choice = await self.refresh()
        if choice is None:
            raise ServingRefused("no_bot", "No bot has said yet what it serves; try again in a moment.")
        if choice.revision != revision:
            raise await self._too_late()
        return choice

    async def _passed(self, name: str) -> Gate:
        gate = await self.gate(name)
        if gate.proves and not gate.passed:
            raise ServingRefused(
                "blocked",
                f"The replay of {name} did not pass: {gate.reason}",
                replay=gate.replay_id,
                reason=gate.reason,
                numbers=dict(gate.numbers),
            )
        return gate

    async def _loaded(self, name: str, choice: Choice, *, all_bots: bool = True) -> None:
        """Have the bots load a version and go on serving what they serve."""
        done, trouble = 0, dict[str, str]()
        async with self._database.read() as connection:
            pinned = await ServingStore(connection).pinned()
        for bot in await self._bots.look():
            if bot.problem is not None:
                trouble[bot.url] = bot.problem
                continue
            if name not in bot.usable:
                reason = next((one.problem for one in bot.models if one.name == name), None)
                raise ServingRefused(
                    "no_model", f"The bot {bot.url} cannot serve {name}: {reason or 'it is not there'}"
                )
            wanted = [name, *(one for one in _wanted(choice, pinned) if one in bot.usable)]
            default = choice.live if choice.live in bot.usable else bot.default or name
            try:
                await self._bots.arrange(bot.url, default, wanted, bot.kept | {name})
                done += 1
            except ModelGone as error:
                raise ServingRefused("no_model", f"The bot {bot.url} cannot serve {name}: {error}") from error
            except DialogueUnavailable as error:
                trouble[bot.url] = str(error)
        if not done or (trouble and all_bots):
            url, problem = next(iter(trouble.items()))
            raise ServingRefused("bot_failed", f"The bot {url} did not load {name}: {problem}", bot=url)

    async def _write(self, after: Choice, change: Change) -> Choice:
        at = self._now()
        async with self._database.write() as connection:
            store = ServingStore(connection)
            quicker = not await store.put(after, after.revision - 1, at)
            if not quicker:
                await store.add(change, at)
                await self._audit.append(connection, at, [_entry(change)])
        if quicker:
            raise await self._too_late()
        self._served.choice = after
        await self._tell(change)
        await self.reconcile()
        return after

    async def _too_late(self) -> ServingRefused:
        await self.refresh()
        async with self._database.read() as connection:
            latest = (await ServingStore(connection).changes(1))[:1]
        detail = {} if not latest else {"what": latest[0].what, "live": latest[0].live}
        by = latest[0].by.name if latest and latest[0].by else None
        who = f"{by} was quicker" if by else "it was changed meanwhile"
        return ServingRefused("changed", f"{who}; look at what serves now.", by=by, **detail)

    # -- the bots -----------------------------------------------------------------------------------------------

    async def reconcile(self) -> None:
        """Take over what was trained by hand, and tell bots that serve something else, or were away, what serves."""
        bots = [bot for bot in await self._bots.look() if bot.problem is None and bot.default is not None]
        async with self._database.read() as connection:
            store = ServingStore(connection)
            known, pinned, ever = await store.find(), await store.pinned(), await store.ever_live()
        choice = known[0] if known else None
        for bot in bots:
            assert bot.default is not None
            if choice is None or (bot.by_training and bot.default != choice.live and bot.default not in ever):
                choice = await self._found(choice, bot.default)
                ever.add(bot.default)
        if choice is None:
            return
        async with self._database.read() as connection:
            became = await ServingStore(connection).change_to(choice.live)
        kept = {*_wanted(choice, pinned), *([became.before] if became and became.before else [])}
        await asyncio.gather(*(self._keep_at_it(bot, choice, pinned, kept) for bot in bots))

    async def _keep_at_it(self, bot: BotState, choice: Choice, pinned: dict[str, int], kept: set[str]) -> None:
        wanted = [name for name in _wanted(choice, pinned) if name in bot.usable][: bot.most_loaded]
        if choice.live not in wanted:
            log.error("live_model_missing", bot=bot.url, model=choice.live)
            return
        if bot.default == choice.live and not bot.by_training and set(wanted) <= bot.loaded and kept == bot.kept:
            return
        try:
            await self._bots.arrange(bot.url, choice.live, wanted, kept)
        except DialogueUnavailable as error:
            log.warning("bot_not_arranged", bot=bot.url, error=str(error))

    async def _found(self, choice: Choice | None, name: str) -> Choice:
        """Take over what a bot serves since somebody trained there; another process may be doing the same."""
        after = Choice(choice.revision + 1 if choice else 1, name)
        change = Change("found", name, choice.live if choice else None)
        at = self._now()
        async with self._database.write() as connection:
            store = ServingStore(connection)
            written = await store.put(after, choice.revision if choice else None, at)
            if written:
                await store.add(change, at)
                await self._audit.append(connection, at, [_entry(change)])
        if not written:
            return await self.refresh() or after
        self._served.choice = after
        await self._tell(change)
        return after


def _proof(gate: Gate) -> str | None:
    return gate.replay_id if gate.passed else None


def _wanted(choice: Choice, pinned: dict[str, int]) -> list[str]:
    """The versions that should be in memory, the most needed first."""
    named = [choice.live, *([choice.candidate] if choice.candidate else []), *pinned]
    return list(dict.fromkeys(named))


_AUDITED = {
    "promote": "model_promoted",
    "compare": "model_compared",
    "stop": "model_comparison_ended",
    "rollback": "model_rolled_back",
    "found": "model_found",
}


def _entry(change: Change) -> AuditEntry:
    facts: dict[str, Any] = {"live": change.live, "before": change.before}
    if change.candidate is not None:
        facts |= {"candidate": change.candidate, "share": change.share}
    if change.what == "promote":
        facts["replay_id"] = change.replay_id
    if change.note:
        facts["note"] = change.note
    return AuditEntry(_AUDITED[change.what], f"agent:{change.by.id}" if change.by else "system", data=facts)
