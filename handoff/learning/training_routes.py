"""The staff API of versions and training: what there is, what runs, begin, cancel."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import Field
from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.json_form import moment
from handoff.bodies import Body, Prose, check_id, first_values, read_json, read_query
from handoff.errors import Refused
from handoff.guard import answer
from handoff.learning.model_side import ModelSide
from handoff.staff_side import StaffSide
from handoff.store import Session
from learning.job_store import Job
from learning.jobs import job_json
from learning.version_store import Version

MAX_NOTE = 500
_LISTED = ("code", "lines", "model", "notes")
_COUNTED = 30  #: versions for which the edits since are counted, the newest


class TrainBody(Body):
    """What is to be trained, and why."""

    kind: Literal["train"] = "train"
    note: Annotated[Prose, Field(max_length=MAX_NOTE)] = ""
    profile: Literal["fast", "accurate"] = "fast"


class JobsQuery(Body):
    """Which jobs to list: of a kind, the newest."""

    kind: Annotated[str, Field(pattern=r"^[a-z_]{1,16}$")] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 30


def add_training_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add the routes of versions and jobs below ``/staff/api/models``."""

    async def versions(request: Request, session: Session) -> HTTPResponse:
        desk = models_of(side)
        found = await desk.versions.all()
        served = await desk.versions.served()
        book = side.studio.examples.book if side.studio.examples is not None else None
        edits = {
            one.name: await book.count_since(one.made_at)
            for one in found[:_COUNTED]
            if book is not None and one.state == "ready"
        }
        return answer(
            {
                "versions": [version_json(one) | {"edits_since": edits.get(one.name)} for one in found],
                "served": asdict(served) if served is not None else None,
                "tracked": desk.tracker is not None,
            }
        )

    async def jobs(request: Request, session: Session) -> HTTPResponse:
        query = read_query(JobsQuery, first_values(request.args))
        found = await models_of(side).jobs.recent(query.limit, [query.kind] if query.kind else ())
        return answer({"jobs": [_in_brief(one) for one in found]})

    async def job(request: Request, session: Session, job_id: str) -> HTTPResponse:
        found = await models_of(side).jobs.find(check_id(job_id, "job"))
        if found is None:
            raise Refused(404, "not_found", "There is no such job.")
        return answer({"job": job_json(found)})

    async def train(request: Request, session: Session) -> HTTPResponse:
        body = read_json(TrainBody, request.content_type, request.body)
        desk = models_of(side)
        if side.studio.examples is not None:
            await side.studio.examples.book.start()  # an edit that a dead process left half done must not be trained on
        options = {"note": body.note.strip(), "profile": body.profile, "author": session.member.name}
        queued = await desk.jobs.enqueue("train", options, session.member.agent)
        return answer({"job": job_json(queued)}, 201)

    async def cancel(request: Request, session: Session, job_id: str) -> HTTPResponse:
        found = await models_of(side).jobs.cancel(check_id(job_id, "job"), session.member.agent)
        if found is None:
            raise Refused(404, "not_found", "There is no such job.")
        if found.state != "cancelled":
            raise Refused(409, "job_over", "This work is over already.")
        return answer({"job": job_json(found)})

    for method, route, handler in (
        ("GET", "models/versions", versions),
        ("GET", "models/jobs", jobs),
        ("GET", "models/jobs/<job_id>", job),
        ("POST", "models/jobs", train),
        ("POST", "models/jobs/<job_id>/cancel", cancel),
    ):
        side.guard.add(blueprint, method, route, handler)


def _in_brief(job: Job) -> dict[str, Any]:
    """A job in a list: of what came of it only what a list shows, as results may be long."""
    result = {name: job.result[name] for name in _LISTED if name in job.result} if job.result is not None else None
    return job_json(job) | {"result": result}


def models_of(side: StaffSide) -> ModelSide:
    """The models of this desk; refuses where there are none."""
    if side.studio.models is None:
        raise Refused(404, "not_found", "This desk has no models that could be trained.")
    return side.studio.models


def version_json(version: Version) -> dict[str, Any]:
    """A version as the list shows it."""
    made = version.made
    return {
        "name": version.name,
        "state": version.state,
        "made_at": moment(version.made_at),
        "by_id": version.by_id,
        "by": version.by_name,
        "note": version.note,
        "bytes": version.bytes,
        "sha256": version.sha256,
        "data_hash": version.data_hash,
        "pipeline_hash": made.get("pipeline_hash"),
        "profile": made.get("profile"),
        "examples": made.get("examples"),
        "intents": made.get("intents"),
        "seconds": made.get("seconds"),
        "metrics": version.metrics,
        "tracked_as": version.tracked_as,
    }
