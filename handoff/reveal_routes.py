"""The staff API that shows one masked message or field in clear: by right, seldom, and never without an audit entry."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints
from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.model import Conversation
from handoff.bodies import Body, check_id, read_json
from handoff.contacts.contact_records import contact_json
from handoff.contacts.contact_routes import find_contact
from handoff.conversation_routes import open_conversation
from handoff.errors import Refused
from handoff.guard import answer
from handoff.staff_side import StaffSide
from handoff.store import Session
from personal_data.finding import find

AT_ONCE = 30  #: in an hour, by one member; after that they wait a quarter of an hour
REVEALED = "personal_data_revealed"


class RevealMessageBody(Body):
    """Which message of the conversation."""

    seq: Annotated[int, Field(ge=1, le=2**31)]


class RevealFieldBody(Body):
    """Which field of the contact's pane, as a path in its JSON."""

    field: Annotated[str, StringConstraints(pattern=r"^(contact|customer|orders|tickets)(\.[a-z_0-9]{1,40}){1,4}$")]


def add_reveal_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add ``reveal`` below a conversation and below a contact."""

    async def message(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        body = read_json(RevealMessageBody, request.content_type, request.body)
        conversation = await open_conversation(side, conversation_id)
        await _check(side, session, conversation.contact_id, conversation)
        found = await side.conversations.messages(conversation.id, body.seq - 1, 1)
        if not found or found[0].seq != body.seq or not found[0].text:
            raise Refused(404, "not_found", "There is no such message with words to show.")
        names = (conversation.contact_name,) if conversation.contact_name else ()
        kinds = sorted({span.kind.value for span in find(found[0].text, "", names)})
        await _note(side, session, {"conversation_id": conversation.id, "seq": body.seq, "kinds": kinds})
        return answer({"seq": body.seq, "text": found[0].text})

    async def field(request: Request, session: Session, contact_id: str) -> HTTPResponse:
        body = read_json(RevealFieldBody, request.content_type, request.body)
        profile = await find_contact(side, check_id(contact_id, "contact"))
        await _check(side, session, profile.id)
        value: Any = await contact_json(side, session, profile, 1)
        for part in body.field.split("."):
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, (list, tuple)) and part.isascii() and part.isdigit() and int(part) < len(value):
                value = value[int(part)]
            else:
                value = None
        if not isinstance(value, str) or not value:
            raise Refused(404, "not_found", "There is nothing to show in this field. Reload the contact.")
        await _note(side, session, {"contact_id": profile.id, "field": body.field})
        return answer({"field": body.field, "text": value})

    side.guard.add(blueprint, "POST", "conversations/<conversation_id>/reveal", message)
    side.guard.add(blueprint, "POST", "contacts/<contact_id>/reveal", field)


async def _check(side: StaffSide, session: Session, contact_id: str, conversation: Conversation | None = None) -> None:
    if not await side.veil.may_reveal(session.member, contact_id, conversation):
        raise Refused(
            403, "not_to_reveal", "Only whoever serves this contact now, or a supervisor, may have this shown."
        )
    hour = f"{side.conversations.now():%Y%m%d%H}"
    await side.sign_in.lockout.count(AT_ONCE, "reveal", session.member.id, hour, refusal="messages shown in clear")


async def _note(side: StaffSide, session: Session, what: dict[str, Any]) -> None:
    """In the audit trail before it is on the screen; never the value."""
    await side.conversations.record(REVEALED, session.member.agent, what)
