"""The staff API of questions in one's own words: what the reports would be asked, which the console then asks them."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from pydantic import Field
from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.sight import Scope
from handoff.bodies import Body, Prose, read_json
from handoff.errors import Refused
from handoff.guard import answer
from handoff.roles import DESK
from handoff.staff_side import StaffSide
from handoff.store import Session, StaffMember
from handoff.supervising.intent_titles import INTENT_TITLES
from reporting.asking import form_of, parse
from reporting.lexicon import Lexicon
from reporting.reading import LONGEST


class AskBody(Body):
    """A question in Chinese or English; what is proposed instead is in ``language``, else in the question's own."""

    text: Annotated[Prose, Field(min_length=1, max_length=LONGEST)]
    language: Literal["zh", "en"] | None = None


def add_ask_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add ``/staff/api/reports/ask``."""

    async def ask(request: Request, session: Session) -> HTTPResponse:
        body = read_json(AskBody, request.content_type, request.body)
        if not body.text.strip():
            raise Refused(400, "bad_request", "text: Write a question.")
        lexicon = await lexicon_of(side, session.member)
        today = side.conversations.now().astimezone(side.time_zone).date()
        return answer(form_of(await asyncio.to_thread(parse, body.text, today, lexicon, body.language)))

    side.guard.add(blueprint, "POST", "reports/ask", ask)


async def lexicon_of(side: StaffSide, member: StaffMember) -> Lexicon:
    """The names a member may ask by: of teams and colleagues only those whose conversations they see."""
    await side.teams.refresh()
    sight, roster = side.sight.of(member), side.teams.roster()
    teams = [team for team in side.teams.teams if sight.shows_team(team.id)]
    shown = {team.id for team in teams}
    narrowed = sight.scope is not Scope.EVERYTHING

    def shows(staff_id: str) -> bool:
        """A colleague of one of the shown teams, or of no team in particular."""
        theirs = {team.id for team in roster.teams if team.active and staff_id in team.members}
        return staff_id == member.id or (sight.scope is Scope.TEAM and (not theirs or bool(theirs & shown)))

    agents = {
        one.id: (one.name,)
        for one in await side.store.all_staff()
        if one.role in DESK and (not narrowed or shows(one.id))
    }
    named = {team.id: (team.settings.get("name_zh") or "", team.settings.get("name_en") or "") for team in teams}
    intents = dict(INTENT_TITLES)
    if side.studio.inbox is not None:
        intents |= {one.name: (one.title_zh, one.title_en) for one in await side.studio.inbox.suggestions.made()}
    return Lexicon(
        {
            "team": {key: tuple(filter(None, names)) for key, names in named.items()},
            "agent": agents,
            "intent": intents,
            "model": await _models(side),
            "article": await _articles(side),
        }
    )


async def _models(side: StaffSide) -> dict[str, tuple[str, ...]]:
    if side.studio.models is None:
        return {}
    return {one.name: (one.name,) for one in await side.studio.models.versions.all()}


async def _articles(side: StaffSide) -> dict[str, tuple[str, ...]]:
    knowledge = side.studio.knowledge
    if knowledge is None:
        return {}
    titles: dict[str, tuple[str, ...]] = {}
    for one in await asyncio.to_thread(knowledge.kb.articles):
        titles[one.id] = (*titles.get(one.id, ()), one.title)
    return titles
