"""Who may do what: one table from route to roles. A route that is not in the table is closed to everybody."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a member of staff is here for."""

    AGENT = "agent"
    TRAINER = "trainer"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


EVERYONE = frozenset(Role)
#: Who speaks with contacts; whether a conversation is theirs is decided by ``Conversations``.
DESK = frozenset({Role.AGENT, Role.SUPERVISOR, Role.ADMIN})
#: Who may move a conversation that somebody else holds.
OVERSEERS = frozenset({Role.SUPERVISOR, Role.ADMIN})

#: Who looks after what the bot knows.
KEEPERS = frozenset({Role.TRAINER, Role.SUPERVISOR, Role.ADMIN})
#: Who decides what the bot knows and how it says it.
TRAINERS = frozenset({Role.TRAINER, Role.ADMIN})

#: Routes that need no session.
PUBLIC = frozenset({("POST", "sign-in"), ("GET", "demo")})

POLICY: dict[tuple[str, str], frozenset[Role]] = {
    ("POST", "sign-out"): EVERYONE,
    ("GET", "me"): EVERYONE,
    ("GET", "live"): EVERYONE,
    ("GET", "agents"): EVERYONE,
    ("GET", "presence"): EVERYONE,
    ("POST", "presence"): DESK,
    ("GET", "search"): EVERYONE,
    ("POST", "files"): DESK,
    ("GET", "knowledge/status"): KEEPERS,
    ("GET", "conversations"): EVERYONE,
    ("GET", "conversations/<conversation_id>"): EVERYONE,
    ("GET", "conversations/<conversation_id>/messages"): EVERYONE,
    ("GET", "conversations/<conversation_id>/traces"): EVERYONE,
    ("POST", "conversations/<conversation_id>/seen"): EVERYONE,
    ("POST", "conversations/<conversation_id>/accept"): DESK,
    ("POST", "conversations/<conversation_id>/reply"): DESK,
    ("POST", "conversations/<conversation_id>/note"): DESK,
    ("POST", "conversations/<conversation_id>/transfer"): DESK,
    ("POST", "conversations/<conversation_id>/requeue"): DESK,
    ("POST", "conversations/<conversation_id>/release"): DESK,
    ("POST", "conversations/<conversation_id>/resolve"): DESK,
    ("POST", "conversations/<conversation_id>/typing"): DESK,
    ("GET", "conversations/<conversation_id>/assist"): DESK,
    ("GET", "conversations/<conversation_id>/assist/bot"): DESK,
    ("GET", "conversations/<conversation_id>/assist/phrased"): DESK,
    ("POST", "conversations/<conversation_id>/assist/<card_id>/inserted"): DESK,
    ("POST", "conversations/<conversation_id>/assist/<card_id>/rejected"): DESK,
    ("GET", "assist/report"): KEEPERS,
    ("GET", "conversations/<conversation_id>/translations"): EVERYONE,
    ("POST", "conversations/<conversation_id>/translations"): DESK,
    ("POST", "conversations/<conversation_id>/translate-reply"): DESK,
    ("GET", "prompts"): TRAINERS,
    ("GET", "prompts/<name>"): TRAINERS,
    ("POST", "prompts/<name>/versions"): TRAINERS,
    ("POST", "prompts/<name>/activate"): TRAINERS,
    ("POST", "prompts/<name>/test"): TRAINERS,
    ("GET", "search/messages"): EVERYONE,
    ("GET", "views"): EVERYONE,
    ("POST", "filters"): DESK,
    ("POST", "filters/order"): DESK,
    ("POST", "filters/count"): DESK,
    ("POST", "filters/<filter_id>"): DESK,
    ("POST", "filters/<filter_id>/delete"): DESK,
    ("GET", "labels"): EVERYONE,
    ("POST", "labels"): DESK,
    ("POST", "labels/<label_id>"): OVERSEERS,
    ("POST", "conversations/bulk"): DESK,
    ("POST", "conversations/<conversation_id>/labels"): DESK,
    ("POST", "conversations/<conversation_id>/priority"): DESK,
    ("POST", "conversations/<conversation_id>/snooze"): DESK,
    ("POST", "conversations/<conversation_id>/wake"): DESK,
    ("GET", "conversations/<conversation_id>/duplicates"): EVERYONE,
    ("GET", "conversations/<conversation_id>/merged"): EVERYONE,
    ("POST", "conversations/<conversation_id>/merge"): DESK,
    ("POST", "conversations/<conversation_id>/unmerge"): DESK,
    # contacts: whoever reads conversations reads whom they are with
    ("GET", "contacts/<contact_id>"): EVERYONE,
    ("GET", "contacts/<contact_id>/conversations"): EVERYONE,
    ("POST", "contacts/<contact_id>"): DESK,
    ("POST", "contacts/<contact_id>/customer"): DESK,
    ("POST", "contacts/<contact_id>/link"): DESK,
    ("POST", "contacts/<contact_id>/unlink"): DESK,
    ("POST", "contacts/<contact_id>/tickets"): DESK,
    ("POST", "contacts/<contact_id>/tickets/<number>"): DESK,
    ("GET", "contacts/<contact_id>/candidates"): DESK,
    ("GET", "contacts/<contact_id>/merge/<source_id>"): DESK,
    ("POST", "contacts/<contact_id>/merge"): DESK,
    ("POST", "contacts/<contact_id>/separate"): DESK,
    ("GET", "customers"): DESK,
    ("GET", "handoff-rules"): EVERYONE,
    ("POST", "handoff-rules"): OVERSEERS,
    ("POST", "handoff-rules/preview"): OVERSEERS,
    ("GET", "synonyms"): TRAINERS | {Role.SUPERVISOR},
    ("POST", "synonyms"): TRAINERS,
    ("POST", "synonyms/test"): TRAINERS,
    ("POST", "synonyms/<synonym_id>"): TRAINERS,
    ("POST", "synonyms/<synonym_id>/delete"): TRAINERS,
    # routing: several agents in a conversation, offers, teams
    ("POST", "conversations/<conversation_id>/decline"): DESK,
    ("POST", "conversations/<conversation_id>/invite"): DESK,
    ("POST", "conversations/<conversation_id>/join"): DESK,
    ("POST", "conversations/<conversation_id>/leave"): DESK,
    ("POST", "conversations/<conversation_id>/remove"): DESK,
    ("POST", "conversations/<conversation_id>/barge-in"): OVERSEERS,
    ("POST", "conversations/<conversation_id>/take-over"): OVERSEERS,
    ("GET", "teams"): EVERYONE,
    ("POST", "teams"): OVERSEERS,
    ("POST", "teams/rules"): OVERSEERS,
    ("POST", "teams/people/<staff_id>"): OVERSEERS,
    ("POST", "teams/<team_id>"): OVERSEERS,
    ("POST", "teams/<team_id>/delete"): OVERSEERS,
    ("GET", "reports/waits"): OVERSEERS,
    ("GET", "reports/ratings"): DESK,  # agents get their own figures only
    ("GET", "reports/ratings/export"): DESK,
    ("POST", "conversations/<conversation_id>/recall"): DESK,
    ("POST", "conversations/<conversation_id>/canned/<canned_id>"): DESK,
    ("GET", "conversations/<conversation_id>/macros/<macro_id>"): DESK,
    ("POST", "conversations/<conversation_id>/macros/<macro_id>"): DESK,
    # Whether what is written is for everybody or for oneself is decided by ``owner_for``.
    ("GET", "canned"): DESK,
    ("POST", "canned"): DESK,
    ("GET", "canned/export"): DESK,
    ("POST", "canned/import"): DESK,
    ("POST", "canned/<canned_id>"): DESK,
    ("POST", "canned/<canned_id>/delete"): DESK,
    ("GET", "macros"): DESK,
    ("POST", "macros"): DESK,
    ("POST", "macros/<macro_id>"): DESK,
    ("POST", "macros/<macro_id>/delete"): DESK,
}


def allowed(role: Role, method: str, route: str) -> bool:
    """Whether the table opens this route (its pattern below ``/staff/api/``) to the role."""
    return role in POLICY.get((method, route), frozenset())
