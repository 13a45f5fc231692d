"""Passwords, lockout and server-side sessions of staff. Knows no web framework: cookies and headers are the routes' business."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from conversations.model import utc_now
from handoff.errors import Refused, WeakPassword
from handoff.lockout import Lockout
from handoff.store import Session, StaffMember, StaffStore, Stage, Way

T = TypeVar("T")
MIN_PASSWORD = 12
MAX_PASSWORD = 256
_HASHES_AT_ONCE = 2
_MAX_WAITING = 32
_TOUCH_EVERY = timedelta(seconds=30)
#: How long a session that is not open yet waits for its code, or for a second factor to be set up.
_UNOPENED = timedelta(minutes=10)


async def _no_second_factor(_: StaffMember) -> Stage:
    return Stage.OPEN


class Passwords:
    """Argon2id hashes, made in at most two threads so that a flood of sign-ins cannot take the machine."""

    def __init__(self, memory_kib: int = 19_456, passes: int = 2) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._threads = ThreadPoolExecutor(_HASHES_AT_ONCE, thread_name_prefix="password")
        self._waiting = 0
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """The hash to keep of a password."""
        return await self._run(lambda: self._hasher.hash(password))

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether the password fits; without a hash it takes as long and answers no."""
        return await self._run(lambda: self._verify(password_hash, password))

    def outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters than those in force."""
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str | None, password: str) -> bool:
        if self._decoy is None:
            self._decoy = self._hasher.hash(secrets.token_hex(16))
        try:
            fits = self._hasher.verify(password_hash or self._decoy, password)
        except (VerificationError, InvalidHashError):
            return False
        return fits and password_hash is not None

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= _MAX_WAITING:
            raise Refused(503, "busy", "Too many people are signing in at this moment. Try again in a few seconds.", 5)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


@dataclass(frozen=True, slots=True)
class Ticket:
    """A fresh session: ``token`` goes into the cookie and is stored nowhere else."""

    token: str
    session: Session


class SignIn:
    """Turns an e-mail address and a password into a session, and a session's token back into a person."""

    def __init__(
        self,
        store: StaffStore,
        passwords: Passwords | None = None,
        *,
        idle_seconds: float = 30 * 60,
        absolute_seconds: float = 12 * 3600,
        account_failures: int = 5,
        address_failures: int = 50,
        lock_seconds: float = 15 * 60,
        passwords_taken: bool = True,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.passwords = passwords or Passwords()
        self._store = store
        self._idle = timedelta(seconds=idle_seconds)
        self._absolute = timedelta(seconds=absolute_seconds)
        self._account_failures = account_failures
        self.passwords_taken = passwords_taken
        self._address_failures = address_failures
        self.lockout = Lockout(store, lock_seconds=lock_seconds, now=now)
        #: What a member has yet to do once their password was right.
        self.stage_of: Callable[[StaffMember], Awaitable[Stage]] = _no_second_factor
        self.now = now

    async def sign_in(
        self, email: str, password: str, ip: str, replaces: str | None = None, browser: str = ""
    ) -> Ticket:
        """A new session that replaces the browser's old one; its stage says whether it is open yet.

        Raises ``Refused`` with the same words and after the same work for an unknown address, a wrong password and a
        closed account, and 429 while the pair of account and network address is locked.
        """
        member, password_hash = await self._checked(email, password, ip)
        if self.passwords.outdated(password_hash):
            rehashed = await self.passwords.hash(password)
            await self._store.set_password_hash(member.id, rehashed, end_sessions=False)
        return await self._begin(
            member, await self.stage_of(member), _hash(replaces) if replaces else None, Way.PASSWORD, ip, browser
        )

    async def let_in(
        self, member: StaffMember, ip: str, replaces: str | None, browser: str, *, two_steps: bool
    ) -> Ticket:
        """A new session of somebody for whom a provider answers; ``two_steps``: it has asked for a second factor itself."""
        stage = Stage.OPEN if two_steps else await self.stage_of(member)
        return await self._begin(member, stage, _hash(replaces) if replaces else None, Way.PROVIDER, ip, browser)

    async def count_address(self, ip: str) -> None:
        """Count a sign-in of a network address; raises ``Refused`` with 429 while it is locked."""
        await self.lockout.count(self._address_failures, "address", _network(ip))

    async def forget_address(self, ip: str) -> None:
        """A sign-in of a network address was right."""
        await self.lockout.forget("address", _network(ip))

    async def check_password_of(self, member: StaffMember, password: str, ip: str) -> None:
        """Let somebody who is signed in prove that they are still the same; raises ``Refused`` as signing in does."""
        await self._checked(member.email, password, ip)

    async def open(self, session: Session) -> Ticket:
        """An open session in place of one that waited for something; the old cookie is worth nothing from then on."""
        return await self._begin(session.member, Stage.OPEN, session.id_hash, session.way, session.ip, session.browser)

    async def find_session(
        self, token: str | None, *, active: bool = True, stages: Collection[Stage] = (Stage.OPEN,)
    ) -> Session | None:
        """The session behind a cookie, or None when it ended; ``active`` says that a person did something just now.

        Sessions that are not open yet are found only by those who ask for their stage.
        """
        if not token or len(token) > 128:
            return None
        session = await self._store.find_session(_hash(token))
        now = self.now()
        if session is None or session.stage not in stages:
            return None
        if now >= session.expires_at or now - session.last_seen_at >= self._idle:
            await self._store.close_session(session.id_hash)
            return None
        if active and now - session.last_seen_at >= _TOUCH_EVERY:
            await self._store.touch_session(session.id_hash, now)
        return session

    async def sign_out(self, session: Session) -> None:
        """Revoke a session on the server."""
        await self._store.close_session(session.id_hash)

    async def _checked(self, email: str, password: str, ip: str) -> tuple[StaffMember, str]:
        network = _network(ip)
        account, address = ("account", email.strip().lower(), network), ("address", network)
        await self.lockout.count(self._address_failures, *address)
        await self.lockout.count(self._account_failures, *account)
        found = await self._store.find_by_email(email)
        fits = await self.passwords.matches(found[1] if found else None, password)
        if found is None or not fits or not found[0].active or not self._takes_password_of(found[0]):
            raise Refused(401, "wrong_sign_in", "E-mail address or password is wrong. Check both and try again.")
        await self.lockout.forget(*account)
        await self.lockout.forget(*address)
        return found

    def _takes_password_of(self, member: StaffMember) -> bool:
        until = member.password_until
        return self.passwords_taken or (until is not None and self.now() < until)

    async def _begin(
        self, member: StaffMember, stage: Stage, replaces: str | None, way: Way, ip: str, browser: str
    ) -> Ticket:
        token, csrf, now = secrets.token_urlsafe(32), secrets.token_urlsafe(32), self.now()
        expires_at = now + (self._absolute if stage is Stage.OPEN else min(_UNOPENED, self._absolute))
        known = (way, ip[:64], " ".join(browser.split())[:200])
        session = Session(_hash(token), member, csrf, now, now, expires_at, stage, *known)
        await self._store.open_session(session, replaces)
        return Ticket(token, session)


def check_password(password: str) -> None:
    """Raise ``WeakPassword`` unless the password may be used."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise WeakPassword(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters; choose another")


def csrf_fits(session: Session, token: str | None) -> bool:
    """Whether the write carries the session's CSRF token."""
    return token is not None and hmac.compare_digest(_bytes(token), session.csrf.encode())


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")  # headers and JSON can smuggle in half characters


def _hash(token: str) -> str:
    return hashlib.sha256(_bytes(token)).hexdigest()


def _network(ip: str) -> str:
    """The address that is locked: IPv6 customers own a whole /64, so it counts as one."""
    try:
        address = ipaddress.ip_address(ip.strip("[]"))
    except ValueError:
        return ip
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
