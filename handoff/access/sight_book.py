"""What each member of staff sees, decided in one place: by their role, by what an admin said of the desk and of them.

What somebody does not see is answered like what does not exist. Every route with an id in its path is classified below;
the guard looks before the route does, and a route with an id that is not classified cannot be added.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum

from conversations.contact_store import GONE as NO_CONTACT
from conversations.conversations import Conversations
from conversations.errors import NotFound
from conversations.model import Conversation
from conversations.reading_store import NO_CONVERSATION
from conversations.sight import EVERYTHING, Scope, Sight
from handoff.bodies import check_id
from handoff.roles import Role
from handoff.store import StaffMember
from handoff.teams.team_book import TeamBook

#: Whose sight can be narrowed. Admins, auditors and trainers look after the whole desk.
NARROWED = frozenset({Role.AGENT, Role.SUPERVISOR})


class Kind(StrEnum):
    """What an id in a path names, and so who answers that it does not exist."""

    CONVERSATION = "conversation"  #: looked up here
    CONTACT = "contact"  #: looked up here
    WITHIN = "within"  #: part of the conversation or contact before it in the path
    PERSONAL = "personal"  #: somebody's own, or shared: the route looks it up for the one who asks
    DESK = "desk"  #: set up for the whole desk; the roles table decides


PARAMETERS: Mapping[str, Kind] = {
    "conversation_id": Kind.CONVERSATION,
    "contact_id": Kind.CONTACT,
    "source_id": Kind.CONTACT,
    "card_id": Kind.WITHIN,
    "number": Kind.WITHIN,
    "canned_id": Kind.PERSONAL,
    "macro_id": Kind.PERSONAL,
    "filter_id": Kind.PERSONAL,
    "account": Kind.DESK,
    "alert_id": Kind.DESK,  # counts of the whole desk; its examples are narrowed by the route
    "article_id": Kind.DESK,
    "channel": Kind.DESK,
    "decision_id": Kind.DESK,
    "digest_id": Kind.DESK,  # counts of the whole desk: the route takes only those who see everything
    "edit_id": Kind.DESK,
    "entry_number": Kind.DESK,
    "group_id": Kind.DESK,  # of the inbox: the route leaves out messages that are not seen
    "job_id": Kind.DESK,
    "key_id": Kind.DESK,
    "label_id": Kind.DESK,
    "language": Kind.DESK,
    "name": Kind.DESK,
    "replay_id": Kind.DESK,
    "review_id": Kind.PERSONAL,
    "sample_id": Kind.DESK,  # the route leaves out reviews of conversations that are not seen
    "staff_id": Kind.DESK,
    "synonym_id": Kind.DESK,
    "team_id": Kind.DESK,
    "turn_id": Kind.DESK,  # of a replay: only for those whose sight is not narrowed
    "version": Kind.DESK,
}
_PARAMETER = re.compile(r"<(\w+)[^>]*>")


class SightBook:
    """Who sees what at this desk."""

    def __init__(self, conversations: Conversations, teams: TeamBook) -> None:
        self._conversations = conversations
        self._teams = teams

    def of(self, member: StaffMember) -> Sight:
        """What a member sees at the moment."""
        scope = self.scope_of(member)
        if scope is Scope.EVERYTHING:
            return EVERYTHING
        roster = self._teams.roster()
        active = [team for team in roster.teams if team.active]
        # A team of nobody in particular is everybody's, also of those who do not serve its queue.
        mine = frozenset(team.id for team in active if not team.members or member.id in team.members)
        others = frozenset(team.id for team in active) - mine
        return Sight(member.id, scope, mine, others, takes_rest=roster.fallback.id not in others)

    def scope_of(self, member: StaffMember) -> Scope:
        """How far a member sees: as said of them, else as said of their role."""
        if member.role not in NARROWED:
            return Scope.EVERYTHING
        return member.sees or self._teams.scope_of(member.role)

    async def conversation(self, member: StaffMember, conversation_id: str) -> Conversation:
        """A conversation that the member sees; raises as for one that there is not."""
        await self.require(member, Kind.CONVERSATION, conversation_id)
        return await self._conversations.get_conversation(conversation_id)

    async def require(self, member: StaffMember, kind: Kind, value: str) -> None:
        """Raise what is raised for an id that does not exist, unless the member sees what it names."""
        check_id(value, kind.value)
        sight = self.of(member)
        if kind is Kind.CONVERSATION and not await self._conversations.seen(sight, (value,)):
            raise NotFound(NO_CONVERSATION)
        if kind is Kind.CONTACT and not await self._conversations.seen_contacts(sight, (value,)):
            raise NotFound(NO_CONTACT)

    def check_of(self, route: str) -> Callable[[StaffMember, Mapping[str, str]], Awaitable[None]]:
        """What looks whether a member sees what a path names; raises ``LookupError`` for an id nobody classified."""
        names = _PARAMETER.findall(route)
        unknown = [name for name in names if name not in PARAMETERS]
        if unknown:
            raise LookupError(f"{route} has <{unknown[0]}>, which handoff/access/sight_book.py does not classify")
        looked_up = [
            (name, PARAMETERS[name]) for name in names if PARAMETERS[name] in (Kind.CONVERSATION, Kind.CONTACT)
        ]

        async def check(member: StaffMember, path: Mapping[str, str]) -> None:
            for name, kind in looked_up:
                await self.require(member, kind, path[name])

        return check
