"""Decides which team a conversation waits for, in what order it is served, who is offered it, and how long that takes.

Nothing here reads or writes anything: every function answers from its arguments, so that the same queue is always
served the same way, whichever process looks at it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from conversations.teams import Roster, Team

#: Head starts in the queue, in seconds. They are what ageing makes of priorities: whoever came this much earlier is
#: served first whatever the priority of the later one, so nobody can be kept waiting for ever.
BACK_IN_QUEUE_SECONDS = 4 * 3600  #: an agent was lost, or passed it on: more than everything else together
MANUAL_SECONDS = {"urgent": 3600, "high": 1200, "normal": 0, "none": 0, "low": -600}
TIER_SECONDS = {"vip": 900, "gold": 300, "silver": 120, "standard": 0}
UPSET_SECONDS = 600  #: at the worst sentiment, in proportion below zero
MOST_SECONDS = BACK_IN_QUEUE_SECONDS + MANUAL_SECONDS["urgent"] + TIER_SECONDS["vip"] + UPSET_SECONDS
LEAST_SECONDS = MANUAL_SECONDS["low"]

_USUAL_GAP_SECONDS = 120.0  # between two accepts, until the desk has seen some
_SHORTEST_GAP_SECONDS = 15.0
_LONGEST_WAIT_SECONDS = 4 * 3600.0
_ENOUGH_STAYS = 5


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a conversation when it is handed off."""

    channel: str
    language: str
    topics: frozenset[str]  #: its intent and the reason of the handoff
    tier: str = "standard"


@dataclass(frozen=True, slots=True)
class Route:
    """Which team serves it, and what the agent must be able to do."""

    team: Team
    skills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent as the routing sees them at this moment."""

    agent_id: str
    name: str
    state: str  #: "online", "away" or "offline"; nobody without heartbeats is online
    load: int  #: conversations held or offered now
    idle_since: datetime  #: when they last came to the desk, got or gave away a conversation
    free_since: datetime  #: when they last became able to take one more


@dataclass(frozen=True, slots=True)
class Waiting:
    """A waiting conversation as the routing sees it."""

    id: str
    team_id: str | None
    language: str
    rank_at: datetime
    queued_at: datetime
    skills: tuple[str, ...] = ()
    previous_agent: str | None = None
    asked: Mapping[str, datetime] | None = None  #: who did not take it, and when that was


def route(roster: Roster, facts: Facts, is_open: Callable[[Team], bool]) -> Route:
    """The first rule that fits decides; without one the first team that serves such conversations."""
    for rule in roster.rules:
        team = roster.find(rule.team_id)
        if team is None or not rule.enabled or (rule.only_when_open and not is_open(team)):
            continue
        fits = (
            (not rule.channels or facts.channel in rule.channels)
            and (not rule.languages or facts.language in rule.languages)
            and (not rule.topics or not facts.topics.isdisjoint(rule.topics))
            and (not rule.tiers or facts.tier in rule.tiers)
        )
        if fits:
            return Route(team, merged(team.skills, rule.skills))
    serving = (t for t in roster.teams if t.active and t.serves(facts.channel, facts.language, facts.topics))
    team = next(serving, roster.fallback)
    return Route(team, team.skills)


def merged(*lists: Sequence[str]) -> tuple[str, ...]:
    """The skills of all lists, each once."""
    return tuple(dict.fromkeys(skill for one in lists for skill in one))


def head_start_seconds(
    *, back_in_queue: bool = False, manual: str | None = None, tier: str | None = None, sentiment: float | None = None
) -> float:
    """How much earlier a conversation is served than one that began to wait with it."""
    upset = max(0.0, min(1.0, -(sentiment or 0.0)))
    return (
        (BACK_IN_QUEUE_SECONDS if back_in_queue else 0)
        + MANUAL_SECONDS.get(manual or "none", 0)
        + TIER_SECONDS.get(tier or "standard", 0)
        + UPSET_SECONDS * upset
    )


def rank_at(due_at: datetime, head_start: float) -> datetime:
    """The conversation's place in the queue as a moment: the earliest is served first.

    It is the moment the first answer is due (earliest deadline first) less the head start, and does not move while
    time passes; so whatever arrives more than ``MOST_SECONDS`` later queues behind it, and nobody starves.
    """
    return due_at - timedelta(seconds=head_start)


def in_order(queue: Iterable[Waiting]) -> list[Waiting]:
    """The queue as it is served."""
    return sorted(queue, key=lambda one: (one.rank_at, one.queued_at, one.id))


def may_take(roster: Roster, one: Waiting, agent: Candidate, *, mind_language: bool = True) -> bool:
    """Whether an agent could be offered a conversation now."""
    team = roster.find(one.team_id) or roster.fallback
    member = roster.member(agent.agent_id, agent.name)
    asked_at = (one.asked or {}).get(agent.agent_id)
    return (
        agent.state == "online"
        and roster.serves(team, agent.agent_id)
        and agent.load < roster.capacity_of(agent.agent_id)
        and set(one.skills) <= set(member.skills)
        and (not mind_language or member.speaks(one.language))
        and (asked_at is None or agent.free_since > asked_at)
    )


def is_spoken(roster: Roster, one: Waiting, agents: Iterable[Candidate]) -> bool:
    """Whether anybody of the team who is online speaks the contact's language, free or not."""
    team = roster.find(one.team_id) or roster.fallback
    return any(
        agent.state == "online"
        and roster.serves(team, agent.agent_id)
        and roster.member(agent.agent_id).speaks(one.language)
        for agent in agents
    )


