"""An OpenID provider as the specification describes it: discovery, a page to sign in, codes, signed tokens, userinfo.

OpenID Connect Core 1.0, Discovery 1.0 and RP-Initiated Logout 1.0, RFC 6749, RFC 7636 (PKCE, S256 only), RFC 9207. What it can be told to do
wrong is each named for what it is.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import html
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlencode

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from tests.doubles.vendor_server import Answer, Call, serving

CLIENT, SECRET = "frontdesk", "a secret: with a colon & more"
RSA = RSAKey.generate_key(2048)  # one for all doubles: making them takes a while


@dataclass
class Person:
    """Somebody with an account at the provider."""

    subject: str
    claims: dict[str, Any] = field(default_factory=dict)


@dataclass
class _Code:
    person: Person
    nonce: str
    challenge: str
    redirect_uri: str
    used: bool = False


class OpenIdProvider:
    """One issuer with one client."""

    def __init__(self, redirect_uri: str = "", signed_out_uri: str = "") -> None:
        self.url = ""
        self.redirect_uri = redirect_uri
        self.signed_out_uri = signed_out_uri
        self.signed_out = 0  #: how often somebody was sent here to sign out, in the right way
        self.people: dict[str, Person] = {}
        self.codes: dict[str, _Code] = {}
        self.access: dict[str, Person] = {}
        self.asked: list[str] = []
        self.rotations = 0
        self.algorithm = "RS256"
        # what it does wrong
        self.down = False
        self.seconds = 0.0  #: before each answer
        self.issuer: str | None = None  #: what it calls itself
        self.claims: Callable[[dict[str, Any]], dict[str, Any]] = dict  #: what is done to the claims of ID tokens
        self.token: Callable[[str], str] = str  #: what is done to finished ID tokens
        self.metadata: dict[str, Any] = {}
        self.in_userinfo: tuple[str, ...] = ()  #: claims that are not in the ID token
        self.userinfo_subject: str | None = None
        self._keys: list[RSAKey | ECKey] = [_named(RSA, "key-0"), ECKey.generate_key("P-256", {"kid": "ec-0"})]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[OpenIdProvider]:
        async with serving(self._handle) as self.url:
            yield self

    def rotate(self) -> None:
        """Sign with a new key from now on; the old one is taken out of the key set."""
        self.rotations += 1
        self._keys[0] = RSAKey.generate_key(2048, {"kid": f"key-{self.rotations}"})

    def approve(self, name: str, query: dict[str, str]) -> str:
        """What the page does when somebody signs in: the address to which the browser is sent."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = _Code(self.people[name], query["nonce"], query["code_challenge"], query["redirect_uri"])
        answer = {"code": code, "state": query["state"], "iss": self.issuer or self.url}
        return f"{query['redirect_uri']}?{urlencode(answer)}"

    async def _handle(self, call: Call) -> Answer:
        self.asked.append(call.path)
        if self.seconds:
            await asyncio.sleep(self.seconds)
        if self.down:
            return Answer({"error": "temporarily_unavailable"}, 503)
        match (call.method, call.path):
            case ("GET", "/.well-known/openid-configuration"):
                return Answer(self._document())
            case ("GET", "/jwks"):
                return Answer({"keys": [{**key.as_dict(private=False), "use": "sig"} for key in self._keys]})
            case ("GET", "/authorize"):
                return self._page(call.query)
            case ("POST", "/authorize"):
                form = call.form()
                if form.get("name") == "":
                    answer = {"error": "access_denied", "error_description": "<b>no</b>", "state": form["state"]}
                    return Answer(b"", 303, {"location": f"{form['redirect_uri']}?{urlencode(answer)}"})
                return Answer(b"", 303, {"location": self.approve(form["name"], form)})
            case ("POST", "/token"):
                return self._exchange(call)
            case ("GET", "/end-session"):
                return self._end_session(call.query)
            case ("GET", "/userinfo"):
                return self._userinfo(call)
        return Answer({"error": "invalid_request"}, 404)

    def _document(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer or self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "end_session_endpoint": f"{self.url}/end-session",
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        } | self.metadata

    def _page(self, query: dict[str, str]) -> Answer:
        right = (
            query.get("response_type") == "code"
            and query.get("client_id") == CLIENT
            and query.get("redirect_uri") == self.redirect_uri
            and "openid" in query.get("scope", "").split()
            and query.get("code_challenge_method") == "S256"
            and all(query.get(name) for name in ("state", "nonce", "code_challenge"))
        )
        if not right:
            return Answer({"error": "invalid_request"}, 400)
        kept = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(query[name], quote=True)}">'
            for name in ("redirect_uri", "state", "nonce", "code_challenge")
        )
        people = "".join(
            f'<button name="name" value="{html.escape(one)}">{html.escape(one)}</button>' for one in self.people
        )
        page = f'<!doctype html><meta charset="utf-8"><title>Provider</title><form method="post" action="/authorize">{kept}{people}<button name="name" value="">No</button></form>'
        return Answer(page.encode(), headers={"content-type": "text/html; charset=utf-8"})

    def _exchange(self, call: Call) -> Answer:
        form = call.form()
        if not self._is_client(call, form):
            return Answer({"error": "invalid_client"}, 401)
        kept = self.codes.get(form.get("code", ""))
        verifier = form.get("code_verifier", "")
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if (
            form.get("grant_type") != "authorization_code"
            or kept is None
            or kept.used
            or kept.redirect_uri != form.get("redirect_uri")
            or kept.challenge != challenge
            or not 43 <= len(verifier) <= 128
        ):
            return Answer({"error": "invalid_grant", "error_description": f"code {form.get('code')}"}, 400)
        kept.used = True
        access = secrets.token_urlsafe(16)
        self.access[access] = kept.person
        body = {"access_token": access, "token_type": "Bearer", "expires_in": 300}
        return Answer(body | {"id_token": self._id_token(kept, access)}, headers={"cache-control": "no-store"})

    def _id_token(self, kept: _Code, access: str) -> str:
        now = int(time.time())
        half = hashlib.sha256(access.encode()).digest()[:16]
        claims = {
            "iss": self.issuer or self.url,
            "sub": kept.person.subject,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": kept.nonce,
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
        }
        claims |= {name: value for name, value in kept.person.claims.items() if name not in self.in_userinfo}
        claims = self.claims(claims)
        if self.algorithm == "none":
            return f"{_part({'alg': 'none'})}.{_part(claims)}."
        if self.algorithm == "HS256":  # the well-known confusion: the public key as the secret of a MAC
            signed = f"{_part({'alg': 'HS256', 'kid': 'key-0'})}.{_part(claims)}"
            mac = hmac.digest(RSA.as_pem(private=False), signed.encode(), hashlib.sha256)
            return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        key = self._keys[1] if self.algorithm == "ES256" else self._keys[0]
        header = {"alg": self.algorithm, "kid": key.kid or ""}
        return self.token(jwt.encode(header, claims, key, algorithms=[self.algorithm]))

    def _end_session(self, query: dict[str, str]) -> Answer:
        """2.1: back only to an address that the client registered, and only for a client that says who it is."""
        back = query.get("post_logout_redirect_uri", "")
        if query.get("client_id") != CLIENT or not back or back != self.signed_out_uri:
            return Answer({"error": "invalid_request"}, 400)
        self.signed_out += 1
        return Answer(b"", 303, {"location": back})

    def _userinfo(self, call: Call) -> Answer:
        person = self.access.get(call.headers.get("authorization", "").removeprefix("Bearer "))
        if person is None:
            return Answer({"error": "invalid_token"}, 401)
        return Answer({**person.claims, "sub": self.userinfo_subject or person.subject})

    @staticmethod
    def _is_client(call: Call, form: dict[str, str]) -> bool:
        given = call.headers.get("authorization", "")
        if given.startswith("Basic "):
            name, _, secret = base64.b64decode(given[6:]).decode().partition(":")
            return (unquote(name), unquote(secret)) == (CLIENT, SECRET)
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)


def _named(key: RSAKey, kid: str) -> RSAKey:
    return RSAKey.import_key({**key.as_dict(private=True), "kid": kid})


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
