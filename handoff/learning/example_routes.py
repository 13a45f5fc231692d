"""The staff API of the bot's examples: to look through, to edit with a history, to carry in and out as files."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from sanic import Blueprint, Request
from sanic.response import HTTPResponse, raw

from handoff.bodies import check_id, first_values, read_json, read_query
from handoff.errors import Refused
from handoff.guard import answer, file_headers
from handoff.learning.example_bodies import (
    MAX_BYTES,
    AskBody,
    EditBody,
    ExamplesQuery,
    ExportQuery,
    HistoryQuery,
    UndoBody,
)
from handoff.staff_side import StaffSide
from handoff.store import Session
from learning.changes import MAX_WHY, Edit, ExampleRefused, bare, change_json, intents_of
from learning.example_desk import ExampleDesk, Wanted
from learning.example_sheets import additions, as_csv, as_yaml, line_json, read_sheet

#: Somebody else was quicker, or the words are taken: the page shows both versions.
_CONFLICTS = {"exists", "gone", "already_undone", "held_out", "not_editable", "intent_exists", "intent_used"}
_STATUS = {"busy": 503, "read_only": 503, "unknown_edit": 404, "too_many": 413}
_SHOWN_CHANGES = 200  #: of an edit in the history; an import may have thousands
_AUDITED_CHANGES = 50
_PREVIEWED = 1000  #: lines of a file


def add_example_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route below ``/staff/api/examples``."""

    async def overview(request: Request, session: Session) -> HTTPResponse:
        return answer(await _desk(side).overview())

    async def listing(request: Request, session: Session) -> HTTPResponse:
        query = read_query(ExamplesQuery, first_values(request.args))
        wanted = Wanted(query.intent, query.language, query.q, query.kind, query.offset, query.limit)
        return answer(await _desk(side).listing(wanted))

    async def edit(request: Request, session: Session) -> HTTPResponse:
        body = read_json(EditBody, request.content_type, request.body, MAX_BYTES)
        book = _desk(side).book
        try:
            made = await book.apply([one.change() for one in body.changes], session.member.agent, body.why)
        except ExampleRefused as refused:
            raise _refusal(refused) from None
        await _audit(side, session, "examples_edited", made)
        return answer({"edit": edit_json(made)}, 201)

    async def history(request: Request, session: Session) -> HTTPResponse:
        query = read_query(HistoryQuery, first_values(request.args))
        edits = await _desk(side).book.history(query.limit, before=query.before, intent=query.intent)
        return answer({"edits": [edit_json(one) for one in edits], "more": len(edits) == query.limit})

    async def undo(request: Request, session: Session, edit_id: str) -> HTTPResponse:
        body = read_json(UndoBody, request.content_type, request.body)
        try:
            made = await _desk(side).book.undo(check_id(edit_id, "edit"), session.member.agent, body.why)
        except ExampleRefused as refused:
            raise _refusal(refused) from None
        await _audit(side, session, "examples_edit_undone", made)
        return answer({"edit": edit_json(made)}, 201)

    async def take_in(request: Request, session: Session) -> HTTPResponse:
        sent = request.files.get("file") if request.files else None
        if sent is None:
            raise Refused(400, "bad_request", 'Send one file as the field "file" of a multipart form.')
        said = {name: request.form.get(name) for name in ("language", "apply", "why")} if request.form else {}
        book = _desk(side).book
        shelf = await book.shelf()
        try:
            lines = await asyncio.to_thread(read_sheet, sent.body, sent.name or "", said.get("language"), shelf)
            new = additions(lines)
            made = None
            if said.get("apply") == "true" and new:
                made = await book.apply(new, session.member.agent, str(said.get("why") or sent.name or "")[:MAX_WHY])
        except ExampleRefused as refused:
            raise _refusal(refused) from None
        if made is not None:
            await _audit(side, session, "examples_imported", made)
        # What needs a look comes first.
        shown = sorted(lines, key=lambda line: (line.state == "new", line.state == "there"))[:_PREVIEWED]
        return answer(
            {
                "counts": dict(Counter(line.state for line in lines)),
                "lines": [line_json(line) for line in shown],
                "total": len(lines),
                "edit": edit_json(made) if made is not None else None,
            }
        )

    async def export(request: Request, session: Session) -> HTTPResponse:
        query = read_query(ExportQuery, first_values(request.args))
        found = await _desk(side).entries(Wanted(query.intent, query.language))
        examples = [one.example for one in found]
        name = f"examples{f'-{query.language}' if query.language else ''}.{'csv' if query.form == 'csv' else 'yml'}"
        if query.form == "csv":
            sheet = await asyncio.to_thread(as_csv, examples)
            return raw(sheet, content_type="text/csv; charset=utf-8", headers=file_headers(name))
        written = await asyncio.to_thread(as_yaml, examples)
        return raw(written, content_type="application/yaml; charset=utf-8", headers=file_headers(name))

    async def ask(request: Request, session: Session) -> HTTPResponse:
        body = read_json(AskBody, request.content_type, request.body)
        desk = _desk(side)
        if not desk.bot.begin(await desk.entries(Wanted(body.intent, body.language))):
            raise Refused(409, "example_asking", "The bot is still being asked. Wait, or stop that first.")
        await side.conversations.record("examples_tried", session.member.agent, body.model_dump())
        return answer({}, 202)

    async def stop(request: Request, session: Session) -> HTTPResponse:
        await _desk(side).bot.stop()
        return answer({})

    for method, route, handler in (
        ("GET", "examples", listing),
        ("GET", "examples/overview", overview),
        ("GET", "examples/history", history),
        ("GET", "examples/export", export),
        ("POST", "examples", edit),
        ("POST", "examples/import", take_in),
        ("POST", "examples/ask", ask),
        ("POST", "examples/ask/stop", stop),
        ("POST", "examples/history/<edit_id>/undo", undo),
    ):
        side.guard.add(blueprint, method, route, handler)


def edit_json(edit: Edit) -> dict[str, Any]:
    """An edit as the history shows it."""
    return {
        "id": edit.id,
        "at": edit.at.isoformat(),
        "by": edit.by_name,
        "by_id": edit.by_id,
        "why": edit.why,
        "changes": [change_json(bare(change)) for change in edit.changes[:_SHOWN_CHANGES]],
        "count": len(edit.changes),
        "undoes": edit.undoes,
        "undone_by": edit.undone_by,
    }


def _desk(side: StaffSide) -> ExampleDesk:
    if side.studio.examples is None:
        raise Refused(404, "not_found", "This desk has no examples that could be edited.")
    return side.studio.examples


async def _audit(side: StaffSide, session: Session, kind: str, edit: Edit) -> None:
    data = {
        "edit": edit.id,
        "why": edit.why,
        "intents": intents_of(edit.changes),
        "count": len(edit.changes),
        "changes": [change_json(bare(change)) for change in edit.changes[:_AUDITED_CHANGES]],
    }
    await side.conversations.record(kind, session.member.agent, data | ({"undoes": edit.undoes} if edit.undoes else {}))


def _refusal(refused: ExampleRefused) -> Refused:
    status = 409 if refused.code in _CONFLICTS else _STATUS.get(refused.code, 400)
    wait = 3 if refused.code == "busy" else None
    return Refused(status, f"example_{refused.code}", refused.message, wait, refused.detail)
