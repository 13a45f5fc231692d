"""Asks the bot for one turn over HTTP; several bots share the work and stand in for each other."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Protocol

import httpx
import structlog

from conversations.errors import DialogueRefused, DialogueUnavailable, ModelGone
from conversations.model import Citation, HandoffReason
from conversations.turn_model import Reply, ReplyButton, TurnRequest, TurnResult

OPEN = "open: it answers without the secret; set BOT_SECRET there and let nobody but the service reach it"
_FORGOTTEN_AT_ONCE = 500
log = structlog.get_logger()
_HANDOFF_REASONS = {reason.value for reason in HandoffReason}


class Dialogue(Protocol):
    """Whatever answers a contact's message; the engine knows nothing else of the bot."""

    async def respond(self, request: TurnRequest) -> TurnResult:
        """Answer one message; the same ``turn_id`` again gives the same answer. Raises ``DialogueUnavailable``."""
        ...


class RasaDialogue:
    """The bot behind one or more base URLs; a conversation prefers one of them and fails over to the others."""

    def __init__(
        self,
        base_urls: Sequence[str],
        secret: str,
        *,
        connect_seconds: float = 2.0,
        answer_seconds: float = 12.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if not base_urls:
            raise ValueError("give at least one bot URL")
        self._base_urls = [url.rstrip("/") for url in base_urls]
        self._headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        self._limits = {"timeout": httpx.Timeout(answer_seconds, connect=connect_seconds).as_dict()}
        # Without the client around it, which adds redirects, cookies and log lines to every turn and half a millisecond.
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=50)
        self._transport = transport or httpx.AsyncHTTPTransport(limits=limits, trust_env=False)

    async def respond(self, request: TurnRequest) -> TurnResult:
        """Answer one message; every bot is tried once."""
        body = json.dumps(_body(request), ensure_ascii=False).encode("utf-8", "replace")
        trouble, gone = "", False
        path = "/webhooks/turn/dry-run" if request.dry_run else "/webhooks/turn"
        for url in self._preferred(request.conversation_id):
            asked = time.perf_counter()
            try:
                response = await self._asked("POST", f"{url}{path}", body)
            except httpx.HTTPError as error:
                trouble = f"{url} did not answer: {type(error).__name__} {error}".rstrip()
                continue
            if response.status_code == 200:
                return _timed(read_answer(response), time.perf_counter() - asked)
            trouble = f"{url} answered {response.status_code}"
            if response.status_code == 409 and _code_of(response) == "model_gone":
                gone = True  # another bot may have it
                continue
            if response.status_code < 500:
                raise DialogueRefused(f"{trouble}; check BOT_SECRET and that service and bot have the same version")
        if gone:
            raise ModelGone(f"no bot has the version {request.model}")
        raise DialogueUnavailable(trouble)

    async def health(self) -> dict[str, str]:
        """The state of each bot by URL: ``ok`` and its model's id, or what is wrong, such as that it asks for no secret."""
        return dict(zip(self._base_urls, await asyncio.gather(*map(self._health, self._base_urls)), strict=True))

    async def _health(self, url: str) -> str:
        try:
            async with asyncio.timeout(3):
                # What a stranger is told: a bot that serves without the secret serves everybody who can reach it.
                stranger = await self._asked("GET", f"{url}/webhooks/turn/health", secret=False)
                if stranger.status_code not in (401, 403):
                    log.error("bot_open_to_strangers", url=url, status=stranger.status_code)
                    return OPEN
                response = await self._asked("GET", f"{url}/webhooks/turn/health")
            return (
                f"ok {response.json()['model_id']}" if response.status_code == 200 else f"status {response.status_code}"
            )
        except (httpx.HTTPError, TimeoutError, ValueError, KeyError, TypeError) as error:
            return f"unreachable: {type(error).__name__}"

    async def forget(self, conversation_ids: Sequence[str]) -> int:
        """Have every bot delete conversations; returns how many were there. Raises ``DialogueUnavailable``."""
        there = 0
        for first in range(0, len(conversation_ids), _FORGOTTEN_AT_ONCE):
            body = json.dumps({"conversation_ids": conversation_ids[first : first + _FORGOTTEN_AT_ONCE]}).encode()
            for url in self._base_urls:
                try:
                    response = await self._asked("POST", f"{url}/webhooks/turn/forget", body)
                    there += int(response.json()["forgotten"]) if response.status_code == 200 else 0
                except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
                    raise DialogueUnavailable(f"{url} did not delete conversations: {type(error).__name__}") from error
                if response.status_code != 200:
                    raise DialogueUnavailable(
                        f"{url} answered {response.status_code} when asked to delete conversations"
                    )
        return there

    @property
    def urls(self) -> tuple[str, ...]:
        """The bots."""
        return tuple(self._base_urls)

    async def call(self, method: str, url: str, path: str, body: Any = None, *, seconds: float) -> httpx.Response:
        """Ask one bot something besides turns, with the secret; raises ``DialogueUnavailable`` if it does not answer."""
        content = b"" if body is None else json.dumps(body).encode()
        try:
            async with asyncio.timeout(seconds):
                return await self._asked(method, f"{url}{path}", content, seconds=seconds)
        except (httpx.HTTPError, TimeoutError) as error:
            raise DialogueUnavailable(f"{url} did not answer: {type(error).__name__}") from error

    def fit(self, health: Mapping[str, str]) -> bool:
        """Whether no bot is open to strangers; one that is away makes the desk slower to answer, but not unfit."""
        return OPEN not in health.values()

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def _asked(
        self, method: str, url: str, body: bytes = b"", *, secret: bool = True, seconds: float | None = None
    ) -> httpx.Response:
        headers = self._headers if secret else {}
        limits = self._limits if seconds is None else {"timeout": httpx.Timeout(seconds).as_dict()}
        request = httpx.Request(method, url, headers=headers, content=body, extensions=limits)
        response = await self._transport.handle_async_request(request)
        await response.aread()  # gives the connection back, also when reading fails
        return response

    def _preferred(self, conversation_id: str) -> list[str]:
        # Highest random weight: a bot more or less moves only its own share of the conversations.
        return sorted(
            self._base_urls, key=lambda url: hashlib.sha256(f"{url}|{conversation_id}".encode()).digest(), reverse=True
        )


