"""The staff API of replays: what would have gone otherwise on another model, and whether it may be promoted."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.json_form import message_json, moment
from handoff.bodies import check_id, first_values, read_json, read_query
from handoff.errors import Refused, refused_for
from handoff.guard import answer
from handoff.learning.replay_bodies import BudgetBody, ChangesQuery, JudgeBody, ReplayBody
from handoff.staff_side import StaffSide
from handoff.store import Session
from learning.replay_choice_store import Version
from learning.replay_estimate import Budget, Gate
from learning.replay_store import Wanted
from learning.replaying import Replaying, ReplayRefused, Shown, Standing, Wish

_STATUS = {"not_found": 404, "unknown_model": 404, "taken": 409, "changed": 409, "not_yours": 409}


def add_replay_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route below ``/staff/api/learning/replays``."""

    async def listed(request: Request, session: Session) -> HTTPResponse:
        desk = _desk(side)
        versions = await desk.versions()
        budget, revision, by_name = await desk.budget()
        return answer(
            {
                "replays": [standing_json(one) for one in await desk.recent()],
                "models": [version_json(one) for one in versions],
                "gates": {one.name: gate_json(await desk.gate(one.name)) for one in versions[:20]},
                "budget": asdict(budget) | {"revision": revision, "by_name": by_name},
            }
        )

    async def started(request: Request, session: Session) -> HTTPResponse:
        body = read_json(ReplayBody, request.content_type, request.body)
        wish = Wish(
            body.model, body.turns, body.days or None, body.thresholds, body.channels, body.languages, body.precision
        )
        replay = await _or_refused(_desk(side).start(wish, session.member.agent))
        return answer({"replay": standing_json(await _desk(side).look(replay.id))}, 201)

    async def opened(request: Request, session: Session, replay_id: str) -> HTTPResponse:
        desk = _desk(side)
        found = await _or_refused(desk.look(check_id(replay_id, "replay")))
        gate = await desk.gate(found.replay.candidate)
        return answer({"replay": standing_json(found), "gate": gate_json(gate)})

    async def cancelled(request: Request, session: Session, replay_id: str) -> HTTPResponse:
        desk = _desk(side)
        await _or_refused(desk.cancel(check_id(replay_id, "replay"), session.member.agent))
        return answer({"replay": standing_json(await desk.look(replay_id))})

    async def changes(request: Request, session: Session, replay_id: str) -> HTTPResponse:
        query = read_query(ChangesQuery, first_values(request.args))
        wanted = Wanted(
            query.kind or None, query.language or None, query.rating or None, query.intent or None,
            query.intent_after or None, query.verdict or None,
        )  # fmt: skip
        work = _desk(side).changes(check_id(replay_id, "replay"), wanted, query.limit, query.offset)
        found, total = await _or_refused(work)
        return answer({"changes": [change_json(one) for one in found], "total": total})

    async def change(request: Request, session: Session, replay_id: str, turn_id: str) -> HTTPResponse:
        work = _desk(side).opened(check_id(replay_id, "replay"), check_id(turn_id, "turn"))
        return answer({"change": change_json(await _or_refused(work))})

    async def next_one(request: Request, session: Session, replay_id: str) -> HTTPResponse:
        found = await _or_refused(_desk(side).next(check_id(replay_id, "replay"), session.member.agent))
        return answer({"change": None if found is None else change_json(found)})

    async def judged(request: Request, session: Session, replay_id: str, turn_id: str) -> HTTPResponse:
        body = read_json(JudgeBody, request.content_type, request.body)
        desk, replay = _desk(side), check_id(replay_id, "replay")
        await _or_refused(desk.judge(replay, check_id(turn_id, "turn"), body.verdict, session.member.agent))
        return await opened(request, session, replay_id)

    async def taken_back(request: Request, session: Session, replay_id: str, turn_id: str) -> HTTPResponse:
        desk, replay = _desk(side), check_id(replay_id, "replay")
        await _or_refused(desk.take_back(replay, check_id(turn_id, "turn"), session.member.agent))
        return await opened(request, session, replay_id)

    async def budget(request: Request, session: Session) -> HTTPResponse:
        body = read_json(BudgetBody, request.content_type, request.body)
        desk = _desk(side)
        wanted = Budget(body.worse_percent, body.least_judged, body.least_turns, body.most_days)
        await _or_refused(desk.set_budget(wanted, body.revision, session.member.agent))
        found, revision, by_name = await desk.budget()
        return answer({"budget": asdict(found) | {"revision": revision, "by_name": by_name}})

    base = "learning/replays"
    for method, route, handler in (
        ("GET", base, listed),
        ("POST", base, started),
        ("POST", f"{base}/budget", budget),
        ("GET", f"{base}/<replay_id>", opened),
        ("POST", f"{base}/<replay_id>/cancel", cancelled),
        ("POST", f"{base}/<replay_id>/next", next_one),
        ("GET", f"{base}/<replay_id>/changes", changes),
        ("GET", f"{base}/<replay_id>/changes/<turn_id>", change),
        ("POST", f"{base}/<replay_id>/changes/<turn_id>/judge", judged),
        ("POST", f"{base}/<replay_id>/changes/<turn_id>/undo", taken_back),
    ):
        side.guard.add(blueprint, method, route, handler)


def _desk(side: StaffSide) -> Replaying:
    if side.studio.replaying is None:
        raise Refused(404, "not_found", "This desk replays nothing.")
    return side.studio.replaying


async def _or_refused(work: Any) -> Any:
    try:
        return await work
    except ReplayRefused as refused:
        raise refused_for(refused, _STATUS, room="replay") from None


def standing_json(standing: Standing) -> dict[str, Any]:
    """A replay with how far it is."""
    replay = standing.replay
    return {
        "id": replay.id,
        "model": replay.candidate,
        "state": standing.state,
        "progress": standing.progress,
        "problem": standing.problem,
        "options": replay.options,
        "figures": replay.figures,
        "hash": replay.digest,
        "sample": replay.sample,
        "estimate": None if standing.estimate is None else asdict(standing.estimate),
        "intents": [
            {"intent": before, "intent_after": after, "count": count} for before, after, count in standing.intents
        ],
        "created_at": moment(replay.created_at),
        "done_at": moment(replay.done_at),
        "by_name": replay.by_name,
    }


def version_json(version: Version) -> dict[str, Any]:
    """A model that can be replayed on."""
    return {"model": version.name, "made_at": moment(version.made_at), "note": version.note, "live": version.live}


def gate_json(gate: Gate) -> dict[str, Any]:
    """Whether a model may be promoted; ``reason`` is a code that the console has words for."""
    return {"passed": gate.passed, "replay_id": gate.replay_id, "reason": gate.reason, "numbers": dict(gate.numbers)}


def change_json(shown: Shown) -> dict[str, Any]:
    """A turn that would have gone otherwise."""
    change = shown.change
    form = asdict(change) | {"at": moment(change.at), "judged_at": moment(change.judged_at)}
    return form | {
        "text": shown.text,
        "replies": list(shown.replies),
        "context": [message_json(message) for message in shown.context],
    }
