"""The staff API of synonyms and product names: what trainers teach, tried before it is saved, at work at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from handoff.bodies import (
    SynonymBody,
    SynonymsQuery,
    SynonymTestBody,
    check_id,
    first_values,
    read_json,
    read_query,
)
from handoff.errors import Refused
from handoff.guard import answer
from handoff.staff_side import StaffSide
from handoff.store import Session
from knowledge_base.results import Hit
from knowledge_base.synonym_book import Draft, SynonymBook
from knowledge_base.synonyms import Synonym, SynonymRefused, bare
from knowledge_base.wording import language_of

_CONFLICTS = {"exists", "loop", "clash"}


def add_synonym_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route below ``/staff/api/synonyms``."""

    async def list_synonyms(request: Request, session: Session) -> HTTPResponse:
        query = read_query(SynonymsQuery, first_values(request.args))
        book = await _book(side)
        wanted = bare(query.q)
        listed = [
            rule
            for rule in book.rules.rules
            if (not wanted or wanted in bare(rule.term) or wanted in bare(rule.means))
            and query.kind in (None, rule.kind)
            and query.language in (None, rule.language)
        ]
        return answer({"synonyms": [synonym_json(rule) for rule in listed], "total": len(book.rules.rules)})

    async def add(request: Request, session: Session) -> HTTPResponse:
        body = read_json(SynonymBody, request.content_type, request.body)
        book = await _book(side)
        try:
            rule = await book.add(_draft(body), session.member.name)
        except SynonymRefused as refused:
            raise _refusal(refused) from None
        await side.conversations.record("synonym_added", session.member.agent, _told(rule))
        return answer({"synonym": synonym_json(rule)}, 201)

    async def change(request: Request, session: Session, synonym_id: str) -> HTTPResponse:
        body = read_json(SynonymBody, request.content_type, request.body)
        book = await _book(side)
        try:
            changed = await book.change(check_id(synonym_id, "synonym"), _draft(body), session.member.name)
        except SynonymRefused as refused:
            raise _refusal(refused) from None
        if changed is None:
            raise Refused(404, "not_found", "There is no such synonym. Somebody may have deleted it; reload the list.")
        former, rule = changed
        await side.conversations.record(
            "synonym_changed", session.member.agent, _told(rule) | {"before": _told(former)}
        )
        return answer({"synonym": synonym_json(rule)})

    async def delete(request: Request, session: Session, synonym_id: str) -> HTTPResponse:
        book = await _book(side)
        former = await book.remove(check_id(synonym_id, "synonym"))
        if former is None:
            raise Refused(404, "not_found", "There is no such synonym. Somebody may have deleted it; reload the list.")
        await side.conversations.record("synonym_deleted", session.member.agent, _told(former))
        return answer({})

    async def test(request: Request, session: Session) -> HTTPResponse:
        body = read_json(SynonymTestBody, request.content_type, request.body)
        book = await _book(side)
        language = body.language or language_of(body.text)
        try:
            trial = await book.attempt(body.text, language, _draft(body.draft) if body.draft else None, body.replaces)
        except SynonymRefused as refused:
            raise _refusal(refused) from None
        return answer(
            {
                "becomes": trial.understood.text,
                "replaced": [{"said": said, "means": means} for said, means in trial.understood.replaced],
                "articles": _moves(trial.before, trial.after),
            }
        )

    for method, route, handler in (
        ("GET", "synonyms", list_synonyms),
        ("POST", "synonyms", add),
        ("POST", "synonyms/test", test),
        ("POST", "synonyms/<synonym_id>", change),
        ("POST", "synonyms/<synonym_id>/delete", delete),
    ):
        side.guard.add(blueprint, method, route, handler)


async def _book(side: StaffSide) -> SynonymBook:
    if side.synonyms is None:
        raise Refused(404, "not_found", "This desk has no knowledge base whose synonyms could be edited.")
    await side.synonyms.refresh()
    return side.synonyms


def _draft(body: SynonymBody) -> Draft:
    return Draft(body.kind, body.language, body.term, body.means, body.two_way)


def _refusal(refused: SynonymRefused) -> Refused:
    return Refused(409 if refused.code in _CONFLICTS else 400, f"synonym_{refused.code}", str(refused))


def synonym_json(rule: Synonym) -> dict[str, Any]:
    """A rule as the console shows it."""
    return _told(rule) | {"updated_at": rule.updated_at.isoformat(), "updated_by": rule.updated_by}


def _told(rule: Synonym) -> dict[str, Any]:
    return {
        "id": rule.id,
        "kind": rule.kind,
        "language": rule.language,
        "term": rule.term,
        "means": rule.means,
        "two_way": rule.two_way,
    }


def _moves(before: Sequence[Hit], after: Sequence[Hit]) -> list[dict[str, Any]]:
    """The articles found with the synonyms, with their places and scores without them; then those that fell out."""
    old = {hit.passage.article_id: (place, hit) for place, hit in enumerate(before, start=1)}
    new = {hit.passage.article_id: (place, hit) for place, hit in enumerate(after, start=1)}
    rows = []
    for article_id in dict.fromkeys([*new, *old]):
        there, here = new.get(article_id), old.get(article_id)
        passage = (there or here or old[article_id])[1].passage
        rows.append(
            {
                "article_id": article_id,
                "title": passage.title,
                "url": passage.url,
                "place": there[0] if there else None,
                "score": there[1].score if there else None,
                "place_before": here[0] if here else None,
                "score_before": here[1].score if here else None,
            }
        )
    return rows
