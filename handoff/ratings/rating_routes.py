"""The staff API of ratings: what contacts thought of the bot and of people; agents read their own figures only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field
from sanic import Blueprint, Request
from sanic.response import HTTPResponse, raw

from conversations.episode_store import RatedRow
from conversations.episodes import Kind
from conversations.rating_report import BREAKDOWNS, Comment, Filters, Group, KindReport, key_of, report_of, week_of
from handoff.bodies import Body, first_values, read_query
from handoff.guard import answer, file_headers
from handoff.ratings.rating_csv import comments_csv, figures_csv
from handoff.roles import REPORTED_TO
from handoff.staff_side import StaffSide
from handoff.store import Session

#: Weeks of the reports there are; with any number of weeks, two reports would differ by what a few people answered.
PERIODS = (4, 12, 26, 52)
_Text = Annotated[str, Field(max_length=128)]


class RatingsQuery(Body):
    """Whole weeks back, the current one included, and what to limit the report to; empty does not limit."""

    weeks: Literal["4", "12", "26", "52"] = "12"
    team: _Text = ""
    agent: _Text = ""
    channel: _Text = ""
    language: _Text = ""
    intent: _Text = ""
    part: Literal["figures", "comments"] = "figures"


@dataclass(frozen=True, slots=True)
class _Report:
    since: datetime
    own: bool  #: an agent's own figures
    rows: list[RatedRow]
    kinds: list[KindReport]


def add_rating_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add ``/staff/api/reports/ratings`` and its CSV files."""

    async def report(session: Session, query: RatingsQuery) -> _Report:
        zone, now = side.time_zone, side.conversations.now()
        monday = week_of(now, zone)
        periods = [datetime.combine(monday - timedelta(weeks=weeks - 1), time(), zone) for weeks in PERIODS]
        period = PERIODS.index(int(query.weeks))
        rows = await side.conversations.rated_rows(periods[-1], now + timedelta(seconds=1))
        sight = side.sight.of(session.member)
        rows = [row for row in rows if sight.shows_team(row.episode.team_id)]
        own = session.member.role not in REPORTED_TO
        if own:
            rows = [row for row in rows if key_of("agent", row) == session.member.id]
        filters = Filters(
            **{name: getattr(query, name) or None for name in BREAKDOWNS if not (own and name == "agent")}
        )
        label_of = _labels(side)
        kinds = [Kind.HUMAN] if own else [Kind.HUMAN, Kind.BOT]
        reports = [report_of(rows, kind, filters, zone, label_of, periods=periods, period=period) for kind in kinds]
        since = periods[period]
        recent = [row for row in rows if row.episode.ended_at is not None and row.episode.ended_at >= since]
        return _Report(since, own, recent, reports)

    async def ratings(request: Request, session: Session) -> HTTPResponse:
        query = read_query(RatingsQuery, first_values(request.args))
        found = await report(session, query)
        label_of = _labels(side)
        options: dict[str, dict[str, str]] = {name: {} for name in BREAKDOWNS}
        for row in found.rows:
            for name in BREAKDOWNS:
                key = key_of(name, row)
                named = row.episode.agent.name if name == "agent" and row.episode.agent else label_of(name, key)
                if key:
                    options[name][key] = named
        return answer(
            {
                "since": found.since.date().isoformat(),
                "own": found.own,
                "asks_nps": side.conversations.rating_rules.ask_nps,
                "kinds": [_kind_json(one, links=not found.own) for one in found.kinds],
                "options": {
                    name: [
                        {"key": key, "label": label} for key, label in sorted(listed.items(), key=lambda one: one[1])
                    ]
                    for name, listed in options.items()
                },
            }
        )

    async def export(request: Request, session: Session) -> HTTPResponse:
        query = read_query(RatingsQuery, first_values(request.args))
        found = await report(session, query)
        if query.part == "figures":
            content = figures_csv(found.kinds)
        else:
            content = comments_csv(found.kinds, side.veil.words(session.member))
        told = {"report": "ratings", "part": query.part, "weeks": int(query.weeks)}
        await side.conversations.record("report_exported", session.member.agent, told)
        name = "ratings.csv" if query.part == "figures" else "rating-comments.csv"
        return raw(content, headers=file_headers(name), content_type="text/csv; charset=utf-8")

    side.guard.add(blueprint, "GET", "reports/ratings", ratings)
    side.guard.add(blueprint, "GET", "reports/ratings/export", export)


def _labels(side: StaffSide) -> Callable[[str, str], str]:
    """Names of groups as far as they have one; the console names the others in its language."""
    teams = {team.id: team.settings for team in side.teams.teams}

    def label_of(breakdown: str, key: str) -> str:
        if breakdown != "team":
            return key
        named = teams.get(key, {})
        return named.get("name_en") or named.get("name_zh") or key

    return label_of


def _kind_json(report: KindReport, *, links: bool) -> dict[str, Any]:
    return {
        "kind": report.kind.value,
        "total": _group_json(report.total),
        "nps": {
            "points": report.nps.points,
            "promoters": report.nps.promoters,
            "passives": report.nps.passives,
            "detractors": report.nps.detractors,
        }
        if report.nps
        else None,
        "groups": [_group_json(one) for one in report.groups],
        "weeks": [_group_json(one) for one in report.weeks],
        "comments": [_comment_json(one, links=links) for one in report.comments],
    }


def _group_json(group: Group) -> dict[str, Any]:
    figures = group.figures
    return {
        "breakdown": group.breakdown,
        "key": group.key,
        "label": group.label,
        "asked": group.asked,
        "hidden": group.hidden.value if group.hidden else None,
        "figures": None
        if figures is None
        else {
            "answers": figures.answers,
            "scored": figures.scored,
            "csat": figures.csat,
            "low": figures.low,
            "high": figures.high,
            "mean": figures.mean,
            "distribution": list(figures.distribution),
            "verified": figures.verified,
            "refuted": figures.refuted,
            "assumed": figures.assumed,
        },
    }


def _comment_json(comment: Comment, *, links: bool) -> dict[str, Any]:
    return {
        "text": comment.text,
        "score": comment.score,
        "solved": comment.solved,
        "week": comment.week.isoformat() if comment.week else None,
        "agent": comment.agent,
        "conversation_id": comment.conversation_id if links else None,
    }
