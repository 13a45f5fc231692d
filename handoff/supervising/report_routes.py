"""The staff API of reports: what can be asked, the figures, the things behind them, and what savings are reckoned with."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from handoff.bodies import read_json
from handoff.errors import Refused
from handoff.guard import answer
from handoff.staff_side import StaffSide
from handoff.store import Session
from handoff.supervising.report_bodies import CostBody, FiguresBody, UnitsBody
from reporting.catalogue import DIMENSIONS, METRICS, TIMES
from reporting.query import Query, QueryError
from reporting.reports import Answer, Costs, CountedUnit, Figure, Reports

Labels = Mapping[str, Mapping[str, str]]


def add_report_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add ``/staff/api/reports/catalogue``, ``figures``, ``units`` and ``cost``."""

    async def catalogue(request: Request, session: Session) -> HTTPResponse:
        reports = reports_of(side)
        metrics = [
            {
                "key": one.key,
                "form": one.form.value,
                "unit": one.unit.value,
                "group": one.group,
                "dimensions": [name for name in DIMENSIONS if name in one.dimensions],
                "better": one.better,
            }
            for one in METRICS.values()
        ]
        return answer(
            {
                "metrics": metrics,
                "dimensions": list(DIMENSIONS),
                "times": list(TIMES),
                "labels": await labels_of(side),
                "cost": cost_json(await reports.costs()),
                "time_zone": reports.zone.key,
            }
        )

    async def figures(request: Request, session: Session) -> HTTPResponse:
        body = read_json(FiguresBody, request.content_type, request.body)
        reports, sight = reports_of(side), side.sight.of(session.member)
        labels = await labels_of(side)

        async def figure(form: Mapping[str, Any]) -> Answer:
            return await reports.answer(Query.of(form), sight, compare=body.compare)

        answers: list[dict[str, Any]] = []
        for found in await asyncio.gather(*map(figure, body.queries), return_exceptions=True):
            if isinstance(found, QueryError):
                answers.append({"error": {"code": found.code, "message": str(found), "detail": found.detail}})
            elif isinstance(found, BaseException):
                raise found
            else:
                answers.append(answer_json(found, labels))
        return answer({"answers": answers, "behind": (await reports.progress()).behind})

    async def units(request: Request, session: Session) -> HTTPResponse:
        body = read_json(UnitsBody, request.content_type, request.body)
        sight, labels = side.sight.of(session.member), await labels_of(side)
        try:
            query = Query.of(body.query)
            found = await reports_of(side).units(
                query, sight, key=body.key, part=body.part, offset=body.offset, limit=body.limit
            )
        except QueryError as error:
            raise Refused(400, error.code, str(error)) from None
        return answer({"total": found.total, "units": [unit_json(one, labels) for one in found.units]})

    async def cost(request: Request, session: Session) -> HTTPResponse:
        return answer(cost_json(await reports_of(side).costs()))

    async def set_cost(request: Request, session: Session) -> HTTPResponse:
        body = read_json(CostBody, request.content_type, request.body)
        costs = Costs(body.human_per_conversation, body.bot_per_conversation, body.currency)
        kept = await reports_of(side).set_costs(costs, session.member.agent, side.conversations.audit)
        return answer(cost_json(kept))

    side.guard.add(blueprint, "GET", "reports/catalogue", catalogue)
    side.guard.add(blueprint, "POST", "reports/figures", figures)
    side.guard.add(blueprint, "POST", "reports/units", units)
    side.guard.add(blueprint, "GET", "reports/cost", cost)
    side.guard.add(blueprint, "POST", "reports/cost", set_cost)


def reports_of(side: StaffSide) -> Reports:
    """The desk's reports; refuses where it has none."""
    found = side.overview.reports
    if not isinstance(found, Reports):
        raise Refused(404, "not_set_up", "This desk makes no reports.")
    return found


async def labels_of(side: StaffSide) -> dict[str, dict[str, str]]:
    """What teams, agents and articles are called; channels, languages and intents are named by the console."""
    teams = {team.id: team.settings for team in side.teams.teams}
    knowledge = side.studio.knowledge
    return {
        "team": {id: str(named.get("name_en") or named.get("name_zh") or id) for id, named in teams.items()},
        "agent": {member.id: member.name for member in await side.store.all_staff()},
        "article": {} if knowledge is None else {one.id: one.title for one in knowledge.kb.articles()},
        "intent": {},
    }


def figure_json(figure: Figure) -> dict[str, Any]:
    """A figure as JSON."""
    return asdict(figure)


def answer_json(found: Answer, labels: Labels) -> dict[str, Any]:
    """An answer as JSON, its rows with their names."""
    named = labels.get(found.query.by or "", {})
    change = found.change
    return {
        "query": found.query.form(),
        "total": figure_json(found.total),
        "rows": [
            {"key": row.key, "label": named.get(row.key, row.key), "figure": figure_json(row.figure)}
            for row in found.rows
        ],
        "other": None if found.other is None else figure_json(found.other),
        "change": None
        if change is None
        else {
            "previous": figure_json(change.previous),
            "difference": change.difference,
            "significant": change.significant,
            "p": change.p,
        },
        "hidden": found.hidden,
    }


def unit_json(unit: CountedUnit, labels: Labels) -> dict[str, Any]:
    """One counted thing as JSON."""
    return asdict(unit) | {
        "at": unit.at.isoformat(),
        "team_name": labels["team"].get(unit.team, unit.team),
        "agent_name": labels["agent"].get(unit.agent, unit.agent),
    }


def cost_json(costs: Costs) -> dict[str, Any]:
    """What savings are reckoned with, as JSON."""
    return asdict(costs) | {"changed_at": None if costs.changed_at is None else costs.changed_at.isoformat()}
