"""A company's program behind the webhook channel: it takes what the desk posts, and writes down everything."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from connectors.standard_webhooks import Signatures, key_of
from tests.doubles.webhook_program import FROM_DESK
from tests.faults.http import LOOPBACK, free_port, serve


@dataclass
class Program:
    """Acknowledges and counts; it lives outside the desk and outlives its crashes."""

    port: int = field(default_factory=free_port)
    posts: Counter[str] = field(default_factory=Counter)  #: outbox id -> how often it was taken
    first: list[tuple[str, str, str]] = field(default_factory=list)  #: outbox id, contact, text in order of arrival
    forged: int = 0
    status: int = 200
    _server: asyncio.Server | None = None
    _checks: Signatures = field(default_factory=lambda: Signatures([key_of(FROM_DESK)]))

    @property
    def url(self) -> str:
        """Where the desk posts."""
        return f"http://{LOOPBACK}:{self.port}/frontdesk"

    async def start(self) -> None:
        """Listen."""
        self._server = await serve(self._take, self.port)

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _take(self, _method: str, _path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any] | None:
        if self.status != 200:
            return self.status, {}
        try:
            self._checks.check(headers, body, float(headers.get("webhook-timestamp", "0")))
        except Exception:
            self.forged += 1
            return 401, {}
        message = json.loads(body)
        if not self.posts[message["id"]]:
            self.first.append((message["id"], message["contact"], message["text"]))
        self.posts[message["id"]] += 1
        return 200, {}
