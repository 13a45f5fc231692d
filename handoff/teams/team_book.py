"""The teams in force in this process: read from the store, kept fresh, changed by supervisors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import MappingProxyType
from typing import Any

import structlog
from pydantic import ValidationError

from conversations.model import new_id, utc_now
from conversations.sight import Scope
from conversations.teams import DEFAULT_TEAM, Member, Roster
from handoff.errors import Refused
from handoff.roles import DESK, OVERSEERS, Role
from handoff.teams.team_bodies import PersonBody, RuleBody, RulesBody, TeamBody
from handoff.teams.team_store import StoredDesk, StoredPerson, StoredTeam, TeamStore

log = structlog.get_logger()
_PLAIN = Roster.plain().teams[0]
#: How far a role sees on a desk where nobody said so. A desk of one team sees everything by that.
_SEES = {Role.AGENT: Scope.TEAM, Role.SUPERVISOR: Scope.EVERYTHING}


class TeamBook:
    """Who serves whom; ``roster`` is what conversations are routed by."""

    def __init__(self, store: TeamStore, now: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._now = now
        self.stored = StoredDesk((), (), ())
        self._roster = Roster.plain()

    def roster(self) -> Roster:
        """The desk as it is set up at the moment."""
        return self._roster

    async def refresh(self) -> None:
        """Take over what another process, or somebody on the command line, has changed."""
        stored = await self._store.read()
        if stored != self.stored:
            self.stored, self._roster = stored, _roster_of(stored)

    def find(self, team_id: str) -> StoredTeam | None:
        """A team as it is kept; the default team exists before anybody changed it."""
        found = next((team for team in self.stored.teams if team.id == team_id), None)
        if found is None and team_id == DEFAULT_TEAM:
            settings = TeamBody(name_zh=_PLAIN.name_zh, name_en=_PLAIN.name_en).model_dump(mode="json")
            return StoredTeam(DEFAULT_TEAM, settings, ())
        return found

    @property
    def teams(self) -> list[StoredTeam]:
        """Every team in order; the default team is always among them."""
        default = self.find(DEFAULT_TEAM)
        kept = list(self.stored.teams)
        return kept if any(team.id == DEFAULT_TEAM for team in kept) or default is None else [*kept, default]

    async def save(self, team_id: str | None, body: TeamBody, by: str) -> StoredTeam:
        """Add a team (None) or change one; raises ``Refused``."""
        if team_id is not None and self.find(team_id) is None:
            raise Refused(404, "not_found", "There is no such team. Somebody may have deleted it; reload the page.")
        known = {person.id for person in self.stored.people}
        strangers = [member for member in body.members if member not in known]
        if strangers:
            raise Refused(400, "unknown_member", "A member is not active any more. Reload the page and choose again.")
        for other in self.teams:
            same = {other.settings["name_zh"], other.settings["name_en"]} & {body.name_zh, body.name_en} - {""}
            if other.id != team_id and same:
                raise Refused(409, "team_exists", f"There is a team called {same.pop()} already. Choose another name.")
        if team_id == DEFAULT_TEAM and not body.active:
            raise Refused(400, "default_team", "The default team takes what no other team serves, so it stays active.")
        saved_as = team_id or new_id()
        settings = body.model_dump(mode="json", exclude={"members"})
        await self._store.save(saved_as, settings, body.members, self._now(), by)
        await self.refresh()
        saved = self.find(saved_as)
        if saved is None:
            raise Refused(409, "team_gone", "Somebody deleted this team just now. Reload the page.")
        return saved

    async def remove(self, team_id: str) -> StoredTeam:
        """Delete a team; what waits for it is served by the default team. Raises ``Refused``."""
        if team_id == DEFAULT_TEAM:
            raise Refused(400, "default_team", "The default team takes what no other team serves, so it stays.")
        found = self.find(team_id)
        if found is None or not await self._store.remove(team_id):
            raise Refused(404, "not_found", "There is no such team. Somebody may have deleted it; reload the page.")
        await self.refresh()
        return found

    async def set_rules(self, body: RulesBody) -> None:
        """Replace the rules; raises ``Refused`` when one names a team that is not there."""
        for number, rule in enumerate(body.rules, start=1):
            if self.find(rule.team_id) is None:
                raise Refused(400, "unknown_team", f"Rule {number} sends to a team that is gone. Choose another one.")
        if any(rule.team_id == DEFAULT_TEAM for rule in body.rules):
            await self._keep_default()
        await self._store.set_rules([rule.model_dump(mode="json") for rule in body.rules])
        await self.refresh()

    def scope_of(self, role: Role) -> Scope:
        """How far agents or supervisors see of whom nothing else is said."""
        return Scope(dict(self.stored.sees).get(role.value, _SEES[role].value))

    async def set_sight(self, agents: Scope, supervisors: Scope) -> None:
        """Say how far agents and supervisors see."""
        await self._store.set_sight({Role.AGENT.value: agents.value, Role.SUPERVISOR.value: supervisors.value})
        await self.refresh()

    async def set_person(self, staff_id: str, body: PersonBody) -> StoredPerson:
        """Say what a member of staff can do; raises ``Refused``."""
        if all(person.id != staff_id for person in self.stored.people):
            raise Refused(404, "not_found", "There is no such member of staff.")
        await self._store.set_person(staff_id, body.languages, body.skills, body.capacity)
        await self.refresh()
        return next(person for person in self.stored.people if person.id == staff_id)

    async def _keep_default(self) -> None:
        default = self.find(DEFAULT_TEAM)
        if default is not None and default.updated_at is None:
            await self._store.save(DEFAULT_TEAM, default.settings, default.members, self._now(), "")


def _roster_of(stored: StoredDesk) -> Roster:
    teams = []
    for one in stored.teams:
        try:
            teams.append(TeamBody.model_validate({**one.settings, "members": one.members}).team(one.id))
        except ValidationError as error:  # written by a newer or older version; the others still work
            log.error("team_unreadable", team_id=one.id, error=str(error))
    if all(team.id != DEFAULT_TEAM for team in teams):
        teams.append(_PLAIN)
    people = [person for person in stored.people if Role(person.role) in DESK]
    members = {
        person.id: Member(
            person.id, person.name, person.languages, person.skills, person.capacity, Role(person.role) in OVERSEERS
        )
        for person in people
    }
    rules = tuple(RuleBody.model_validate(rule).rule() for rule in stored.rules)
    return Roster(tuple(teams), MappingProxyType(members), rules)


def problems_of(roster: Roster, team_id: str) -> list[dict[str, Any]]:
    """What keeps a team from serving its queue: nobody in it, or nobody who can do what it needs."""
    team = roster.find(team_id)
    if team is None:
        return []
    members = [member for member in roster.members.values() if roster.serves(team, member.agent_id)]
    if not members:
        return [{"code": "nobody"}]
    asked = [team.skills, *(rule.skills for rule in roster.rules if rule.team_id == team_id and rule.enabled)]
    missing = {skill for skills in asked for skill in skills if not any(skill in m.skills for m in members)}
    found: list[dict[str, Any]] = [{"code": "skill", "detail": skill} for skill in sorted(missing)]
    unspoken = [language for language in team.languages if not any(m.speaks(language) for m in members)]
    return found + [{"code": "language", "detail": language} for language in unspoken]
