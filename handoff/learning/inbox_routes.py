"""The staff API of the trainers' inbox: groups of what went wrong, and what is decided about them."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sanic import Blueprint, Request
from sanic.response import HTTPResponse, raw

from conversations.json_form import moment
from handoff.bodies import check_id, first_values, read_json, read_query
from handoff.errors import Refused
from handoff.guard import answer, file_headers, refused_form
from handoff.learning.gaps_csv import gaps_csv
from handoff.learning.inbox_bodies import DecideBody, DecideManyBody, InboxQuery, SuggestionsQuery
from handoff.learning.inbox_side import InboxSide
from handoff.staff_side import StaffSide
from handoff.store import Session
from learning.annotations import plain
from learning.decision_store import Decision
from learning.inbox import TEACHING, InboxRefused, Line, Seen, Shown, Wish
from learning.inbox_list_store import Filters, Gap, Group
from learning.reasons import names_of, reasons_of

_MISSING = {"not_found", "unknown_edit"}
_CONFLICTS = {
    "changed", "merged", "busy", "decided", "undone", "already_undone", "exists", "gone", "intent_exists", "nothing",
}  # fmt: skip


def add_inbox_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route below ``/staff/api/learning/inbox``."""

    async def listed(request: Request, session: Session) -> HTTPResponse:
        query = read_query(InboxQuery, first_values(request.args))
        desk, sight = _desk(side), side.sight.of(session.member)
        wanted = query.q.strip()
        filters = Filters(
            state=query.state,
            reasons=_reasons(query.reasons),
            language=query.language or None,
            channel=query.channel or None,
            since=side.conversations.now() - timedelta(days=query.days) if query.days else None,
            groups=await desk.inbox.like(wanted, sight) if wanted else None,
        )
        groups, total = await desk.inbox.groups(filters, query.sort, query.limit, query.offset, sight)
        progress = await desk.follower.progress()
        return answer(
            {
                "groups": [group_json(one, text) for one, text in groups],
                "total": total,
                "counts": await desk.inbox.counts(sight),
                "channels": await desk.inbox.channels(sight),
                "progress": {"read": progress.read, "of": progress.of},
                "teaches": desk.inbox.book is not None,
            }
        )

    async def opened(request: Request, session: Session, group_id: str) -> HTTPResponse:
        desk = _desk(side)
        seen = await _or_refused(desk.inbox.look(check_id(group_id, "group"), side.sight.of(session.member)))
        masked = {(one.text, one.item.language) for one in seen.messages}
        hidden = {pair: await desk.masked(*pair) for pair in masked}
        return answer(seen_json(seen, hidden))

    async def suggested(request: Request, session: Session, group_id: str) -> HTTPResponse:
        query = read_query(SuggestionsQuery, first_values(request.args))
        desk = _desk(side)
        seen = await _or_refused(desk.inbox.look(check_id(group_id, "group"), side.sight.of(session.member)))
        chosen = query.message_id or seen.group.medoid
        message = next((one for one in seen.messages if one.item.message_id == chosen), None)
        message = message or next(iter(seen.messages), None)
        if message is None:
            raise Refused(404, "not_found", "The words of this group are gone.")
        found = await desk.suggestions.of(message.text, message.item.language)
        return answer({"message_id": message.item.message_id, "suggestions": [asdict(one) for one in found]})

    async def intents(request: Request, session: Session) -> HTTPResponse:
        desk = _desk(side)
        return answer(
            {
                "intents": await desk.suggestions.intents(),
                "titles": [
                    {"name": one.name, "zh": one.title_zh, "en": one.title_en} for one in await desk.suggestions.made()
                ],
                "entities": [asdict(one) for one in desk.entity_types],
            }
        )

    async def decide(request: Request, session: Session, group_id: str) -> HTTPResponse:
        body = read_json(DecideBody, request.content_type, request.body)
        desk = _desk(side)
        lines = tuple(Line(one.language, one.text.strip()) for one in body.lines) if body.kind in TEACHING else ()
        kept = await _check_personal(desk, lines, keep=body.keep)
        wish = Wish(
            check_id(group_id, "group"), body.revision, body.kind, body.upto, body.message_ids, body.intent, lines,
            body.made.made() if body.made is not None else None,
        )  # fmt: skip
        made = await _or_refused(desk.inbox.decide(wish, session.member.agent))
        await _record(side, session, made, {"kept_as_written": kept} if kept else {})
        return answer({"decision": decision_json(made)})

    async def decide_many(request: Request, session: Session) -> HTTPResponse:
        body = read_json(DecideManyBody, request.content_type, request.body)
        desk = _desk(side)
        results: list[dict[str, Any]] = []
        for one in body.groups:
            wish = Wish(one.id, one.revision, body.kind, one.upto)
            try:
                made = await desk.inbox.decide(wish, session.member.agent)
            except InboxRefused as refused:
                results.append({"id": one.id, "ok": False, "error": refused_form(_refusal(refused))})
                continue
            await _record(side, session, made, {})
            results.append({"id": one.id, "ok": True, "decision": decision_json(made)})
        return answer({"results": results})

    async def undo(request: Request, session: Session, decision_id: str) -> HTTPResponse:
        desk = _desk(side)
        undone = await _or_refused(desk.inbox.undo(check_id(decision_id, "decision"), session.member.agent))
        facts = {"decision_id": undone.id, "group_id": undone.group_id, "kind": undone.kind}
        await side.conversations.record("inbox_undone", session.member.agent, facts)
        return answer({"decision": decision_json(undone)})

    async def gaps(request: Request, session: Session) -> HTTPResponse:
        found = await _desk(side).inbox.gaps(side.sight.of(session.member))
        return answer({"gaps": [gap_json(gap, asked) for gap, asked in found]})

    async def export(request: Request, session: Session) -> HTTPResponse:
        desk = _desk(side)
        found = []
        for gap, asked in await desk.inbox.gaps(side.sight.of(session.member)):
            masked = [
                await desk.masked(text, session.member.languages[0] if session.member.languages else "en")
                for text in asked
            ]
            found.append((gap, list(dict.fromkeys(masked))))
        await side.conversations.record("report_exported", session.member.agent, {"report": "gaps", "rows": len(found)})
        return raw(gaps_csv(found), content_type="text/csv; charset=utf-8", headers=file_headers("gaps.csv"))

    base = "learning/inbox"
    for method, route, handler in (
        ("GET", base, listed),
        ("GET", f"{base}/intents", intents),
        ("GET", f"{base}/gaps", gaps),
        ("GET", f"{base}/gaps/export", export),
        ("GET", f"{base}/groups/<group_id>", opened),
        ("GET", f"{base}/groups/<group_id>/suggestions", suggested),
        ("POST", f"{base}/groups/<group_id>/decide", decide),
        ("POST", f"{base}/decide", decide_many),
        ("POST", f"{base}/decisions/<decision_id>/undo", undo),
    ):
        side.guard.add(blueprint, method, route, handler)


