"""Who sees which personal data in clear: one table from classes of data to roles. What is not in it nobody sees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from conversations.model import Conversation
from conversations.teams import Roster
from handoff.roles import Role
from handoff.store import StaffMember
from personal_data.kinds import EVERY_KIND, Kind


class Class(StrEnum):
    """What personal data is good for."""

    NAME = "name"
    REACH = "reach"  #: phone numbers and e-mail addresses
    PLACE = "place"  #: postal addresses
    PAPERS = "papers"  #: passports, plates, addresses of machines
    HIGH_RISK = "high_risk"  #: ID cards and bank cards


class When(StrEnum):
    """When a role sees a class in clear."""

    ALWAYS = "always"
    SERVING = "serving"  #: in conversations that are the member's to answer
    NEVER = "never"


CLASS_OF: dict[Kind, Class] = {
    Kind.NAME: Class.NAME,
    Kind.PHONE: Class.REACH,
    Kind.EMAIL: Class.REACH,
    Kind.ADDRESS: Class.PLACE,
    Kind.PASSPORT: Class.PAPERS,
    Kind.PLATE: Class.PAPERS,
    Kind.IP: Class.PAPERS,
    Kind.ID_CARD: Class.HIGH_RISK,
    Kind.BANK_CARD: Class.HIGH_RISK,
}

_USUAL = {
    Role.ADMIN: When.ALWAYS,
    Role.SUPERVISOR: When.ALWAYS,
    Role.AGENT: When.SERVING,
    Role.TRAINER: When.NEVER,
    Role.AUDITOR: When.NEVER,
}
CLEAR: dict[Class, dict[Role, When]] = {
    Class.NAME: _USUAL,
    Class.REACH: _USUAL,
    Class.PLACE: _USUAL,
    Class.PAPERS: _USUAL,
    Class.HIGH_RISK: dict.fromkeys(Role, When.NEVER),  # one message at a time, by whom REVEAL names
}
#: Who may have one message or field shown in clear, which is an audit entry: agents those of contacts they serve now.
REVEAL: dict[Role, When] = {
    Role.ADMIN: When.ALWAYS,
    Role.SUPERVISOR: When.ALWAYS,
    Role.AGENT: When.SERVING,
    Role.TRAINER: When.NEVER,
    Role.AUDITOR: When.NEVER,
}


@cache
def hidden_from(role: Role, *, serving: bool) -> frozenset[Kind]:
    """The kinds that are masked for a role."""
    return frozenset(
        kind
        for kind in EVERY_KIND
        if not _fits(CLEAR.get(CLASS_OF[kind], {}).get(role, When.NEVER), serving)
    )  # fmt: skip


def may_reveal(role: Role, *, serving: bool) -> bool:
    """Whether a role may have something masked shown in clear."""
    return _fits(REVEAL.get(role, When.NEVER), serving)


def depends_on_serving(role: Role) -> bool:
    """Whether it matters for a role whose conversation something is from."""
    return hidden_from(role, serving=True) != hidden_from(role, serving=False)


def _fits(when: When, serving: bool) -> bool:
    return when is When.ALWAYS or (when is When.SERVING and serving)


@dataclass(frozen=True, slots=True)
class Custody:
    """In whose hands a conversation is: as little of it as decides who serves it."""

    status: str
    agent_id: str | None
    offered_to: str | None
    team_id: str | None
    taking_part: frozenset[str]

    @classmethod
    def of(cls, conversation: Conversation) -> Custody:
        """That of a conversation."""
        part = frozenset(one.agent_id for one in conversation.participants)
        return cls(conversation.status, conversation.agent_id, conversation.offered_to, conversation.team_id, part)

    @classmethod
    def read(cls, form: Mapping[str, Any]) -> Custody:
        """That of a conversation in the JSON form for staff."""
        people: Iterable[Mapping[str, Any]] = form.get("participants") or ()
        part = frozenset(str(one.get("agent_id")) for one in people)
        return cls(str(form["status"]), form.get("agent_id"), form.get("offered_to"), form.get("team_id"), part)

    def is_with(self, member: StaffMember, roster: Roster) -> bool:
        """Whether it is this member's to answer: they hold it, take part, or may take it from their queue."""
        if self.status == "assigned":
            return self.agent_id == member.id or member.id in self.taking_part
        if self.status != "queued":
            return False
        team = roster.find(self.team_id)
        return self.offered_to == member.id or team is None or roster.serves(team, member.id)
