"""The routes ``/api/v1/events``, and the public page behind the link that ends such messages."""

from __future__ import annotations

from collections.abc import Callable

from sanic import Blueprint, HTTPResponse, Request

from connectors.base import BadPayload, BadSignature
from connectors.events import Events, event_form, read_event
from connectors.key_limits import TooManyRequests
from connectors.rest import MissingScope, RestConnector
from connectors.rest_routes import sentence, turned_away
from connectors.webhooks import TooLarge, answer, problem, read_body, webhook_request
from conversations.errors import IdempotencyConflict, InvalidMessage, NotFound

_MAX_BODY = 64 * 1024
_PAGE_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
}
_PAGE = """<!DOCTYPE html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>退订 / Unsubscribe</title>
<style>body{{font:16px/1.6 system-ui,sans-serif;max-width:32rem;margin:12vh auto;padding:0 1.5rem;color:#1f2328;background:#fff}}
button{{font:inherit;padding:.6rem 1.2rem;border:0;border-radius:.5rem;background:#0b57d0;color:#fff;cursor:pointer}}
@media(prefers-color-scheme:dark){{body{{color:#e6edf3;background:#0d1117}}}}</style></head>
<body><main>{content}</main></body></html>
"""
_ASK = (
    "<h1>不再接收通知？</h1><p>点下面的按钮，我们就不再主动给您发通知；您来咨询，我们照样回复。</p>"
    "<p lang=\"en\">Press the button and we'll stop sending you notifications. We'll still answer whenever you write.</p>"
    '<form method="post"><button>退订 / <span lang="en">Unsubscribe</span></button></form>'
)
_DONE = (
    "<h1>已退订</h1><p>以后不再主动给您发通知。想重新接收，回复“订阅”就行。</p>"
    '<p lang="en">Done: no more notifications. Changed your mind? Just reply START.</p>'
)
_UNKNOWN = (
    "<h1>链接无效</h1><p>这个链接不完整，或者已经失效。请从邮件里重新点开，或直接回复“退订”。</p>"
    '<p lang="en">This link is incomplete or no longer works. Open it from the e-mail again, or just reply STOP.</p>'
)


def events_api(connector: RestConnector, events: Events, overloaded: Callable[[], bool]) -> Blueprint:
    """``POST /api/v1/events`` takes an event, ``GET /api/v1/events/<id>`` tells what became of it."""
    blueprint = Blueprint("events_api", url_prefix="/api/v1")

    @blueprint.post("/events", stream=True, name="tell")
    async def tell(request: Request) -> HTTPResponse:
        if overloaded():
            return problem(503, "overloaded", "Too much is waiting; send the request again in a moment.", 2)
        try:
            webhook = webhook_request(request, await read_body(request, _MAX_BODY))
            owner = (await connector.caller(webhook, "events:write", request.client_ip)).owner
            event, key = read_event(webhook.body, webhook.headers.get("idempotency-key"))
            told, known = await events.tell(owner, key, event.type, event.recipient, event.data, event.valid_for)
        except TooLarge:
            return problem(413, "too_large", f"An event may have at most {_MAX_BODY} bytes.")
        except (BadSignature, MissingScope, TooManyRequests) as error:
            return turned_away(error)
        except BadPayload as error:
            return problem(400, "invalid_request", sentence(error))
        except InvalidMessage as error:
            return problem(400, error.code, sentence(error))
        except IdempotencyConflict as error:
            return problem(422, error.code, sentence(error))
        return answer(event_form(told) | {"duplicate": known}, 202)

    @blueprint.get("/events/<id:str>", name="find")
    async def find(request: Request, id: str) -> HTTPResponse:
        try:
            owner = (await connector.caller(webhook_request(request, b""), "events:read", request.client_ip)).owner
            return answer(event_form(await events.find(owner, id[:64])))
        except (BadSignature, MissingScope, TooManyRequests) as error:
            return turned_away(error)
        except NotFound as error:
            return problem(404, error.code, sentence(error))

    return blueprint


def unsubscribe_page(events: Events) -> Blueprint:
    """``/unsubscribe/<token>``: looking changes nothing, because mail scanners open every link; posting does (RFC 8058)."""
    blueprint = Blueprint("unsubscribe", url_prefix="/unsubscribe")

    @blueprint.get("/<token:str>", name="ask")
    async def ask(request: Request, token: str) -> HTTPResponse:
        known = await events.stopped_by(token[:200]) is not None
        return _page(_ASK if known else _UNKNOWN, 200 if known else 404)

    @blueprint.post("/<token:str>", name="stop")
    async def stop(request: Request, token: str) -> HTTPResponse:
        done = await events.stop(token[:200])
        return _page(_DONE if done else _UNKNOWN, 200 if done else 404)

    return blueprint


def _page(content: str, status: int) -> HTTPResponse:
    return HTTPResponse(_PAGE.format(content=content), status, _PAGE_HEADERS, content_type="text/html; charset=utf-8")
