"""The staff API of tests and trials: what is measured of each version, what trainers saved to measure with, and a chat to try."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.json_form import moment
from handoff.bodies import first_values, read_json, read_query
from handoff.errors import Refused
from handoff.guard import answer
from handoff.learning.measuring_bodies import (
    MAX_BYTES,
    CompareQuery,
    DropBody,
    LineBody,
    QuestionBody,
    RunBody,
    StoryBody,
    TrialBody,
)
from handoff.learning.measuring_side import CROSS, DONE, KNOWLEDGE, TEST, MeasuringSide
from handoff.staff_side import StaffSide
from handoff.store import Session
from learning.changes import LANGUAGES, ExampleRefused
from learning.job_store import Job
from learning.jobs import job_json
from learning.saved_tests import Story
from learning.side_by_side import compared
from learning.trials import Trial

_STATUS = {"busy": 503, "read_only": 503, "gone": 404, "exists": 409, "held_out": 409, "not_editable": 409}


def add_measuring_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route below ``/staff/api/model-tests``, and ``/staff/api/trials``."""

    async def overview(request: Request, session: Session) -> HTTPResponse:
        desk = _desk(side)
        saved = await desk.saved.look()
        live = await desk.live()
        versions = [one for one in await desk.versions.all() if one.state == "ready"]
        done, total = desk.knowledge.progress
        return answer(
            {
                "versions": [{"name": one.name, "made_at": moment(one.made_at), "note": one.note} for one in versions],
                "live": live,
                "jobs": [
                    job_json(one, whole=False) | _ended(one)
                    for one in await desk.jobs.recent(40, (TEST, CROSS, KNOWLEDGE))
                ],
                "knowledge": {
                    "running": desk.knowledge.running,
                    "done": done,
                    "total": total,
                    "failed": desk.knowledge.failed,
                },
                "stories": [story_json(one) for one in saved.stories],
                "lines": [asdict(one) for one in saved.lines],
                "questions": [asdict(one) for one in saved.questions],
                "problems": list(saved.problems),
                "intents": await _intents(side),
            }
        )

    async def result(request: Request, session: Session, name: str) -> HTTPResponse:
        return answer(_result_json(await _desk(side).jobs.latest(TEST, name, DONE)))

    async def cross(request: Request, session: Session) -> HTTPResponse:
        return answer(_result_json(await _desk(side).jobs.latest(CROSS, states=DONE)))

    async def knowledge(request: Request, session: Session) -> HTTPResponse:
        return answer(_result_json(await _desk(side).jobs.latest(KNOWLEDGE, states=DONE)))

    async def compare(request: Request, session: Session) -> HTTPResponse:
        query = read_query(CompareQuery, first_values(request.args))
        jobs = _desk(side).jobs
        one, other = await jobs.latest(TEST, query.one, DONE), await jobs.latest(TEST, query.other, DONE)
        if one is None or other is None or not one.result or not other.result:
            raise Refused(404, "not_tested", "One of the two versions has not been tested yet.")
        return answer(compared(one.result, other.result))

    async def run(request: Request, session: Session) -> HTTPResponse:
        body = read_json(RunBody, request.content_type, request.body)
        desk = _desk(side)
        found = await desk.versions.find(body.model)
        if found is None or found.state != "ready":
            raise Refused(404, "model_gone", "There is no such version any more.")
        job = await desk.ask(body.kind, body.model, session.member.agent, body.folds)
        return answer({"job": job_json(job, whole=False)}, 202)

    async def run_knowledge(request: Request, session: Session) -> HTTPResponse:
        if not await _desk(side).test_knowledge(session.member.agent):
            raise Refused(409, "already_running", "The knowledge base is being tested already.")
        return answer({}, 202)

    async def save_story(request: Request, session: Session) -> HTTPResponse:
        body = read_json(StoryBody, request.content_type, request.body, MAX_BYTES)
        made = await _done(_desk(side).saved.save_story(body.story()))
        await _audit(session, "model_test_saved", "story", made.name, body.why)
        return answer({"story": story_json(made)}, 201)

    async def delete_story(request: Request, session: Session, name: str) -> HTTPResponse:
        body = read_json(DropBody, request.content_type, request.body)
        gone = await _done(_desk(side).saved.delete_story(name))
        await _audit(session, "model_test_deleted", "story", gone.name, body.why)
        return answer({})

    async def save_line(request: Request, session: Session) -> HTTPResponse:
        body = read_json(LineBody, request.content_type, request.body)
        made = await _done(_desk(side).saved.add_line(body.line()))
        await _audit(session, "model_test_saved", "line", f"{made.language}/{made.intent}: {made.text}", body.why)
        return answer({"line": asdict(made)}, 201)

    async def delete_line(request: Request, session: Session) -> HTTPResponse:
        body = read_json(LineBody, request.content_type, request.body)
        gone = await _done(_desk(side).saved.delete_line(body.line()))
        await _audit(session, "model_test_deleted", "line", f"{gone.language}/{gone.intent}: {gone.text}", body.why)
        return answer({})

    async def save_question(request: Request, session: Session) -> HTTPResponse:
        body = read_json(QuestionBody, request.content_type, request.body)
        made = await _done(_desk(side).saved.add_question(body.question()))
        await _audit(session, "model_test_saved", "question", f"{made.language}: {made.text}", body.why)
        return answer({"question": asdict(made)}, 201)

    async def delete_question(request: Request, session: Session) -> HTTPResponse:
        body = read_json(QuestionBody, request.content_type, request.body)
        gone = await _done(_desk(side).saved.delete_question(body.language, body.text))
        await _audit(session, "model_test_deleted", "question", f"{gone.language}: {gone.text}", body.why)
        return answer({})

    async def trial(request: Request, session: Session) -> HTTPResponse:
        body = read_json(TrialBody, request.content_type, request.body, MAX_BYTES)
        limits = body.thresholds.thresholds() if body.thresholds is not None else None
        wanted = Trial(
            tuple(one.said() for one in body.messages),
            body.language,
            None if limits is None else dict.fromkeys(LANGUAGES, limits),
        )
        return answer({"answers": await _desk(side).trials.answers(wanted, body.models)})

    async def _audit(session: Session, kind: str, what: str, name: str, why: str) -> None:
        data = {"what": what, "name": name[:500], "why": " ".join(why.split())}
        await side.conversations.record(kind, session.member.agent, data)

    for method, route, handler in (
        ("GET", "model-tests", overview),
        ("GET", "model-tests/results/<name>", result),
        ("GET", "model-tests/cross-validation", cross),
        ("GET", "model-tests/knowledge", knowledge),
        ("GET", "model-tests/compare", compare),
        ("POST", "model-tests/run", run),
        ("POST", "model-tests/knowledge/run-questions", run_knowledge),
        ("POST", "model-tests/stories", save_story),
        ("POST", "model-tests/stories/<name>/delete", delete_story),
        ("POST", "model-tests/lines", save_line),
        ("POST", "model-tests/lines/delete", delete_line),
        ("POST", "model-tests/questions", save_question),
        ("POST", "model-tests/questions/delete", delete_question),
        ("POST", "trials", trial),
    ):
        side.guard.add(blueprint, method, route, handler)


def story_json(story: Story) -> dict[str, Any]:
    """A saved chat as the console shows it."""
    return {
        "name": story.name,
        "title": story.title,
        "language": story.language,
        "note": story.note,
        "messages": [{"text": one.says, "payload": one.presses, "expect": dict(one.expect)} for one in story.messages],
    }


async def _intents(side: StaffSide) -> list[str]:
    return [one.name for one in await side.studio.examples.book.intents()] if side.studio.examples is not None else []


def _ended(job: Job) -> dict[str, Any]:
    return {"problem": job.problem if job.state == "failed" else None}


def _result_json(job: Job | None) -> dict[str, Any]:
    if job is None or not job.result:
        return {"job": None, "result": None}
    return {"job": job_json(job, whole=False), "result": job.result}


async def _done(work: Any) -> Any:
    try:
        return await work
    except ExampleRefused as refused:
        wait = 3 if refused.code == "busy" else None
        raise Refused(
            _STATUS.get(refused.code, 400), f"example_{refused.code}", refused.message, wait, refused.detail
        ) from None


def _desk(side: StaffSide) -> MeasuringSide:
    if side.studio.measuring is None:
        raise Refused(404, "not_found", "This desk has no models that could be tested.")
    return side.studio.measuring
