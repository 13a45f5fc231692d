"""The staff API of articles: looked up by everybody, written, published and tried by trainers."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.json_form import moment
from handoff.bodies import first_values, read_json, read_query
from handoff.errors import Refused
from handoff.guard import answer
from handoff.learning.article_json import (
    article_json,
    changed_fields,
    differences,
    kept_json,
    row_json,
    usage_json,
    version_json,
)
from handoff.learning.article_list import ArticleList
from handoff.learning.knowledge_bodies import (
    MAX_ARTICLE_BYTES,
    ArticleBody,
    ArticlesQuery,
    CreateBody,
    DiffQuery,
    RestoreBody,
    RevisionBody,
    SaveBody,
)
from handoff.learning.knowledge_side import KnowledgeSide
from handoff.roles import TAUGHT_TO, Role
from handoff.staff_side import StaffSide
from handoff.store import Session
from knowledge_base.articles import LANGUAGES, Article, moment_of
from knowledge_base.errors import UnreadableSource
from knowledge_base.library_model import Change, Editor, LibraryRefused, Opened
from knowledge_base.readers import CUSTOMER
from learning.article_health import by_article, stale

_CONFLICTS = {"changed", "exists", "nothing"}


def add_article_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route below ``/staff/api/knowledge`` apart from its status."""
    lists: list[ArticleList] = []

    def listing() -> ArticleList:
        if not lists or lists[0].side is not side.studio.knowledge:
            lists[:] = [ArticleList(knowledge_of(side))]
        return lists[0]

    async def listed(request: Request, session: Session) -> HTTPResponse:
        query = read_query(ArticlesQuery, first_values(request.args))
        desk, now = knowledge_of(side), side.conversations.now()
        found, settled = await desk.contradictions.found()
        contradicting = by_article(found)
        rows = await listing().rows(now)
        if session.member.role not in TAUGHT_TO:  # who answers contacts sees what contacts are told
            rows = [row for row in rows if row.live is not None]
        chosen = listing().chosen(rows, query, contradicting)
        return answer(
            {
                "articles": [row_json(row.article, row.kept, row.usage, row.stale, contradicting) for row in chosen],
                "total": len(rows),
                "counts": await listing().counts(now) if session.member.role in TAUGHT_TO else {},
                "looking": not settled,
                "audiences": sorted({CUSTOMER, *desk.kb.status()["audiences"]}),
                "days": _days(),
            }
        )

    async def opened(request: Request, session: Session, article_id: str) -> HTTPResponse:
        desk, name = knowledge_of(side), unquote(article_id)
        forms = [await _opened_json(desk, session, name, language, side.conversations.now()) for language in LANGUAGES]
        forms = [form for form in forms if form is not None]
        if not forms:
            raise Refused(404, "not_found", "There is no such article. Somebody may have renamed it; reload the list.")
        return answer({"id": name, "languages": forms, "time_zone": desk.zone.key})

    async def create(request: Request, session: Session) -> HTTPResponse:
        body = read_json(CreateBody, request.content_type, request.body, MAX_ARTICLE_BYTES)
        desk, by = knowledge_of(side), editor_of(session)
        change = await made(desk.library.create(article_of(body.article, desk), by, body.reason))
        await record_article(side, session, "article_created", change)
        if body.publish:
            change = await publish_article(side, session, desk, change)
        return answer(_change_json(change), 201)

    async def save(request: Request, session: Session, article_id: str, language: str) -> HTTPResponse:
        body = read_json(SaveBody, request.content_type, request.body, MAX_ARTICLE_BYTES)
        desk, by = knowledge_of(side), editor_of(session)
        if (body.article.id, body.article.language) != (unquote(article_id), language):
            raise Refused(400, "bad_request", "article: its id and language must be those of the address.")
        change = await made(desk.library.save(article_of(body.article, desk), body.revision, by, body.reason))
        await record_article(side, session, "article_saved", change, reason=body.reason)
        if body.publish:
            change = await publish_article(side, session, desk, change)
        return answer(_change_json(change))

    async def publish(request: Request, session: Session, article_id: str, language: str) -> HTTPResponse:
        body = read_json(RevisionBody, request.content_type, request.body)
        desk = knowledge_of(side)
        change = await made(desk.library.publish(unquote(article_id), language, body.revision, editor_of(session)))
        await record_article(side, session, "article_published", change)
        return answer(_change_json(change))

    async def unpublish(request: Request, session: Session, article_id: str, language: str) -> HTTPResponse:
        body = read_json(RevisionBody, request.content_type, request.body)
        desk = knowledge_of(side)
        change = await made(desk.library.unpublish(unquote(article_id), language, body.revision, editor_of(session)))
        await record_article(side, session, "article_unpublished", change)
        return answer(_change_json(change))

    async def archive(request: Request, session: Session, article_id: str, language: str) -> HTTPResponse:
        body = read_json(RevisionBody, request.content_type, request.body)
        work = knowledge_of(side).library.unpublish(
            unquote(article_id), language, body.revision, editor_of(session), archive=True
        )
        change = await made(work)
        await record_article(side, session, "article_archived", change)
        return answer(_change_json(change))

    async def restore(request: Request, session: Session, article_id: str, language: str) -> HTTPResponse:
        body = read_json(RestoreBody, request.content_type, request.body)
        work = knowledge_of(side).library.restore(
            unquote(article_id), language, body.revision, body.to, editor_of(session)
        )
        change = await made(work)
        await record_article(side, session, "article_restored", change, restores=body.to)
        return answer(_change_json(change))

    async def take_over(request: Request, session: Session, article_id: str, language: str) -> HTTPResponse:
        change = await made(knowledge_of(side).library.take_over(unquote(article_id), language, editor_of(session)))
        await record_article(side, session, "article_taken_over", change)
        return answer(_change_json(change), 201)

    async def reviewed(request: Request, session: Session, article_id: str, language: str) -> HTTPResponse:
        change = await made(knowledge_of(side).library.review(unquote(article_id), language, editor_of(session)))
        await record_article(side, session, "article_reviewed", change)
        return answer(_change_json(change))

    async def compared(request: Request, session: Session, article_id: str, language: str) -> HTTPResponse:
        query = read_query(DiffQuery, first_values(request.args))
        versions = await knowledge_of(side).library.store.versions(unquote(article_id), language)
        both = [next((one for one in versions if one.revision == number), None) for number in (query.old, query.new)]
        if both[0] is None or both[1] is None:
            raise Refused(404, "not_found", "There is no such version of this article.")
        old, new = both[0].article, both[1].article
        return answer(
            {
                "old": version_json(both[0]),
                "new": version_json(both[1]),
                "lines": differences(old, new),
                "fields": changed_fields(old, new),
            }
        )

    async def questions(request: Request, session: Session, article_id: str, language: str) -> HTTPResponse:
        desk = knowledge_of(side)
        key = f"{unquote(article_id)}/{language}"
        listed = await desk.usage.questions(key, side.sight.of(session.member))
        return answer(
            {
                "usage": usage_json((await desk.usage.all()).get(key)),
                "questions": [
                    {
                        "message_id": one.message_id,
                        "conversation_id": one.conversation_id,
                        "seq": one.seq,
                        "at": moment(one.at),
                        "language": one.language,
                        "score": one.score,
                        "handed_off": one.handed_off,
                        "disliked": one.disliked,
                        "text": one.text,
                    }
                    for one in listed
                ],
            }
        )

    base, one = "knowledge/articles", "knowledge/articles/<article_id>/<language>"
    for method, route, handler in (
        ("GET", base, listed),
        ("POST", base, create),
        ("GET", f"{base}/<article_id>", opened),
        ("POST", one, save),
        ("POST", f"{one}/publish", publish),
        ("POST", f"{one}/unpublish", unpublish),
        ("POST", f"{one}/archive", archive),
        ("POST", f"{one}/restore", restore),
        ("POST", f"{one}/take-over", take_over),
        ("POST", f"{one}/reviewed", reviewed),
        ("GET", f"{one}/diff", compared),
        ("GET", "learning/articles/<article_id>/<language>", questions),
    ):
        side.guard.add(blueprint, method, route, handler)


