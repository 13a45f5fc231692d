"""Keeps replays, their changes and judgements, and chooses the conversations that are replayed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.export_store import ExportStore
from conversations.model import Agent
from conversations.store import Database
from conversations.tables import contacts, conversations, messages
from learning.model_tables import learning_jobs
from learning.replay_estimate import RISKY, Budget, Stratum, Verdict
from learning.replay_tables import metadata, replay_budget, replay_changes, replays

_HOLDS = timedelta(minutes=5)  #: a change that somebody has before them is nobody else's for so long
_AT_ONCE = 500
c = replay_changes.c


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay as it was asked for and, when it is done, what came of it."""

    id: str
    candidate: str
    options: dict[str, Any]
    figures: dict[str, Any] | None
    digest: str | None
    sample: int
    created_at: datetime
    done_at: datetime | None
    by_id: str
    by_name: str


@dataclass(frozen=True, slots=True)
class ReplayChange:
    """A turn that would have gone otherwise; its words are read from the conversation."""

    turn_id: str
    conversation_id: str
    seq: int
    channel: str
    language: str
    at: datetime
    kind: str
    kinds: list[str]
    stops: bool
    before: dict[str, Any]
    after: dict[str, Any]
    intent: str | None
    intent_after: str | None
    rating: int | None
    resolution: str | None
    handed_off: bool
    risky: bool
    rank: int
    verdict: Verdict | None = None
    judged_at: datetime | None = None
    judged_by: str | None = None
    judged_name: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which changes to list; None is all of them."""

    kind: str | None = None
    language: str | None = None
    rating: str | None = None  #: low | high | none
    intent: str | None = None
    intent_after: str | None = None
    verdict: str | None = None  #: better | worse | same | open | risky


@dataclass(frozen=True, slots=True)
class Place:
    """Where a turn took place."""

    seq: int
    channel: str
    language: str
    at: datetime


async def create_tables(database: Database) -> None:
    """Create what is missing, for databases that no migration made."""
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)


class ReplayStore:
    """Statements of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert

    # -- replays

    async def add(self, replay: Replay) -> None:
        """A replay that was asked for."""
        await self._connection.execute(insert(replays).values(**asdict(replay)))

    async def find(self, replay_id: str) -> Replay | None:
        """A replay by its id."""
        return await self._first(select(replays).where(replays.c.id == replay_id))

    async def latest(self, candidate: str) -> Replay | None:
        """The newest replay on a model that is done."""
        mine = select(replays).where(replays.c.candidate == candidate, replays.c.done_at.is_not(None))
        return await self._first(mine.order_by(replays.c.created_at.desc(), replays.c.id.desc()).limit(1))

    async def recent(self, limit: int) -> list[Replay]:
        """The newest first."""
        query = select(replays).order_by(replays.c.created_at.desc(), replays.c.id.desc()).limit(limit)
        return [Replay(**row._mapping) for row in await self._connection.execute(query)]

    async def _first(self, query: Any) -> Replay | None:
        row = (await self._connection.execute(query)).first()
        return Replay(**row._mapping) if row is not None else None

    async def done(
        self,
        replay_id: str,
        figures: dict[str, Any],
        digest: str,
        sample: int,
        changes: Sequence[ReplayChange],
        at: datetime,
    ) -> None:
        """What came of a replay; once more if it was told before. The job keeps the figures only."""
        await self._connection.execute(delete(replay_changes).where(c.replay_id == replay_id))
        rows = [{"replay_id": replay_id, **asdict(one)} for one in changes]
        for first in range(0, len(rows), _AT_ONCE):
            await self._connection.execute(insert(replay_changes), rows[first : first + _AT_ONCE])
        values = {"figures": figures, "digest": digest, "sample": sample, "done_at": at}
        await self._connection.execute(update(replays).where(replays.c.id == replay_id).values(**values))
        replay = await self.find(replay_id)
        job = update(learning_jobs).where(learning_jobs.c.id == replay_id)
        kept = {"result": figures | {"digest": digest}, "options": {} if replay is None else replay.options}
        await self._connection.execute(job.values(**kept))

    async def aim(self, replay_id: str, sample: int) -> None:
        """How many changes are to be judged."""
        await self._connection.execute(update(replays).where(replays.c.id == replay_id).values(sample=sample))

    async def places(self, turn_ids: Collection[str]) -> dict[str, Place]:
        """Where these turns took place; nothing of conversations that nobody may look at any more."""
        wanted, found = list(turn_ids), {}
        for first in range(0, len(wanted), _AT_ONCE):
            query = (
                select(
                    messages.c.id,
                    messages.c.seq,
                    messages.c.created_at,
                    conversations.c.channel,
                    conversations.c.language,
                )
                .join(conversations, conversations.c.id == messages.c.conversation_id)
                .join(contacts, contacts.c.id == conversations.c.contact_id)
                .where(
                    messages.c.id.in_(wanted[first : first + _AT_ONCE]),
                    conversations.c.forgotten_at.is_(None),
                    contacts.c.erased_at.is_(None),
                )
            )
            for row in await self._connection.execute(query):
                found[row.id] = Place(row.seq, row.channel, row.language, row.created_at)
        return found

    # -- changes

    async def changes(self, replay_id: str, wanted: Wanted, limit: int, offset: int) -> tuple[list[ReplayChange], int]:
        """A page of the changes, those first that are judged first, and how many there are."""
        conditions = _conditions(replay_id, wanted)
        query = select(replay_changes).where(*conditions).order_by(c.rank).limit(limit).offset(offset)
        total = (
            await self._connection.execute(select(func.count()).select_from(replay_changes).where(*conditions))
        ).scalar()
        return [_change(row) for row in await self._connection.execute(query)], int(total or 0)

    async def find_change(self, replay_id: str, turn_id: str) -> ReplayChange | None:
        """A change by its turn."""
        query = select(replay_changes).where(c.replay_id == replay_id, c.turn_id == turn_id)
        row = (await self._connection.execute(query)).first()
        return _change(row) if row is not None else None

    async def intents(self, replay_id: str) -> list[tuple[str, str, int]]:
        """From which intents to which, and how often; the commonest first."""
        query = (
            select(c.intent, c.intent_after, func.count().label("n"))
            .where(c.replay_id == replay_id, c.intent != c.intent_after)
            .group_by(c.intent, c.intent_after)
            .order_by(func.count().desc(), c.intent, c.intent_after)
        )
        return [(row.intent, row.intent_after, int(row.n)) for row in await self._connection.execute(query)]

    async def strata(self, replay_id: str) -> dict[str, Stratum]:
        """What was judged of the changes, by kind; those in conversations that went well by themselves."""
        query = (
            select(c.kind, c.risky, c.verdict, func.count().label("n"))
            .where(c.replay_id == replay_id)
            .group_by(c.kind, c.risky, c.verdict)
        )
        sizes: dict[str, int] = {}
        judged: dict[str, dict[Any, int]] = {}
        for row in await self._connection.execute(query):
            name = RISKY if row.risky else row.kind
            sizes[name] = sizes.get(name, 0) + int(row.n)
            if row.verdict is not None:
                of = judged.setdefault(name, {})
                of[row.verdict] = of.get(row.verdict, 0) + int(row.n)
        return {name: Stratum(size, judged.get(name, {})) for name, size in sizes.items()}

    async def failures(self, replay_id: str) -> int:
        """Turns that the model could not answer, and that nobody has said to be no matter."""
        query = select(func.count()).where(
            c.replay_id == replay_id, c.kind == "failed", or_(c.verdict.is_(None), c.verdict == "worse")
        )
        return int((await self._connection.execute(query)).scalar() or 0)

    # -- judging

    async def hold_next(self, replay_id: str, member: Agent, now: datetime) -> ReplayChange | None:
        """The change that a member has before them, or the next that nobody has; None when all are judged."""
        free = or_(c.held_until.is_(None), c.held_until < now, c.held_by == member.id)
        mine = and_(c.held_by == member.id, c.held_until >= now)
        for _ in range(20):
            query = (
                select(replay_changes)
                .where(c.replay_id == replay_id, c.verdict.is_(None), free)
                .order_by(case((mine, 0), else_=1), c.rank)  # what nobody holds is NULL, which databases sort otherwise
                .limit(1)
            )
            row = (await self._connection.execute(query)).first()
            if row is None:
                return None
            taken = await self._connection.execute(
                update(replay_changes)
                .where(c.replay_id == replay_id, c.turn_id == row.turn_id, c.verdict.is_(None), free)
                .values(held_by=member.id, held_until=now + _HOLDS)
            )
            if taken.rowcount == 1:
                return _change(row)
        return None

    async def judge(self, replay_id: str, turn_id: str, verdict: Verdict, member: Agent, now: datetime) -> bool:
        """Judge a change that nobody has judged and nobody else has before them; whether it was so."""
        changed = await self._connection.execute(
            update(replay_changes)
            .where(
                c.replay_id == replay_id,
                c.turn_id == turn_id,
                c.verdict.is_(None),
                or_(c.held_until.is_(None), c.held_until < now, c.held_by == member.id),
            )
            .values(
                verdict=verdict,
                judged_at=now,
                judged_by=member.id,
                judged_name=member.name,
                held_by=None,
                held_until=None,
            )
        )
        return bool(changed.rowcount == 1)

    async def take_back(self, replay_id: str, turn_id: str, member: Agent, now: datetime) -> bool:
        """Take back what a member judged themselves; it is before them again. Whether there was anything."""
        changed = await self._connection.execute(
            update(replay_changes)
            .where(c.replay_id == replay_id, c.turn_id == turn_id, c.judged_by == member.id)
            .values(
                verdict=None,
                judged_at=None,
                judged_by=None,
                judged_name=None,
                held_by=member.id,
                held_until=now + _HOLDS,
            )
        )
        return bool(changed.rowcount == 1)

    async def words(self, turn_ids: Collection[str]) -> dict[str, tuple[str, list[str]]]:
        """What was asked and answered in turns; nothing of contacts that were erased."""
        return await ExportStore(self._connection).texts(turn_ids)

    # -- the budget

    async def budget(self) -> tuple[Budget, int, str | None]:
        """The budget in force, its revision, and who set it."""
        row = (await self._connection.execute(select(replay_budget))).first()
        if row is None:
            return Budget(), 0, None
        values = {one.name: row._mapping[one.name] for one in fields(Budget)}
        return Budget(**values), int(row.revision), str(row.by_name)

    async def set_budget(self, budget: Budget, revision: int, member: Agent, now: datetime) -> bool:
        """Change the budget as it was seen; False if somebody was quicker."""
        values = asdict(budget) | {
            "changed_at": now,
            "by_id": member.id,
            "by_name": member.name,
            "revision": revision + 1,
        }
        if revision == 0:
            kept = self._insert(replay_budget).values(id=1, **values).on_conflict_do_nothing(index_elements=["id"])
        else:
            kept = update(replay_budget).where(replay_budget.c.revision == revision).values(**values)
        return bool((await self._connection.execute(kept)).rowcount == 1)


