"""The staff API of conversations: lists, transcripts, why the bot answered, and what agents do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog
from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.episodes import Episode
from conversations.errors import NotAssigned
from conversations.json_form import conversation_json, episode_json, rating_json, trace_json
from conversations.model import Agent, Conversation, Status
from crm.model import Customer, Order, Ticket
from handoff.assist.card_book import Use
from handoff.bodies import (
    ConversationsQuery,
    MessagesQuery,
    NoteBody,
    ReplyBody,
    RequeueBody,
    ResolveBody,
    SeenBody,
    TransferBody,
    check_id,
    first_values,
    read_json,
    read_query,
)
from handoff.customer_json import record_json
from handoff.errors import Refused
from handoff.guard import answer
from handoff.organising.view_routes import read_view
from handoff.roles import DESK, OVERSEERS
from handoff.staff_side import StaffSide
from handoff.store import Session, StaffMember
from handoff.teams.team_routes import find_team
from handoff.writing.canned import still_unfilled

_ORDERS = 5
_PAST = 20
CRM_SECONDS = 4.0  # a slow CRM may hold up the desk no longer
log = structlog.get_logger()


def add_conversation_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route below ``/staff/api/conversations``."""
    desk = side.conversations

    async def list_conversations(request: Request, session: Session) -> HTTPResponse:
        query = read_query(ConversationsQuery, first_values(request.args))
        page = await read_view(side, session, query.view, query.sort, query.cursor, query.limit)
        return answer({"conversations": await listed_json(side, session.member.id, page.items), "cursor": page.cursor})

    async def conversation(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        found = await open_conversation(side, conversation_id)
        contact, episodes, past, agents, (customer, orders, tickets, crm_available) = await asyncio.gather(
            desk.find_contact(found.contact_id),
            desk.episodes(found.id),
            desk.conversations_of_contact(found.contact_id, _PAST + 1, side.sight.of(session.member)),
            side.agents_json(),
            _customer_of(side, found),
        )
        (listed,) = await listed_json(side, session.member.id, [found])
        return answer(
            {
                "conversation": listed,
                "contact": record_json(contact) if contact else None,
                "customer": record_json(customer) if customer else None,
                "orders": [record_json(order) for order in orders],
                "tickets": [record_json(ticket) for ticket in tickets],
                "crm_available": crm_available,
                "past_conversations": [conversation_json(one) for one in past if one.id != found.id],
                "rating": last_score_json(episodes),
                "episodes": [episode_json(one) for one in episodes],
                "agents": agents,
                "recall_seconds": desk.recall_seconds,
                "may_reveal": await side.veil.may_reveal(session.member, found.contact_id, found),
            }
        )

    async def messages(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        query = read_query(MessagesQuery, first_values(request.args))
        found = await open_conversation(side, conversation_id)
        listed = await desk.messages(found.id, query.after_seq, query.limit)
        return answer({"messages": [side.message_json(message) for message in listed], "last_seq": found.last_seq})

    async def traces(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        found = await open_conversation(side, conversation_id)
        return answer({"traces": [trace_json(trace) for trace in await desk.traces(found.id)]})

    async def seen(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        body = read_json(SeenBody, request.content_type, request.body)
        found = await open_conversation(side, conversation_id)
        seq = min(body.seq, found.last_seq)
        if await side.store.mark_seen(session.member.id, found.id, seq):
            await desk.read_by_agent(found, session.member.agent, seq)
        await desk.see_notices(session.member.id, found.id, body.seq)
        return answer({})

    async def accept(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        found = await open_conversation(side, conversation_id)
        oversees = session.member.role in OVERSEERS
        return await moved_json(
            side, session, await desk.assign(found.id, session.member.agent, anyway=oversees, over_capacity=oversees)
        )

    async def reply(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        body = read_json(ReplyBody, request.content_type, request.body)
        found = await open_conversation(side, conversation_id)
        names = ", ".join(still_unfilled(body.text))
        if names:
            raise Refused(400, "unfilled_variables", f"Fill in {names} before you send this.", detail=names)
        attachments = await side.attachments.of_owner(session.member.id, body.attachment_ids)
        uses = [Use(one.id, one.cite) for one in body.assist] if side.assist is not None else []
        cited = await side.assist.book.citations_of(found, session.member.agent, uses) if side.assist else ()
        said = await desk.reply_as_agent(
            found.id, session.member.agent, body.text, body.client_msg_id, attachments, body.read_seq, cited
        )
        if body.original is not None:
            await side.translations.keep_original(found, said, body.original.text, body.original.language)
        if side.assist is not None:
            written = body.original.text if body.original is not None else body.text
            await side.assist.book.replied(found, session.member.agent, said, written, uses)
        if await side.store.mark_seen(session.member.id, found.id, said.seq):
            await desk.read_by_agent(found, session.member.agent, said.seq)
        return answer({"message": side.message_json(said)}, 201)

    async def note(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        body = read_json(NoteBody, request.content_type, request.body)
        found = await open_conversation(side, conversation_id)
        written = await desk.add_note(found.id, session.member.agent, body.text, body.client_msg_id)
        await side.store.mark_seen(session.member.id, found.id, written.seq)
        return answer({"message": side.message_json(written)}, 201)

    async def transfer(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        body = read_json(TransferBody, request.content_type, request.body)
        found = await open_conversation(side, conversation_id)
        if body.to_team_id is not None:
            team_id, holder = find_team(side, body.to_team_id), _holder(session, found)
            own = found.agent_id == session.member.id
            oversees = session.member.role in OVERSEERS
            words = body.note if own else ""
            moved = await desk.transfer_to_team(found.id, holder, team_id, words, oversees=oversees)
            await _sign(side, session, found, "transferred", body.note)
            return await moved_json(side, session, moved)
        to = await side.store.find(body.to_agent_id or "")
        if to is None or not to.active or to.role not in DESK:
            raise Refused(404, "not_found", "Nobody at the desk has that id. Choose an agent from the list.")
        if not body.over_capacity:
            await desk.check_room(to.agent)
        oversees = session.member.role in OVERSEERS and found.agent_id != session.member.id
        if oversees and found.status is not Status.ASSIGNED:
            moved = await _give(side, found, to)
        else:
            moved = await desk.transfer(found.id, _holder(session, found), to.agent, "" if oversees else body.note)
        await _sign(side, session, found, "transferred", body.note)
        return await moved_json(side, session, moved)

    async def requeue(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        body = read_json(RequeueBody, request.content_type, request.body)
        found = await open_conversation(side, conversation_id)
        holder = _holder(session, found)
        moved = await desk.requeue(found.id, holder, body.note if holder == session.member.agent else "")
        await _sign(side, session, found, "requeued", body.note)
        return await moved_json(side, session, moved)

    async def release(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        found = await open_conversation(side, conversation_id)
        moved = await desk.release(found.id, _holder(session, found))
        await _sign(side, session, found, "released")
        return await moved_json(side, session, moved)

    async def resolve(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        found = await open_conversation(side, conversation_id)
        body = read_json(ResolveBody, request.content_type, request.body) if request.body else ResolveBody()
        return await moved_json(side, session, await resolve_as(side, session, found, ask=body.ask))

    async def typing(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        found = await open_conversation(side, conversation_id)
        await desk.agent_typing(found.id, session.member.agent)
        return answer({})

    base = "conversations/<conversation_id>"
    for method, route, handler in (
        ("GET", "conversations", list_conversations),
        ("GET", base, conversation),
        ("GET", f"{base}/messages", messages),
        ("GET", f"{base}/traces", traces),
        ("POST", f"{base}/seen", seen),
        ("POST", f"{base}/accept", accept),
        ("POST", f"{base}/reply", reply),
        ("POST", f"{base}/note", note),
        ("POST", f"{base}/transfer", transfer),
        ("POST", f"{base}/requeue", requeue),
        ("POST", f"{base}/release", release),
        ("POST", f"{base}/resolve", resolve),
        ("POST", f"{base}/typing", typing),
    ):
        side.guard.add(blueprint, method, route, handler)


async def listed_json(side: StaffSide, member_id: str, listed: Sequence[Conversation]) -> list[dict[str, Any]]:
    """Conversations as a member's list shows them: with what they have not read and how long the contact waits."""
    ids = [one.id for one in listed]
    seen, unseen = await asyncio.gather(
        side.store.seen_seqs(member_id, ids), side.conversations.unseen_notices(member_id, ids)
    )
    now = side.conversations.now()
    forms = []
    for one in listed:
        waits = one.status is Status.QUEUED and one.queued_at is not None
        waiting_seconds = max(0, round((now - one.queued_at).total_seconds())) if waits and one.queued_at else None
        unread = max(0, one.last_seq - seen.get(one.id, 0))
        notices = {"unread": unread, "unseen": unseen.get(one.id, {})}
        forms.append(conversation_json(one) | notices | {"waiting_seconds": waiting_seconds})
    return forms


async def resolve_as(side: StaffSide, session: Session, found: Conversation, *, ask: bool = True) -> Conversation:
    """Resolve a conversation in the place of whoever may, with a supervisor's name to it."""
    moved = await side.conversations.resolve(found.id, _holder(session, found), ask=ask)
    await _sign(side, session, found, "resolved")
    return moved


def last_score_json(episodes: Sequence[Episode]) -> dict[str, Any] | None:
    """The last score of a conversation, for who wants to know only that."""
    scored = [one.rating for one in episodes if one.rating is not None and one.rating.score is not None]
    return rating_json(scored[-1]) if scored else None


async def open_conversation(side: StaffSide, conversation_id: str) -> Conversation:
    """The conversation of a path; raises ``Refused`` or ``NotFound``."""
    return await side.conversations.get_conversation(check_id(conversation_id, "conversation"))


async def moved_json(side: StaffSide, session: Session, conversation: Conversation) -> HTTPResponse:
    """The answer to a verb: the conversation as the member's list shows it now."""
    (form,) = await listed_json(side, session.member.id, [conversation])
    return answer({"conversation": form})


def _holder(session: Session, conversation: Conversation) -> Agent:
    """In whose place a conversation is moved: agents move what they hold, supervisors also what others or nobody hold."""
    if conversation.agent_id == session.member.id:
        return session.member.agent
    if session.member.role not in OVERSEERS:
        holder = f"{conversation.agent_name} has it" if conversation.agent_id else "accept it from the queue first"
        raise NotAssigned(f"this conversation is not assigned to you: {holder}")
    if conversation.agent_id is None:
        return session.member.agent
    return Agent(conversation.agent_id, conversation.agent_name or "")


async def _sign(side: StaffSide, session: Session, before: Conversation, what: str, note: str = "") -> None:
    """Put a supervisor's name to what they did with a conversation they did not hold, and their note in the transcript."""
    overseer = session.member.agent
    if before.agent_id == overseer.id:
        return
    if note.strip():
        await side.conversations.add_note(before.id, overseer, note)
    await side.conversations.record("overseen", overseer, {"conversation_id": before.id, "what": what})


async def _give(side: StaffSide, conversation: Conversation, to: StaffMember) -> Conversation:
    """Assign a waiting conversation, or one with the bot, to a colleague who is at the desk."""
    everyone = await side.presence.everyone()
    if side.presence.state_of(everyone.get(to.id)) == "offline":
        raise Refused(409, "not_at_the_desk", f"{to.name} is not at the desk. Choose someone else or use the queue.")
    return await side.conversations.assign(conversation.id, to.agent, anyway=True, over_capacity=True)


async def _customer_of(
    side: StaffSide, conversation: Conversation
) -> tuple[Customer | None, list[Order], list[Ticket], bool]:
    """Profile, latest orders and tickets; a CRM that fails or is slow must not keep the agent from the conversation."""
    if conversation.customer_id is None:
        return None, [], [], True
    try:
        async with asyncio.timeout(CRM_SECONDS):
            customer = await side.crm.find_customer(conversation.customer_id)
            orders = await side.crm.orders_of(conversation.customer_id, _ORDERS)
            tickets = await side.crm.tickets_of(conversation.customer_id)
    except Exception as error:
        log.warning("crm_unavailable", conversation_id=conversation.id, error=error)
        return None, [], [], False
    return customer, orders, tickets, True
