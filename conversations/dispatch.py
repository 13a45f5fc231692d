"""Runs the queues: offers conversations to agents one after the other, and keeps waiting contacts informed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from conversations import notices, queueing, routing
from conversations.change import STAFF, Change, contact_topic
from conversations.delivery_store import DeliveryStore
from conversations.errors import NotOffered
from conversations.json_form import moment
from conversations.model import Agent, Conversation, Status
from conversations.queue_store import QueueStore
from conversations.routing import Candidate, Waiting
from conversations.teams import Team
from conversations.verbs import Verbs
from conversations.wait_report import WaitRow, wait_rows

_TELLINGS = 50  # contacts told per sweep; the others are told in the next one
_SAMPLE = timedelta(days=2)
_ACCEPTS = timedelta(hours=2)


Shown = tuple[int, int | None]  #: place and minutes, as a contact's page shows them


class Outlook(NamedTuple):
    """What a waiting contact can expect: place in the team's queue (1 is next) and seconds; None: the team is away."""

    team: Team
    place: int
    seconds: float | None


class Dispatch(Verbs):
    """What happens to waiting conversations without anybody asking for it; several processes may run it at once."""

    async def route_queue(self) -> int:
        """Take back offers nobody answered in time and make those that are due; returns how many were made."""
        roster = self._desk.roster()
        if not any(team.mode == "offer" and team.active for team in roster.teams):
            return 0
        now = self.now()
        async with self.database.read() as connection:
            offered = await QueueStore(connection).offered()
        for one in offered:
            if one.offered(now) is None:
                await self._lapse(one)
        async with self.database.read() as connection:
            agents = queueing.candidates(await DeliveryStore(connection).agents(now), now)
            if not routing.free_agents(roster, agents):
                return 0
            queue = await QueueStore(connection).queue()
        offering = []
        for one in queue:
            team = roster.find(one.team_id) or roster.fallback
            if team.mode == "offer" and one.offered(now) is None and queueing.is_open(self._desk, team, now):
                offering.append(_missed(one))
        made = 0
        for conversation_id, candidate in routing.plan_offers(roster, map(waiting_of, offering), agents, now):
            made += await self._offer(conversation_id, candidate)
        return made

    async def decline_offer(self, conversation_id: str, agent: Agent) -> Conversation:
        """Let the next one be asked; raises ``NotOffered`` when the offer has lapsed."""
        async with self._change(conversation_id) as change:
            if change.conversation.offered(self.now()) != agent.id:
                raise NotOffered("this conversation is not offered to you any more; nothing needs to be done")
            _take_back(change, self.now())
            change.record("offer_declined", f"agent:{agent.id}")
        return change.conversation

    async def tell_waits(self) -> int:
        """Tell waiting contacts again where they stand, where that changed enough; returns how many were told."""
        now, told = self.now(), 0
        for one, outlook in await self._outlooks(now):
            if told >= _TELLINGS or one.told_at is None:
                continue
            opened = outlook.seconds is not None
            if outlook.seconds is not None and one.told_place is not None:
                since = (now - one.told_at).total_seconds()
                before = one.told_seconds or 0
                if not routing.worth_telling(one.told_place, before, since, outlook.place, outlook.seconds):
                    continue
            elif opened == (one.told_place is not None):
                continue
            told += await self._tell_again(one, outlook)
        return told

    async def publish_positions(self, known: dict[str, Shown]) -> dict[str, Shown]:
        """Show waiting contacts their place and wait where they differ from ``known``; returns what is shown now."""
        shown: dict[str, Shown] = {}
        for one, outlook in await self._outlooks(self.now()):
            minutes = None if outlook.seconds is None else max(1, round(outlook.seconds / 60))
            shown[one.id] = (outlook.place, minutes)
            if known.get(one.id) != shown[one.id]:
                event: dict[str, Any] = {"type": "status", "conversation_id": one.id, "status": one.status.value}
                place = outlook.place if minutes is not None else None  # nobody moves up while the team is away
                event |= {"position": place, "wait_minutes": minutes, "closed": minutes is None}
                await self.hub.publish(contact_topic(one.reached_at), event)
        return shown

    async def _outlooks(self, now: datetime) -> list[tuple[Conversation, Outlook]]:
        """Everybody who waits, in serving order, with their place in their team's queue and the wait from now on."""
        roster = self._desk.roster()
        async with self.database.read() as connection:
            queues = QueueStore(connection)
            queue = await queues.queue()
            agents = queueing.candidates(await DeliveryStore(connection).agents(), now)
            samples = {}
            for team_id in {one.team_id for one in queue}:
                team = roster.find(team_id) or roster.fallback
                stays = await queues.recent_stays(team.id, now - _SAMPLE)
                accepts = await queues.recent_accepts(team.id, now - _ACCEPTS)
                opened = queueing.is_open(self._desk, team, now)
                samples[team_id] = (team, opened, (routing.on_duty(roster, team, agents), stays, accepts))
        places: Counter[str | None] = Counter()
        found = []
        for one in queue:
            places[one.team_id] += 1
            team, opened, sample = samples[one.team_id]
            place = places[one.team_id]
            seconds = routing.expected_wait_seconds(place, *sample) if opened else None
            found.append((one, Outlook(team, place, seconds)))
        return found

    async def wait_report(self, days: int) -> list[WaitRow]:
        """How long contacts were told to wait and did, by team and day of the team's own time zone."""
        roster, since = self._desk.roster(), self.now() - timedelta(days=days)
        zones = {team.id: team.hours.zone for team in roster.teams if team.hours is not None}
        async with self.database.read() as connection:
            return wait_rows(await QueueStore(connection).stays(since), zones)

    async def _offer(self, conversation_id: str, candidate: Candidate) -> bool:
        roster = self._desk.roster()
        async with self._change(conversation_id) as change:
            conversation = change.conversation
            if conversation.status is not Status.QUEUED or conversation.offered(self.now()) is not None:
                return False  # another process was quicker
            await change.deliveries.lock_agent(candidate.agent_id)
            now = self.now()  # not the change's, which never goes back: an offer ends by the clock
            agents = queueing.candidates(await change.deliveries.agents(now), now)
            current = next((one for one in agents if one.agent_id == candidate.agent_id), None)
            waiting = waiting_of(_missed(conversation))
            if current is None or not routing.may_take(roster, waiting, current, mind_language=False):
                return False
            team = roster.find(conversation.team_id) or roster.fallback
            until = now + timedelta(seconds=team.offer_seconds)
            change.set(
                offered_to=current.agent_id,
                offered_name=current.name,
                offered_until=until,
                asked=_missed(conversation).asked,
                updated_at=change.now,
            )
            change.record("offered", "system", {"agent_id": current.agent_id, "until": moment(until)})
            offer = {"type": "offer", "conversation_id": conversation.id, "agent_id": current.agent_id}
            change.events.append((STAFF, offer | {"until": moment(until)}))
        return True

    async def _lapse(self, one: Conversation) -> None:
        async with self._change(one.id) as change:
            conversation = change.conversation
            standing = (conversation.offered_to, conversation.offered_until) == (one.offered_to, one.offered_until)
            if conversation.status is Status.QUEUED and standing and conversation.offered_to is not None:
                change.record("offer_lapsed", "system", {"agent_id": conversation.offered_to})
                _take_back(change, conversation.offered_until or change.now)

    async def _tell_again(self, one: Conversation, outlook: Outlook) -> bool:
        team, place, seconds = outlook
        ticket = await self._ticket(one.id, team=team) if seconds is None else None
        async with self._change(one.id) as change:
            if change.conversation.status is not Status.QUEUED or change.conversation.told_at != one.told_at:
                return False  # another process has told them, or they have been served
            language, name = change.conversation.language, team.name(change.conversation.language)
            if seconds is None:
                if ticket is not None:
                    change.set(callback_ticket=ticket)
                said = queueing.close(change, team, "closed_now", queueing.opens_at(self._desk, team, change.now))
            else:
                text = "still_waiting" if one.told_place is not None else "open_again"
                said = notices.waiting(text, language, place - 1, seconds, team=name)
                change.set(told_place=place, told_seconds=round(seconds), told_at=change.now, callback_state=None)
            change.tell(said, stays=True)
        return True


def waiting_of(conversation: Conversation) -> Waiting:
    """A conversation as the routing sees it."""
    queued_at = conversation.queued_at or conversation.updated_at
    return Waiting(
        id=conversation.id,
        team_id=conversation.team_id,
        language=conversation.language,
        rank_at=conversation.rank_at or queued_at,
        queued_at=queued_at,
        skills=conversation.required_skills,
        previous_agent=conversation.previous_agent,
        asked=MappingProxyType({agent: datetime.fromisoformat(at) for agent, at in conversation.asked.items()}),
    )


def _missed(conversation: Conversation) -> Conversation:
    """The conversation as it is once its offer, if there was one, counts as not taken."""
    if conversation.offered_to is None:
        return conversation
    at = conversation.offered_until or conversation.updated_at
    return replace(conversation, asked={**conversation.asked, conversation.offered_to: at.isoformat()})


def _take_back(change: Change, at: datetime) -> None:
    conversation = change.conversation
    asked = {**conversation.asked, conversation.offered_to or "": at.isoformat()}
    change.set(offered_to=None, offered_name=None, offered_until=None, asked=asked, updated_at=change.now)
    event = {"type": "offer", "conversation_id": conversation.id, "agent_id": None, "until": None}
    change.events.append((STAFF, event))
