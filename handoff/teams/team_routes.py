"""The staff API of teams: who serves whom, what people can do, and how honest the forecasts of waiting times were."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from pydantic import Field
from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.json_form import moment
from conversations.wait_report import WaitRow
from handoff.bodies import Body, check_id, first_values, read_json, read_query
from handoff.errors import Refused
from handoff.guard import answer
from handoff.roles import DESK, Role
from handoff.staff_side import StaffSide
from handoff.store import Session
from handoff.teams.team_bodies import PersonBody, RulesBody, TeamBody
from handoff.teams.team_book import TeamBook, problems_of
from handoff.teams.team_store import StoredPerson, StoredTeam


class _DaysQuery(Body):
    days: Annotated[int, Field(ge=1, le=90)] = 14


def add_team_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route below ``/staff/api/teams``, and the report of waiting times."""

    async def list_teams(request: Request, session: Session) -> HTTPResponse:
        book = await _book(side)
        people = [person for person in book.stored.people if Role(person.role) in DESK]
        return answer(
            {
                "teams": [_team_json(book, team) for team in book.teams],
                "rules": list(book.stored.rules),
                "people": [_person_json(person) for person in people],
            }
        )

    async def add(request: Request, session: Session) -> HTTPResponse:
        body = read_json(TeamBody, request.content_type, request.body)
        book = await _book(side)
        saved = await book.save(None, body, session.member.name)
        await side.conversations.record("team_added", session.member.agent, _told(saved))
        return answer({"team": _team_json(book, saved)}, 201)

    async def change(request: Request, session: Session, team_id: str) -> HTTPResponse:
        body = read_json(TeamBody, request.content_type, request.body)
        book = await _book(side)
        before = book.find(_team_id(team_id))
        saved = await book.save(team_id, body, session.member.name)
        told = _told(saved) | {"before": _told(before) if before else None}
        await side.conversations.record("team_changed", session.member.agent, told)
        return answer({"team": _team_json(book, saved)})

    async def delete(request: Request, session: Session, team_id: str) -> HTTPResponse:
        book = await _book(side)
        gone = await book.remove(_team_id(team_id))
        await side.conversations.record("team_deleted", session.member.agent, _told(gone))
        return answer({})

    async def set_rules(request: Request, session: Session) -> HTTPResponse:
        body = read_json(RulesBody, request.content_type, request.body)
        book = await _book(side)
        before = list(book.stored.rules)
        await book.set_rules(body)
        told = {"rules": list(book.stored.rules), "before": before}
        await side.conversations.record("routing_rules_changed", session.member.agent, told)
        return answer({"rules": list(book.stored.rules)})

    async def set_person(request: Request, session: Session, staff_id: str) -> HTTPResponse:
        body = read_json(PersonBody, request.content_type, request.body)
        book = await _book(side)
        person = await book.set_person(check_id(staff_id, "member of staff"), body)
        await side.conversations.record("abilities_changed", session.member.agent, _person_json(person))
        return answer({"person": _person_json(person)})

    async def waits(request: Request, session: Session) -> HTTPResponse:
        query = read_query(_DaysQuery, first_values(request.args))
        rows = await side.conversations.wait_report(query.days)
        names = {team.id: team.settings for team in (await _book(side)).teams}
        sight = side.sight.of(session.member)
        return answer({"rows": [_row_json(row, names) for row in rows if sight.shows_team(row.team_id)]})

    for method, route, handler in (
        ("GET", "teams", list_teams),
        ("POST", "teams", add),
        ("POST", "teams/rules", set_rules),
        ("POST", "teams/people/<staff_id>", set_person),
        ("POST", "teams/<team_id>", change),
        ("POST", "teams/<team_id>/delete", delete),
        ("GET", "reports/waits", waits),
    ):
        side.guard.add(blueprint, method, route, handler)


async def _book(side: StaffSide) -> TeamBook:
    await side.teams.refresh()
    return side.teams


def _team_id(value: str) -> str:
    if value != "default":
        check_id(value, "team")
    return value


def _told(team: StoredTeam) -> dict[str, Any]:
    return {"id": team.id, **team.settings, "members": list(team.members)}


def _team_json(book: TeamBook, team: StoredTeam) -> dict[str, Any]:
    changed = {"updated_at": moment(team.updated_at), "updated_by": team.updated_by}
    return _told(team) | changed | {"problems": problems_of(book.roster(), team.id)}


def _person_json(person: StoredPerson) -> dict[str, Any]:
    return asdict(person)


def _row_json(row: WaitRow, names: dict[str, dict[str, Any]]) -> dict[str, Any]:
    named = names.get(row.team_id, {})
    return asdict(row) | {
        "day": row.day.isoformat(),
        "team_zh": named.get("name_zh") or named.get("name_en") or "",
        "team_en": named.get("name_en") or named.get("name_zh") or "",
    }


def find_team(side: StaffSide, team_id: str) -> str:
    """The id, if it is an active team's; raises ``Refused`` with 404."""
    if side.teams.roster().find(_team_id(team_id)) is None:
        raise Refused(404, "not_found", "There is no such team, or it is not active. Choose another one.")
    return team_id