def _desk(side: StaffSide) -> InboxSide:
    if side.studio.inbox is None:
        raise Refused(404, "not_found", "This desk has no inbox of what went wrong.")
    return side.studio.inbox


def _reasons(listed: str) -> Any:
    names = [name for name in listed.split(",") if name]
    try:
        return reasons_of(names) or None
    except KeyError as unknown:
        raise Refused(400, "bad_request", f"reasons: there is no reason {unknown.args[0].lower()}.") from None


async def _check_personal(desk: InboxSide, lines: tuple[Line, ...], *, keep: bool) -> int:
    """How many lines hold what seems personal; refuses them unless the trainer has looked."""
    found = []
    for line in lines:
        written = plain(line.text)
        masked = await desk.masked(written, line.language)
        if masked != written:
            found.append({"text": line.text, "masked": masked})
    if found and not keep:
        raise Refused(
            400,
            "inbox_personal",
            "Something in these lines looks personal. Replace it, or say that it is not.",
            detail=json.dumps(found, ensure_ascii=False),
        )
    return len(found)


async def _or_refused(work: Any) -> Any:
    try:
        return await work
    except InboxRefused as refused:
        raise _refusal(refused) from None


def _refusal(refused: InboxRefused) -> Refused:
    status = 404 if refused.code in _MISSING else 409 if refused.code in _CONFLICTS else 400
    code = "not_found" if refused.code == "not_found" else f"inbox_{refused.code}"
    detail = json.dumps(refused.detail, ensure_ascii=False, default=str) if refused.detail else None
    return Refused(status, code, str(refused), detail=detail)


async def _record(side: StaffSide, session: Session, made: Decision, more: dict[str, Any]) -> None:
    facts = {"decision_id": made.id, "group_id": made.group_id, "kind": made.kind, "messages": len(made.before)}
    facts |= {"intent": made.intent, "examples": made.examples, "edit_id": made.edit_id} if made.examples else {}
    await side.conversations.record("inbox_decided", session.member.agent, facts | more)


def group_json(group: Group, text: str) -> dict[str, Any]:
    """A group as the list shows it; ``text`` is what the message that stands for it says."""
    times = ("first_at", "last_at", "changed_at", "done_at", "again_at")
    return asdict(group) | {name: moment(getattr(group, name)) for name in times} | {"text": text}


def seen_json(seen: Seen, masked: dict[tuple[str, str], str]) -> dict[str, Any]:
    """A group as it is opened; ``masked`` has each text without personal data."""
    text = next((one.text for one in seen.messages if one.item.message_id == seen.group.medoid), "")
    return {
        "group": group_json(seen.group, text),
        "messages": [shown_json(one, masked[one.text, one.item.language]) for one in seen.messages],
        "decisions": [decision_json(one) for one in seen.decisions],
    }


def shown_json(shown: Shown, masked: str) -> dict[str, Any]:
    """A message of a group."""
    item = shown.item
    times = {"at": moment(item.at), "changed_at": moment(item.changed_at)}
    return asdict(item) | times | {"reasons": names_of(item.reasons), "text": shown.text, "masked": masked}


def decision_json(decision: Decision) -> dict[str, Any]:
    """What was decided, by whom and when."""
    form = asdict(decision) | {"at": moment(decision.at), "undone_at": moment(decision.undone_at)}
    del form["before"]
    return form | {"messages": len(decision.before)}


def gap_json(gap: Gap, asked: list[str]) -> dict[str, Any]:
    """Something the knowledge base does not know."""
    return {
        "decision_id": gap.decision_id,
        "group_id": gap.group_id,
        "at": moment(gap.at),
        "by_name": gap.by_name,
        "messages": len(gap.message_ids),
        "contacts": gap.contacts,
        "texts": asked,
    }
