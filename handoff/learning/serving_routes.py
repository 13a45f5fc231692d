"""The staff API of what is live: which version serves, how two compare, and promoting, comparing and going back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.bot_models import BotState
from conversations.json_form import moment
from handoff.bodies import read_json
from handoff.errors import Refused
from handoff.guard import answer
from handoff.learning.serving_bodies import ChangeBody, CompareBody, PromoteBody
from handoff.staff_side import StaffSide
from handoff.store import Session
from learning.comparing import METRICS, Arm, Comparison, compared
from learning.serving import Overview, Serving, ServingRefused
from learning.serving_store import Change

_CONFLICTS = {
    "changed",
    "live_already",
    "blocked",
    "replay_needed",
    "nothing_before",
    "no_comparison",
    "no_model",
    "no_bot",
}


def add_serving_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route below ``/staff/api/models/live``."""

    async def seen(request: Request, session: Session) -> HTTPResponse:
        return answer(await _seen(_desk(side), side))

    async def promote(request: Request, session: Session) -> HTTPResponse:
        body = read_json(PromoteBody, request.content_type, request.body)
        serving, agent = _desk(side), session.member.agent
        await _or_refused(
            serving.promote(body.model, agent, body.revision, note=body.note, without_replay=body.without_replay)
        )
        return answer(await _seen(serving, side))

    async def compare(request: Request, session: Session) -> HTTPResponse:
        body = read_json(CompareBody, request.content_type, request.body)
        serving, agent = _desk(side), session.member.agent
        await _or_refused(serving.compare(body.model, body.share, agent, body.revision, note=body.note))
        return answer(await _seen(serving, side))

    async def stop(request: Request, session: Session) -> HTTPResponse:
        body = read_json(ChangeBody, request.content_type, request.body)
        serving = _desk(side)
        await _or_refused(serving.stop(session.member.agent, body.revision, note=body.note))
        return answer(await _seen(serving, side))

    async def rollback(request: Request, session: Session) -> HTTPResponse:
        body = read_json(ChangeBody, request.content_type, request.body)
        serving = _desk(side)
        await _or_refused(serving.rollback(session.member.agent, body.revision, note=body.note))
        return answer(await _seen(serving, side))

    for method, route, handler in (
        ("GET", "models/live", seen),
        ("POST", "models/live/promote", promote),
        ("POST", "models/live/compare", compare),
        ("POST", "models/live/stop", stop),
        ("POST", "models/live/rollback", rollback),
    ):
        side.guard.add(blueprint, method, route, handler)


def _desk(side: StaffSide) -> Serving:
    if side.studio.serving is None:
        raise Refused(404, "not_found", "This service has no bot whose models could be chosen.")
    return side.studio.serving


async def _or_refused(doing: Any) -> None:
    try:
        await doing
    except ServingRefused as refused:
        status = 409 if refused.code in _CONFLICTS else 503 if refused.code == "bot_failed" else 400
        raise Refused(status, refused.code, str(refused), detail=refused.detail) from None


async def _seen(serving: Serving, side: StaffSide) -> dict[str, Any]:
    overview = await serving.overview()
    choice = overview.choice
    running = None
    if choice is not None and choice.candidate is not None and overview.since is not None:
        found = await compared(side.conversations.database, choice.live, choice.candidate, overview.since, choice.share)
        running = comparison_json(found)
    return overview_json(overview) | {"comparison": running}


def overview_json(overview: Overview) -> dict[str, Any]:
    """What serves, with the versions that could."""
    choice, by = overview.choice, overview.live_by
    return {
        "revision": choice.revision if choice else 0,
        "live_model": choice.live if choice else None,
        "live_since": moment(overview.live_since),
        "by_name": by.name if by else None,
        "candidate_model": choice.candidate if choice else None,
        "share": choice.share if choice else 0,
        "model_before": overview.before,
        "pinned": [{"model": name, "conversations": number} for name, number in overview.pinned.items()],
        "versions": _versions(overview.bots),
        "bots": [
            {"url": bot.url, "model": bot.default, "models_loaded": sorted(bot.loaded), "bot_problem": bot.problem}
            for bot in overview.bots
        ],
        "changes": [change_json(one) for one in overview.changes],
    }


def _versions(bots: list[BotState]) -> list[dict[str, Any]]:
    """Every version that some bot has, newest first, and which bots lack it."""
    reached = [bot for bot in bots if bot.problem is None]
    known = {one.name: one for bot in reached for one in bot.models}
    return [
        {
            "model": name,
            "sealed_at": one.sealed_at,
            "made_note": str(one.made.get("note") or ""),
            "missing_on": [bot.url for bot in reached if name not in bot.usable],
        }
        for name, one in sorted(known.items(), key=lambda item: (item[1].sealed_at or "", item[0]), reverse=True)
    ]


def change_json(change: Change) -> dict[str, Any]:
    """One change of what serves."""
    return {
        "seq": change.seq,
        "at": moment(change.at),
        "what": change.what,
        "live_model": change.live,
        "model_before": change.before,
        "candidate_model": change.candidate,
        "share": change.share,
        "replay_id": change.replay_id,
        "note": change.note,
        "by_name": change.by.name if change.by else None,
    }


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """Both sides of a comparison, figure by figure."""
    return {
        "since": moment(comparison.since),
        "share": comparison.share,
        "live": _arm_json(comparison.live),
        "candidate": _arm_json(comparison.candidate),
        "metrics": [_metric_json(name, comparison) for name in METRICS],
    }


def _arm_json(arm: Arm) -> dict[str, Any]:
    reasons = [{"reason": reason, "conversations": number} for reason, number in arm.reasons.items()]
    return {"model": arm.model, "conversations": arm.conversations, "running": arm.running, "handoff_reasons": reasons}


def _metric_json(name: str, comparison: Comparison) -> dict[str, Any]:
    verdict = comparison.verdicts[name]
    return {
        "metric": name,
        "live": asdict(comparison.live.figures[name]),
        "candidate": asdict(comparison.candidate.figures[name]),
        "difference": asdict(verdict.difference) if verdict.difference else None,
        "verdict": verdict.word,
        "more": verdict.more,
    }
