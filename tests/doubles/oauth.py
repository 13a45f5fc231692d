"""A provider's token endpoint (RFC 6749) and what mail servers ask it about tokens (RFC 7662)."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.doubles.vendor_server import Answer, Call, serving

CLIENT, SECRET, SCOPE, REFRESH = "app-1", "secret of the app", "https://mail.example/.default", "refresh-0"


class Issuer:
    """One app, which may read and send from one mailbox."""

    def __init__(self, user: str) -> None:
        self.url = ""
        self.user = user
        self.lasts: object = 3600
        self.valid: set[str] = set()
        self.refresh = REFRESH
        self.rotates = False  #: hand out a new refresh token each time and take the old one no more
        self.asked: list[dict[str, str]] = []
        self.answers: list[Answer] = []  #: instead of the true ones
        self.introspected: list[str] = []
        self._numbers = itertools.count(1)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Issuer]:
        async with serving(self._handle) as self.url:
            yield self

    def withdraw(self) -> None:
        """Every token handed out so far is worth nothing from now on."""
        self.valid.clear()

    async def _handle(self, call: Call) -> Answer:
        if call.path == "/introspect":
            token = call.query.get("token", "")
            self.introspected.append(token)
            return Answer({"active": True, "username": self.user} if token in self.valid else {"active": False})
        if (call.method, call.path) != ("POST", "/token"):
            return Answer({"error": "invalid_request"}, 404)
        form = call.form()
        self.asked.append(form)
        if self.answers:
            return self.answers.pop(0)
        if form.get("client_id") != CLIENT or form.get("client_secret") != SECRET:
            return Answer({"error": "invalid_client", "error_description": "AADSTS7000215"}, 401)
        match form.get("grant_type"):
            case "client_credentials" if form.get("scope") == SCOPE:
                return Answer(self._issued())
            case "client_credentials":
                return Answer({"error": "invalid_scope"}, 400)
            case "refresh_token" if form.get("refresh_token") == self.refresh:
                more = {}
                if self.rotates:
                    self.refresh = f"refresh-{next(self._numbers)}"
                    more = {"refresh_token": self.refresh}
                return Answer(self._issued() | more)
            case "refresh_token":
                return Answer({"error": "invalid_grant"}, 400)
        return Answer({"error": "unsupported_grant_type"}, 400)

    def _issued(self) -> dict[str, object]:
        token = f"token-{next(self._numbers)}.{'x' * 1500}"  # as long as real ones
        self.valid.add(token)
        return {"access_token": token, "token_type": "Bearer", "expires_in": self.lasts}
