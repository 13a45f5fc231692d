"""The only way into the bot: one turn per request, with a shared secret, and never an empty answer."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from rasa.core.channels.channel import InputChannel
from sanic import Blueprint
from sanic.exceptions import SanicException
from sanic.request import Request
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from bot import settings
from bot.job_routes import add_job_routes
from bot.metrics import METRICS
from bot.model_names import NAME
from bot.tracker_store import StoreFailed
from bot.turn import BadTurn, Turn
from bot.versions import ModelGone, StillLoading

logger = logging.getLogger(__name__)

_BEARER = "Bearer "
MOST_FORGOTTEN = 1_000  #: conversations in one request
MOST_NAMED = 200  #: versions in one list


def _error(status: int, code: str, message: str) -> HTTPResponse:
    METRICS.errors.add(code)
    return json_response({"error": {"code": code, "message": message}}, status=status)


def _ids_in(body: Any) -> list[str]:
    ids = body.get("conversation_ids") if isinstance(body, dict) else None
    if not isinstance(ids, list) or not 0 < len(ids) <= MOST_FORGOTTEN or not all(isinstance(one, str) for one in ids):
        raise ValueError("no list of ids")
    return ids


def _arrangement_in(body: Any) -> tuple[str, list[str], list[str]]:
    if not isinstance(body, dict):
        raise ValueError("no object")
    lists = [body.get(field) for field in ("loaded", "kept")]
    if not all(isinstance(one, list) and len(one) <= MOST_NAMED for one in lists):
        raise ValueError("no lists")
    names = [body.get("default"), *lists[0], *lists[1]]
    if not all(isinstance(one, str) and NAME.fullmatch(one) for one in names):
        raise ValueError("no names")
    return names[0], lists[0], lists[1]


class TurnChannel(InputChannel):  # type: ignore[misc]  # rasa is not installed where types are checked
    """``POST /webhooks/turn``, ``POST /webhooks/turn/dry-run`` and ``GET /webhooks/turn/health``, as docs/contracts.md describes them."""

    def __init__(self, secret: str) -> None:
        """``secret`` is what the service must send as bearer token."""
        self._secret = secret.encode()

    @classmethod
    def name(cls) -> str:
        """The last part of the address."""
        return "turn"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> TurnChannel:
        """The secret comes from the environment, so that no file holds it."""
        return cls(settings.load().secret)

    def _is_service(self, request: Request) -> bool:
        sent = request.headers.get("authorization", "")
        given = sent[len(_BEARER) :] if sent.startswith(_BEARER) else ""
        return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._secret)

    def blueprint(self, on_new_message: Callable[..., Awaitable[Any]]) -> Blueprint:
        """The routes; turns go to the dialogue in ``app.ctx`` rather than through Rasa's handler, which hides failures."""
        blueprint = Blueprint("turn_channel")

        @blueprint.post("/")
        async def turn(request: Request) -> HTTPResponse:
            return await take(request, dry=False)

        # An address of its own: a bot that knows no dry runs must not take one for a turn.
        @blueprint.post("/dry-run")
        async def dry_run(request: Request) -> HTTPResponse:
            return await take(request, dry=True)

        async def take(request: Request, *, dry: bool) -> HTTPResponse:
            if not self._is_service(request):
                return _error(401, "wrong_secret", "Send the bot's secret as bearer token.")
            try:
                body = request.json
                read = Turn.from_json(body)
            except BadTurn as error:
                return _error(400, "bad_turn", str(error))
            except (SanicException, ValueError, RecursionError):
                return _error(400, "bad_json", "The body must be valid JSON.")
            if read.dry_run != dry:
                return _error(
                    400,
                    "bad_turn",
                    "Send dry runs, with dry_run true, to /webhooks/turn/dry-run; turns to /webhooks/turn.",
                )
            return await self._answer(request, read)

        @blueprint.get("/health")
        async def health(request: Request) -> HTTPResponse:
            if not self._is_service(request):
                return _error(401, "wrong_secret", "Send the bot's secret as bearer token.")
            dialogue = request.app.ctx.versions.serving
            if dialogue is None:
                return _error(503, "loading", "The model is being loaded; ask again in a few seconds.")
            return json_response({"status": "ok", "model_id": dialogue.model_id, "model": dialogue.name})

        @blueprint.get("/models")
        async def models(request: Request) -> HTTPResponse:
            if not self._is_service(request):
                return _error(401, "wrong_secret", "Send the bot's secret as bearer token.")
            return json_response(await request.app.ctx.versions.listing())

        @blueprint.put("/models")
        async def arrange(request: Request) -> HTTPResponse:
            if not self._is_service(request):
                return _error(401, "wrong_secret", "Send the bot's secret as bearer token.")
            try:
                default, loaded, kept = _arrangement_in(request.json)
            except (SanicException, ValueError, RecursionError):
                return _error(400, "bad_json", "Send default, a name, and loaded and kept, lists of names.")
            versions = request.app.ctx.versions
            if versions.serving is None:
                return _error(503, "loading", "The model is being loaded; ask again in a few seconds.")
            try:
                await versions.arrange(default, loaded, kept)
            except StillLoading:
                return _error(503, "loading", "The versions are being loaded; send the same again in a moment.")
            except ModelGone as gone:
                return _error(409, "model_gone", str(gone))
            return json_response(await versions.listing())

        @blueprint.post("/forget")
        async def forget(request: Request) -> HTTPResponse:
            if not self._is_service(request):
                return _error(401, "wrong_secret", "Send the bot's secret as bearer token.")
            try:
                named = _ids_in(request.json)
            except (SanicException, ValueError, RecursionError):
                return _error(400, "bad_json", f"Send conversation_ids, a list of 1 to {MOST_FORGOTTEN} ids.")
            dialogue = request.app.ctx.versions.serving
            if dialogue is None:
                return _error(503, "loading", "The model is being loaded; ask again in a few seconds.")
            try:
                return json_response({"forgotten": dialogue.tracker_store.forget(named)})
            except StoreFailed:
                return _error(503, "store_failed", "The conversations could not be deleted; ask again.")

        add_job_routes(blueprint, self._is_service, _error)
        return blueprint

    @staticmethod
    async def _answer(request: Request, turn: Turn) -> HTTPResponse:
        try:
            async with request.app.ctx.versions.using(turn.model) as dialogue:
                return json_response(await dialogue.respond(turn))
        except StillLoading:
            return _error(503, "loading", "The model is being loaded; repeat the turn in a few seconds.")
        except ModelGone as gone:
            return _error(409, "model_gone", str(gone))
        except BadTurn as error:
            return _error(400, "bad_turn", str(error))
        except StoreFailed as error:
            logger.error(
                "turn %s: the conversation could not be read or saved: %s", turn.turn_id, type(error.__cause__).__name__
            )
            return _error(503, "store_failed", "The conversation could not be read or saved; repeat the turn.")
        except asyncio.CancelledError:
            raise
        except Exception:
            logger.exception("turn %s of conversation %s failed", turn.turn_id, turn.conversation_id)
            return _error(500, "turn_failed", "The turn failed and left nothing behind; it may be repeated.")
