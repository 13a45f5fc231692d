"""The staff API of gaps: what was asked in vain, with drafted answers; trainers make articles of them, or not."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from dataclasses import asdict
from typing import Any, TypeVar

from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.json_form import moment
from handoff.bodies import check_id, first_values, read_json, read_query
from handoff.errors import Refused
from handoff.guard import answer
from handoff.learning.article_routes import article_of, made, publish_article, record_article
from handoff.learning.knowledge_bodies import MAX_ARTICLE_BYTES, ApproveBody, GapsQuery, MergeBody, RejectBody
from handoff.learning.knowledge_side import KnowledgeSide
from handoff.staff_side import StaffSide
from handoff.store import Session
from knowledge_base.library_model import Change, Editor
from learning.gap_store import GapDecision
from learning.gaps import COMES_BACK_AFTER, Draft, Gap, GapRefused, OpenGap
from learning.inbox import InboxRefused, Wish

_Made = TypeVar("_Made")


def add_gap_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route below ``/staff/api/learning/gaps``."""

    async def listed(request: Request, session: Session) -> HTTPResponse:
        query = read_query(GapsQuery, first_values(request.args))
        sight = side.sight.of(session.member)
        found = {
            state: await _desk(side).gaps.all(state, query.days, sight) for state in ("open", "answered", "rejected")
        }
        return answer(
            {
                "gaps": [gap_json(one) for one in found[query.state]],
                "counts": {state: len(gaps) for state, gaps in found.items()},
                "comes_back_after": COMES_BACK_AFTER,
            }
        )

    async def opened(request: Request, session: Session, group_id: str) -> HTTPResponse:
        desk, sight = _desk(side), side.sight.of(session.member)
        if desk.inbox.words is not None:
            await desk.inbox.words.refresh()
        seen = await _or_refused(desk.gaps.look(check_id(group_id, "gap"), sight))
        form = open_json(seen)
        form["near"] = await _near(desk, seen)
        last = next((one for one in reversed(seen.gap.decisions) if one.article_id), None)
        form["effect"] = None
        if last is not None and seen.gap.state == "answered":
            effect = await desk.gaps.effect(seen.gap.group.id, last.article_id or "", last.at, sight)
            form["effect"] = asdict(effect)
        return answer(form)

    async def approve(request: Request, session: Session, group_id: str) -> HTTPResponse:
        body = read_json(ApproveBody, request.content_type, request.body, MAX_ARTICLE_BYTES)
        desk, group = _desk(side), check_id(group_id, "gap")
        await _or_refused(desk.gaps.check(group, body.seen))
        by = Editor(session.member.id, session.member.name)
        change = await made(desk.library.create(article_of(body.article, desk), by, origin="gap"))
        await record_article(side, session, "article_created", change, gap=group)
        if body.publish:
            change = await publish_article(side, session, desk, change)
        return answer(await _decided(side, session, desk, group, "article", change, body.seen), 201)

    async def merge(request: Request, session: Session, group_id: str) -> HTTPResponse:
        body = read_json(MergeBody, request.content_type, request.body, MAX_ARTICLE_BYTES)
        desk, group = _desk(side), check_id(group_id, "gap")
        await _or_refused(desk.gaps.check(group, body.seen))
        by = Editor(session.member.id, session.member.name)
        change = await made(desk.library.save(article_of(body.article, desk), body.revision, by))
        await record_article(side, session, "article_saved", change, gap=group)
        if body.publish:
            change = await publish_article(side, session, desk, change)
        return answer(await _decided(side, session, desk, group, "merged", change, body.seen))

    async def reject(request: Request, session: Session, group_id: str) -> HTTPResponse:
        body = read_json(RejectBody, request.content_type, request.body)
        desk, group = _desk(side), check_id(group_id, "gap")
        kind = "again" if body.again else "rejected"
        work = desk.gaps.decide(group, kind, session.member.agent, body.seen, reason=body.reason)
        decision = await _or_refused(work)
        facts = {"group_id": group, "kind": kind, "contacts": decision.contacts}
        await side.conversations.record("gap_decided", session.member.agent, facts)
        return answer({"decision": decision_json(decision)})

    base = "learning/gaps"
    for method, route, handler in (
        ("GET", base, listed),
        ("GET", f"{base}/<group_id>", opened),
        ("POST", f"{base}/<group_id>/approve", approve),
        ("POST", f"{base}/<group_id>/merge", merge),
        ("POST", f"{base}/<group_id>/reject", reject),
    ):
        side.guard.add(blueprint, method, route, handler)