def _days() -> int:
    from learning.article_usage import DAYS

    return DAYS


def knowledge_of(side: StaffSide) -> KnowledgeSide:
    """The desk's knowledge; refused where it has none."""
    if side.studio.knowledge is None:
        raise Refused(404, "not_found", "This desk has no knowledge base whose articles could be edited.")
    return side.studio.knowledge


def editor_of(session: Session) -> Editor:
    """Whoever is signed in, as the library knows them."""
    return Editor(session.member.id, session.member.name)


def moment_in(value: str | None, name: str, desk: KnowledgeSide) -> datetime | None:
    """A day or moment that was sent."""
    if value is None:
        return None
    try:
        return moment_of(value.replace("Z", "+00:00"), name, "article", desk.zone)
    except (UnreadableSource, OverflowError):
        raise Refused(400, "bad_request", f"{name}: must be a date such as 2026-05-01.") from None


def article_of(body: ArticleBody, desk: KnowledgeSide) -> Article:
    """The article that was sent; what is wrong with it is said when it is kept."""
    return Article(
        id=body.id,
        title=" ".join(body.title.split()),
        language=body.language,
        body=body.body.replace("\r\n", "\n").strip("\n"),
        questions=tuple(dict.fromkeys(text for one in body.questions if (text := " ".join(one.split())))),
        tags=tuple(dict.fromkeys(text for one in body.tags if (text := one.strip()))),
        updated=desk.today(),
        audience=tuple(dict.fromkeys(body.audience)) or (CUSTOMER,),
        valid_from=moment_in(body.valid_from, "valid_from", desk),
        valid_until=moment_in(body.valid_until, "valid_until", desk),
        replaced_by=body.replaced_by,
    )


