"""Signing in with the provider of a company: what the browser carries there and back, and whom it makes a member.

The cookie of a sign-in holds a random number; state, nonce and the secret of PKCE are made from it, so that an answer
counts only in the browser that asked, and only once. Knows no web framework.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from conversations.model import utc_now
from handoff.access.identity_store import IdentityStore
from handoff.access.oidc_provider import NotProved, Provider, ProviderDown
from handoff.errors import EmailTaken, Refused
from handoff.roles import Role
from handoff.sign_in import SignIn, Ticket
from handoff.store import StaffMember, StaffStore

LASTS = timedelta(minutes=10)
NO_PASSWORD = "!"  # noqa: S105  # no hash, so nothing matches it
_PLACE = re.compile(r"[A-Za-z0-9/_:.-]{0,200}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")
log = structlog.get_logger()


class SignInFailed(Exception):
    """A sign-in with the provider did not work; ``code`` is what the sign-in page puts into words."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Rules:
    """Who becomes what: ``roles`` are values of ``claim`` and what they make somebody, the first that fits counts."""

    claim: str | None = None
    roles: tuple[tuple[str, Role], ...] = ()
    provisions: bool = False  #: whether people nobody has added become members, by their role
    mfa_acr: tuple[str, ...] = ()  #: values of ``acr`` that stand for a second factor
    name_zh: str = ""  #: what the button calls the provider
    name_en: str = ""

    def role_in(self, claims: Mapping[str, Any]) -> Role | None:
        """The role that the claims give."""
        found: Any = claims.get(self.claim or "")
        if found is None and self.claim:
            for part in self.claim.split("."):  # "realm_access.roles" is a way into an object
                found = (claims if found is None else found).get(part) if isinstance(found, dict | None) else None
                if found is None:
                    return None
        held = {found} if isinstance(found, str) else set(map(str, found)) if isinstance(found, list) else set()
        return next((role for value, role in self.roles if value in held), None)

    def two_steps(self, claims: Mapping[str, Any]) -> bool:
        """Whether the provider says that it asked for a second factor (RFC 8176)."""
        methods = claims.get("amr")
        return (isinstance(methods, list) and "mfa" in methods) or claims.get("acr") in self.mfa_acr


@dataclass(frozen=True, slots=True)
class Arrived:
    """Somebody came back and is signed in."""

    ticket: Ticket
    to: str  #: where in the console they wanted to go
    linked: bool  #: for the first time through this provider
    added: bool  #: a new member
    role_before: Role | None  #: when the provider's word changed it


