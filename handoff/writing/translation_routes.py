"""The staff API of translations: single messages on demand, and replies before they are sent."""

from __future__ import annotations

from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from conversations.model import Conversation, Message, MessageKind
from handoff.assist.assist_bodies import TranslateMessageBody, TranslateReplyBody
from handoff.bodies import check_id, read_json
from handoff.errors import Refused
from handoff.guard import answer
from handoff.staff_side import StaffSide
from handoff.store import Session


def add_translation_routes(blueprint: Blueprint, side: StaffSide) -> None:
    """Add the routes; where no model is set up they say so, and the console hides what uses them."""
    desk = side.translations

    async def known(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        return answer(await desk.known(await _get(side, conversation_id)))

    async def translate(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        body = read_json(TranslateMessageBody, request.content_type, request.body)
        conversation = await _get(side, conversation_id)
        _require_model(side)
        message = await _message(side, conversation, body.seq)
        return answer(await desk.message(conversation, message, body.to))

    async def translate_reply(request: Request, session: Session, conversation_id: str) -> HTTPResponse:
        body = read_json(TranslateReplyBody, request.content_type, request.body)
        conversation = await _get(side, conversation_id)
        _require_model(side)
        return answer(await desk.reply(conversation, body.text, body.to, session.member.name))

    base = "conversations/<conversation_id>"
    for method, route, handler in (
        ("GET", f"{base}/translations", known),
        ("POST", f"{base}/translations", translate),
        ("POST", f"{base}/translate-reply", translate_reply),
    ):
        side.guard.add(blueprint, method, route, handler)


def _require_model(side: StaffSide) -> None:
    if side.translations.model is None:
        raise Refused(404, "no_model", "No language model is set up for translations. Set LLM_URL and LLM_MODEL.")


async def _get(side: StaffSide, conversation_id: str) -> Conversation:
    return await side.conversations.get_conversation(check_id(conversation_id, "conversation"))


async def _message(side: StaffSide, conversation: Conversation, seq: int) -> Message:
    found = await side.conversations.messages(conversation.id, seq - 1, 1)
    if not found or found[0].seq != seq or not found[0].text:
        raise Refused(404, "not_found", "There is no such message with words to translate.")
    if found[0].kind not in (MessageKind.TEXT, MessageKind.NOTE):
        raise Refused(400, "bad_request", "Only what people or the bot wrote can be translated.")
    return found[0]
