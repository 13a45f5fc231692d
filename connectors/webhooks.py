"""One door for every channel's webhooks: limit, verify, parse, commit, and only then acknowledge."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import text

from connectors.base import BadPayload, BadSignature, Connector, OutOfTime, WebhookRequest
from connectors.door import Door
from conversations.errors import InvalidMessage
from failpoints import reach, reach_soon

MAX_BODY = 1024 * 1024
_RETRY_AFTER_SECONDS = 2


class TooLarge(Exception):
    """A request body is over its limit."""


def webhooks(connectors: Iterable[Connector], door: Door, overloaded: Callable[[], bool]) -> Blueprint:
    """The routes ``/webhooks/{channel}/{account}``; while ``overloaded()`` is true channels are asked to come back."""
    blueprint = Blueprint("webhooks", url_prefix="/webhooks")
    by_path = {(connector.channel, connector.account): connector for connector in connectors}

    def find(channel: str, account: str) -> Connector | HTTPResponse:
        return by_path.get((channel, account)) or problem(
            404,
            "unknown_channel",
            f"No channel {channel}/{account} is set up here; compare the address with the channel's settings.",
        )

    @blueprint.get("/<channel:str>/<account:str>", name="handshake")
    async def handshake(request: Request, channel: str, account: str) -> HTTPResponse:
        connector = find(channel, account)
        if isinstance(connector, HTTPResponse):
            return connector
        try:
            answer = connector.challenge(webhook_request(request, b""))
        except BadSignature as error:
            connector.report("refused", "", str(error) or "the handshake is not signed with our token")
            return problem(403, "bad_signature", f"{error or 'The handshake is not signed with our token'}.")
        if answer is None:
            return problem(
                404, "no_handshake", f"The channel {channel} has no set-up handshake; send events with POST."
            )
        connector.report("fine", "", "")
        return text(answer)

    @blueprint.post("/<channel:str>/<account:str>", stream=True, name="deliver")
    async def deliver(request: Request, channel: str, account: str) -> HTTPResponse | None:
        connector = find(channel, account)
        if isinstance(connector, HTTPResponse):
            return connector
        if connector.retries and overloaded():
            return problem(
                503, "overloaded", "Too much is waiting; send this event again in a moment.", _RETRY_AFTER_SECONDS
            )
        try:
            event = webhook_request(request, await read_body(request, connector.largest_webhook))
            reach("after_read")
            connector.verify(event)
            reach("after_verify")
            arrivals, unreadable = connector.parse(event), connector.unreadable(event)
            done = await connector.acknowledge(event, lambda: door.receive(connector, arrivals, unreadable))
        except TooLarge:
            return problem(413, "too_large", f"A webhook may have at most {connector.largest_webhook} bytes.")
        except BadSignature as error:
            if connector.webhook != "none":  # otherwise whoever calls has nothing to do with the channel
                connector.report("refused", "", str(error) or "the signature does not match")
            # What is only too old may be signed anew; a wrong proof stays wrong.
            status = 401 if "authorization" in request.headers or isinstance(error, OutOfTime) else 403
            return problem(
                status,
                "bad_signature",
                f"{error or 'The signature does not match'}; check the secret of this channel account.",
            )
        except (BadPayload, InvalidMessage) as error:
            connector.report("failed", "unreadable", str(error))
            return problem(400, "bad_payload", f"{error}; compare the body with the channel's documentation.")
        reach("before_ack")
        reach_soon("after_ack")
        response = HTTPResponse(done.body, content_type=done.content_type)
        if done.written is None:
            return response
        await _write(request, response, done.written)
        return None

    return blueprint


async def _write(request: Request, response: HTTPResponse, written: Callable[[bool], None]) -> None:
    """Write the response here instead of leaving it to Sanic, which tells nobody when the connection is gone."""
    well = False
    try:
        sent: Any = await request.respond(response)
        await sent.send(end_stream=True)
        well = True
    finally:
        written(well)


async def read_body(request: Request, limit: int) -> bytes:
    """The body of a streaming request; raises ``TooLarge`` without keeping more than the limit in memory."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > limit:
        raise TooLarge
    parts: list[bytes] = []
    size = 0
    stream: Any = request.stream  # Sanic types the stream without its iteration
    async for chunk in stream:
        size += len(chunk)
        if size > limit:
            raise TooLarge
        parts.append(chunk)
    return b"".join(parts)


def webhook_request(request: Request, body: bytes) -> WebhookRequest:
    """A Sanic request as connectors see it."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        # A header that is there twice is one list (RFC 9110, 5.3): no second signature hides behind a first.
        headers[name.lower()] = f"{headers[name.lower()]}, {value}" if name.lower() in headers else value
    return WebhookRequest(
        method=request.method,
        headers=headers,
        query={name: ", ".join(values) for name, values in request.args.items() if values},  # the same holds here
        body=body,
    )


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> HTTPResponse:
    """A JSON answer that no cache keeps."""
    text_body = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return HTTPResponse(
        text_body, status, {"cache-control": "no-store", **(headers or {})}, content_type="application/json"
    )


def problem(status: int, code: str, message: str, retry_after_seconds: float | None = None) -> HTTPResponse:
    """An error in the one form every interface uses."""
    headers = {} if retry_after_seconds is None else {"retry-after": str(max(1, round(retry_after_seconds)))}
    return answer({"error": {"code": code, "message": message}}, status, headers)