class ProviderSignIn:
    """Sign-ins with the one provider of the desk."""

    def __init__(
        self, provider: Provider, rules: Rules, sign_in: SignIn, staff: StaffStore, store: IdentityStore, key: bytes
    ) -> None:
        self.provider = provider
        self.rules = rules
        self._sign_in = sign_in
        self._staff = staff
        self._store = store
        self._key = key

    async def begin(self, to: str = "") -> tuple[str, str]:
        """Where the browser goes, and the cookie it takes along; raises ``SignInFailed``."""
        token = secrets.token_urlsafe(32)
        at = int(self._sign_in.now().timestamp())
        carried = json.dumps([token, at, to if _PLACE.fullmatch(to) else ""]).encode()
        cookie = f"{_text(carried)}.{_text(self._mac('cookie', carried))}"
        try:
            url = await self.provider.authorization_url(*self._derived(token))
        except ProviderDown as error:
            raise self._down(error) from None
        return url, cookie

    async def finish(
        self, cookie: str | None, query: Mapping[str, str], ip: str, replaces: str | None, browser: str
    ) -> Arrived:
        """Let in whoever comes back; raises ``SignInFailed``."""
        token, to = self._carried(cookie)
        state, nonce, verifier = self._derived(token)
        if not hmac.compare_digest(query.get("state", "").encode(), state.encode()):
            raise SignInFailed("provider_state")
        try:
            await self._sign_in.count_address(ip)
        except Refused:
            raise SignInFailed("provider_locked") from None
        now = self._sign_in.now()
        if not await self._store.use_state(hashlib.sha256(state.encode()).hexdigest(), now, 2 * LASTS):
            raise SignInFailed("provider_state")
        try:
            await self.provider.check_sender(query.get("iss"))
            if "error" in query:
                log.warning("oidc_refused_by_provider", error=re.sub(r"[^a-z_]", "", query["error"])[:40])
                raise SignInFailed("provider_denied")
            wanted = ("email", "email_verified", *([self.rules.claim.split(".")[0]] if self.rules.claim else []))
            claims = await self.provider.claims_for(query.get("code", ""), nonce, verifier, wanted)
        except ProviderDown as error:
            raise self._down(error) from None
        except NotProved as error:
            log.warning("oidc_not_proved", why=error.why)
            raise SignInFailed("provider_unproved") from None
        arrived = await self._let_in(claims, to, ip, replaces, browser)
        await self._sign_in.forget_address(ip)
        return arrived

    async def _let_in(self, claims: Mapping[str, Any], to: str, ip: str, replaces: str | None, browser: str) -> Arrived:
        member, linked, added = await self._member_of(claims)
        if not member.active:
            raise SignInFailed("provider_unknown")
        before = None
        if self.rules.roles:
            role = self.rules.role_in(claims)
            if role is None:
                raise SignInFailed("provider_no_role")
            if role is not member.role:
                before = member.role
                member = await self._staff.change(member.id, role=role.value) or member
        two_steps = self.rules.two_steps(claims)
        ticket = await self._sign_in.let_in(member, ip, replaces, browser, two_steps=two_steps)
        return Arrived(ticket, to, linked, added, before)

    async def _member_of(self, claims: Mapping[str, Any]) -> tuple[StaffMember, bool, bool]:
        """The member, whether this was their first time, and whether they were added just now."""
        issuer, subject = self.provider.client.issuer, str(claims["sub"])
        if not 0 < len(subject) <= 255:
            raise SignInFailed("provider_unproved")
        known = await self._store.find(issuer, subject)
        found = await self._staff.find(known) if known is not None else None
        if found is not None:
            return found, False, False
        email = claims.get("email")
        # A provider may hand out addresses that people only claim: those name nobody.
        if not isinstance(email, str) or not _EMAIL.fullmatch(email) or claims.get("email_verified") is not True:
            raise SignInFailed("provider_email")
        by_email = await self._staff.find_by_email(email)
        added = by_email is None
        if by_email is not None:
            member = by_email[0]
            if await self._store.linked(issuer, member.id):
                raise SignInFailed("provider_other")  # the address went to somebody else, or they have two accounts
        else:
            member = await self._added(claims, email)
        if not await self._store.link(issuer, subject, member.id, self._sign_in.now()):
            raise SignInFailed("provider_state")  # twice at once; the other one counts
        return member, True, added

    async def _added(self, claims: Mapping[str, Any], email: str) -> StaffMember:
        role = self.rules.role_in(claims) if self.rules.provisions else None
        if role is None:
            raise SignInFailed("provider_unknown")
        name = claims.get("name")
        named = " ".join(name.replace("\0", "").split())[:120] if isinstance(name, str) else ""
        languages = ("zh", "en")
        try:
            return await self._staff.add(
                email, named or email.partition("@")[0], role, NO_PASSWORD, languages, self._sign_in.now()
            )
        except EmailTaken:
            raise SignInFailed("provider_state") from None

    def _carried(self, cookie: str | None) -> tuple[str, str]:
        """The random number of the cookie and where to go; raises unless we made it a moment ago."""
        body, _, mac = (cookie or "").partition(".")
        try:
            carried = base64.urlsafe_b64decode(body + "==")
            if not hmac.compare_digest(base64.urlsafe_b64decode(mac + "=="), self._mac("cookie", carried)):
                raise SignInFailed("provider_state")
            token, at, to = json.loads(carried)
        except (ValueError, TypeError):
            raise SignInFailed("provider_state") from None
        age = self._sign_in.now() - datetime.fromtimestamp(at, utc_now().tzinfo)
        if not timedelta(minutes=-1) <= age <= LASTS:
            raise SignInFailed("provider_late")
        return token, to

    def _derived(self, token: str) -> tuple[str, str, str]:
        """State, nonce and PKCE verifier of one sign-in."""
        made: Sequence[str] = [_text(self._mac(what, token.encode())) for what in ("state", "nonce", "verifier")]
        return made[0], made[1], made[2]

    def _mac(self, what: str, content: bytes) -> bytes:
        return hmac.digest(self._key, what.encode() + b"\0" + content, hashlib.sha256)

    @staticmethod
    def _down(error: ProviderDown) -> SignInFailed:
        log.error("oidc_provider_down", error=str(error))
        return SignInFailed("provider_down")


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
