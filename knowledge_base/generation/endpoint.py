"""Asks an OpenAI-compatible endpoint for one completion within a time limit; leaves it alone while it keeps failing."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from knowledge_base.generation.masking import Calls, masked_call

MAX_RESPONSE_BYTES = 256 * 1024
MAX_OUTPUT_TOKENS = 700
_LEAST_SECONDS = 0.3  #: less time than this is not worth a request
_RETRY_PAUSE_SECONDS = 0.2
_FAILURES_ALLOWED = 4  #: in a row; one more and the endpoint is left alone
_REST_SECONDS = 30.0  #: the first time; doubled each time the endpoint fails again
_LONGEST_REST_SECONDS = 300.0
_RETRIED = {408, 409, 425, 429, 500, 502, 503, 504, 529}


class EndpointFailed(Exception):
    """There is no completion; ``reason`` is a code for the trace and never holds what the server said."""

    def __init__(self, reason: str, attempts: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.attempts = attempts


@dataclass(frozen=True, slots=True)
class Completion:
    """What the model wrote, and what it took."""

    text: str
    attempts: int
    milliseconds: float
    tokens: dict[str, int] = field(default_factory=dict)  #: as the endpoint counts them, if it does


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat completion; ``role`` is ``system`` or ``user``."""

    role: str
    content: str

    def to_json(self) -> dict[str, str]:
        """As the endpoint and the trace hold it."""
        return {"role": self.role, "content": self.content}


class _Failed(Exception):
    def __init__(self, reason: str, *, again: bool = False, wait: float | None = None, plain: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again
        self.wait = wait  #: seconds the server asks for
        self.plain = plain  #: the optional fields may be what it refuses


class CircuitBreaker:
    """Counts failures in a row; after too many the endpoint rests, then one request tries it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._rests = 0
        self._closed_until = 0.0

    @property
    def resting(self) -> bool:
        """Whether requests are refused now."""
        return self._clock() < self._closed_until

    def admit(self) -> bool:
        """Whether a request may be made; after a rest only one may, until its outcome is known."""
        if self.resting:
            return False
        if self._failures > _FAILURES_ALLOWED:
            self._closed_until = self._clock() + _REST_SECONDS
        return True

    def succeeded(self) -> None:
        """Forget earlier failures."""
        self._failures = self._rests = 0
        self._closed_until = 0.0

    def failed(self, asked_to_wait: float | None = None) -> None:
        """Count a failure; a server that names a time to wait gets it at once."""
        self._failures += 1
        rest = asked_to_wait or 0.0
        if self._failures > _FAILURES_ALLOWED:
            rest = max(rest, _REST_SECONDS * 2 ** min(self._rests, 10))
            self._rests += 1
        if rest:
            self._closed_until = self._clock() + min(rest, _LONGEST_REST_SECONDS)


class ChatEndpoint:
    """``POST {url}/chat/completions`` at one address with one model; close it at the end."""

    def __init__(
        self,
        url: str,
        model: str,
        key: str | None = None,
        *,
        timeout_seconds: float = 5.0,
        breaker: CircuitBreaker | None = None,
        calls: Calls = masked_call,
    ) -> None:
        self.model = model
        self.calls = calls  #: what is hidden of each call, and comes back; whoever writes a prompt asks for one
        self.timeout_seconds = timeout_seconds
        self.breaker = breaker or CircuitBreaker()
        self._url = url
        self._address = f"{url.rstrip('/')}/chat/completions"
        self._key = key
        self._plain = False  #: the server knows only the required fields
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(timeout_seconds, connect=min(2.0, timeout_seconds)),
            limits=httpx.Limits(max_connections=32, max_keepalive_connections=8),
            follow_redirects=False,  # the key goes to one host only
            trust_env=False,
        )

    def patient(self, timeout_seconds: float) -> ChatEndpoint:
        """Another connection to the same model for work that may take longer; it fails and rests by itself."""
        return ChatEndpoint(self._url, self.model, self._key, timeout_seconds=timeout_seconds, calls=self.calls)

    async def complete(
        self, messages: Sequence[Message], seconds: float | None = None, max_tokens: int = MAX_OUTPUT_TOKENS
    ) -> Completion:
        """The model's text, within the endpoint's time limit and ``seconds``; raises ``EndpointFailed``."""
        started = time.perf_counter()
        allowed = self.timeout_seconds if seconds is None else min(seconds, self.timeout_seconds)
        if allowed < _LEAST_SECONDS:
            raise EndpointFailed("no_time", 0)
        if not self.breaker.admit():
            raise EndpointFailed("resting", 0)
        attempts, plain = 0, self._plain
        until = started + allowed
        while True:
            attempts += 1
            left = until - time.perf_counter()
            try:
                async with asyncio.timeout(left):
                    text, tokens = await self._once(messages, plain, max_tokens)
            except TimeoutError:
                self.breaker.failed()
                raise EndpointFailed("timeout", attempts) from None
            except _Failed as failure:
                pause = _RETRY_PAUSE_SECONDS if failure.wait is None else failure.wait
                left = until - time.perf_counter() - (0 if failure.plain else pause)
                if attempts == 1 and (failure.again or failure.plain) and left >= _LEAST_SECONDS:
                    plain = plain or failure.plain
                    await asyncio.sleep(0 if failure.plain else pause)
                    continue
                self.breaker.failed(failure.wait)
                raise EndpointFailed(failure.reason, attempts) from None
            except BaseException:
                self.breaker.failed()
                raise
            self.breaker.succeeded()
            self._plain = plain
            return Completion(self._clean(text), attempts, (time.perf_counter() - started) * 1000, tokens)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _once(self, messages: Sequence[Message], plain: bool, max_tokens: int) -> tuple[str, dict[str, int]]:
        body: dict[str, Any] = {"model": self.model, "messages": [message.to_json() for message in messages]}
        if not plain:
            body |= {
                "temperature": 0,
                "max_tokens": max_tokens,
                "response_format": {"type": "json_object"},
            }
        try:
            async with self._client.stream("POST", self._address, json=body) as response:
                if response.status_code != 200:
                    raise _Failed(
                        f"status_{response.status_code}",
                        again=response.status_code in _RETRIED,
                        wait=_retry_after(response.headers.get("retry-after")),
                        plain=response.status_code in {400, 422} and not plain,
                    )
                data = bytearray()
                async for chunk in response.aiter_bytes():
                    data += chunk
                    if len(data) > MAX_RESPONSE_BYTES:
                        raise _Failed("too_large")
        except httpx.TimeoutException:
            raise TimeoutError from None
        except httpx.HTTPError as error:
            raise _Failed(f"connection_{type(error).__name__}", again=True) from None
        return _content(bytes(data))

    def _clean(self, text: str) -> str:
        text = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
        return text.replace(self._key, "[key]") if self._key else text


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait: the header holds them, or the time of day to wait for."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _content(data: bytes) -> tuple[str, dict[str, int]]:
    try:
        form = json.loads(data)
        choice = form["choices"][0]
        message, finish = choice["message"], choice.get("finish_reason")
        text = message.get("content")
        refused = message.get("refusal")
        usage = form.get("usage") or {}
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise _Failed("not_as_documented", again=True) from None
    if finish == "length":
        raise _Failed("cut_off")
    if refused or finish == "content_filter":
        raise _Failed("refused")
    if not isinstance(text, str) or not text.strip():
        raise _Failed("empty", again=True)
    counted = usage.items() if isinstance(usage, dict) else ()
    return text, {name: value for name, value in counted if type(value) is int and name.endswith("_tokens")}
