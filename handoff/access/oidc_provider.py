"""An OpenID provider as a client sees it: discovery, the way there, the exchange of a code, and what an ID token proves.

OpenID Connect Core 1.0 and Discovery 1.0, with PKCE (RFC 7636) and the issuer in the answer (RFC 9207). Addresses come
from the operator's settings and the provider's own document, so they may be private; every call has an end in time and
size, and follows no redirect.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core.claims import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from conversations.model import utc_now

ALGORITHMS = ("RS256", "ES256")
_KEY_TYPES = {"RS256": "RSA", "ES256": "EC"}
_MOST_BYTES = 512 * 1024
_METADATA_SECONDS = 3600.0
_KEYS_AGAIN_SECONDS = 5.0  # an unknown key may be a new one, but nobody makes us ask without end
_SIGN_OUT_SECONDS = 2.0
_LEEWAY_SECONDS = 60  # clocks differ
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
log = structlog.get_logger()


class ProviderDown(Exception):
    """The provider does not answer, or not in a form that can be used."""


class NotProved(Exception):
    """What came back proves nothing; ``why`` is for the log and names no token."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Client:
    """As what the desk is known at the provider."""

    issuer: str
    id: str
    secret: str | None
    scopes: str
    redirect_uri: str
    signed_out_uri: str  #: where people are sent back to after they signed out there


@dataclass(frozen=True, slots=True)
class _Metadata:
    authorization: str
    token: str
    keys: str
    userinfo: str | None
    sign_out: str | None
    posts_secret: bool
    names_itself: bool
    read_at: float


