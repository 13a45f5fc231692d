"""The routes of the REST channel: take a message, wait for the replies if asked to, and list the transcript."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from connectors.base import BadPayload, BadSignature
from connectors.desk import Desk, Forms, Hub, Idempotency
from connectors.key_limits import TooManyRequests
from connectors.rest import MissingScope, RestConnector, RestMessage, request_hash
from connectors.webhooks import MAX_BODY, TooLarge, answer, problem, read_body, webhook_request
from conversations.errors import ConversationError, IdempotencyConflict, InvalidMessage
from conversations.model import Address, Author, Cursor, InboundMessage, Message, Receipt
from failpoints import reach

_PAGE = 100
_CONTACT = re.compile(r"[\w.@:+-]{1,128}")


def rest_api(
    connector: RestConnector,
    desk: Desk,
    hub: Hub,
    idempotency: Idempotency,
    forms: Forms,
    overloaded: Callable[[], bool],
) -> Blueprint:
    """The routes ``/api/v1/messages``."""
    blueprint = Blueprint("rest_api", url_prefix="/api/v1")

    @blueprint.post("/messages", stream=True, name="send")
    async def send(request: Request) -> HTTPResponse:
        if overloaded():
            return problem(503, "overloaded", "Too much is waiting; send the request again in a moment.", 2)
        try:
            webhook = webhook_request(request, await read_body(request, MAX_BODY))
            caller = await connector.caller(webhook, "messages:write", request.client_ip)
            message = connector.read(webhook)
            if message.wait_seconds:
                caller.need("messages:read")  # the answer holds the replies
            [arrival] = connector.parse(webhook)
        except TooLarge:
            return problem(413, "too_large", f"A request may have at most {MAX_BODY} bytes.")
        except (BadSignature, MissingScope, TooManyRequests) as error:
            if isinstance(error, BadSignature):
                connector.report("refused", "", str(error))
            return turned_away(error)
        except BadPayload as error:
            return problem(400, "invalid_request", f"{sentence(error)}")
        owner = caller.owner
        key = webhook.headers.get("idempotency-key")
        if key is None:
            status, body = await take(message, arrival.message)
            return answer(body, status)
        try:
            before = await idempotency.begin(owner, key, request_hash([b"POST /api/v1/messages", webhook.body]))
        except IdempotencyConflict as error:
            return _conflict(error)
        if before is not None:
            return answer(before[1], before[0], {"idempotent-replayed": "true"})
        reach("after_idempotency_begin")
        try:
            status, body = await take(message, arrival.message)
        except BaseException:
            await idempotency.abandon(owner, key)
            raise
        reach("before_idempotency_finish")
        if status >= 400:  # a request that changed nothing may be corrected and sent again with its key
            await idempotency.abandon(owner, key)
        else:
            await idempotency.finish(owner, key, status, body)
        return answer(body, status)

    async def take(message: RestMessage, inbound: InboundMessage) -> tuple[int, Any]:
        try:
            if not message.wait_seconds:
                return 202, _receipt_form(await received(inbound))
            async with hub.subscribe(f"contact:{inbound.address}") as news:
                receipt = await received(inbound)
                replies = await wait_for_replies(inbound.address, receipt, news, message.wait_seconds)
        except InvalidMessage as error:
            return 400, {"error": {"code": error.code, "message": sentence(error)}}
        conversation = await desk.find_current(inbound.address)
        return 200, {
            **_receipt_form(receipt),
            "replies": [forms.message(reply) for reply in replies],
            "status": conversation.status.value if conversation is not None else None,
        }

    async def received(inbound: InboundMessage) -> Receipt:
        receipt = await desk.receive(inbound)
        connector.report("received", "", "")
        return receipt

    async def wait_for_replies(address: Address, receipt: Receipt, news: Any, seconds: float) -> list[Message]:
        """What was said after the message; the replies of a turn are committed together, so the first one ends the wait."""
        cursor = Cursor(receipt.conversation_id, receipt.seq)
        deadline = time.monotonic() + seconds
        events = aiter(news)
        # Replies to a repeated message may be there already; others are announced, and only then worth a look.
        announced = receipt.duplicate or await reply_announced(events, deadline)
        while True:
            said = await desk.transcript(address, cursor, _PAGE)
            replies = [message for message in said if message.author is not Author.CONTACT]
            if replies or not announced:
                return replies
            announced = await reply_announced(events, deadline)

    async def reply_announced(events: AsyncIterator[dict[str, Any]], deadline: float) -> bool:
        """Wait until something is said to the contact; False if that cannot be known in time."""
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                async for event in events:
                    if event.get("type") == "message" and event["message"]["author"] != Author.CONTACT.value:
                        return True
        except (TimeoutError, ConversationError):
            pass
        return False

    @blueprint.get("/messages", name="list")
    async def list_messages(request: Request) -> HTTPResponse:
        try:
            await connector.caller(webhook_request(request, b""), "messages:read", request.client_ip)
        except (BadSignature, MissingScope, TooManyRequests) as error:
            return turned_away(error)
        contact, after = request.args.get("contact", ""), request.args.get("after")
        cursor = None if after is None else Cursor.parse(after)
        if not _CONTACT.fullmatch(contact):
            return problem(400, "invalid_request", "Name the contact whose messages you want: ?contact=<id>.")
        if after is not None and cursor is None:
            return problem(400, "invalid_request", "after is a cursor `conversation_id:seq`, as `next` gives it.")
        messages = await desk.transcript(connector.address(contact), cursor, _PAGE)
        last = messages[-1] if messages else None
        return answer(
            {
                "messages": [forms.message(message) for message in messages],
                "next": after if last is None else str(Cursor(last.conversation_id, last.seq)),
                "more": cursor is not None and len(messages) == _PAGE,
            }
        )

    return blueprint


def turned_away(error: BadSignature | MissingScope | TooManyRequests) -> HTTPResponse:
    """The answer to a program whose key does not let it in, or not now."""
    if isinstance(error, TooManyRequests):
        return problem(429, error.code, sentence(error), error.retry_after_seconds)
    if isinstance(error, MissingScope):
        return problem(403, "missing_scope", sentence(error))
    return problem(401, "unauthorized", sentence(error))


def _receipt_form(receipt: Receipt) -> dict[str, Any]:
    return {
        "conversation_id": receipt.conversation_id,
        "message_id": receipt.message_id,
        "seq": receipt.seq,
        "duplicate": receipt.duplicate,
    }


def _conflict(error: IdempotencyConflict) -> HTTPResponse:
    status = 409 if error.in_progress else 422
    return problem(status, error.code, sentence(error))


def sentence(error: Exception) -> str:
    """An error's text as a sentence."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
