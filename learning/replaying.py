"""Replays of real turns on a model that is to be promoted: asked for, taken in, judged, and held against the budget.

The bot runs them (``bot/replay.py``) from its own log, with the answers of actions taken from it. Here conversations are
chosen, changes are joined with ratings and outcomes, and what was judged of a sample is reckoned up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from conversations.audit import AuditEntry
from conversations.change import STAFF
from conversations.conversations import Conversations
from conversations.episode_store import EpisodeStore
from conversations.episodes import Episode, Resolution
from conversations.model import Agent, Message
from learning import replay_store
from learning.replay_choice_store import ReplayChoiceStore, Version
from learning.replay_estimate import (
    RISKY,
    Budget,
    Estimate,
    Gate,
    Replayed,
    Verdict,
    estimate,
    ranked,
    sample_size,
    verdict,
)
from learning.replay_store import Place, Replay, ReplayChange, ReplayStore, Wanted

MOST_TURNS = 20_000
CONTEXT = 6  #: messages shown before the one that is judged
#: What a change is first of all: what weighs most with the contact comes first.
MAIN = (
    "failed",
    "handoff",
    "route",
    "actions",
    "passages",
    "asked",
    "slots",
    "replies",
    "language",
    "intent",
    "entities",
)
_OUTCOMES = {"failed", "handoff", "route", "actions"}
_FIGURES = (
    "turns", "same", "changed", "after_divergence", "not_replayable", "by_kind", "conversations", "seconds", "load_seconds",
    "model_id",
)  # fmt: skip


class ReplayRefused(Exception):
    """What was asked for cannot be done; ``code`` says why to a program."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Work(Protocol):
    """A job of the queue, as far as a replay looks at it."""

    @property
    def id(self) -> str:
        """Also the replay's."""

    @property
    def state(self) -> str:
        """queued, running, done, failed or cancelled."""

    @property
    def progress(self) -> dict[str, Any] | None:
        """Share, step and note."""

    @property
    def result(self) -> dict[str, Any] | None:
        """What the bot found."""

    @property
    def problem(self) -> str | None:
        """Why it failed."""


class Queue(Protocol):
    """The queue of long work."""

    async def enqueue(self, kind: str, options: Mapping[str, Any], agent: Agent, model: str | None = None) -> Work:
        """Put work at the end of the queue."""

    async def cancel(self, job_id: str, agent: Agent) -> Work | None:
        """Stop work."""

    async def find(self, job_id: str) -> Work | None:
        """A job by its id."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to replay."""

    candidate: str
    turns: int = 5000
    days: int | None = None
    thresholds: str = "logged"  #: logged: as they were with each turn; now: those in force
    channels: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    precision: float = 0.15  #: to within how much the judged sample tells shares