class Provider:
    """The one provider of a desk."""

    def __init__(self, client: Client, *, timeout_seconds: float = 8.0, now: Callable[[], datetime] = utc_now) -> None:
        self.client = client
        self._timeout = timeout_seconds
        self._now = now
        # No proxy of the environment: what is posted holds the client's secret.
        self._http = httpx.AsyncClient(timeout=timeout_seconds, follow_redirects=False, trust_env=False)
        self._metadata: _Metadata | None = None
        self._keys: tuple[Key, ...] = ()
        self._keys_at = float("-inf")
        self._reading = asyncio.Lock()

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.aclose()

    async def authorization_url(self, state: str, nonce: str, verifier: str) -> str:
        """Where the browser goes to sign in; raises ``ProviderDown``."""
        metadata = await self._read_metadata()
        query = {
            "response_type": "code",
            "client_id": self.client.id,
            "redirect_uri": self.client.redirect_uri,
            "scope": self.client.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        return f"{metadata.authorization}{'&' if '?' in metadata.authorization else '?'}{urlencode(query)}"

    async def sign_out_url(self) -> str | None:
        """Where the browser goes to sign out there too (RP-Initiated Logout 1.0); None where that cannot be said.

        The ID token, which could stand in it as a hint, is not kept: addresses end up in histories and logs.
        """
        try:
            async with asyncio.timeout(_SIGN_OUT_SECONDS):  # nobody waits to leave
                metadata = self._metadata or await self._read_metadata()
        except (ProviderDown, TimeoutError):
            return None
        if metadata.sign_out is None:
            return None
        query = urlencode({"client_id": self.client.id, "post_logout_redirect_uri": self.client.signed_out_uri})
        return f"{metadata.sign_out}{'&' if '?' in metadata.sign_out else '?'}{query}"

    async def check_sender(self, issuer: str | None) -> None:
        """Raise ``NotProved`` if an answer names another issuer, or none although this one always names itself."""
        metadata = await self._read_metadata()
        if issuer != self.client.issuer and (issuer is not None or metadata.names_itself):
            raise NotProved("the answer comes from another issuer")

    async def claims_for(self, code: str, nonce: str, verifier: str, wanted: tuple[str, ...]) -> dict[str, Any]:
        """Who signed in; claims that are ``wanted`` and not in the ID token are asked for. Raises both errors."""
        metadata = await self._read_metadata()
        tokens = await self._exchange(metadata, code, verifier)
        id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(id_token, str):
            raise NotProved("the token answer holds no ID token")
        claims = await self._checked(metadata, id_token, nonce, access_token if isinstance(access_token, str) else None)
        if metadata.userinfo and isinstance(access_token, str) and any(name not in claims for name in wanted):
            more = await self._read_json(metadata.userinfo, {"Authorization": f"Bearer {access_token}"})
            if more.get("sub") != claims["sub"]:
                raise NotProved("userinfo is about somebody else")
            if more.get("email") != claims.get("email"):  # whether it is verified is said where the address is
                (more if "email" in claims else claims).pop("email_verified", None)
            claims = more | claims
        return claims

    async def _checked(self, metadata: _Metadata, token: str, nonce: str, access_token: str | None) -> dict[str, Any]:
        try:
            header = jws.extract_compact(token.encode()).headers()
            algorithm = header.get("alg")
            if algorithm not in ALGORITHMS:
                raise NotProved("the ID token is signed in a way that is not taken")
            decoded = jwt.decode(token, await self._key_for(metadata, header), algorithms=[algorithm])
            options = {
                "iss": {"essential": True, "values": [self.client.issuer]},
                "aud": {"essential": True, "value": self.client.id},
                "nonce": {"essential": True, "value": nonce},
            }
            params = {"nonce": nonce, "client_id": self.client.id, "access_token": access_token}
            claims = CodeIDToken(decoded.claims, decoded.header, options, params)
            claims.validate(now=int(self._now().timestamp()), leeway=_LEEWAY_SECONDS)
        except (JoseError, AuthlibBaseError, ValueError, TypeError, KeyError) as error:
            raise NotProved(f"the ID token is refused: {type(error).__name__}") from None
        if claims.get("azp") not in (None, self.client.id) or not isinstance(claims.get("sub"), str):
            raise NotProved("the ID token was made for somebody else")
        return dict(claims)

    async def _key_for(self, metadata: _Metadata, header: Mapping[str, Any]) -> Key:
        for fresh in (False, True):
            if fresh or not self._keys:
                await self._read_keys(metadata)
            kid, kind = header.get("kid"), _KEY_TYPES[header["alg"]]
            fitting = [
                key
                for key in self._keys
                if key.key_type == kind and key.get("use", "sig") == "sig" and (kid is None or key.kid == kid)
            ]
            if len(fitting) == 1 or (kid is not None and fitting):
                return fitting[0]
        raise NotProved("no key of the provider fits the ID token")

    async def _read_keys(self, metadata: _Metadata) -> None:
        async with self._reading:
            if time.monotonic() - self._keys_at < _KEYS_AGAIN_SECONDS:
                return
            found = await self._read_json(metadata.keys)
            usable = [one for one in found.get("keys", ()) if isinstance(one, dict) and one.get("kty") in ("RSA", "EC")]
            try:
                self._keys = tuple(KeySet.import_key_set({"keys": usable}).keys)
            except (JoseError, ValueError, KeyError):
                raise ProviderDown("the keys of the provider cannot be read") from None
            self._keys_at = time.monotonic()

    async def _exchange(self, metadata: _Metadata, code: str, verifier: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uri,
            "code_verifier": verifier,
        }
        basic: httpx.BasicAuth | None = None
        if self.client.secret is None or metadata.posts_secret:
            form["client_id"] = self.client.id
            if self.client.secret is not None:
                form["client_secret"] = self.client.secret
        else:  # RFC 6749 2.3.1: both parts are form-encoded first
            basic = httpx.BasicAuth(quote(self.client.id, safe=""), quote(self.client.secret, safe=""))
        status, body = await self._call("POST", metadata.token, {}, form, basic)
        if status == 200 and isinstance(body, dict):
            return body
        error = body.get("error") if isinstance(body, dict) else None
        if status >= 500:
            raise ProviderDown(f"the token endpoint answers {status}")
        if error in ("invalid_client", "unauthorized_client"):
            log.error("oidc_client_refused", issuer=self.client.issuer, error=error)
            raise ProviderDown("the provider does not know the desk; check OIDC_CLIENT_ID and OIDC_CLIENT_SECRET")
        raise NotProved(f"the code is refused: {error if isinstance(error, str) else status}"[:100])

    async def _read_metadata(self) -> _Metadata:
        known = self._metadata
        if known is not None and time.monotonic() - known.read_at < _METADATA_SECONDS:
            return known
        try:
            found = await self._read_json(f"{self.client.issuer.rstrip('/')}/.well-known/openid-configuration")
            self._metadata = self._metadata_of(found)
        except ProviderDown:
            if known is None:
                raise
            log.warning("oidc_discovery_failed", issuer=self.client.issuer)
            return known
        return self._metadata

    def _metadata_of(self, found: Mapping[str, Any]) -> _Metadata:
        if found.get("issuer") != self.client.issuer:
            raise ProviderDown("the provider's document names another issuer; OIDC_ISSUER must be written as it does")
        authorization, token, keys = (
            self._address(found.get(name)) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
        )
        userinfo = found.get("userinfo_endpoint")
        methods = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return _Metadata(
            authorization,
            token,
            keys,
            userinfo=None if userinfo is None else self._address(userinfo),
            sign_out=self._sign_out_address(found.get("end_session_endpoint")),
            posts_secret="client_secret_basic" not in methods and "client_secret_post" in methods,
            names_itself=found.get("authorization_response_iss_parameter_supported") is True,
            read_at=time.monotonic(),
        )

    def _sign_out_address(self, found: object) -> str | None:
        try:
            return None if found is None else self._address(found)
        except ProviderDown:  # no reason to let nobody in
            log.warning("oidc_sign_out_address_refused", issuer=self.client.issuer)
            return None

    def _address(self, found: object) -> str:
        parts = urlsplit(found if isinstance(found, str) else "")
        here = urlsplit(self.client.issuer).hostname in _LOOPBACK  # a provider on this machine, for trying out
        if parts.scheme != "https" and not (parts.scheme == "http" and here and parts.hostname in _LOOPBACK):
            raise ProviderDown("the provider's document lacks an address, or names one without https")
        return parts.geturl()

    async def _read_json(self, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        status, body = await self._call("GET", url, headers or {})
        if status != 200 or not isinstance(body, dict):
            raise ProviderDown(f"{urlsplit(url).path} answers {status}")
        return body

    async def _call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None = None,
        auth: httpx.BasicAuth | None = None,
    ) -> tuple[int, Any]:
        """Status and JSON of an answer; None in its place where it is none."""
        content = bytearray()
        asked = {"Accept": "application/json", **headers}
        try:
            async with asyncio.timeout(self._timeout):  # of the whole, however slowly it drips
                async with self._http.stream(method, url, headers=asked, data=form, auth=auth) as response:
                    async for part in response.aiter_bytes():
                        content += part
                        if len(content) > _MOST_BYTES:
                            raise ProviderDown("the provider's answer is too large")
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            raise ProviderDown(f"{urlsplit(url).path} failed: {type(error).__name__}") from None
        try:
            return response.status_code, json.loads(content)
        except (ValueError, RecursionError):
            return response.status_code, None
