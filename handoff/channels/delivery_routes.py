"""The staff API of what could not be delivered: the list, trying again, letting it be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.dead_letter_store import DeadLetter
from conversations.json_form import moment
from handoff.bodies import first_values, read_json, read_query
from handoff.channels.channel_bodies import DiscardBody, LettersBody, LettersQuery
from handoff.channels.channel_routes import channel_desk
from handoff.guard import answer
from handoff.staff_side import StaffSide
from handoff.store import Session

_PAGE = 50
_AT_ONCE = 500  #: of all that fit; the console asks again from where this ended
_BEGINNING = 160


def add_delivery_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add every route below ``/staff/api/deliveries``."""

    async def deliveries(request: Request, session: Session) -> HTTPResponse:
        query = read_query(LettersQuery, first_values(request.args))
        letters = channel_desk(side).letters
        sight = side.sight.of(session.member)
        page = await letters.page(query.choice(sight), int(query.before) if query.before else None, _PAGE)
        counts = [one._asdict() for one in await letters.counts(sight)]
        return answer({"deliveries": [_json(one) for one in page.letters], "cursor": page.cursor, "counts": counts})

    async def settled(
        session: Session, body: LettersBody, settle: Callable[[Sequence[str]], Awaitable[int]]
    ) -> HTTPResponse:
        ids: Sequence[str] = body.ids
        after = None
        if body.all is not None:
            ids, after = await channel_desk(side).letters.oldest(
                body.all.choice(side.sight.of(session.member)), _AT_ONCE
            )
        return answer({"done": await settle(ids), "after": after})

    async def replay(request: Request, session: Session) -> HTTPResponse:
        body = read_json(LettersBody, request.content_type, request.body)
        letters, agent = channel_desk(side).letters, session.member.agent
        sight = side.sight.of(session.member)
        return await settled(session, body, lambda ids: letters.replay(ids, agent, sight))

    async def discard(request: Request, session: Session) -> HTTPResponse:
        body = read_json(DiscardBody, request.content_type, request.body)
        letters, agent = channel_desk(side).letters, session.member.agent
        sight = side.sight.of(session.member)
        return await settled(session, body, lambda ids: letters.discard(ids, agent, body.reason, sight))

    for method, route, handler in (
        ("GET", "deliveries", deliveries),
        ("POST", "deliveries/replay", replay),
        ("POST", "deliveries/discard", discard),
    ):
        side.guard.add(blueprint, method, route, handler)


def _json(letter: DeadLetter) -> dict[str, Any]:
    message = letter.message
    return {
        "id": letter.id,
        "ordinal": letter.ordinal,
        "state": letter.state,
        "channel": letter.address.channel,
        "account": letter.address.account,
        "contact": letter.address.contact,
        "contact_name": letter.contact_name,
        "conversation_id": message.conversation_id,
        "seq": message.seq,
        "author": message.author.value,
        "text": message.text[:_BEGINNING],
        "files": len(message.attachments),
        "error": letter.error,
        "attempts": letter.attempts,
        "created_at": moment(message.created_at),
    }
