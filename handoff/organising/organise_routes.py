"""The staff API of order at the desk: labels, priority, snoozing, bulk actions, and merging duplicates."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.errors import ConversationError
from conversations.json_form import conversation_json, label_json, moment
from conversations.model import Conversation
from handoff.bodies import check_id, read_json
from handoff.conversation_routes import CRM_SECONDS, _holder, _sign, listed_json, resolve_as
from handoff.errors import Refused
from handoff.guard import answer, refused_form
from handoff.organising.organise_bodies import BulkBody, LabelBody, LabelsBody, MergeBody, PriorityBody, SnoozeBody
from handoff.roles import OVERSEERS
from handoff.staff_side import StaffSide
from handoff.store import Session

log = structlog.get_logger()


def add_organise_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route of labels, priority, snoozing, bulk actions and merging."""
    desk = side.conversations

    async def labels(request: Request, session: Session) -> HTTPResponse:
        return answer({"labels": [label_json(label) for label in await desk.labels()]})

    async def add_label(request: Request, session: Session) -> HTTPResponse:
        body = read_json(LabelBody, request.content_type, request.body)
        if not side.labels_by_agents and session.member.role not in OVERSEERS:
            raise Refused(403, "forbidden", "New labels are made by supervisors and admins here. Ask one of them.")
        label = await desk.add_label(body.title, body.colour, session.member.agent)
        return answer({"label": label_json(label)}, 201)

    async def change_label(request: Request, session: Session, label_id: str) -> HTTPResponse:
        body = read_json(LabelBody, request.content_type, request.body)
        found = check_id(label_id, "label")
        label = await desk.change_label(found, body.title, body.colour, body.archived, session.member.agent)
        return answer({"label": label_json(label)})

    async def set_labels(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        body = read_json(LabelsBody, request.content_type, request.body)
        found = await _get(side, conversation_id)
        return await _shown(side, session, await _label(side, session, found, body.add, body.remove))

    async def priority(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        body = read_json(PriorityBody, request.content_type, request.body)
        found = await _get(side, conversation_id)
        return await _shown(side, session, await desk.set_priority(found.id, session.member.agent, body.level))

    async def snooze(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        body = read_json(SnoozeBody, request.content_type, request.body)
        found = await _get(side, conversation_id)
        return await _shown(side, session, await _snooze(side, session, found, body))

    async def wake(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        found = await _get(side, conversation_id)
        return await _shown(side, session, await desk.unsnooze(found.id, session.member.agent))

    async def bulk(request: Request, session: Session) -> HTTPResponse:
        body = read_json(BulkBody, request.content_type, request.body)
        results: list[dict[str, Any]] = []
        for conversation_id in dict.fromkeys(body.ids):
            try:
                seen = await side.sight.conversation(session.member, conversation_id)
                done = await _one(side, session, seen, body)
                (form,) = await listed_json(side, session.member.id, [done])
                results.append({"id": conversation_id, "ok": True, "conversation": form})
            except (ConversationError, Refused) as error:
                results.append({"id": conversation_id, "ok": False, "error": refused_form(error)})
        failed = sum(not one["ok"] for one in results)
        return answer({"results": results, "done": len(results) - failed, "failed": failed})

    async def duplicates(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        found = await _get(side, conversation_id)
        sight = side.sight.of(session.member)
        likely = await desk.likely_duplicates(found.id, await _reached_at(side, found), sight)
        return answer({"duplicates": [conversation_json(one.conversation) | {"why": one.why} for one in likely]})

    async def merged_into(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        found = await _get(side, conversation_id)
        merged = await desk.merged_threads(found.id)
        seen = await desk.seen(side.sight.of(session.member), [one.conversation.id for one in merged])
        threads = [
            {
                "conversation": conversation_json(thread.conversation),
                "into": thread.merge.target_id,
                "merged_at": moment(thread.merge.at),
                "merged_by": thread.merge.by_name,
                "undo_until": moment(thread.undo_until)
                if thread.merge.by_id == session.member.id or session.member.role in OVERSEERS
                else None,
            }
            for thread in merged
            if thread.conversation.id in seen
        ]
        return answer({"threads": threads})

    async def merge(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        body = read_json(MergeBody, request.content_type, request.body)
        source = await _get(side, conversation_id)
        target = await side.sight.conversation(session.member, body.into)
        oversees = session.member.role in OVERSEERS
        merged = await desk.merge(source.id, target.id, session.member.agent, oversees=oversees)
        return await _shown(side, session, merged)

    async def unmerge(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        source = await _get(side, conversation_id)
        oversees = session.member.role in OVERSEERS
        return await _shown(side, session, await desk.undo_merge(source.id, session.member.agent, oversees=oversees))

    base = "conversations/<conversation_id>"
    for method, route, handler in (
        ("GET", "labels", labels),
        ("POST", "labels", add_label),
        ("POST", "labels/<label_id>", change_label),
        ("POST", "conversations/bulk", bulk),
        ("POST", f"{base}/labels", set_labels),
        ("POST", f"{base}/priority", priority),
        ("POST", f"{base}/snooze", snooze),
        ("POST", f"{base}/wake", wake),
        ("GET", f"{base}/duplicates", duplicates),
        ("GET", f"{base}/merged", merged_into),
        ("POST", f"{base}/merge", merge),
        ("POST", f"{base}/unmerge", unmerge),
    ):
        side.guard.add(blueprint, method, route, handler)


async def _get(side: StaffSide, conversation_id: str) -> Conversation:
    return await side.conversations.get_conversation(check_id(conversation_id, "conversation"))


async def _shown(side: StaffSide, session: Session, conversation: Conversation) -> HTTPResponse:
    (form,) = await listed_json(side, session.member.id, [conversation])
    return answer({"conversation": form})


async def _label(
    side: StaffSide, session: Session, found: Conversation, add: tuple[str, ...], remove: tuple[str, ...]
) -> Conversation:
    return await side.conversations.change_labels(found.id, session.member.agent, add, remove)


async def _snooze(side: StaffSide, session: Session, found: Conversation, body: SnoozeBody) -> Conversation:
    holder = session.member.agent if found.agent_id is None else _holder(session, found)
    done = await side.conversations.snooze(found.id, holder, body.until, body.reason)
    if found.agent_id is not None:
        await _sign(side, session, found, "snoozed")
    return done


async def _one(side: StaffSide, session: Session, found: Conversation, body: BulkBody) -> Conversation:
    """One conversation of a bulk action, by the same rules as if it were done alone."""
    desk, agent = side.conversations, session.member.agent
    if body.action == "assign_me":
        return await desk.assign(found.id, agent, over_capacity=session.member.role in OVERSEERS)
    if body.action == "label":
        return await _label(side, session, found, body.add, body.remove)
    if body.action == "priority":
        return await desk.set_priority(found.id, agent, body.level or "none")
    if body.action == "wake":
        return await desk.unsnooze(found.id, agent)
    if body.action == "snooze" and body.until is not None:
        return await _snooze(side, session, found, SnoozeBody(until=body.until, reason=body.reason))
    return await resolve_as(side, session, found)


async def _reached_at(side: StaffSide, conversation: Conversation) -> tuple[str, ...]:
    """Phone and e-mail of the customer; a CRM that fails must not keep anybody from merging."""
    if conversation.customer_id is None:
        return ()
    try:
        async with asyncio.timeout(CRM_SECONDS):
            customer = await side.crm.find_customer(conversation.customer_id)
    except Exception as error:
        log.warning("crm_unavailable", conversation_id=conversation.id, error=error)
        return ()
    if customer is None:
        return ()
    phone = customer.phone or ""
    bare = "".join(character for character in phone if character.isdigit())
    return tuple(value for value in (phone, bare, f"+{bare}" if bare else "", customer.email or "") if value)
