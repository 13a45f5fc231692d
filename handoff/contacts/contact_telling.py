"""What a contact is told without asking: which kinds they want, what they were told last, and news of their tickets."""

from __future__ import annotations

from typing import Any

import structlog
from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.contact_model import ContactProfile
from conversations.errors import ConversationError
from conversations.json_form import moment
from conversations.proactive import DESK
from conversations.proactive_store import EVERY_KIND
from crm.model import Ticket, TicketKind, TicketStatus
from handoff.bodies import check_id, read_json
from handoff.contacts.contact_bodies import TellingBody
from handoff.guard import answer
from handoff.staff_side import StaffSide
from handoff.store import Session

_LONGEST_ANSWER = 400  # characters of a comment that is told; all of it is on the ticket
_LONGEST_SUBJECT = 80
log = structlog.get_logger()


def add_telling_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add ``POST /staff/api/contacts/<contact_id>/telling``."""

    async def choose(request: Request, session: Session, contact_id: str) -> HTTPResponse:
        body = read_json(TellingBody, request.content_type, request.body)
        found = check_id(contact_id, "contact")
        if side.proactive is not None:
            await side.proactive.choose(found, body.kind, body.on, session.member.agent)
        return answer({"telling": await telling_json(side, found)})

    side.guard.add(blueprint, "POST", "contacts/<contact_id>/telling", choose)


async def telling_json(side: StaffSide, contact_id: str) -> dict[str, Any] | None:
    """What a contact wants, where the channel says they are not reached, and what they were told last."""
    if side.proactive is None:
        return None
    found = await side.proactive.preferences(contact_id)
    off = {one.kind: one for one in found.off}
    kinds = side.proactive.catalogue.kinds
    titles = {name: {"zh": kind.title_zh, "en": kind.title_en} for name, kind in kinds.items()}
    listed = [EVERY_KIND, *(name for name in kinds if name != EVERY_KIND)]
    return {
        "kinds": [
            {
                "kind": name,
                "title": titles.get(name),
                "on": name not in off,
                "off_at": moment(off[name].off_at) if name in off else None,
                "off_by": off[name].off_by if name in off else None,
            }
            for name in listed
        ],
        "unreachable": [one.channel for one in found.unreachable],
        "latest": [
            {
                "id": one.id,
                "kind": one.kind,
                "title": titles.get(one.kind),
                "state": one.state,
                "reason": one.reason,
                "channel": one.channel,
                "at": moment(one.settled_at or one.created_at),
            }
            for one in found.latest
        ],
    }


async def tell_of_ticket(
    side: StaffSide, profile: ContactProfile, before: Ticket, after: Ticket, said: str, key: str
) -> None:
    """Let the contact hear that their ticket moved on; the same key again tells nothing new.

    A callback that waits for the customer was tried in vain. What cannot be told must not undo what the agent did.
    """
    moved = after.status != before.status
    if after.kind is TicketKind.CALLBACK and moved and after.status is TicketStatus.WAITING:
        kind = "callback"
    elif moved and after.status is TicketStatus.RESOLVED:
        kind = "ticket_resolved"
    elif said.strip():
        kind = "ticket_answered"
    else:
        return
    if side.proactive is None:
        return
    facts = (
        {"ticket": after.number}
        if kind == "callback"
        else {"ticket": after.number, "subject": _short(after.subject, _LONGEST_SUBJECT)}
    )
    if said.strip():
        facts["answer"] = _short(said, _LONGEST_ANSWER)
    whom = {"contact_id": profile.id}
    if after.contact_point and "@" in after.contact_point:
        whom["email"] = after.contact_point
    try:
        await side.proactive.tell(DESK, f"ticket:{after.number}:{key}", kind, whom, facts)
    except ConversationError as error:
        log.warning("ticket_news_not_told", ticket=after.number, error=str(error))


def _short(text: str, longest: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
