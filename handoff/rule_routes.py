"""The staff API of the handoff rules: read by everybody at the desk, written by supervisors and admins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.json_form import moment
from conversations.rule_store import RulesVersion
from conversations.triggers import ALWAYS, RULED, BadRules, Rules
from handoff.bodies import read_json
from handoff.errors import Refused
from handoff.guard import answer
from handoff.rule_bodies import RulesBody, RulesPreviewBody
from handoff.staff_side import StaffSide
from handoff.store import Session


def add_rule_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route below ``/staff/api/handoff-rules``."""

    async def rules(request: Request, session: Session) -> HTTPResponse:
        versions = await side.rules.versions()
        return answer(
            {
                "rules": Rules.from_json(versions[0].rules).to_json(),
                "defaults": Rules().to_json(),
                "reasons": [reason.value for reason in RULED],
                "always": [reason.value for reason in ALWAYS],
                "versions": [_version_json(one) for one in versions],
            }
        )

    async def save(request: Request, session: Session) -> HTTPResponse:
        body = read_json(RulesBody, request.content_type, request.body)
        saved = await side.rules.save(_rules(body.rules), body.based_on, body.note, session.member.agent)
        return answer({"version": _version_json(saved), "rules": saved.rules}, 201)

    async def preview(request: Request, session: Session) -> HTTPResponse:
        body = read_json(RulesPreviewBody, request.content_type, request.body)
        return answer(await side.rules.preview(_rules(body.rules), body.days))

    for method, route, handler in (
        ("GET", "handoff-rules", rules),
        ("POST", "handoff-rules", save),
        ("POST", "handoff-rules/preview", preview),
    ):
        side.guard.add(blueprint, method, route, handler)


def _rules(form: Mapping[str, Any]) -> Rules:
    try:
        return Rules.from_json(form)
    except BadRules as problem:
        sentence = f"{problem}."
        raise Refused(400, "bad_rules", sentence[0].upper() + sentence[1:], detail=problem.reason) from None


def _version_json(version: RulesVersion) -> dict[str, Any]:
    return {
        "version": version.version,
        "note": version.note,
        "author": version.author,
        "created_at": moment(version.created_at),
    }
