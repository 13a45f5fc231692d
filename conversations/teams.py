"""Who serves whom: teams with their hours and promises, the people in them, and the rules that choose a team."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from conversations.hours import BusinessHours

#: The team of a desk that was never set up: everybody, every channel, the desk's own hours.
DEFAULT_TEAM = "default"
DEFAULT_CAPACITY = 5
#: How much a customer is worth to the shop, least first; the CRM says which one somebody has.
TIERS = ("standard", "silver", "gold", "vip")


@dataclass(frozen=True, slots=True)
class Team:
    """People who serve the same conversations; of the conditions (channels, languages, intents) empty ones fit all."""

    id: str
    name_zh: str
    name_en: str
    languages: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()  #: what everything in this team's queue needs of an agent
    hours: BusinessHours | None = None  #: None: the desk's own hours
    channels: tuple[str, ...] = ()
    intents: tuple[str, ...] = ()  #: intents or handoff reasons
    members: frozenset[str] = frozenset()  #: agent ids; empty: everybody at the desk
    mode: str = "pull"  #: "pull": agents take from the queue; "offer": the desk invites one agent after the other
    offer_seconds: int = 30
    first_response_seconds: int = 300
    capacity: int = DEFAULT_CAPACITY  #: conversations at once, of members without a number of their own
    pull_over_capacity: bool = False  #: whether agents may take more from the queue by hand than they can hold
    active: bool = True

    def name(self, language: str) -> str:
        """What contacts and staff call the team in that language."""
        return self.name_zh if language == "zh" else self.name_en

    def serves(self, channel: str, language: str, topics: frozenset[str]) -> bool:
        """Whether the team takes this without a rule that says so; one that names nothing waits to be sent something."""
        return (
            bool(self.channels or self.languages or self.intents)
            and (not self.channels or channel in self.channels)
            and (not self.languages or language in self.languages)
            and (not self.intents or not topics.isdisjoint(self.intents))
        )


@dataclass(frozen=True, slots=True)
class Member:
    """What an agent can do; agents nobody described speak every language and have no special skill."""

    agent_id: str
    name: str
    languages: tuple[str, ...] = ()  #: empty: all
    skills: tuple[str, ...] = ()
    capacity: int | None = None  #: None: as the team says
    oversees: bool = False  #: serves a queue only as a named member of its team, not because everybody does

    def speaks(self, language: str) -> bool:
        """Whether the agent can answer in that language."""
        return not self.languages or language in self.languages


@dataclass(frozen=True, slots=True)
class Rule:
    """Sends what fits to a team; every condition given must hold, rules are tried in order."""

    team_id: str
    channels: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()  #: intents or handoff reasons
    tiers: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()  #: what an agent must be able to do besides
    only_when_open: bool = False  #: passed over while the team is closed
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Roster:
    """The desk as it is set up at the moment."""

    teams: tuple[Team, ...]  #: in the order in which they are asked whether they serve something
    members: Mapping[str, Member] = field(default_factory=lambda: MappingProxyType({}))
    rules: tuple[Rule, ...] = ()

    @classmethod
    def plain(cls) -> Roster:
        """One team of everybody: the desk before anybody set it up."""
        return cls((Team(DEFAULT_TEAM, "客服", "Support"),))

    def find(self, team_id: str | None) -> Team | None:
        """The active team with that id."""
        return next((team for team in self.teams if team.id == team_id and team.active), None)

    @property
    def fallback(self) -> Team:
        """The team that takes what no other serves."""
        return self.find(DEFAULT_TEAM) or next((team for team in self.teams if team.active), Roster.plain().teams[0])

    def member(self, agent_id: str, name: str = "") -> Member:
        """What is known of an agent."""
        return self.members.get(agent_id) or Member(agent_id, name)

    def teams_of(self, agent_id: str) -> tuple[Team, ...]:
        """The active teams an agent is in; none where one team of everybody is all there is."""
        active = [team for team in self.teams if team.active]
        return tuple(team for team in active if self.serves(team, agent_id)) if len(active) > 1 else ()

    def serves(self, team: Team, agent_id: str) -> bool:
        """Whether an agent serves a team's queue: its members, or everybody who does not oversee the desk."""
        return agent_id in team.members if team.members else not self.member(agent_id).oversees

    def capacity_of(self, agent_id: str) -> int:
        """How many conversations an agent holds at once."""
        own = self.member(agent_id).capacity
        if own is not None:
            return own
        theirs = [team.capacity for team in self.teams if team.active and self.serves(team, agent_id)]
        return max(theirs, default=DEFAULT_CAPACITY)
