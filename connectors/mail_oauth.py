"""Signs in to a mailbox with OAuth 2.0: tokens from the provider, kept until shortly before they expire.

RFC 6749 (client credentials, section 4.4, and refresh tokens, section 6); the tokens are used with SASL XOAUTH2.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Annotated, Self

import httpx
from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, StringConstraints, model_validator

from connectors.vendor_calls import call, json_of
from conversations.errors import ChannelUnavailable

_EARLIER = 120.0  #: seconds before its end in which a token is not used any more
_SHORTEST = 30.0
_ADVICE = {
    "invalid_client": "client_id or client_secret is wrong, or the secret has expired; make a new one",
    "invalid_grant": "the refresh token has expired or was withdrawn; sign in once more and set the new refresh_token",
    "unauthorized_client": "the app may not ask for tokens in this way; look at its permissions and its tenant",
    "invalid_scope": "scope is wrong; for Microsoft 365 it is https://outlook.office365.com/.default",
    "access_denied": "an administrator must grant the app its permissions",
}


def _not_blank(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().strip():
        raise ValueError("it is empty")
    return secret


Secret = Annotated[SecretStr, AfterValidator(_not_blank)]


class OAuthSettings(BaseModel):
    """An app that is registered with the mail provider."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token_url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$")]
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    client_secret: Secret | None = None
    refresh_token: Secret | None = None  #: of the mailbox's owner; without one the app signs in as itself
    scope: str = ""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        host = self.token_url.split("/")[2].partition(":")[0]
        if self.token_url.startswith("http://") and host not in ("127.0.0.1", "localhost"):
            raise ValueError("token_url must begin with https://: secrets go there")
        if self.refresh_token is None and (self.client_secret is None or not self.scope):
            raise ValueError("set refresh_token, or client_secret and scope if the app signs in as itself")
        return self


class Tokens:
    """Access tokens of one account."""

    def __init__(
        self, settings: OAuthSettings, http: httpx.AsyncClient, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._http = http
        self._clock = clock
        self._refresh = settings.refresh_token
        self._token = ""
        self._until = 0.0
        self._asking = asyncio.Lock()

    async def current(self) -> str:
        """A token that can be used now; raises ``ChannelUnavailable`` that says what the operator must mend."""
        async with self._asking:  # whoever comes meanwhile gets the same new one
            if not self._token or self._clock() >= self._until:
                await self._renew()
            return self._token

    def forget(self, token: str) -> None:
        """The server does not take this token; the next one is asked for anew."""
        if token == self._token:
            self._token = ""

    async def _renew(self) -> None:
        settings = self._settings
        form = {"client_id": settings.client_id}
        if settings.client_secret is not None:
            form["client_secret"] = settings.client_secret.get_secret_value()
        if self._refresh is None:
            form["grant_type"] = "client_credentials"
        else:
            form |= {"grant_type": "refresh_token", "refresh_token": self._refresh.get_secret_value()}
        if settings.scope:
            form["scope"] = settings.scope
        began = self._clock()
        response = await call(self._http, "OAuth token", "POST", settings.token_url, data=form)
        answer = json_of(response)
        token, newer, lasts = answer.get("access_token"), answer.get("refresh_token"), answer.get("expires_in")
        if response.status_code != 200 or not isinstance(token, str) or not token.isascii() or not token:
            raise ChannelUnavailable(_refusal(response.status_code, answer.get("error")))
        if isinstance(newer, str) and newer and self._refresh is not None:
            self._refresh = SecretStr(newer)  # providers that hand out a new one may stop taking the old one
        try:
            seconds = float(lasts)  # type: ignore[arg-type]  # what is no number raises
        except (TypeError, ValueError):
            seconds = 3600.0
        self._token = token
        self._until = began + max(_SHORTEST, min(seconds, 86_400.0) - _EARLIER)


def _refusal(status: int, error: object) -> str:
    code = error if isinstance(error, str) and error.isascii() else ""
    advice = _ADVICE.get(code, "compare token_url, client_id and scope with the provider's page")
    return f"OAuth token: {code[:60] or f'HTTP {status}'} ({advice})"


def sasl(user: str, token: str) -> str:
    """The first and only words of XOAUTH2."""
    return f"user={user}\x01auth=Bearer {token}\x01\x01"


def said_in(challenge: bytes) -> str:
    """Why a server refuses a token, as far as its challenge tells."""
    try:
        body = json.loads(challenge)
    except ValueError:
        return ""
    status = body.get("status") if isinstance(body, dict) else None
    return str(status)[:20] if isinstance(status, (str, int)) else ""
