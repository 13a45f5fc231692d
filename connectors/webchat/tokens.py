"""Who is on the other end of a widget: a signed, expiring visitor token, since a page visitor has no account."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable

_LIFETIME_SECONDS = 365 * 24 * 3600
_SIGNED_IN_SECONDS = 24 * 3600
_FORM = re.compile(r"([vs])1\.([0-9a-f]{32})\.(\d{10})\.([A-Za-z0-9_-]{43})")


class BadToken(Exception):
    """The visitor token was not made here, was changed, or is too old."""


class VisitorTokens:
    """Makes and reads visitor tokens."""

    def __init__(self, secret_key: str, clock: Callable[[], float] = time.time) -> None:
        if len(secret_key) < 16:
            raise ValueError("the secret key needs at least 16 characters")
        # A key of its own, so that no other signature made with the secret can pass for a visitor.
        self._key = hmac.digest(secret_key.encode(), b"visitor token", hashlib.sha256)
        self._clock = clock

    def new_visitor(self) -> str:
        """A random 128-bit visitor id, 32 hexadecimal digits."""
        return secrets.token_hex(16)

    def visitor_of(self, site_user: str) -> str:
        """The one visitor id of a user of the site, in whichever browser; it gives nothing of their id away."""
        return hmac.digest(self._key, f"site user {site_user}".encode(), hashlib.sha256).hex()[:32]

    def issue(self, visitor: str, *, signed_in: bool = False) -> str:
        """A token that proves to be this visitor: for a year, or for a day if they are signed in on the site."""
        kind, seconds = ("s1", _SIGNED_IN_SECONDS) if signed_in else ("v1", _LIFETIME_SECONDS)
        body = f"{kind}.{visitor}.{int(self._clock()) + seconds}"
        return f"{body}.{self._sign(body)}"

    def read(self, token: str) -> str:
        """The visitor a token stands for; raises ``BadToken``."""
        match = _FORM.fullmatch(token)
        if match is None or not hmac.compare_digest(match[4], self._sign(token.rpartition(".")[0])):
            raise BadToken("this visitor token was not issued here; say hello with no token to get one")
        if int(match[3]) <= self._clock():
            raise BadToken("this visitor token is too old; say hello with no token to get a new one")
        return match[2]

    def is_signed_in(self, token: str) -> bool:
        """Whether a token that was read is of somebody who is signed in on the site."""
        return token.startswith("s1.")

    def renewed(self, token: str) -> str:
        """The same token, or a fresh one when half of its year is over; raises ``BadToken``.

        Only the site renews the token of somebody signed in.
        """
        visitor = self.read(token)
        ends = int(token.split(".")[2])
        old = ends - self._clock() < _LIFETIME_SECONDS / 2
        return self.issue(visitor) if old and not self.is_signed_in(token) else token

    def _sign(self, body: str) -> str:
        mac = hmac.digest(self._key, body.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