@dataclass(frozen=True, slots=True)
class Standing:
    """A replay with how far it is and what is known of it."""

    replay: Replay
    state: str
    progress: dict[str, Any] | None
    problem: str | None
    estimate: Estimate | None
    intents: Sequence[tuple[str, str, int]] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A change with the words it is about."""

    change: ReplayChange
    text: str
    replies: Sequence[str]
    context: Sequence[Message] = ()


class Replaying:
    """The replays of one desk; ``thresholds`` gives those in force, by language."""

    def __init__(
        self,
        conversations: Conversations,
        queue: Queue,
        thresholds: Callable[[], Awaitable[Mapping[str, Mapping[str, float]]]],
    ) -> None:
        self._conversations = conversations
        self._database = conversations.database
        self._queue = queue
        self._thresholds = thresholds
        conversations.erases_too.append(replay_store.erase)
        conversations.forgets_too.append(replay_store.forget)

    # -- replays

    async def start(self, wish: Wish, member: Agent) -> Replay:
        """Put a replay into the queue."""
        now = self._conversations.now()
        since = now - timedelta(days=wish.days) if wish.days else None
        async with self._database.read() as connection:
            store = ReplayChoiceStore(connection)
            if await store.find_version(wish.candidate) is None:
                raise ReplayRefused("unknown_model", "There is no such model.")
            chosen, turns = await store.choose(min(wish.turns, MOST_TURNS), wish.channels, wish.languages, since)
        if not chosen:
            raise ReplayRefused("no_turns", "There are no conversations to replay.")
        options: dict[str, Any] = {"model": wish.candidate, "conversations": chosen, "thresholds": None}
        if wish.thresholds == "now":
            options["thresholds"] = await self._thresholds()
        job = await self._queue.enqueue("replay", options, member, wish.candidate)
        kept = {name: value for name, value in asdict(wish).items() if name != "candidate"} | {"chosen": turns}
        replay = Replay(job.id, wish.candidate, kept, None, None, 0, now, None, member.id, member.name)
        async with self._database.write() as connection:
            await ReplayStore(connection).add(replay)
            facts = {"replay_id": job.id, "model": wish.candidate, "turns": turns, "conversations": len(chosen)}
            await self._conversations.audit.append(
                connection, now, [AuditEntry("replay_started", f"agent:{member.id}", data=facts)]
            )
        return replay

    async def take_in(self, job: Work) -> str | None:
        """What the bot found, joined with what became of those conversations; for ``Jobs.on_done``."""
        result = job.result or {}
        async with self._database.read() as connection:
            store = ReplayStore(connection)
            replay = await store.find(job.id)
            if replay is None:  # the process that asked for it has not written it down yet
                raise RuntimeError("the replay is not known yet")
            told = [one for one in result.get("changes") or [] if isinstance(one, dict)]
            places = await store.places([str(one["turn_id"]) for one in told])
            episodes: dict[str, list[Episode]] = {}
            for conversation_id in {str(one["conversation_id"]) for one in told}:
                episodes[conversation_id] = await EpisodeStore(connection).of_conversation(conversation_id)
        found = [
            _change(one, places[one["turn_id"]], episodes[one["conversation_id"]])
            for one in told
            if one["turn_id"] in places
        ]
        strata: dict[str, list[str]] = {}
        for change in found:
            strata.setdefault(RISKY if change.risky else change.kind, []).append(change.turn_id)
        rank = {turn_id: place for place, turn_id in enumerate(ranked(strata, job.id))}
        changes = [replace(one, rank=rank[one.turn_id]) for one in found]
        figures = _with_missing({name: result[name] for name in _FIGURES if name in result}, replay)
        sample = sample_size(len(changes), float(replay.options.get("precision") or 0.15))
        async with self._database.write() as connection:
            now = self._conversations.now()
            await ReplayStore(connection).done(job.id, figures, str(result.get("digest") or ""), sample, changes, now)
        await self._tell(job.id)
        return None

    async def cancel(self, replay_id: str, member: Agent) -> None:
        """Stop a replay that is not done."""
        await self._get(replay_id)
        await self._queue.cancel(replay_id, member)

    async def recent(self, limit: int = 20) -> list[Standing]:
        """The newest first."""
        async with self._database.read() as connection:
            found = await ReplayStore(connection).recent(limit)
        return [await self._standing(one) for one in found]

    async def look(self, replay_id: str) -> Standing:
        """A replay; raises ``ReplayRefused``."""
        return await self._standing(await self._get(replay_id), intents=True)

    async def versions(self) -> list[Version]:
        """The models there are."""
        async with self._database.read() as connection:
            return await ReplayChoiceStore(connection).versions()

    async def _get(self, replay_id: str) -> Replay:
        async with self._database.read() as connection:
            found = await ReplayStore(connection).find(replay_id)
        if found is None:
            raise ReplayRefused("not_found", "There is no such replay.")
        return found

    async def _standing(self, replay: Replay, *, intents: bool = False) -> Standing:
        if replay.done_at is None:
            job = await self._queue.find(replay.id)
            if job is None:
                return Standing(replay, "failed", None, None, None)
            # Done, but not taken in yet: that is the last step of the work.
            return Standing(replay, "running" if job.state == "done" else job.state, job.progress, job.problem, None)
        async with self._database.read() as connection:
            store = ReplayStore(connection)
            strata = await store.strata(replay.id)
            listed = await store.intents(replay.id) if intents else []
        return Standing(replay, "done", None, None, estimate(strata.values(), _compared(replay)), listed)

    # -- changes

    async def changes(self, replay_id: str, wanted: Wanted, limit: int, offset: int) -> tuple[list[Shown], int]:
        """A page of what would have gone otherwise, with what was said."""
        await self._get(replay_id)
        async with self._database.read() as connection:
            store = ReplayStore(connection)
            found, total = await store.changes(replay_id, wanted, limit, offset)
            words = await store.words([one.turn_id for one in found])
        return [_shown(one, words) for one in found], total

    async def next(self, replay_id: str, member: Agent) -> Shown | None:
        """The next change for a member to judge, which nobody else gets meanwhile."""
        await self._get(replay_id)
        async with self._database.write() as connection:
            change = await ReplayStore(connection).hold_next(replay_id, member, self._conversations.now())
        return None if change is None else await self._in_context(change)

    async def opened(self, replay_id: str, turn_id: str) -> Shown:
        """A change in its conversation; raises ``ReplayRefused``."""
        async with self._database.read() as connection:
            change = await ReplayStore(connection).find_change(replay_id, turn_id)
        if change is None:
            raise ReplayRefused("not_found", "There is no such change.")
        return await self._in_context(change)

    async def _in_context(self, change: ReplayChange) -> Shown:
        async with self._database.read() as connection:
            words = await ReplayStore(connection).words([change.turn_id])
        said = await self._conversations.said_before(change.conversation_id, change.turn_id, CONTEXT)
        return replace(_shown(change, words), context=said)

    async def judge(self, replay_id: str, turn_id: str, given: Verdict, member: Agent) -> None:
        """Say of a change whether it is better, worse or no matter; raises ``ReplayRefused`` where another was quicker."""
        async with self._database.write() as connection:
            store, now = ReplayStore(connection), self._conversations.now()
            if not await store.judge(replay_id, turn_id, given, member, now):
                known = await store.find_change(replay_id, turn_id)
                if known is None:
                    raise ReplayRefused("not_found", "There is no such change.")
                raise ReplayRefused("taken", "Somebody else has judged this or has it before them.")
            await self._record(connection, "replay_judged", member, replay_id, turn_id, verdict=given)
        await self._tell(replay_id)

    async def take_back(self, replay_id: str, turn_id: str, member: Agent) -> None:
        """Take back one's own judgement; raises ``ReplayRefused`` where there is none."""
        async with self._database.write() as connection:
            store = ReplayStore(connection)
            if not await store.take_back(replay_id, turn_id, member, self._conversations.now()):
                raise ReplayRefused("not_yours", "There is no judgement of yours to take back.")
            await self._record(connection, "replay_unjudged", member, replay_id, turn_id)
        await self._tell(replay_id)

    async def _record(
        self, connection: Any, kind: str, member: Agent, replay_id: str, turn_id: str, **more: Any
    ) -> None:
        facts = {"replay_id": replay_id, "turn_id": turn_id} | more
        entry = AuditEntry(kind, f"agent:{member.id}", data=facts)
        await self._conversations.audit.append(connection, self._conversations.now(), [entry])

    # -- the gate

    async def budget(self) -> tuple[Budget, int, str | None]:
        """How much may get worse, the revision of that, and who said so."""
        async with self._database.read() as connection:
            return await ReplayStore(connection).budget()

    async def set_budget(self, budget: Budget, revision: int, member: Agent) -> None:
        """Change how much may get worse; raises ``ReplayRefused`` where another was quicker."""
        async with self._database.write() as connection:
            store, now = ReplayStore(connection), self._conversations.now()
            before, _, _ = await store.budget()
            if not await store.set_budget(budget, revision, member, now):
                raise ReplayRefused("changed", "Somebody else has changed it meanwhile.")
            facts = {"before": asdict(before), "after": asdict(budget)}
            entry = AuditEntry("replay_budget_changed", f"agent:{member.id}", data=facts)
            await self._conversations.audit.append(connection, now, [entry])

    async def gate(self, candidate: str) -> Gate:
        """Whether a model may be promoted, by its newest replay that is done."""
        async with self._database.read() as connection:
            store = ReplayStore(connection)
            version = await ReplayChoiceStore(connection).find_version(candidate)
            replay = await store.latest(candidate)
            budget, _, _ = await store.budget()
            found = None
            if replay is not None:
                strata = await store.strata(replay.id)
                failures = await store.failures(replay.id)
                found = Replayed(
                    replay.id, "done", replay.created_at, not _narrowed(replay), _compared(replay), failures,
                    estimate(strata.values(), _compared(replay)),
                )  # fmt: skip
        made_at = version.made_at if version is not None else None
        return verdict(found, budget, made_at, self._conversations.now())

    async def _tell(self, replay_id: str) -> None:
        await self._conversations.hub.publish(STAFF, {"type": "replay", "replay_id": replay_id})