def _desk(side: StaffSide) -> KnowledgeSide:
    if side.studio.knowledge is None:
        raise Refused(404, "not_found", "This desk has no knowledge base to fill.")
    return side.studio.knowledge


async def _near(desk: KnowledgeSide, seen: OpenGap) -> list[dict[str, Any]]:
    """The articles that come nearest, into one of which the question may belong."""
    if not seen.drafts:
        return []
    draft = seen.drafts[0]
    hits = await desk.kb.search(draft.question, draft.language, 3)
    return [
        {
            "article_id": hit.passage.article_id,
            "language": hit.passage.language,
            "title": hit.passage.title,
            "probability": hit.score,
            "reaches": hit.score >= desk.gate(draft.language),
        }
        for hit in hits
    ]


async def _decided(
    side: StaffSide, session: Session, desk: KnowledgeSide, group: str, kind: str, change: Change, seen: str | None
) -> dict[str, Any]:
    """Note the article in the gap, and take the messages off the inbox's list."""
    kept, by = change.kept, session.member.agent
    decision = await _or_refused(desk.gaps.decide(group, kind, by, seen, article_id=kept.id, language=kept.language))
    facts = {"group_id": group, "kind": kind, "article_id": kept.id, "language": kept.language}
    await side.conversations.record("gap_decided", by, facts | {"contacts": decision.contacts})
    for _ in range(2):  # a message may come in between, which the inbox counts as a change
        try:
            shown = (await desk.inbox.inbox.look(group)).group
            if shown.state == "new":
                await desk.inbox.inbox.decide(Wish(shown.id, shown.revision, "gap"), by)
            break
        except InboxRefused:
            continue
    effect = await desk.gaps.effect(group, kept.id, decision.at) if kept.live is not None else None
    return {
        "decision": decision_json(decision),
        "article_id": kept.id,
        "language": kept.language,
        "published": kept.live is not None,
        "effect": asdict(effect) if effect else None,
    }


async def _or_refused(work: Awaitable[_Made]) -> _Made:
    try:
        return await work
    except GapRefused as refused:
        if refused.code == "not_found":
            raise Refused(404, "not_found", str(refused)) from None
        detail = json.dumps(refused.detail, ensure_ascii=False)
        raise Refused(409, f"gap_{refused.code}", str(refused), detail=detail) from None


def gap_json(gap: Gap) -> dict[str, Any]:
    """A gap in the list."""
    group = gap.group
    return {
        "id": group.id,
        "text": gap.text,
        "state": gap.state,
        "contacts": gap.contacts,
        "messages": group.messages,
        "handoffs": group.handoffs,
        "mean_rating": group.mean_rating,
        "rated": group.rated,
        "by_language": group.by_language,
        "by_reason": group.by_reason,
        "first_at": moment(group.first_at),
        "last_at": moment(group.last_at),
        "decisions": [decision_json(one) for one in gap.decisions],
    }


def decision_json(decision: GapDecision) -> dict[str, Any]:
    """What was decided about a gap."""
    return asdict(decision) | {"at": moment(decision.at)}


def draft_json(draft: Draft) -> dict[str, Any]:
    """A question with its drafted answer."""
    return {
        "language": draft.language,
        "question": draft.question,
        "wordings": list(draft.wordings),
        "answer": draft.answer.text,
        "sources": [{"text": one.text, "conversation_ids": list(one.conversation_ids)} for one in draft.answer.sources],
    }


def open_json(seen: OpenGap) -> dict[str, Any]:
    """A gap as a trainer opens it."""
    return {
        "gap": gap_json(seen.gap),
        "drafts": [draft_json(one) for one in seen.drafts],
        "agents_said": seen.agents_said,
        "asked": [
            {
                "message_id": one.item.message_id,
                "conversation_id": one.item.conversation_id,
                "seq": one.item.seq,
                "at": moment(one.item.at),
                "language": one.item.language,
                "channel": one.item.channel,
                "rating": one.item.rating,
                "handed_off": one.item.handed_off,
                "text": one.text,
            }
            for one in seen.asked
        ],
    }
