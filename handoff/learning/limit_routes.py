"""The staff API of thresholds: what the log says about them, what others would bring, and which are in force."""

from __future__ import annotations

import re
from typing import Any

from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from handoff.bodies import first_values, read_json, read_query
from handoff.errors import Refused, refused_for
from handoff.guard import answer
from handoff.learning.limit_bodies import ApplyBody, LimitsQuery, OutcomeQuery, RestoreBody
from handoff.staff_side import StaffSide
from handoff.store import Session
from learning.limit_book import LimitsRefused
from learning.limit_curves import Limits
from learning.limit_desk import LimitDesk, Wanted, version_json
from learning.limit_store import LimitVersion
from learning.limits import Costs

_STATUS = {"not_found": 404, "changed": 409}


def add_limit_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route below ``/staff/api/learning/limits``."""

    async def report(request: Request, session: Session) -> HTTPResponse:
        desk = _desk(side)
        found = await desk.report(_wanted(read_query(LimitsQuery, first_values(request.args))))
        done, total = desk.check.progress
        checking = {"running": desk.check.running, "done": done, "total": total, "failed": desk.check.failed}
        return answer(found | {"checking": checking})

    async def outcome(request: Request, session: Session) -> HTTPResponse:
        query = read_query(OutcomeQuery, first_values(request.args))
        tried = Limits(query.answer, query.clarify, query.retrieval)
        return answer({"outcome": await _desk(side).outcome(_wanted(query), tried)})

    async def versions(request: Request, session: Session) -> HTTPResponse:
        return answer({"versions": await _desk(side).versions()})

    async def apply(request: Request, session: Session) -> HTTPResponse:
        body = read_json(ApplyBody, request.content_type, request.body)
        limits = {name: one.model_dump() for name, one in (("zh", body.limits.zh), ("en", body.limits.en)) if one}
        if not limits:
            raise Refused(400, "bad_request", "Name the thresholds of at least one language.")
        basis = None if body.costs is None else {"costs": body.costs.model_dump()}
        try:
            made = await _desk(side).book.apply(limits, body.why, session.member.agent, body.based_on, basis)
        except LimitsRefused as refused:
            raise refused_for(refused, _STATUS) from None
        return _applied(made)

    async def restore(request: Request, session: Session, version: str) -> HTTPResponse:
        body = read_json(RestoreBody, request.content_type, request.body)
        if not re.fullmatch(r"\d{1,9}", version):
            raise Refused(404, "not_found", "There is no such version of the thresholds.")
        try:
            made = await _desk(side).book.restore(int(version), body.why, session.member.agent, body.based_on)
        except LimitsRefused as refused:
            raise refused_for(refused, _STATUS) from None
        return _applied(made)

    async def check(request: Request, session: Session) -> HTTPResponse:
        begun = _desk(side).check.begin(session.member.agent)
        if begun:
            await side.conversations.record("limits_checked", session.member.agent)
        return answer({"begun": begun}, 202)

    for method, route, handler in (
        ("GET", "learning/limits", report),
        ("GET", "learning/limits/outcome", outcome),
        ("GET", "learning/limits/versions", versions),
        ("POST", "learning/limits", apply),
        ("POST", "learning/limits/versions/<version>/restore", restore),
        ("POST", "learning/limits/check", check),
    ):
        side.guard.add(blueprint, method, route, handler)


def _desk(side: StaffSide) -> LimitDesk:
    if side.studio.limits is None:
        raise Refused(404, "not_found", "This desk keeps no thresholds.")
    return side.studio.limits


def _wanted(query: LimitsQuery) -> Wanted:
    costs = Costs(query.wrong, query.clarified, query.handed_off, query.missed, query.silence)
    return Wanted(query.language, costs, query.days, query.models == "latest")


def _applied(version: LimitVersion) -> HTTPResponse:
    form: dict[str, Any] = {"version": version_json(version)}
    return answer(form, 201)
