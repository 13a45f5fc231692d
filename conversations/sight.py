"""Which conversations exist for a member of staff: all, those of their teams, or what they themselves have to do with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from conversations.model import Status


class Scope(StrEnum):
    """How far somebody sees."""

    EVERYTHING = "everything"
    TEAM = "team"  #: what is routed to their teams or to none, what the bot has, and what they had to do with
    OWN = "own"  #: what they had to do with, and what waits for their teams


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides who sees a conversation; ``people`` held it, took part, were invited, asked, or mentioned."""

    status: Status
    team_id: str | None
    people: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Sight:
    """What one member of staff sees; ``sight_store.within`` says the same in SQL."""

    staff_id: str
    scope: Scope
    team_ids: frozenset[str] = frozenset()  #: whose conversations they see
    other_team_ids: frozenset[str] = frozenset()  #: the teams there are besides
    takes_rest: bool = True  #: whether what names a team that is gone, and is served by the default team, is theirs

    def shows(self, facts: Facts) -> bool:
        """Whether they see a conversation."""
        if self.scope is Scope.EVERYTHING or self.staff_id in facts.people:
            return True
        routed = self.shows_team(facts.team_id)
        if self.scope is Scope.OWN:
            return facts.status is Status.QUEUED and routed
        return facts.status is Status.BOT or routed

    def shows_team(self, team_id: str | None) -> bool:
        """Whether what is routed to a team, or to none, is routed to them."""
        if self.scope is Scope.EVERYTHING or team_id is None or team_id in self.team_ids:
            return True
        return self.takes_rest and team_id not in self.other_team_ids


#: What the service itself sees, and those from whom nothing is kept.
EVERYTHING = Sight("", Scope.EVERYTHING)