def _code_of(response: httpx.Response) -> str | None:
    try:
        return str(response.json()["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return None


def _body(request: TurnRequest) -> dict[str, Any]:
    return {
        "turn_id": request.turn_id,
        "conversation_id": request.conversation_id,
        "text": request.text,
        "payload": request.payload,
        **({"model": request.model} if request.model else {}),
        **({"dry_run": True} if request.dry_run else {}),
        **({"model": request.model} if request.model is not None else {}),
        **({} if request.earlier is None else {"earlier": [asdict(said) for said in request.earlier]}),
        "metadata": {
            "language_hint": request.language_hint,
            "sent_at": request.sent_at.isoformat() if request.sent_at else None,
            "customer_id": request.customer_id,
            "agent_said": list(request.agent_said),
            "audiences": list(request.audiences),
            "products": list(request.products),
            "misses": request.misses,
            **({"sample_shop": True} if request.sample_shop else {}),
            **({"told": request.told} if request.told else {}),
            "thresholds": {name: limits.given for name, limits in request.thresholds.items()},
        },
    }


def read_answer(response: httpx.Response) -> TurnResult:
    """The bot's answer; raises ``DialogueUnavailable`` unless it is exactly what the contract says."""
    try:
        body = response.json()
        replies = tuple(_reply(reply) for reply in _list(body["replies"]))
        trace = body["trace"]
        if not isinstance(trace, dict):
            raise TypeError("trace is not an object")
        return TurnResult(replies, trace)
    except (ValueError, KeyError, TypeError) as error:
        raise DialogueUnavailable(f"the bot's answer is not as agreed: {type(error).__name__} {error}") from error


def _timed(result: TurnResult, seconds: float) -> TurnResult:
    """Adds how long the service waited to the bot's own times, so that a slow turn shows where it was slow."""
    timings = result.trace.get("timings_ms")
    known = timings if isinstance(timings, dict) else {}
    return replace(result, trace={**result.trace, "timings_ms": {**known, "call": round(seconds * 1000, 2)}})


def _reply(form: Any) -> Reply:
    if not isinstance(form, dict):
        raise TypeError(f"expected a reply, not {type(form).__name__}")
    handoff = form.get("handoff")
    if handoff is not None and handoff not in _HANDOFF_REASONS:
        raise ValueError(f"unknown handoff reason {handoff!r}")
    buttons = [ReplyButton(_text(b["title"]), _text(b["payload"])) for b in _list(form.get("buttons") or [])]
    fields = ("passage_id", "article_id", "title", "quote", "url")
    citations = [Citation(*(_text(c[field]) for field in fields)) for c in _list(form.get("citations") or [])]
    customer_id = form.get("customer_id")
    return Reply(
        text=_text(form["text"] or ""),
        buttons=tuple(buttons),
        citations=tuple(citations),
        handoff=handoff,
        customer_id=None if customer_id is None else _text(customer_id),
        proved_by=form.get("proved_by") if form.get("proved_by") in ("code", "last4") else None,
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, not {type(value).__name__}")
    return value.replace("\x00", "")


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"expected a list, not {type(value).__name__}")
    return value
