"""Passwords, lockout and server-side sessions of staff. Knows no web framework: cookies and headers are the routes' business."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from conversations.model import utc_now
from handoff.errors import Refused, WeakPassword
from handoff.store import Session, StaffStore

T = TypeVar("T")
MIN_PASSWORD = 12
MAX_PASSWORD = 256
_HASHES_AT_ONCE = 2
_MAX_WAITING = 32
_TOUCH_EVERY = timedelta(seconds=30)


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
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.passwords = passwords or Passwords()
        self._store = store
        self._idle = timedelta(seconds=idle_seconds)
        self._absolute = timedelta(seconds=absolute_seconds)
        self._account_failures = account_failures
        self._address_failures = address_failures
        self._lock_seconds = lock_seconds
        self._now = now

    async def sign_in(self, email: str, password: str, ip: str, replaces: str | None = None) -> Ticket:
        """A new session that replaces the browser's old one.

        Raises ``Refused`` with the same words and after the same work for an unknown address, a wrong password and a
        closed account, and 429 while the pair of account and network address is locked.
        """
        network = _network(ip)
        account_bucket = _bucket("account", email.strip().lower(), network)
        address_bucket = _bucket("address", network)
        await self._count(address_bucket, self._address_failures)
        await self._count(account_bucket, self._account_failures)
        found = await self._store.find_by_email(email)
        fits = await self.passwords.matches(found[1] if found else None, password)
        if found is None or not fits or not found[0].active:
            raise Refused(401, "wrong_sign_in", "E-mail address or password is wrong. Check both and try again.")
        member, password_hash = found
        if self.passwords.outdated(password_hash):
            rehashed = await self.passwords.hash(password)
            await self._store.set_password_hash(member.id, rehashed, end_sessions=False)
        await self._store.forget_attempts(account_bucket)
        await self._store.forget_attempts(address_bucket)
        token, csrf, now = secrets.token_urlsafe(32), secrets.token_urlsafe(32), self._now()
        session = Session(_hash(token), member, csrf, now, now, now + self._absolute)
        old = _hash(replaces) if replaces else None
        await self._store.open_session(session.id_hash, member.id, csrf, now, session.expires_at, old)
        return Ticket(token, session)

    async def find_session(self, token: str | None, *, active: bool = True) -> Session | None:
        """The session behind a cookie, or None when it ended; ``active`` says that a person did something just now."""
        if not token or len(token) > 128:
            return None
        session = await self._store.find_session(_hash(token))
        now = self._now()
        if session is None:
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

    async def _count(self, bucket: str, limit: int) -> None:
        now = self._now()
        attempt = await self._store.count_attempt(
            bucket, now, limit=limit, lock_seconds=self._lock_seconds, forget_seconds=24 * 3600
        )
        if attempt.locked_until is not None:
            seconds = max(1, round((attempt.locked_until - now).total_seconds()))
            minutes = -(-seconds // 60)
            raise Refused(
                429,
                "locked",
                f"Too many wrong sign-ins. Try again in {minutes} min, or ask an admin for a new password.",
                seconds,
            )


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


def _bucket(*parts: str) -> str:
    return hashlib.sha256(_bytes("\0".join(parts))).hexdigest()


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