_CHANGE = tuple(one.name for one in fields(ReplayChange))


def _change(row: Any) -> ReplayChange:
    return ReplayChange(**{name: row._mapping[name] for name in _CHANGE})


def _conditions(replay_id: str, wanted: Wanted) -> list[Any]:
    found: list[Any] = [c.replay_id == replay_id]
    for column, value in (
        (c.kind, wanted.kind), (c.language, wanted.language), (c.intent, wanted.intent), (c.intent_after, wanted.intent_after),
    ):  # fmt: skip
        if value is not None:
            found.append(column == value)
    if wanted.rating is not None:
        found.append({"low": c.rating <= 2, "high": c.rating >= 4, "none": c.rating.is_(None)}[wanted.rating])
    if wanted.verdict == "open":
        found.append(c.verdict.is_(None))
    elif wanted.verdict == "risky":
        found.append(c.risky.is_(True))
    elif wanted.verdict is not None:
        found.append(c.verdict == wanted.verdict)
    return found


async def erase(connection: AsyncConnection, contact_id: str) -> None:
    """A contact is erased: their changes go, whatever was judged of them."""
    theirs = select(conversations.c.id).where(conversations.c.contact_id == contact_id)
    await connection.execute(delete(replay_changes).where(c.conversation_id.in_(theirs)))


async def forget(connection: AsyncConnection, conversation_ids: Sequence[str]) -> None:
    """The same for conversations whose words have become too old."""
    await connection.execute(delete(replay_changes).where(c.conversation_id.in_(list(conversation_ids))))
