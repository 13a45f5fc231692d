"""The staff API around articles: how they would be cut, files that are sent, questions to try, contradictions."""

from __future__ import annotations

from time import monotonic
from typing import Any

from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from handoff.bodies import read_json
from handoff.errors import Refused
from handoff.guard import answer
from handoff.learning.article_json import contradiction_json, preview_json, tried_json
from handoff.learning.article_routes import article_of, editor_of, knowledge_of, moment_in, record_article
from handoff.learning.knowledge_bodies import MAX_ARTICLE_BYTES, AgreementBody, DraftsBody, PreviewBody, QuestionBody
from handoff.staff_side import StaffSide
from handoff.store import Session
from knowledge_base.errors import KnowledgeBaseError, UnreadableSource
from knowledge_base.library_model import LibraryRefused
from knowledge_base.previewing import previewed
from knowledge_base.trying import tried
from knowledge_base.uploading import MAX_ARTICLES, read_upload
from knowledge_base.wording import language_of

COMPARING_SECONDS = 15  #: for looking for articles that say the same as those of a file; a request may take 60
BUSY_SECONDS = 30


def add_article_trial_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add the routes below ``/staff/api/knowledge`` that change no article."""

    async def preview(request: Request, session: Session) -> HTTPResponse:
        body = read_json(PreviewBody, request.content_type, request.body, MAX_ARTICLE_BYTES)
        desk = knowledge_of(side)
        return answer(preview_json(await previewed(desk.kb, article_of(body.article, desk), new=body.new)))

    async def upload(request: Request, session: Session) -> HTTPResponse:
        sent = request.files.get("file") if request.files else None
        if sent is None:
            raise Refused(400, "bad_request", 'Send one file as the field "file" of a multipart form.')
        desk = knowledge_of(side)
        try:
            found = await read_upload(sent.name, sent.body, desk.zone)
        except UnreadableSource as problem:
            busy = problem.reason == "busy"
            about = {"problem": problem.problem, "reason": problem.reason, **problem.facts}
            raise Refused(
                429 if busy else 400, "unreadable_file", str(problem), BUSY_SECONDS if busy else None, about
            ) from None
        held = tuple((await desk.library.store.owned()).held)
        until, previews = monotonic() + COMPARING_SECONDS, []
        for one in found.articles:
            previews.append(await previewed(desk.kb, one, held, compare=monotonic() < until))
        return answer(
            {
                "name": found.name,
                "articles": [preview_json(one) for one in previews],
                "beyond": found.beyond,
                "most": MAX_ARTICLES,
            }
        )

    async def take(request: Request, session: Session) -> HTTPResponse:
        body = read_json(DraftsBody, request.content_type, request.body, 8 * MAX_ARTICLE_BYTES)
        desk, by = knowledge_of(side), editor_of(session)
        results: list[dict[str, Any]] = []
        for one in body.articles:
            try:
                change = await desk.library.create(article_of(one, desk), by, origin="upload", source=body.source)
            except LibraryRefused as refused:
                results.append({"id": one.id, "language": one.language, "ok": False, "code": refused.code})
                continue
            await record_article(side, session, "article_created", change, source=body.source)
            results.append({"id": one.id, "language": one.language, "ok": True})
        return answer({"results": results}, 201)

    async def test(request: Request, session: Session) -> HTTPResponse:
        body = read_json(QuestionBody, request.content_type, request.body, MAX_ARTICLE_BYTES)
        desk = knowledge_of(side)
        drafts = [article_of(body.draft, desk)] if body.draft else []
        language = body.language or language_of(body.text)
        if drafts:
            checked = await previewed(desk.kb, drafts[0], new=False)
            bad = next((one for one in checked.problems if one.code == "bad"), None)
            if bad is not None:
                raise Refused(400, "article_bad_article", bad.detail, detail=bad.detail)
        try:
            found = await tried(
                desk.kb,
                body.text,
                language,
                gate=desk.gate(language),
                audiences=body.audiences,
                at=moment_in(body.at, "at", desk) or side.conversations.now(),
                drafts=drafts,
            )
        except KnowledgeBaseError as problem:
            raise Refused(503, "knowledge_away", str(problem)) from None
        return answer(tried_json(found))

    async def health(request: Request, session: Session) -> HTTPResponse:
        found, settled = await knowledge_of(side).contradictions.found()
        return answer({"contradictions": [contradiction_json(one) for one in found], "looking": not settled})

    async def agree(request: Request, session: Session) -> HTTPResponse:
        body = read_json(AgreementBody, request.content_type, request.body)
        store, now = knowledge_of(side).library.store, side.conversations.now()
        await store.agree(body.pair, session.member.name, now, agrees=body.agrees)
        facts = {"pair": body.pair, "agrees": body.agrees}
        await side.conversations.record("articles_agree", session.member.agent, facts)
        return answer({})

    for method, route, handler in (
        ("POST", "knowledge/preview", preview),
        ("POST", "knowledge/upload", upload),
        ("POST", "knowledge/drafts", take),
        ("POST", "knowledge/test", test),
        ("GET", "knowledge/health", health),
        ("POST", "knowledge/agreements", agree),
    ):
        side.guard.add(blueprint, method, route, handler)
