"""The internal door through which Rasa calls actions: one route, one secret, Rasa's own wire format."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException
from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json as json_response
from structlog.contextvars import bound_contextvars

from failpoints import reach

PATH = "/internal/actions"
MAX_BODY_BYTES = 4 * 1024 * 1024  #: a call carries the whole tracker and the domain

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class ActionSeen:
    """What became of an action, for whoever watches it."""

    status: int = 500


#: Stands around each action, by its name and the conversation's id.
Watch = Callable[[str, str], AbstractContextManager[ActionSeen]]


def _unwatched(_name: str, _conversation_id: str) -> AbstractContextManager[ActionSeen]:
    return nullcontext(ActionSeen())


def build_blueprint(
    executor: ActionExecutor,
    secret: str,
    dry: ActionExecutor | None = None,
    watch: Watch = _unwatched,
    sample: ActionExecutor | None = None,
) -> Blueprint:
    """The route for one executor; ``secret`` is the ``token`` in the query that Rasa is given.

    ``dry`` runs the actions of turns that must change nothing, ``sample`` of those that are tried out in the sample shop;
    without one such a turn is refused.
    """
    if len(secret) < 16:
        raise ValueError("the action secret needs at least 16 characters; set ACTION_SECRET")
    blueprint = Blueprint("actions")
    expected = secret.encode()

    @blueprint.post(PATH, name="run_action")
    async def run_action(request: Request) -> HTTPResponse:
        """Run one action and answer as rasa-sdk's own server does."""
        if not hmac.compare_digest(str(request.args.get("token", "")).encode(), expected):
            return _error(401, "wrong or missing token; ACTION_URL of the bot must carry ACTION_SECRET")
        if len(request.body) > MAX_BODY_BYTES:
            return _error(413, "the action call is too large")
        call = _read(request.body)
        if call is None:
            return _error(400, "the body must be an action call in JSON with next_action and tracker")
        name = call["next_action"]
        # No action looks at the domain, so a bot may leave it out of its calls.
        call.setdefault("domain", {})
        chosen = executor if not _is_dry(call) else sample if _is_marked(call, "sample_shop") else dry
        if chosen is None:
            return _error(400, "this service makes no dry runs", name)
        conversation_id = call["tracker"]["sender_id"]
        with (
            bound_contextvars(conversation_id=conversation_id, action=name, private_words=_said(call)),
            watch(name, conversation_id) as seen,
        ):
            response = await answered(chosen, call, name)
            seen.status = response.status
            return response

    async def answered(chosen: ActionExecutor, call: dict[str, Any], name: str) -> HTTPResponse:
        try:
            result = await chosen.run(call)
        except ActionExecutionRejection as rejection:
            return _error(400, rejection.message, name)
        except ActionNotFoundException as missing:
            logger.error("the bot asked for an unknown action %s", name)
            return _error(404, missing.message, name)
        except Exception:
            # The actions apologise themselves; this is a call they could not even read.
            logger.exception("action %s could not be run", name)
            return _error(500, "the action failed; see the service's log", name)
        reach("after_action")
        return json_response(result.model_dump() if result else {"events": [], "responses": []})

    return blueprint


def _read(body: bytes) -> dict[str, Any] | None:
    try:
        call = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(call, dict) or not isinstance(call.get("next_action"), str):
        return None
    tracker = call.get("tracker")
    return call if isinstance(tracker, dict) and isinstance(tracker.get("sender_id"), str) else None


def _said(call: dict[str, Any]) -> tuple[str, ...]:
    """What must not appear in the log: the contact's words, and what was made of them."""
    tracker = call["tracker"]
    message, slots = tracker.get("latest_message"), tracker.get("slots")
    text = message.get("text") if isinstance(message, dict) else None
    kept = slots.values() if isinstance(slots, dict) else ()
    return tuple(one for one in (text, *kept) if isinstance(one, str) and len(one) > 2)


def _is_dry(call: dict[str, Any]) -> bool:
    """Whether the turn only tries out what would be said; anything but a plain false counts, so that nothing is written by mistake."""
    return _is_marked(call, "dry_run")


def _is_marked(call: dict[str, Any], mark: str) -> bool:
    message = call["tracker"].get("latest_message")
    metadata = message.get("metadata") if isinstance(message, dict) else None
    return isinstance(metadata, dict) and metadata.get(mark, False) is not False


def _error(status: int, message: str, action_name: str | None = None) -> HTTPResponse:
    body = {"error": message, **({"action_name": action_name} if action_name else {})}
    return json_response(body, status=status)
