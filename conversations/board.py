"""One look at everything that is open: who waits and how long, what was promised, and who is there to answer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from conversations import queueing, routing
from conversations.board_store import SNOOZED, BoardStore, Group, Wanted
from conversations.change import Desk
from conversations.delivery_store import DeliveryStore
from conversations.model import Presence, Status
from conversations.queue_store import QueueStore
from conversations.sight import Sight
from conversations.store import Database
from conversations.teams import Team

STATES = (Status.BOT.value, Status.QUEUED.value, Status.ASSIGNED.value, SNOOZED)
RISK_SHARE = 0.25  #: of the time that a team promises: with no more of it left, a promise is at risk
_KEPT = 5000
_ACCEPTS_WINDOW = timedelta(hours=2)
_STAYS_WINDOW = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Understood:
    """What the bot made of a message: of its trace as much as a board shows."""

    intent: str | None = None
    confidence: float | None = None
    asked_back: bool = False  #: it was not sure enough to answer

    @classmethod
    def of(cls, trace: Mapping[str, Any]) -> Understood:
        """That of a trace."""
        intent, confidence = trace.get("intent"), trace.get("confidence")
        return cls(
            intent if isinstance(intent, str) else None,
            float(confidence) if isinstance(confidence, int | float) else None,
            trace.get("route") == "clarify",
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation of the board."""

    values: Mapping[str, Any]  #: the columns of ``BoardStore.listed``
    waits_since: datetime | None  #: the contact, in the queue or for an answer
    risk_at: datetime | None  #: from when on the promise of a first answer is at risk
    understood: Understood


@dataclass(frozen=True, slots=True)
class Queue:
    """Who waits for a team, and how long somebody who came now would."""

    team_id: str | None
    waiting: int
    oldest_since: datetime | None
    late: int
    at_risk: int
    on_duty: int
    is_open: bool
    opens_at: datetime | None
    expected_seconds: int | None  #: None while nobody works, or for a team that is gone


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The board at one moment; ``matching`` is how many there are of which ``rows`` lists the first."""

    now: datetime
    groups: tuple[Group, ...]
    rows: tuple[Row, ...]
    matching: int
    queues: tuple[Queue, ...]
    agents: tuple[Presence, ...]

    def number(self, state: str | None = None) -> int:
        """How many are open, or in one state."""
        return sum(one.number for one in self.groups if state in (None, one.state))

    def unanswered(self) -> dict[str, datetime]:
        """By agent, since when the contact of theirs waits who has waited longest."""
        found: dict[str, datetime] = {}
        for one in self.groups:
            if one.agent_id is not None and one.unanswered_since is not None:
                found[one.agent_id] = min(one.unanswered_since, found.get(one.agent_id, one.unanswered_since))
        return found


class Board:
    """Makes snapshots; what the bot made of a message never changes, so each trace is opened once."""

    def __init__(self, database: Database, desk: Desk, now: Callable[[], datetime]) -> None:
        self._database = database
        self._desk = desk
        self._now = now
        self._understood: OrderedDict[str, Understood] = OrderedDict()

    async def snapshot(self, sight: Sight, wanted: Wanted) -> Snapshot:
        """What somebody sees of the board now."""
        roster, now = self._desk.roster(), self._now()
        active = [team for team in roster.teams if team.active]
        margins = {team.id: _margin(team) for team in active}
        otherwise = _margin(roster.fallback)
        async with self._database.read() as connection:
            store = BoardStore(connection, sight)
            await store.at_one_moment()
            groups = await store.groups(now, margins, otherwise)
            listed = await store.listed(wanted)
            understood = await self._understand(store, [row["id"] for row in listed])
            agents = await DeliveryStore(connection).agents(now)
            shown = [team for team in active if sight.shows_team(team.id)]
            queues = await self._queues(QueueStore(connection), shown, groups, agents, now)
        rows = [_row(one, understood.get(one["id"], Understood()), margins, otherwise) for one in listed]
        matching = sum(one.number for one in groups if wanted.fits(one))
        return Snapshot(now, tuple(groups), tuple(rows), matching, tuple(queues), tuple(agents))

    async def _understand(self, store: BoardStore, conversation_ids: list[str]) -> dict[str, Understood]:
        turns = await store.last_turns(conversation_ids)
        traces = await store.traces([one for one in turns.values() if one not in self._understood])
        fresh = {turn_id: Understood.of(trace) for turn_id, trace in traces.items()}
        found = {}
        for conversation_id, turn_id in turns.items():
            one = self._understood.get(turn_id) or fresh.get(turn_id)
            if one is not None:
                found[conversation_id] = one
                self._understood[turn_id] = one
                self._understood.move_to_end(turn_id)
        while len(self._understood) > _KEPT:
            self._understood.popitem(last=False)
        return found

    async def _queues(
        self, store: QueueStore, teams: Iterable[Team], groups: list[Group], agents: list[Presence], now: datetime
    ) -> list[Queue]:
        roster, desk = self._desk.roster(), self._desk
        everybody = queueing.candidates(agents, now)
        known = {team.id: team for team in teams}
        waited_for = {one.team_id for one in groups if one.state == Status.QUEUED.value}
        found = []
        for team_id in (*known, *sorted(waited_for - set(known), key=str)):
            theirs = [one for one in groups if one.team_id == team_id]
            queue = [one for one in theirs if one.state == Status.QUEUED.value]
            waiting, team = sum(one.number for one in queue), known.get(team_id or "")
            on_duty, expected, opened, opens_at = 0, None, True, None
            if team is not None:
                on_duty, opened = routing.on_duty(roster, team, everybody), queueing.is_open(desk, team, now)
                opens_at = None if opened else queueing.opens_at(desk, team, now)
            if team is not None and opened:
                stays = await store.recent_stays(team.id, now - _STAYS_WINDOW)
                accepts = await store.recent_accepts(team.id, now - _ACCEPTS_WINDOW)
                expected = round(routing.expected_wait_seconds(waiting + 1, on_duty, stays, accepts))
            found.append(
                Queue(
                    team_id=team_id,
                    waiting=waiting,
                    oldest_since=min((one.queued_since for one in queue if one.queued_since), default=None),
                    late=sum(one.late for one in theirs),
                    at_risk=sum(one.at_risk for one in theirs),
                    on_duty=on_duty,
                    is_open=opened,
                    opens_at=opens_at,
                    expected_seconds=expected,
                )
            )
        return found


def _margin(team: Team) -> timedelta:
    return timedelta(seconds=team.first_response_seconds * RISK_SHARE)


def _row(
    values: Mapping[str, Any], understood: Understood, margins: Mapping[str, timedelta], otherwise: timedelta
) -> Row:
    state, promise_at = values["state"], values["promise_at"]
    waits = values["queued_at"] if state == Status.QUEUED.value else values["waiting_since"]
    return Row(
        values,
        None if state == SNOOZED else waits,
        None if promise_at is None else promise_at - margins.get(values["team_id"], otherwise),
        understood,
    )
