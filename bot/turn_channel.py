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
from bot.tracker_store import StoreFailed
from bot.turn import BadTurn, Turn

logger = logging.getLogger(__name__)

_BEARER = "Bearer "


def _error(status: int, code: str, message: str) -> HTTPResponse:
    return json_response({"error": {"code": code, "message": message}}, status=status)


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
            dialogue = getattr(request.app.ctx, "dialogue", None)
            if dialogue is None:
                return _error(503, "loading", "The model is being loaded; ask again in a few seconds.")
            return json_response({"status": "ok", "model_id": dialogue.model_id})

        return blueprint

    @staticmethod
    async def _answer(request: Request, turn: Turn) -> HTTPResponse:
        dialogue = getattr(request.app.ctx, "dialogue", None)
        if dialogue is None:
            return _error(503, "loading", "The model is being loaded; repeat the turn in a few seconds.")
        try:
            return json_response(await dialogue.respond(turn))
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
