"""Somebody's program behind the webhook channel; it signs and checks with the official Standard Webhooks library."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import httpx
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from conversations.model import utc_now
from tests.doubles.vendor_server import Answer, Call, serving

TO_DESK = "whsec_" + base64.b64encode(b"to the desk: 32 bytes of secrecy").decode()
FROM_DESK = "whsec_" + base64.b64encode(b"from the desk, 32 bytes secretly").decode()


class Program:
    """Receives what the desk posts, once by its id, and brings messages to the desk."""

    def __init__(self, secret: str = FROM_DESK, now: Callable[[], datetime] = utc_now) -> None:
        self.url = ""
        self.calls: list[Call] = []
        self.got: list[dict[str, Any]] = []
        self.repeats = 0
        self.forged = 0
        self.answers: list[Answer] = []  #: of the next calls, before what was sent is looked at
        self.lost_answers = 0  #: of so many next calls the message is taken and the answer is not given
        self._ids: set[str] = set()
        self._checks = Webhook(secret)
        self._signs = Webhook(TO_DESK)
        self._now = now
        self._count = 0
        self._news = asyncio.Condition()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Program]:
        async with serving(self._handle) as base:
            self.url = f"{base}/frontdesk"
            yield self

    async def until(self, count: int) -> list[dict[str, Any]]:
        """The messages, as soon as there are so many."""
        async with asyncio.timeout(20), self._news:
            await self._news.wait_for(lambda: len(self.got) >= count)
        return self.got

    async def saying(self, words: str) -> dict[str, Any]:
        """The first message with words in it, also in a button."""

        def found() -> list[dict[str, Any]]:
            return [one for one in self.got if words in json.dumps(one, ensure_ascii=False)]

        async with asyncio.timeout(20), self._news:
            await self._news.wait_for(found)
        return found()[0]

    async def called(self, count: int) -> list[Call]:
        """The calls, as soon as there are so many."""
        async with asyncio.timeout(20), self._news:
            await self._news.wait_for(lambda: len(self.calls) >= count)
        return self.calls

    def signed(self, body: bytes, webhook_id: str | None = None) -> dict[str, str]:
        """Headers of a request to the desk."""
        self._count += 1
        name = webhook_id or f"msg_{self._count}"
        now = self._now()
        return {
            "webhook-id": name,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signs.sign(name, now, body.decode("utf-8", "surrogateescape")),
        }

    async def says(self, http: httpx.AsyncClient, contact: str, text: str = "", **more: Any) -> httpx.Response:
        """Bring a message of a contact."""
        webhook_id = more.pop("webhook_id", None)
        body = json.dumps({"contact": contact, "text": text} | more, ensure_ascii=False).encode()
        return await http.post("/webhooks/webhook/shop", content=body, headers=self.signed(body, webhook_id))

    async def _handle(self, call: Call) -> Answer:
        self.calls.append(call)
        answer = self.answers.pop(0) if self.answers else None
        if answer is None:
            answer = self._taken(call)
        async with self._news:
            self._news.notify_all()
        return answer

    def _taken(self, call: Call) -> Answer:
        try:
            self._checks.verify(call.body, call.headers)
        except WebhookVerificationError:
            self.forged += 1
            return Answer(status=401)
        webhook_id, message = call.headers["webhook-id"], json.loads(call.body)
        known = webhook_id in self._ids
        self._ids.add(webhook_id)
        self.repeats += known
        if not known:
            self.got.append(message)
        if self.lost_answers:
            self.lost_answers -= 1
            return Answer(cut=True)
        return Answer(status=204 if known else 200, body=b"")
