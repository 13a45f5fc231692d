"""The staff API of macros, and of taking a reply back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.json_form import moment
from handoff.bodies import check_id, read_json
from handoff.conversation_routes import listed_json
from handoff.errors import Refused
from handoff.guard import answer
from handoff.staff_side import StaffSide
from handoff.store import Session
from handoff.writing.canned import SHARED, BadCanned, check_variables, pinyin_keys
from handoff.writing.canned_routes import owner_for
from handoff.writing.macro_store import MacroDraft
from handoff.writing.macros import BadMacro, Macro
from handoff.writing.writing_bodies import MacroBody, RecallBody, RunBody

_GONE = "There is no such macro. Somebody may have deleted it; reload the list."


def add_macro_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route below ``/staff/api/macros``, running one, and ``recall``."""
    store, steps, desk = side.macros, side.macro_steps, side.conversations

    async def list_macros(request: Request, session: Session) -> HTTPResponse:
        listed = await store.visible_to(session.member.id)
        verbs = [
            {"name": kind.name, "hands_on": kind.hands_on, "fields": [asdict(field) for field in kind.fields]}
            for kind in steps.kinds.values()
        ]
        return answer({"macros": [macro_json(one) for one in listed], "verbs": verbs})

    async def add(request: Request, session: Session) -> HTTPResponse:
        draft = await _draft(session, read_json(MacroBody, request.content_type, request.body))
        made = await store.add(draft, session.member.name, desk.now())
        await desk.record("macro_added", session.member.agent, _told(made))
        return answer({"macro": macro_json(made)}, 201)

    async def change(request: Request, session: Session, macro_id: str) -> HTTPResponse:
        body = read_json(MacroBody, request.content_type, request.body)
        former = await _own(session, macro_id)
        draft = await _draft(session, body)
        done = await store.change(former.id, draft, session.member.name, desk.now())
        now = await store.find(former.id, session.member.id)
        if not done or now is None:
            raise Refused(404, "not_found", _GONE)
        await desk.record("macro_changed", session.member.agent, _told(now) | {"before": _told(former)})
        return answer({"macro": macro_json(now)})

    async def delete(request: Request, session: Session, macro_id: str) -> HTTPResponse:
        former = await _own(session, macro_id)
        await store.remove(former.id)
        await desk.record("macro_deleted", session.member.agent, _told(former))
        return answer({})

    async def preview(request: Request, session: Session, conversation_id: str, macro_id: str) -> HTTPResponse:
        macro = await _usable(session, macro_id)
        found = await desk.get_conversation(check_id(conversation_id, "conversation"))
        try:
            shown = await steps.shown(side, session.member, found, macro)
        except BadMacro as error:
            raise _refusal(error) from None
        return answer({"steps": [asdict(one) for one in shown]})

    async def run(request: Request, session: Session, conversation_id: str, macro_id: str) -> HTTPResponse:
        body = read_json(RunBody, request.content_type, request.body)
        macro = await _usable(session, macro_id)
        found = await desk.get_conversation(check_id(conversation_id, "conversation"))
        try:
            for shown in await steps.shown(side, session.member, found, macro):
                if shown.unfilled:
                    names = ", ".join(shown.unfilled)
                    told = f"Nothing is known for {names}, so nothing was done. Insert the reply and fill it in."
                    raise Refused(409, "unfilled_variables", told, detail=names)
        except BadMacro as error:
            raise _refusal(error) from None
        outcome = await steps.run(side, session.member, found.id, macro, body.run_id)
        await store.count_use(macro.id, desk.now())
        data = {"macro_id": macro.id, "conversation_id": found.id, "ran": list(outcome.ran), "failed": outcome.failed}
        await desk.record("macro_run", session.member.agent, data)
        (form,) = await listed_json(side, session.member.id, [await desk.get_conversation(found.id)])
        return answer({"ran": list(outcome.ran), "failed": outcome.failed, "conversation": form})

    async def recall(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        body = read_json(RecallBody, request.content_type, request.body)
        taken = await desk.recall(check_id(conversation_id, "conversation"), session.member.agent, body.seq)
        return answer({"message": side.message_json(taken.message), "effect": taken.effect})

    async def _draft(session: Session, body: MacroBody) -> MacroDraft:
        owner = owner_for(session, body.shared, "macros")
        title_zh, title_en = body.title_zh.strip(), body.title_en.strip()
        if not title_zh and not title_en:
            raise Refused(400, "macro_title", "Give it a title in at least one language.")
        try:
            kept = await steps.checked(side, owner, body.steps)
            for place, step in enumerate(kept, start=1):
                try:
                    check_variables(str(step.get("text", "")))
                except BadCanned as error:
                    raise BadMacro(place, str(error), "variable") from None
        except BadMacro as error:
            raise _refusal(error) from None
        return MacroDraft(owner, title_zh, title_en, kept)

    async def _usable(session: Session, macro_id: str) -> Macro:
        found = await store.find(check_id(macro_id, "macro"), session.member.id)
        if found is None:
            raise Refused(404, "not_found", _GONE)
        return found

    async def _own(session: Session, macro_id: str) -> Macro:
        found = await _usable(session, macro_id)
        owner_for(session, found.owner == SHARED, "macros")
        return found

    here = "conversations/<conversation_id>/macros/<macro_id>"
    for method, route, handler in (
        ("GET", "macros", list_macros),
        ("POST", "macros", add),
        ("POST", "macros/<macro_id>", change),
        ("POST", "macros/<macro_id>/delete", delete),
        ("GET", here, preview),
        ("POST", here, run),
        ("POST", "conversations/<conversation_id>/recall", recall),
    ):
        side.guard.add(blueprint, method, route, handler)


def macro_json(macro: Macro) -> dict[str, Any]:
    """A macro as the console shows and searches it."""
    return _told(macro) | {
        "keys": pinyin_keys(macro.title_zh),
        "uses": macro.uses,
        "last_used_at": moment(macro.last_used_at),
        "updated_at": moment(macro.updated_at),
        "updated_by": macro.updated_by,
    }


def _told(macro: Macro) -> dict[str, Any]:
    return {
        "id": macro.id,
        "shared": macro.owner == SHARED,
        "title_zh": macro.title_zh,
        "title_en": macro.title_en,
        "steps": list(macro.steps),
    }


def _refusal(error: BadMacro) -> Refused:
    place = f"Step {error.step}: " if error.step else ""
    return Refused(400, f"macro_{error.code}", f"{place}{error}", detail=str(error.step))
