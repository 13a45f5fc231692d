"""The staff API of the live board: everything that is open, who waits for which team, and who is there to answer."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.board import STATES, Board, Queue, Row, Snapshot
from conversations.board_store import Wanted
from conversations.json_form import moment
from conversations.model import Presence
from handoff.bodies import Body, first_values, read_query
from handoff.guard import answer
from handoff.roles import DESK
from handoff.staff_side import StaffSide
from handoff.store import Session

MOST_LISTED = 500
MOST_IDS = 100
_ID = re.compile(r"[0-9a-f]{32}")
_RANK = {"online": 0, "away": 1, "offline": 2}


def _check_ids(ids: str) -> str:
    listed = ids.split(",")
    if ids and (len(listed) > MOST_IDS or not all(_ID.fullmatch(one) for one in listed)):
        raise ValueError(f"give at most {MOST_IDS} ids of conversations with commas between them")
    return ids


class BoardQuery(Body):
    """Which conversations to list; ``ids`` lists just these, whatever else is asked. Empty does not limit."""

    state: Literal["", "bot", "queued", "assigned", "snoozed"] = ""
    team: Annotated[str, Field(max_length=32)] = ""
    agent: Annotated[str, Field(max_length=64)] = ""
    channel: Annotated[str, Field(max_length=64)] = ""
    ids: Annotated[str, Field(max_length=MOST_IDS * 33), AfterValidator(_check_ids)] = ""
    limit: Annotated[int, Field(ge=0, le=MOST_LISTED)] = 300  #: 0: figures only, without anybody's data


def add_live_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add ``GET /staff/api/live/board``."""
    board = Board(side.conversations.database, side.conversations.desk, side.conversations.now)

    async def read_board(request: Request, session: Session) -> HTTPResponse:
        query = read_query(BoardQuery, first_values(request.args))
        wanted = Wanted(
            state=query.state or None,
            team_id=query.team or None,
            agent_id=query.agent or None,
            channel=query.channel or None,
            ids=tuple(query.ids.split(",")) if query.ids else None,
            limit=query.limit,
        )
        seen = await board.snapshot(side.sight.of(session.member), wanted)
        return answer(await board_json(side, seen, wanted))

    side.guard.add(blueprint, "GET", "live/board", read_board)


async def board_json(side: StaffSide, seen: Snapshot, wanted: Wanted) -> dict[str, Any]:
    """A snapshot as the console reads it; only ``conversations`` speaks of contacts."""
    totals = {state: seen.number(state) for state in STATES} | {"all": seen.number()}
    late, at_risk = (sum(getattr(one, name) for one in seen.groups) for name in ("late", "at_risk"))
    return {
        "now": moment(seen.now),
        "conversations": [row_json(one) for one in seen.rows],
        "matching": seen.matching,
        "limit": wanted.limit,
        "totals": totals | {"late": late, "at_risk": at_risk},
        "channels": sorted({one.channel for one in seen.groups}),
        "queues": [queue_json(one) for one in seen.queues],
        "agents": await agents_json(side, seen),
    }


def row_json(row: Row) -> dict[str, Any]:
    """A conversation of the board: as much as tells whether somebody has to look after it."""
    values = row.values
    told = values["told_at"]
    if told is not None:
        told = None if values["told_seconds"] is None else told + timedelta(seconds=values["told_seconds"])
    plain = (
        "id", "contact_id", "contact_name", "status", "state", "last_seq", "revision", "channel", "account", "language",
        "team_id", "agent_id", "agent_name", "sentiment", "sentiment_label", "handoff_reason", "preview",
        "preview_author", "manual_priority", "tier", "offered_to", "offered_name",
    )  # fmt: skip
    moments = ("opened_at", "updated_at", "queued_at", "offered_until", "snoozed_until", "promise_at")
    return {
        **{name: values[name] for name in plain},
        **{name: moment(values[name]) for name in moments},
        "participants": values["participants"] or [],
        "waits_since": moment(row.waits_since),
        "risk_at": moment(row.risk_at),
        "told_until": moment(told),
        "intent": row.understood.intent,
        "confidence": row.understood.confidence,
        "asked_back": row.understood.asked_back,
    }


def queue_json(queue: Queue) -> dict[str, Any]:
    """A team's queue; what the team is called is in ``teams``."""
    return {
        "team_id": queue.team_id,
        "waiting": queue.waiting,
        "oldest_since": moment(queue.oldest_since),
        "expected_seconds": queue.expected_seconds,
        "late": queue.late,
        "at_risk": queue.at_risk,
        "on_duty": queue.on_duty,
        "open": queue.is_open,
        "opens_at": moment(queue.opens_at),
    }


async def agents_json(side: StaffSide, seen: Snapshot) -> list[dict[str, Any]]:
    """Everybody who can hold a conversation, those at the desk first, the fullest first among them."""
    present: dict[str, Presence] = {one.agent_id: one for one in seen.agents}
    roster, unanswered = side.teams.roster(), seen.unanswered()
    forms = []
    for member in await side.store.all_staff():
        if not member.active or member.role not in DESK:
            continue
        one = present.get(member.id)
        forms.append(
            {
                "agent_id": member.id,
                "agent_name": member.name,
                "role": member.role.value,
                "state": one.state_at(seen.now) if one else "offline",
                "assigned": one.assigned if one else 0,
                "offered": one.offered if one else 0,
                "capacity": roster.capacity_of(member.id),
                "teams": [team.id for team in roster.teams if team.active and roster.serves(team, member.id)],
                "unanswered_since": moment(unanswered.get(member.id)),
            }
        )
    return sorted(forms, key=lambda form: (_RANK[str(form["state"])], -int(form["assigned"]), form["agent_name"]))
