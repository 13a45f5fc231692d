"""The widget's HTTP side: opening the socket, the polling fallback, and files."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from functools import wraps
from typing import Any
from urllib.parse import quote, urlsplit

from sanic import Blueprint, HTTPResponse, Request, Websocket
from sanic.response import raw

from connectors.desk import Attachments, Desk, Hub
from connectors.webchat.feed import Feed
from connectors.webchat.frames import BadFrame, Frame, Hello, Rate, Read, Say, Typing, read_as
from connectors.webchat.socket import HELLO_SECONDS, VisitorSocket
from connectors.webchat.tokens import BadToken
from connectors.webchat.visitors import TooFast, Visitors
from connectors.webhooks import TooLarge, answer, problem, read_body
from conversations.errors import AlreadyRated, ConversationError, InvalidMessage, NotFound, SlowConsumer
from conversations.model import Address, Cursor

_MAX_JSON = 64 * 1024
_FORM_OVERHEAD = 16 * 1024
_LONGEST_POLL_SECONDS = 25.0
_INLINE = {"image/png", "image/jpeg", "image/gif", "image/webp"}

Handler = Callable[..., Awaitable[HTTPResponse]]


def webchat(
    desk: Desk,
    hub: Hub,
    visitors: Visitors,
    attachments: Attachments,
    public_url: str,
    allowed_origins: Iterable[str] = (),
    hello_seconds: float = HELLO_SECONDS,
) -> Blueprint:
    """The routes ``/webchat/…`` and ``/files/{id}``; pages of other origins than our own must be on the list."""
    blueprint = Blueprint("webchat")
    origins = {origin.rstrip("/").lower() for origin in (*allowed_origins, _origin_of(public_url))}

    def foreign(request: Request) -> bool:
        """Whether a page of another site makes this request; programs send no Origin and have no cookies to abuse."""
        origin = request.headers.get("origin", "").lower()
        return (
            bool(origin)
            and origin not in origins
            and urlsplit(origin).netloc != request.headers.get("host", "").lower()
        )

    @blueprint.on_request
    async def refuse_foreign_pages(request: Request) -> HTTPResponse | None:
        if not request.path.startswith("/webchat/") or not foreign(request):
            return None
        return problem(403, "origin_not_allowed", "This site may not use this chat; add its origin to ALLOWED_ORIGINS.")

    @blueprint.on_response  # type: ignore[untyped-decorator]
    async def allow_other_origins(request: Request, response: HTTPResponse) -> None:
        origin = request.headers.get("origin")
        if origin and request.path.startswith("/webchat/") and not foreign(request):
            response.headers.update(
                {
                    "access-control-allow-origin": origin,
                    "access-control-allow-headers": "authorization, content-type",
                    "access-control-allow-methods": "GET, POST",
                    "access-control-max-age": "600",
                    "vary": "origin",
                }
            )

    @blueprint.websocket("/webchat/socket", name="socket")  # type: ignore[untyped-decorator]
    async def socket(request: Request, websocket: Websocket) -> None:
        await VisitorSocket(desk, hub, visitors, websocket, hello_seconds).run()

    for path in ("hello", "messages", "typing", "read", "rating", "files"):

        @blueprint.options(f"/webchat/{path}", name=f"preflight_{path}")
        async def preflight(request: Request) -> HTTPResponse:
            return HTTPResponse(status=204)

    @blueprint.post("/webchat/hello", stream=True, name="hello")
    @_explained
    async def hello(request: Request) -> HTTPResponse:
        _, welcome = await visitors.welcome(read_as(Hello, await read_body(request, _MAX_JSON)))
        return answer(welcome)

    @blueprint.post("/webchat/messages", stream=True, name="say")
    @_explained
    async def say(request: Request) -> HTTPResponse:
        address = _visitor(visitors, request)
        said = read_as(Say, await read_body(request, _MAX_JSON))
        return answer(await visitors.say(address, said, None))

    @blueprint.post("/webchat/typing", stream=True, name="typing")
    @_explained
    async def typing(request: Request) -> HTTPResponse:
        address = _visitor(visitors, request)
        await visitors.typing(address, read_as(Typing, await read_body(request, _MAX_JSON)))
        return HTTPResponse(status=204)

    @blueprint.post("/webchat/read", stream=True, name="read")
    @_explained
    async def read(request: Request) -> HTTPResponse:
        address = _visitor(visitors, request)
        await visitors.read(address, read_as(Read, await read_body(request, _MAX_JSON)))
        return HTTPResponse(status=204)

    @blueprint.post("/webchat/rating", stream=True, name="rating")
    @_explained
    async def rating(request: Request) -> HTTPResponse:
        address = _visitor(visitors, request)
        return answer(await visitors.rate(address, read_as(Rate, await read_body(request, _MAX_JSON))))

    @blueprint.get("/webchat/messages", name="poll")
    @_explained
    async def poll(request: Request) -> HTTPResponse:
        address = _visitor(visitors, request)
        after = request.args.get("after")
        cursor = Cursor.parse(after) if after else None
        if after and cursor is None:
            raise BadFrame("after is a cursor `conversation_id:seq`; leave it out to begin with the last messages")
        began = datetime.now(UTC)
        since = _moment(request.args.get("since")) or began
        frames, feed = await follow(address, cursor, since, _seconds(request.args.get("wait")))
        after = None if feed.cursor is None else str(feed.cursor)
        return answer({"frames": frames, "after": after, "since": round(began.timestamp() * 1000)})

    async def follow(
        address: Address, cursor: Cursor | None, since: datetime, seconds: float
    ) -> tuple[list[Frame], Feed]:
        """What is new, waited for if there is nothing yet; what was taken back after ``since`` counts as new."""
        feed = Feed(desk, visitors, address, cursor, since)
        deadline = time.monotonic() + seconds
        async with hub.subscribe(f"contact:{address}") as news:
            frames = await feed.catch_up() + await feed.taken_back()
            events = aiter(news)
            while not frames and (left := deadline - time.monotonic()) > 0:
                try:
                    async with asyncio.timeout(left):
                        event = await anext(events)
                except (TimeoutError, StopAsyncIteration, SlowConsumer):
                    frames = await feed.catch_up()
                    break
                frames = await feed.take(event)
        return frames, feed

    @blueprint.post("/webchat/files", stream=True, name="upload")
    @_explained
    async def upload(request: Request) -> HTTPResponse:
        address = _visitor(visitors, request)
        # Sanic takes forms apart only when it has read the body itself; ours is read with a limit first.
        request.body = await read_body(request, attachments.max_bytes + _FORM_OVERHEAD)
        files = request.files.getlist("file") if request.files else None
        if not files or len(files) != 1:
            raise BadFrame("send one file as the field `file` of a multipart form")
        return answer(await visitors.upload(address, files[0].name or "file", files[0].body), 201)

    @blueprint.get("/files/<attachment_id:str>", name="file")
    @_explained
    async def download(request: Request, attachment_id: str) -> HTTPResponse:
        attachment, content = await attachments.read(attachment_id, request.args.get("t", ""))
        shown = "inline" if attachment.media_type in _INLINE else "attachment"
        return raw(
            content,
            content_type=attachment.media_type,
            headers={
                "content-disposition": f"{shown}; filename*=UTF-8''{quote(attachment.name, safe='')}",
                "x-content-type-options": "nosniff",
                "content-security-policy": "default-src 'none'; sandbox",
                "cross-origin-resource-policy": "cross-origin",
                "cache-control": "private, max-age=3600",
            },
        )

    return blueprint


def _visitor(visitors: Visitors, request: Request) -> Address:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise BadToken("send the visitor token as `Authorization: Bearer <token>`")
    return visitors.recognise(token.strip())


def _explained(handler: Handler) -> Handler:
    """A handler whose refusals become answers that say what to do."""

    @wraps(handler)
    async def explained(*args: Any, **kwargs: Any) -> HTTPResponse:
        try:
            return await handler(*args, **kwargs)
        except BadToken as error:
            return problem(401, "bad_token", _sentence(error))
        except BadFrame as error:
            return problem(400, "bad_frame", _sentence(error))
        except TooLarge:
            return problem(413, "too_large", "This is larger than the chat takes; send something smaller.")
        except TooFast as error:
            return problem(429, "too_fast", _sentence(error), error.retry_after_seconds)
        except NotFound as error:
            return problem(404, error.code, _sentence(error))
        except AlreadyRated as error:
            return problem(409, error.code, _sentence(error))
        except InvalidMessage as error:
            return problem(400, error.code, _sentence(error))
        except ConversationError as error:
            return problem(409, error.code, _sentence(error))

    return explained


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _seconds(text: str | None) -> float:
    """How long a poll may wait."""
    try:
        return min(_LONGEST_POLL_SECONDS, max(0.0, float(text or 0)))
    except ValueError:
        return 0.0


def _moment(text: str | None) -> datetime | None:
    """A time in milliseconds, as the answer before named it; "0" is the beginning."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 15:
        return None
    return datetime.fromtimestamp(min(int(text) / 1000, 4e9), UTC)


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
