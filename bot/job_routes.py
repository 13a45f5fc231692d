"""The addresses below ``/webhooks/turn/jobs``, for the service only: begin long work, look at it, cancel it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from sanic import Blueprint
from sanic.exceptions import SanicException
from sanic.request import Request
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from bot.jobs import BadJob, Busy, Jobs

Error = Callable[[int, str, str], HTTPResponse]


def add_job_routes(blueprint: Blueprint, is_service: Callable[[Request], bool], error: Error) -> None:
    """Add the routes to the turn channel's; the jobs are those of ``app.ctx.jobs``."""

    async def begin(request: Request) -> HTTPResponse:
        try:
            body = request.json
        except (SanicException, ValueError, RecursionError):
            return error(400, "bad_json", "The body must be valid JSON.")
        if not isinstance(body, dict) or not isinstance(body.get("options") or {}, dict):
            return error(400, "bad_job", "Send job_id, kind and options.")
        found = await _aside(_jobs(request).begin, body.get("job_id"), body.get("kind"), body.get("options") or {})
        return json_response(found, status=202)

    async def look(request: Request, job_id: str) -> HTTPResponse:
        return _known(await _aside(_jobs(request).look, job_id))

    async def cancel(request: Request, job_id: str) -> HTTPResponse:
        return _known(await _aside(_jobs(request).cancel, job_id))

    def _known(found: Any) -> HTTPResponse:
        return json_response(found) if found is not None else error(404, "unknown_job", "This bot knows no such job.")

    def guarded(handler: Callable[..., Any]) -> Callable[..., Any]:
        async def answer(request: Request, **parts: str) -> HTTPResponse:
            if not is_service(request):
                return error(401, "wrong_secret", "Send the bot's secret as bearer token.")
            try:
                return await handler(request, **parts)
            except BadJob as bad:
                return error(400, "bad_job", str(bad))
            except Busy as busy:
                return error(409, "busy", str(busy))

        return answer

    blueprint.add_route(guarded(begin), "/jobs", methods=["POST"], name="begin_job")
    blueprint.add_route(guarded(look), "/jobs/<job_id:str>", methods=["GET"], name="look_at_job")
    blueprint.add_route(guarded(cancel), "/jobs/<job_id:str>", methods=["DELETE"], name="cancel_job")


async def _aside(work: Callable[..., Any], *values: Any) -> Any:
    # Files and a new process take milliseconds that no turn should wait for.
    return await asyncio.get_event_loop().run_in_executor(None, lambda: work(*values))


def _jobs(request: Request) -> Jobs:
    return request.app.ctx.jobs