async def _opened_json(
    desk: KnowledgeSide, session: Session, article_id: str, language: str, now: datetime
) -> dict[str, Any] | None:
    live = desk.kb.find_article(article_id, language)
    usage = (await desk.usage.all()).get(f"{article_id}/{language}")
    kept: Opened | None = None
    if session.member.role in TAUGHT_TO:
        kept = next((one for one in await desk.library.store.of(article_id) if one.kept.language == language), None)
    if kept is None and live is None:
        return None
    versions = await desk.library.store.versions(article_id, language) if kept else []
    shown = kept.version.article if kept else live
    assert shown is not None
    reviewed = kept.kept.reviewed_at if kept else None
    return {
        "language": language,
        "article": article_json(shown),
        "live": article_json(live) if live else None,
        "kept": kept_json(kept.kept) if kept else None,
        "versions": [version_json(one) for one in versions],
        "stale": stale(live, reviewed, usage, now) if live else [],
        "usage": usage_json(usage) if session.member.role is not Role.AGENT else None,
    }


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "kept": kept_json(change.kept),
        "article": article_json(change.version.article),
        "version": version_json(change.version),
        "indexed": change.indexed,
    }


async def publish_article(side: StaffSide, session: Session, desk: KnowledgeSide, change: Change) -> Change:
    """Publish what was just written."""
    kept = change.kept
    published = await made(desk.library.publish(kept.id, kept.language, kept.revision, editor_of(session)))
    await record_article(side, session, "article_published", published)
    return published


async def made(work: Awaitable[Change]) -> Change:
    """A change, or why it was refused, as an answer."""
    try:
        return await work
    except LibraryRefused as refused:
        status = 404 if refused.code == "not_found" else 409 if refused.code in _CONFLICTS else 400
        code = "not_found" if refused.code == "not_found" else f"article_{refused.code}"
        detail = json.dumps(refused.detail, ensure_ascii=False) if refused.detail else str(refused)
        raise Refused(status, code, str(refused), detail=detail) from None


async def record_article(side: StaffSide, session: Session, kind: str, change: Change, **more: Any) -> None:
    """Note in the audit trail what was done to an article."""
    kept, article = change.kept, change.version.article
    facts = {"article_id": kept.id, "language": kept.language, "revision": kept.revision, "live": kept.live}
    facts |= {"title": article.title, "hash": article.version, "origin": kept.origin}
    if change.before is not None and change.before.article.version != article.version:
        facts["before"] = change.before.article.version
    facts |= {name: value for name, value in more.items() if value}
    await side.conversations.record(kind, session.member.agent, facts)