def _narrowed(replay: Replay) -> bool:
    return bool(replay.options.get("channels") or replay.options.get("languages"))


def _compared(replay: Replay) -> int:
    """How many turns could be compared."""
    figures = replay.figures or {}
    return int(figures.get("same") or 0) + int(figures.get("changed") or 0)


def _with_missing(figures: dict[str, Any], replay: Replay) -> dict[str, Any]:
    """The figures with the turns of which the bot has no record, such as those of a bot before this one."""
    missing = int(replay.options.get("chosen") or 0) - int(figures.get("turns") or 0)
    if missing <= 0:
        return figures
    lost = {**(figures.get("not_replayable") or {}), "not_in_log": missing}
    return figures | {"turns": int(figures.get("turns") or 0) + missing, "not_replayable": lost}


def _shown(change: ReplayChange, words: Mapping[str, tuple[str, list[str]]]) -> Shown:
    text, replies = words.get(change.turn_id, ("", []))
    return Shown(change, text, replies)


def _change(told: Mapping[str, Any], place: Place, episodes: Sequence[Episode]) -> ReplayChange:
    kinds = [kind for kind in MAIN if kind in told["kinds"]]
    served = _episode_at(episodes, place.at)
    rating = served.rating.score if served is not None and served.rating is not None else None
    resolution = served.resolution if served is not None else None
    well = (rating or 0) >= 4 and resolution is Resolution.VERIFIED
    before, after = dict(told["before"]), dict(told["after"])
    return ReplayChange(
        str(told["turn_id"]), str(told["conversation_id"]), place.seq, place.channel, place.language, place.at,
        kinds[0] if kinds else "replies", kinds, bool(told.get("stops")), before, after,
        before.get("intent"), after.get("intent"), rating, resolution.value if resolution else None,
        any(one.ended_by == "handoff" for one in episodes), well and bool(set(kinds) & _OUTCOMES), 0,
    )  # fmt: skip


def _episode_at(episodes: Sequence[Episode], at: datetime) -> Episode | None:
    """The part of the conversation that a message belongs to; its rating may have come with a later one."""
    begun = [place for place, one in enumerate(episodes) if one.started_at <= at]
    if not begun:
        return episodes[0] if episodes else None
    return next((one for one in episodes[begun[-1] :] if one.rating is not None), episodes[begun[-1]])
