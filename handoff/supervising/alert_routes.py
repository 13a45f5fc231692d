"""The staff API of alerts: what rose suddenly, who looks after it, and what alerts at all."""

from __future__ import annotations

from typing import Any

from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from handoff.bodies import first_values, read_json, read_query
from handoff.errors import Refused, refused_for
from handoff.guard import answer
from handoff.roles import OVERSEERS
from handoff.staff_side import StaffSide
from handoff.store import Session
from handoff.supervising.alert_bodies import AcknowledgeBody, AlertRulesBody, AlertsQuery
from reporting.alert_rules import AlertRules, Rule
from reporting.alerts import AlertError, Alerts

_STATUS = {"not_found": 404, "closed": 409, "changed": 409}


def add_alert_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route below ``/staff/api/alerts``."""

    async def listed(request: Request, session: Session) -> HTTPResponse:
        query, alerts = read_query(AlertsQuery, first_values(request.args)), _alerts(side)
        forms = await alerts.listed(None if query.state == "all" else query.state)
        named = {one for form in forms for one in form["examples"]}
        seen = set(await side.conversations.seen(side.sight.of(session.member), tuple(named))) if named else set()
        for form in forms:
            form["examples"] = [one for one in form["examples"] if one in seen]
        return answer({"alerts": forms, "counts": await alerts.counts()})

    async def rules(request: Request, session: Session) -> HTTPResponse:
        alerts = _alerts(side)
        chooses = session.member.role in OVERSEERS
        found = _rules_form(await alerts.rules())
        secret = alerts.posting.sender.secret if chooses else None
        return answer({"rules": found, "secret": secret, "posts": await alerts.posts()})

    async def save(request: Request, session: Session) -> HTTPResponse:
        body = read_json(AlertRulesBody, request.content_type, request.body)
        kinds = {kind: Rule(one.on, one.sensitivity) for kind, one in body.kinds.items()}
        whole = AlertRules().kinds | kinds  # type: ignore[operator]
        wanted = AlertRules(body.based_on, whole, body.quiet_from, body.quiet_until, body.webhook.strip())
        try:
            return answer({"rules": _rules_form(await _alerts(side).save_rules(wanted, session.member.agent))})
        except AlertError as refused:
            raise refused_for(refused, _STATUS) from None

    async def acknowledge(request: Request, session: Session, alert_id: str) -> HTTPResponse:
        body = read_json(AcknowledgeBody, request.content_type, request.body)
        try:
            form = await _alerts(side).acknowledge(
                alert_id, session.member.agent, body.note.strip(), expected=body.expected
            )
        except AlertError as refused:
            raise refused_for(refused, _STATUS) from None
        return answer({"alert": form})

    async def look(request: Request, session: Session) -> HTTPResponse:
        return answer({"changed": len(await _alerts(side).look())})

    for method, route, handler in (
        ("GET", "alerts", listed),
        ("GET", "alerts/rules", rules),
        ("POST", "alerts/rules", save),
        ("POST", "alerts/look", look),
        ("POST", "alerts/<alert_id>/acknowledge", acknowledge),
    ):
        side.guard.add(blueprint, method, route, handler)


def _alerts(side: StaffSide) -> Alerts:
    found: Alerts | None = side.overview.alerts
    if found is None:
        raise Refused(404, "not_found", "This desk keeps no alerts.")
    return found


def _rules_form(rules: AlertRules) -> dict[str, Any]:
    return rules.form() | {"revision": rules.revision}
