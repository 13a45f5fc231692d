"""The staff API of prompts, for trainers and admins."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from handoff.bodies import ActivateBody, PromptBody, PromptTestBody, read_json
from handoff.errors import Refused
from handoff.guard import answer
from handoff.staff_side import StaffSide
from handoff.store import Session
from knowledge_base.generation.prompt_store import Author
from knowledge_base.generation.prompts import BadPrompt

_MISSING = {"unknown_prompt", "unknown_version"}
T = TypeVar("T")


def add_prompt_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route below ``/staff/api/prompts``."""
    desk = side.prompts

    async def prompts(request: Request, session: Session) -> HTTPResponse:
        return answer(await _explained(desk.overview()))

    async def prompt(request: Request, session: Session, name: str) -> HTTPResponse:
        return answer({"prompt": await _explained(desk.prompt(name))})

    async def save(request: Request, session: Session, name: str) -> HTTPResponse:
        body = read_json(PromptBody, request.content_type, request.body)
        saved = await _explained(desk.save(name, body.template, body.values, body.note, _author(session)))
        facts = {"prompt": name, "version": saved["version"], "note": saved["note"]}
        await side.conversations.record("prompt_saved", session.member.agent, facts)
        return answer({"version": saved}, 201)

    async def activate(request: Request, session: Session, name: str) -> HTTPResponse:
        body = read_json(ActivateBody, request.content_type, request.body)
        before, activation = await _explained(desk.activate(name, body.version, _author(session)))
        facts = {"prompt": name, "version": body.version, "before": before}
        await side.conversations.record("prompt_activated", session.member.agent, facts)
        return answer({"activation": activation})

    async def test(request: Request, session: Session, name: str) -> HTTPResponse:
        body = read_json(PromptTestBody, request.content_type, request.body)
        return answer(await _explained(desk.test(name, body.question, body.template, body.values)))

    for method, route, handler in (
        ("GET", "prompts", prompts),
        ("GET", "prompts/<name>", prompt),
        ("POST", "prompts/<name>/versions", save),
        ("POST", "prompts/<name>/activate", activate),
        ("POST", "prompts/<name>/test", test),
    ):
        side.guard.add(blueprint, method, route, handler)


def _author(session: Session) -> Author:
    return Author(session.member.id, session.member.name)


async def _explained(work: Awaitable[T]) -> T:
    """The result, or the refusal that says what to correct."""
    try:
        return await work
    except BadPrompt as problem:
        status = 404 if problem.code in _MISSING else 400
        sentence = f"{problem}."
        raise Refused(
            status, f"prompt_{problem.code}", sentence[0].upper() + sentence[1:], detail=problem.name
        ) from None