def choose_agent(
    roster: Roster, one: Waiting, agents: Iterable[Candidate], *, mind_language: bool | None = None
) -> Candidate | None:
    """Whom to offer a conversation: who served the contact before, else the least loaded, else the longest idle.

    The contact's language counts unless nobody in the team who is online speaks it.
    """
    agents = list(agents)
    if mind_language is None:
        mind_language = is_spoken(roster, one, agents)
    able = [agent for agent in agents if may_take(roster, one, agent, mind_language=mind_language)]

    def preference(agent: Candidate) -> tuple[bool, float, datetime, str]:
        share = agent.load / max(1, roster.capacity_of(agent.agent_id))
        return (agent.agent_id != one.previous_agent, share, agent.idle_since, agent.agent_id)

    return min(able, key=preference, default=None)


def free_agents(roster: Roster, agents: Iterable[Candidate]) -> list[Candidate]:
    """Who is at the desk and can take one more."""
    return [one for one in agents if one.state == "online" and one.load < roster.capacity_of(one.agent_id)]


def plan_offers(
    roster: Roster, queue: Iterable[Waiting], agents: Iterable[Candidate], now: datetime
) -> list[tuple[str, Candidate]]:
    """Whom to offer what, in serving order; nobody is offered more than they can take."""
    everybody = list(agents)
    free = {agent.agent_id: agent for agent in free_agents(roster, everybody)}
    spoken: dict[tuple[str | None, str], bool] = {}
    plan = []
    for one in in_order(queue):
        if not free:
            break
        kind = (one.team_id, one.language)
        if kind not in spoken:
            spoken[kind] = is_spoken(roster, one, everybody)
        chosen = choose_agent(roster, one, free.values(), mind_language=spoken[kind])
        if chosen is None:
            continue
        plan.append((one.id, chosen))
        busier = Candidate(chosen.agent_id, chosen.name, chosen.state, chosen.load + 1, now, chosen.free_since)
        if busier.load < roster.capacity_of(busier.agent_id):
            free[busier.agent_id] = busier
        else:
            del free[busier.agent_id]
    return plan


def expected_wait_seconds(
    place: int, agents: int, stays: Sequence[tuple[float, int, int]], accepts: Sequence[datetime]
) -> float:
    """How long the contact at ``place`` (1 is next) will wait with ``agents`` on duty.

    ``stays`` are the team's last waits that ended with an agent: seconds, place at the beginning, agents on duty then.
    Their median of seconds × agents per place is how much of an agent's time a place takes, so a forecast that was
    too short makes the next one longer. Before there are enough of them, the pace of accepts (newest first) has to do.
    """
    agents = max(1, agents)
    if len(stays) >= _ENOUGH_STAYS:
        each = median(seconds * max(1, on_duty) / max(1, at) for seconds, at, on_duty in stays)
        return min(max(place * each / agents, _SHORTEST_GAP_SECONDS), _LONGEST_WAIT_SECONDS)
    gap = _USUAL_GAP_SECONDS
    if len(accepts) >= 2:
        gap = max((accepts[0] - accepts[-1]).total_seconds() / (len(accepts) - 1), _SHORTEST_GAP_SECONDS)
    return min(place * gap, _LONGEST_WAIT_SECONDS)


_TELL_EVERY_SECONDS = 120.0
_OVERDUE_SECONDS = 300.0


def worth_telling(told_place: int, told_seconds: float, since_told_seconds: float, place: int, expected: float) -> bool:
    """Whether a waiting contact should hear again where they stand; nobody hears twice in two minutes.

    Good news: they are next now, or half of those ahead are gone. Bad news: what they were told is used up, or the
    rest of it is clearly too short.
    """
    if since_told_seconds < _TELL_EVERY_SECONDS:
        return False
    better = place < told_place and (place == 1 or (place - 1) * 2 <= told_place - 1)
    overdue = since_told_seconds > max(told_seconds * 1.5, _OVERDUE_SECONDS)
    worse = expected > max(0.0, told_seconds - since_told_seconds) * 1.5 + _OVERDUE_SECONDS
    return better or overdue or worse


def on_duty(roster: Roster, team: Team, agents: Collection[Candidate]) -> int:
    """How many of a team's people are at the desk."""
    return sum(agent.state == "online" and roster.serves(team, agent.agent_id) for agent in agents)


_NUMBER = re.compile(r"(?<![A-Za-z0-9])\+?\d(?:[ ()\-]?\d){5,}(?![A-Za-z0-9])")


def looks_like_contact_point(text: str) -> bool:
    """Whether somebody seems to have written a phone number or e-mail address, right or wrong."""
    return "@" in text or _NUMBER.search(text) is not None
