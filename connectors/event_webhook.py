"""Posts the desk's events to a program of a data team, signed as Standard Webhooks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from connectors.checked_address import check_url, checked_client
from connectors.standard_webhooks import Signatures, key_of
from conversations.errors import ChannelUnavailable

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class EventWebhook:
    """One address; events come in batches, ``{"events": […]}``, and a batch counts as taken with any 2xx."""

    def __init__(self, url: str, secret: str, *, clock: Callable[[], float] = time.time) -> None:
        """Raises ``ValueError`` that names the setting and says what to do."""
        beside = httpx.URL(url).host in _LOOPBACK  # a program beside the desk
        try:
            check_url(url, private=beside)
        except ValueError as error:
            raise ValueError(f"EXPORT_URL: {error}") from None
        try:
            self._signatures = Signatures([key_of(secret)])
        except ValueError as error:
            raise ValueError(
                f"EXPORT_SECRET signs the events: {error}"
                "（请设置 EXPORT_SECRET，可用 echo whsec_$(openssl rand -base64 32) 生成）"
            ) from None
        self._url = url
        self._clock = clock
        self._http = checked_client(private=beside)
        parts = httpx.URL(url)
        self.target = f"{parts.scheme}://{parts.netloc.decode()}{parts.path}"[:190]

    async def send(self, events: Sequence[dict[str, Any]]) -> None:
        """Post a batch; raises ``ChannelUnavailable`` unless it was taken."""
        body = json.dumps({"events": list(events)}, ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "replace"
        )
        headers = self._signatures.headers(f"events_{events[0]['id']}_{events[-1]['id']}", body, self._clock())
        headers |= {"content-type": "application/json", "user-agent": "frontdesk-events"}
        try:
            # Nobody reads the answer: it may be of any length, and its words are not ours to log.
            async with self._http.stream("POST", self._url, content=body, headers=headers) as response:
                status = response.status_code
        except httpx.HTTPError as error:
            raise ChannelUnavailable(f"no answer ({type(error).__name__})") from None
        if not 200 <= status < 300:
            raise ChannelUnavailable(f"HTTP {status}; the same events are sent again until it answers 2xx")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
