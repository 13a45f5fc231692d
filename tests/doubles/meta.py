"""Meta on loopback: what its webhooks and its Graph API have in common for WhatsApp and Messenger."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

import httpx

from conversations.model import utc_now
from tests.doubles.vendor_server import Answer, Call, serving

TOKEN, SECRET, VERIFY_TOKEN = "EAAG-token-of-the-tests", "It's a Secret to Everybody", "our own words"
VERSION = "v25.0"
WINDOW = timedelta(hours=24)
_MINUTE, _HOUR = 60.0, 3600.0
#: Seconds before each repetition: less and less often, for seven days. Meta names no exact times.
RETRIES = (0.0, _MINUTE, 5 * _MINUTE, 30 * _MINUTE, 3 * _HOUR, 12 * _HOUR, *([24 * _HOUR] * 6))


@dataclass
class Said:
    """What was sent to a contact."""

    to: str
    id: str
    body: dict[str, Any]
    file: tuple[str, bytes] | None = None


@dataclass
class Bucket:
    """What may be sent ahead, paid back one by one."""

    size: float
    seconds: float  #: until one more may be sent
    filled: dict[str, tuple[float, datetime]] = field(default_factory=dict)

    def take(self, key: str, now: datetime) -> bool:
        left, since = self.filled.get(key, (self.size, now))
        left = min(self.size, left + (now - since).total_seconds() / self.seconds)
        taken = left >= 1
        self.filled[key] = (left - 1 if taken else left, now)
        return taken


class Meta:
    """One app; the clock is set by the tests."""

    def __init__(self) -> None:
        self.now = utc_now()
        self.seconds = 1e-6  #: how long a second of Meta's waiting times takes here: a week is 0.6 s
        self.said: list[Said] = []
        self.calls: list[Call] = []
        self.failures: list[Answer] = []  #: answers to the next messages, instead of the true ones
        self.wrote_at: dict[str, datetime] = {}  #: when contacts wrote last
        self.url = ""
        self._ids = itertools.count(1)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Serve until left; whoever puts a token into an address is found out."""
        async with serving(self._handle) as self.url:
            yield self
        assert not [call.path for call in self.calls if TOKEN in f"{call.path}{call.query}"]

    def new_id(self, prefix: str) -> str:
        """An id that was never used."""
        return f"{prefix}{next(self._ids)}"

    async def until(self, condition: Callable[[], object], seconds: float = 20) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110  # what is waited for may happen in the desk
                await asyncio.sleep(0.01)

    # --- pushing

    def signed(self, raw: bytes) -> dict[str, str]:
        """The headers of a webhook with a body; the older header is there as well."""
        new, old = (hmac.new(SECRET.encode(), raw, kind).hexdigest() for kind in (hashlib.sha256, hashlib.sha1))
        return {
            "content-type": "application/json",
            "x-hub-signature": f"sha1={old}",
            "x-hub-signature-256": f"sha256={new}",
        }

    async def post(self, url: str, body: Any) -> httpx.Response:
        """One attempt."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()  # escaped, as Meta does
        async with httpx.AsyncClient(timeout=20) as http:
            return await http.post(url, content=raw, headers=self.signed(raw))

    async def deliver(self, url: str, body: Any) -> int:
        """Push, and repeat until it is taken; returns how often it was sent."""
        for attempt, wait in enumerate((0.0, *RETRIES), 1):
            await asyncio.sleep(wait * self.seconds)
            with suppress(httpx.HTTPError):
                if (await self.post(url, body)).status_code == 200:
                    return attempt
        return -1

    async def subscribe(self, url: str, challenge: str = "1158201444", **more: str) -> httpx.Response:
        """The handshake when a webhook is set up."""
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": VERIFY_TOKEN}
        async with httpx.AsyncClient() as http:
            return await http.get(url, params=query | {f"hub.{name}": value for name, value in more.items()})

    # --- the Graph API

    async def _handle(self, call: Call) -> Answer:
        self.calls.append(call)
        bearer = call.headers.get("authorization", "").removeprefix("Bearer ")
        if call.path.startswith("/cdn/"):
            return self.cdn(call, bearer)
        if bearer != TOKEN:
            return error(190, f"Malformed access token {bearer}", 401)
        version, _, path = call.path.removeprefix("/").partition("/")
        if version != VERSION:
            return error(2635, "You are calling a deprecated version of the API", 400)
        return self.answer(call, path)

    def answer(self, call: Call, path: str) -> Answer:
        """The answer of a product."""
        raise NotImplementedError

    def cdn(self, call: Call, bearer: str) -> Answer:
        """A file."""
        raise NotImplementedError


def error(code: int, message: str, status: int = 400, subcode: int | None = None, details: str = "") -> Answer:
    """An error as the Graph API writes it."""
    body: dict[str, Any] = {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code}
    if subcode is not None:
        body["error_subcode"] = subcode
    if details:
        body["error_data"] = {"messaging_product": "whatsapp", "details": details}
    return Answer({"error": body | {"fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam"}}, status)
