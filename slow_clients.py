"""Ends requests that come too slowly: a client that drips a byte now and then would hold its connection for ever.

Sanic counts the time since the last byte, so each byte buys another minute. Here a request has a time of its own, and what
arrives of it buys time at a rate that a bad mobile network reaches.
"""

from __future__ import annotations

from typing import Any

from sanic.exceptions import RequestTimeout
from sanic.http.constants import Stage
from sanic.server.protocols.websocket_protocol import WebSocketProtocol

BYTES_PER_SECOND = 1024
_READ_ANSWER_SECONDS = 5.0


class PatientProtocol(WebSocketProtocol):
    """HTTP and WebSocket of one connection; a late request gets a 408, and the connection ends."""

    __slots__ = ("_began", "_received", "_refused")

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._began = 0.0
        self._received = 0
        self._refused = False

    def data_received(self, data: bytes) -> None:
        """Count what belongs to the request that is on its way."""
        if self.websocket is None:
            # Over TLS the first bytes come before Sanic has set the connection up.
            if getattr(self, "_http", None) is None or not self._incomplete():
                self._began, self._received = self.loop.time(), 0
            self._received += len(data)
        super().data_received(data)  # type: ignore[no-untyped-call]

    def check_timeouts(self) -> None:
        """Look after the connection; runs every few seconds."""
        if self._task is None or self.websocket is not None or not self._late():
            super().check_timeouts()  # type: ignore[no-untyped-call]
        elif self._refused:
            if self.transport is not None:
                self.transport.abort()
        else:
            self._refused = True
            self._http.exception = RequestTimeout("The request came too slowly; send it again.")
            self._task.cancel()
            # What is left of the body is still waited for then, but not for long.
            self._callback_check_timeouts = self.loop.call_later(_READ_ANSWER_SECONDS, self.check_timeouts)

    def _incomplete(self) -> bool:
        return self._http.stage is Stage.REQUEST or bool(getattr(self._http, "request_body", None))

    def _late(self) -> bool:
        if not self._incomplete() or not self._received:
            return False
        allowed = self.request_timeout + self._received / BYTES_PER_SECOND
        return bool(self.loop.time() - self._began > allowed)
