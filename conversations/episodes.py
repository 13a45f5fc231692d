"""Who served the contact when: a conversation is a row of episodes, each with the bot or with people.

An episode begins when the conversation opens, when an agent takes it, or when it is given back to the bot; it ends when
the other kind takes over or the conversation is resolved. Waiting belongs to the episode before it. Agents who pass a
conversation on to each other share one episode; the last of them is credited.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from conversations.model import Agent, Conversation, Rating, Status, new_id

if TYPE_CHECKING:
    from conversations.change import Change

_TURNS = 40  # looked through for what an episode was about
_ABOUT_SOMETHING = ("task", "knowledge", "clarify")


class Kind(StrEnum):
    """Who served the contact."""

    BOT = "bot"
    HUMAN = "human"


class Resolution(StrEnum):
    """How far it is known that an episode solved what the contact came for."""

    VERIFIED = "verified"  #: the contact said so, or was satisfied and did not say otherwise
    REFUTED = "refuted"  #: the contact said that it was not solved
    ASSUMED = "assumed"  #: the contact said nothing that tells


@dataclass(frozen=True, slots=True)
class RatingRules:
    """When contacts are asked for a rating, and for how long an answer counts."""

    ask_nps: bool = False
    ask_when_idle: bool = True  #: also where the contact went quiet
    answer_within: timedelta = timedelta(hours=72)
    correct_within: timedelta = timedelta(minutes=10)


def rating_rules(ask_nps: bool, ask_when_idle: bool, answer_hours: float) -> RatingRules:
    """The rules as the settings say."""
    return RatingRules(ask_nps, ask_when_idle, timedelta(hours=answer_hours))


@dataclass(frozen=True, slots=True)
class Episode:
    """One part of a conversation that the bot or people served, with what the contact thought of it."""

    id: str
    conversation_id: str
    number: int  #: 1 is the first of its conversation
    kind: Kind
    started_at: datetime
    agents: tuple[Agent, ...] = ()  #: everybody who had it; the last one is credited
    team_id: str | None = None
    intent: str | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None  #: "handoff", "released", "resolved" or "merged"
    asked_at: datetime | None = None
    rating: Rating | None = None
    model: str | None = None  #: the version of the bot's model that began it

    @property
    def agent(self) -> Agent | None:
        """Who is credited with it."""
        return self.agents[-1] if self.agents else None

    @property
    def resolution(self) -> Resolution | None:
        """How far its resolution is known; None where it did not end by one."""
        if self.ended_by != "resolved":
            return None
        return resolution_of(self.rating.score, self.rating.solved) if self.rating else Resolution.ASSUMED


def resolution_of(score: int | None, solved: bool | None) -> Resolution:
    """What an answer says about a resolution; saying that nothing was solved outweighs any score."""
    if solved is False:
        return Resolution.REFUTED
    return Resolution.VERIFIED if solved or (score or 0) >= 4 else Resolution.ASSUMED


def asked_of(found: Iterable[Episode]) -> tuple[Episode | None, Episode | None]:
    """The episode the contact was asked about, and the other one that a form asks about as well."""
    asked = [one for one in found if one.asked_at is not None]
    return (asked[-1] if asked else None), (asked[-2] if len(asked) > 1 else None)


async def follow(change: Change) -> None:
    """Begin and end episodes as the change moved the conversation; called once, when it is saved."""
    from conversations.episode_store import EpisodeStore

    before, after = change.before.conversation if change.before else None, change.conversation
    if before is not None and (before.status, before.agent_id) == (after.status, after.agent_id):
        return
    store = EpisodeStore(change.connection)
    if before is None:
        await store.begin(Episode(new_id(), after.id, 1, Kind.BOT, after.opened_at, model=after.model))
        return
    if before.status is Status.RESOLVED:
        await store.reopen_last(after.id)  # a merge was undone: it goes on where it was
    if after.status is Status.QUEUED:
        return
    found = await store.of_conversation(after.id)
    current = found[-1] if found and found[-1].ended_at is None else None
    if after.status is Status.RESOLVED:
        if current is not None:
            await store.end(current.id, change.now, _end_of(current, before, after), **(await _about(change)))
        return
    kind = Kind.BOT if after.status is Status.BOT else Kind.HUMAN
    agent = Agent(after.agent_id, after.agent_name or "") if kind is Kind.HUMAN and after.agent_id else None
    if current is not None and current.kind is kind:
        if agent is not None and current.agent != agent:
            await store.serve(
                current.id, (*(one for one in current.agents if one.id != agent.id), agent), after.team_id
            )
        return
    if current is not None:
        ended_by = "handoff" if kind is Kind.HUMAN else "released"
        await store.end(current.id, change.now, ended_by, **(await _about(change)))
    agents = (agent,) if agent else ()
    await store.begin(Episode(new_id(), after.id, len(found) + 1, kind, change.now, agents, after.team_id))


def _end_of(current: Episode, before: Conversation, after: Conversation) -> str:
    if after.resolved_by == "merged":
        return "merged"
    # Whom the bot had handed to people, and who was never served by one, the bot did not help.
    return "handoff" if current.kind is Kind.BOT and before.status is Status.QUEUED else "resolved"


async def _about(change: Change) -> dict[str, Any]:
    from conversations.rule_store import RuleStore

    rows = await RuleStore(change.connection).latest_turns(change.conversation.id, _TURNS)
    return {"intent": intent_of([row.trace for row in rows])}


def intent_of(traces: Iterable[dict[str, Any]]) -> str | None:
    """What a conversation was about: the last task, else the last thing that was asked."""
    latest: dict[str, str] = {}
    for trace in traces:
        route, intent = trace.get("route"), trace.get("intent")
        if isinstance(route, str) and isinstance(intent, str) and intent:
            latest[route] = intent[:64]
    return next((latest[route] for route in _ABOUT_SOMETHING if route in latest), None)
