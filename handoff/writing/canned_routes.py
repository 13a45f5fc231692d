"""The staff API of canned replies: everybody's are kept by supervisors, each member keeps their own."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sanic import Blueprint, Request
from sanic.response import HTTPResponse, raw

from conversations.json_form import moment
from handoff.bodies import check_id, first_values, read_json, read_query
from handoff.errors import Refused
from handoff.guard import answer, file_headers
from handoff.roles import OVERSEERS
from handoff.staff_side import StaffSide
from handoff.store import Session
from handoff.writing.canned import SHARED, VARIABLES, BadCanned, CannedDraft, CannedReply, checked, pinyin_keys
from handoff.writing.canned_csv import read, written
from handoff.writing.writing_bodies import CannedBody, ExportQuery

MAX_CSV_BYTES = 1024 * 1024
_GONE = "There is no such canned reply. Somebody may have deleted it; reload the list."


def add_canned_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route below ``/staff/api/canned``, and filling one for a conversation."""
    store = side.canned

    async def list_canned(request: Request, session: Session) -> HTTPResponse:
        listed = await store.visible_to(session.member.id)
        return answer({"canned": [canned_json(one) for one in listed], "variables": list(VARIABLES)})

    async def add(request: Request, session: Session) -> HTTPResponse:
        body = read_json(CannedBody, request.content_type, request.body)
        owner = owner_for(session, body.shared, "canned replies")
        try:
            made = await store.add(owner, checked(_draft(body)), session.member.name, side.conversations.now())
        except BadCanned as error:
            raise _refusal(error) from None
        await side.conversations.record("canned_added", session.member.agent, _told(made))
        return answer({"canned": canned_json(made)}, 201)

    async def change(request: Request, session: Session, canned_id: str) -> HTTPResponse:
        body = read_json(CannedBody, request.content_type, request.body)
        former = await _own(session, canned_id)
        owner = owner_for(session, body.shared, "canned replies")
        try:
            draft = checked(_draft(body))
            done = await store.change(former.id, owner, draft, session.member.name, side.conversations.now())
        except BadCanned as error:
            raise _refusal(error) from None
        now = await store.find(former.id, session.member.id)
        if not done or now is None:
            raise Refused(404, "not_found", _GONE)
        await side.conversations.record("canned_changed", session.member.agent, _told(now) | {"before": _told(former)})
        return answer({"canned": canned_json(now)})

    async def delete(request: Request, session: Session, canned_id: str) -> HTTPResponse:
        former = await _own(session, canned_id)
        await store.remove(former.id)
        await side.conversations.record("canned_deleted", session.member.agent, _told(former))
        return answer({})

    async def export(request: Request, session: Session) -> HTTPResponse:
        shared = read_query(ExportQuery, first_values(request.args)).shared
        wanted = SHARED if shared else session.member.id
        listed = [one for one in await store.visible_to(session.member.id) if one.owner == wanted]
        name = "canned-replies.csv" if shared else "my-canned-replies.csv"
        ordered = sorted(listed, key=lambda one: one.shortcut)
        return raw(written(ordered), content_type="text/csv; charset=utf-8", headers=file_headers(name))

    async def take_in(request: Request, session: Session) -> HTTPResponse:
        sent = request.files.get("file") if request.files else None
        if sent is None:
            raise Refused(400, "bad_request", 'Send one file as the field "file" of a multipart form.')
        shared = (request.form.get("shared") if request.form else None) == "true"
        owner = owner_for(session, shared, "canned replies")
        if len(sent.body) > MAX_CSV_BYTES:
            most = str(MAX_CSV_BYTES // 1024 // 1024)
            told = f"The file is larger than {most} MiB. Import it in parts."
            raise Refused(413, "file_too_large", told, detail=most)
        drafts, problems = read(sent.body)
        added = changed = unchanged = 0
        if not problems:
            now = side.conversations.now()
            added, changed, unchanged = await store.take_in(owner, drafts, session.member.name, now)
            data = {"shared": shared, "added": added, "changed": changed}
            await side.conversations.record("canned_imported", session.member.agent, data)
        listed = [asdict(one) for one in problems]
        return answer({"added": added, "changed": changed, "unchanged": unchanged, "problems": listed})

    async def fill(request: Request, session: Session, conversation_id: str, canned_id: str) -> HTTPResponse:
        found = await side.conversations.get_conversation(check_id(conversation_id, "conversation"))
        canned = await store.find(check_id(canned_id, "canned reply"), session.member.id)
        if canned is None:
            raise Refused(404, "not_found", _GONE)
        text = canned.text_in(found.language)
        filled = await side.variables.fill(text, found, session.member, found.language)
        await store.count_use(canned.id, side.conversations.now())
        return answer({"text": filled.text, "unfilled": list(filled.unfilled)})

    async def _own(session: Session, canned_id: str) -> CannedReply:
        found = await store.find(check_id(canned_id, "canned reply"), session.member.id)
        if found is None:
            raise Refused(404, "not_found", _GONE)
        owner_for(session, found.owner == SHARED, "canned replies")
        return found

    for method, route, handler in (
        ("GET", "canned", list_canned),
        ("POST", "canned", add),
        ("GET", "canned/export", export),
        ("POST", "canned/import", take_in),
        ("POST", "canned/<canned_id>", change),
        ("POST", "canned/<canned_id>/delete", delete),
        ("POST", "conversations/<conversation_id>/canned/<canned_id>", fill),
    ):
        side.guard.add(blueprint, method, route, handler)


def owner_for(session: Session, shared: bool, what: str) -> str:
    """Whose it will be; raises ``Refused`` where a member would write for everybody and may not."""
    if not shared:
        return session.member.id
    if session.member.role not in OVERSEERS:
        raise Refused(403, "forbidden", f"Shared {what} are kept by supervisors. Keep your own, or ask one of them.")
    return SHARED


def canned_json(reply: CannedReply) -> dict[str, Any]:
    """A canned reply as the console shows and searches it."""
    return _told(reply) | {
        "keys": pinyin_keys(reply.title_zh),
        "uses": reply.uses,
        "last_used_at": moment(reply.last_used_at),
        "updated_at": moment(reply.updated_at),
        "updated_by": reply.updated_by,
    }


def _draft(body: CannedBody) -> CannedDraft:
    return CannedDraft(body.shortcut, body.title_zh, body.title_en, body.text_zh, body.text_en)


def _told(reply: CannedReply) -> dict[str, Any]:
    return {
        "id": reply.id,
        "shared": reply.owner == SHARED,
        "shortcut": reply.shortcut,
        "title_zh": reply.title_zh,
        "title_en": reply.title_en,
        "text_zh": reply.text_zh,
        "text_en": reply.text_en,
    }


def _refusal(error: BadCanned) -> Refused:
    return Refused(409 if error.code == "exists" else 400, f"canned_{error.code}", str(error), detail=error.detail)
