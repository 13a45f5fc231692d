"""The staff API of agent assist: what is offered, what became of it, and the report."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.json_form import moment
from conversations.model import Conversation
from handoff.assist.assist_bodies import RejectBody, ReportQuery
from handoff.assist.assist_desk import Look
from handoff.assist.assist_side import AssistSide
from handoff.assist.assist_store import Card
from handoff.assist.card_book import BOT_KEY, FIRST_PASSAGE_KEY, FIRST_SIMILAR_KEY, SUGGESTION_KEY
from handoff.assist.in_flight import Superseded
from handoff.assist.masking import PLACEHOLDER
from handoff.bodies import check_id, first_values, read_json, read_query
from handoff.errors import Refused
from handoff.guard import answer
from handoff.staff_side import StaffSide
from handoff.store import Session
from knowledge_base.generation.writer import Written

T = TypeVar("T")


def add_assist_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route of assist below ``/staff/api/conversations`` and ``/staff/api/assist``."""

    async def look(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        assist, conversation = _assist(side), await _get(side, conversation_id)
        found = await _look(side, session, conversation)
        ids = await assist.book.show_look(conversation, session.member.agent, found)
        return answer(look_json(found, ids) | {"model": _model(assist)})

    async def bot(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        assist, conversation = _assist(side), await _get(side, conversation_id)
        made = await _unless_superseded(assist.desk.bot_answer(conversation))
        card_id = None
        if made is not None and made.get("text") and made["state"] == "would":
            card = Card(
                "bot", f"turn:{made['seq']}", BOT_KEY, made["text"], tuple(made["citations"]), made["confidence"], made["took_ms"]
            )  # fmt: skip
            card_id = await assist.book.show_one(conversation, session.member.agent, made["seq"], card)
        return answer({"bot": None if made is None else made | {"id": card_id, "key": BOT_KEY}})

    async def phrased(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        assist, conversation = _assist(side), await _get(side, conversation_id)
        if not assist.desk.phrases:
            raise Refused(404, "no_model", "No language model is set up. The quoted suggestion is all there is.")
        found = await _look(side, session, conversation)
        written = await _unless_superseded(assist.desk.phrased(conversation, found))
        form = phrased_json(written)
        card_id = None
        if form["text"]:
            card = Card(
                "phrased", f"{_model(assist)}:{found.asked.seq}", SUGGESTION_KEY, form["text"], tuple(form["citations"]), None,
                written.trace.get("timings_ms", {}).get("total"),
            )  # fmt: skip
            card_id = await assist.book.show_one(conversation, session.member.agent, found.asked.seq, card)
        return answer({"phrased": form | {"id": card_id, "key": SUGGESTION_KEY, "seq": found.asked.seq}})

    async def inserted(request: Request, session: Session, conversation_id: str, card_id: str) -> HTTPResponse:
        assist, conversation = _assist(side), await _get(side, conversation_id)
        card = check_id(card_id, "card")
        _must(await assist.book.inserted(conversation, session.member.agent, card))
        return answer({})

    async def rejected(request: Request, session: Session, conversation_id: str, card_id: str) -> HTTPResponse:
        body = read_json(RejectBody, request.content_type, request.body)
        assist, conversation = _assist(side), await _get(side, conversation_id)
        card = check_id(card_id, "card")
        _must(await assist.book.rejected(conversation, session.member.agent, card, body.reason))
        return answer({})

    async def report(request: Request, session: Session) -> HTTPResponse:
        query = read_query(ReportQuery, first_values(request.args))
        assist = _assist(side)
        names = {member.id: member.name for member in await side.store.all_staff()}
        form = await assist.digests.current_form() if assist.digests.there else ""
        held, resolved = await assist.store.digest_counts(form)
        found = await assist.book.report(query.days, names)
        return answer(found | {"digests": {"held": held, "resolved": resolved}})

    base = "conversations/<conversation_id>/assist"
    for method, route, handler in (
        ("GET", base, look),
        ("GET", f"{base}/bot", bot),
        ("GET", f"{base}/phrased", phrased),
        ("POST", f"{base}/<card_id>/inserted", inserted),
        ("POST", f"{base}/<card_id>/rejected", rejected),
        ("GET", "assist/report", report),
    ):
        side.guard.add(blueprint, method, route, handler)

    async def _look(side: StaffSide, session: Session, conversation: Conversation) -> Look:
        member = session.member

        async def seen(conversation_ids: Sequence[str]) -> set[str]:
            return await side.conversations.seen(side.sight.of(member), conversation_ids)

        return await _unless_superseded(_assist(side).desk.look(conversation, seen, side.sight_key(member)))


def look_json(look: Look, ids: dict[str, str]) -> dict[str, Any]:
    """A look as the console shows it; ``id`` is null where the one who looks cannot answer."""
    suggestion = None
    if look.suggestion is not None:
        source = look.suggestion.origin + ":" + ",".join(look.suggestion.because)
        suggestion = look.suggestion.to_json() | {"id": ids.get(f"suggestion:{source}"), "key": SUGGESTION_KEY}
    passages = [
        one.to_json()
        | {
            "id": ids.get(f"passage:{one.hit.passage.id}"),
            "key": FIRST_PASSAGE_KEY + place,
            "citations": [] if one.internal or not one.quote else [one.citation],
        }
        for place, one in enumerate(look.passages)
    ]
    similar = [
        {
            "id": ids.get(f"similar:{one.conversation.id}"),
            "key": FIRST_SIMILAR_KEY + place,
            "conversation_id": one.conversation.id,
            "similarity": one.similarity,
            "intent": one.intent,
            "rating": one.rating,
            "labels": list(one.labels),
            "channel": one.conversation.address.channel,
            "resolved_at": moment(one.conversation.resolved_at),
            "resolved_by": one.conversation.resolved_by,
            "agent_name": one.conversation.agent_name,
            "request": one.request,
            "replies": list(one.replies),
            "language": one.language,
            "placeholders": len(PLACEHOLDER.findall(one.replies[0])) if one.replies else 0,
        }
        for place, one in enumerate(look.precedents)
    ]
    return {
        "seq": look.asked.seq,
        "language": look.asked.language,
        "requests": list(look.asked.texts[-2:]),
        "intent": look.asked.intent,
        "product": look.asked.product,
        "suggestion": suggestion,
        "passages": passages,
        "similar": similar,
        "took_ms": look.took_ms,
    }


def phrased_json(written: Written) -> dict[str, Any]:
    """The model's wording with the articles behind it, or why there is none."""
    text = written.text
    if text is not None and PLACEHOLDER.search(text):
        text = None  # what was masked for one contact is of no use to another
    cited = [one for one in written.citations if not one.article_id.startswith("conversation-")] if text else []
    return {
        "text": text,
        "reason": None if text else written.trace.get("reason") or "placeholder",
        "model": written.trace.get("model"),
        "citations": [
            {"passage_id": c.passage_id, "article_id": c.article_id, "title": c.title, "quote": c.quote, "url": c.url}
            for c in cited
        ],
    }


def _assist(side: StaffSide) -> AssistSide:
    if side.assist is None:
        raise Refused(404, "not_found", "This desk has no agent assist.")
    return side.assist


def _model(assist: AssistSide) -> str | None:
    return assist.desk.model


async def _get(side: StaffSide, conversation_id: str) -> Conversation:
    return await side.conversations.get_conversation(check_id(conversation_id, "conversation"))


async def _unless_superseded(work: Awaitable[T]) -> T:
    try:
        return await work
    except Superseded:
        raise Refused(409, "assist_superseded", "The contact has written again. Look once more.") from None


def _must(shown: bool) -> None:
    if not shown:
        raise Refused(404, "not_found", "This card was not shown to you here. Look once more.")
