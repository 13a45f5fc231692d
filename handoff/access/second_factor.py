"""The second factor of a sign-in: six digits of an authenticator app (RFC 6238), or a recovery code, each used once."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

import pyotp
import segno
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from conversations.model import utc_now
from handoff.access.second_factor_store import SecondFactorStore
from handoff.errors import Refused
from handoff.lockout import Lockout
from handoff.roles import Role
from handoff.store import StaffMember, Stage

ISSUER = "Frontdesk"
RECOVERY_CODES = 10
_STEP_SECONDS = 30
_NONCE = 12
_TRIES = 5
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is read as something else
_CODE_LENGTH = 10


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs; shown once, and worth nothing until a code of it was seen."""

    secret: str
    uri: str
    picture: str  #: the address as a QR code, a ``data:`` SVG


@dataclass(frozen=True, slots=True)
class FactorState:
    """How things stand for one member."""

    since: datetime | None  #: None: no second factor
    required: bool
    codes_left: int


class SecondFactors:
    """Enrols, checks and removes second factors; ``key`` (32 bytes) seals their secrets."""

    def __init__(
        self,
        store: SecondFactorStore,
        lockout: Lockout,
        key: bytes,
        required: Collection[str] = (),
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._lockout = lockout
        self._seal = AESGCM(key)
        self._code_key = hmac.digest(key, b"recovery codes", hashlib.sha256)
        self._required = frozenset(Role(role) for role in required)
        self._now = now

    async def stage_of(self, member: StaffMember) -> Stage:
        """What a member has yet to do after their password."""
        found = await self._store.find(member.id)
        if found is not None and found.confirmed_at is not None:
            return Stage.CODE
        return Stage.ENROL if self.required_of(member.role) else Stage.OPEN

    def required_of(self, role: Role) -> bool:
        """Whether this role may not work without a second factor."""
        return role in self._required

    async def state_of(self, member: StaffMember) -> FactorState:
        """How things stand for a member."""
        found = await self._store.find(member.id)
        since = found.confirmed_at if found else None
        left = await self._store.codes_left(member.id) if since else 0
        return FactorState(since, self.required_of(member.role), left)

    async def confirmed(self) -> dict[str, datetime]:
        """Who has a second factor, and since when."""
        return await self._store.confirmed()

    async def begin(self, member: StaffMember) -> Enrolment:
        """A new secret to be confirmed; raises ``Refused`` with 409 when the member has a factor already."""
        secret = pyotp.random_base32()
        if not await self._store.begin(member.id, self._sealed(member.id, secret), self._now()):
            raise Refused(
                409, "second_factor_on", "Two-step sign-in is on already. Turn it off first to set it up anew."
            )
        uri = pyotp.TOTP(secret).provisioning_uri(name=member.email, issuer_name=ISSUER)
        return Enrolment(secret, uri, segno.make(uri, error="m").svg_data_uri(scale=5, border=4, light="#fff"))

    async def confirm(self, member: StaffMember, code: str) -> tuple[str, ...]:
        """Turn the factor on once a code of it is right; returns the recovery codes, which nobody can read again."""
        await self._lockout.count(_TRIES, "code", member.id, refusal="wrong codes")
        found = await self._store.find(member.id)
        if found is None or found.confirmed_at is not None:
            raise Refused(
                409, "not_begun", "Start setting up two-step sign-in again; this one was finished or never begun."
            )
        step = self._step_of(self._opened(member.id, found.secret), _plain(code))
        if step is None:
            raise _wrong()
        codes = _new_codes()
        hashes = [self._code_hash(member.id, one) for one in codes]
        if not await self._store.confirm(member.id, found.secret, step, hashes, self._now()):
            raise Refused(
                409, "not_begun", "Start setting up two-step sign-in again; it was begun elsewhere meanwhile."
            )
        await self._lockout.forget("code", member.id)
        return codes

    async def check(self, member: StaffMember, code: str) -> str:
        """Use up a code; returns ``app`` or ``recovery_code``. Raises ``Refused``: 401 wrong or used, 429 locked.

        The lock is on the account and not on the network: whoever gets here knows the password already.
        """
        await self._lockout.count(_TRIES, "code", member.id, refusal="wrong codes")
        how = await self._used(member, _plain(code))
        await self._lockout.forget("code", member.id)
        return how

    async def renew_codes(self, member: StaffMember) -> tuple[str, ...]:
        """Ten fresh recovery codes; the old ones end. The caller has checked a code."""
        codes = _new_codes()
        await self._store.replace_codes(member.id, [self._code_hash(member.id, one) for one in codes])
        return codes

    async def remove(self, staff_id: str) -> bool:
        """Turn the factor off; returns whether there was one."""
        await self._lockout.forget("code", staff_id)
        return await self._store.remove(staff_id)

    async def _used(self, member: StaffMember, plain: str) -> str:
        found = await self._store.find(member.id)
        if found is None or found.confirmed_at is None:
            raise Refused(409, "second_factor_off", "Two-step sign-in is off for this account. Sign in again.")
        if re.fullmatch(r"[0-9]{6}", plain):
            step = self._step_of(self._opened(member.id, found.secret), plain)
            if step is None:
                raise _wrong()
            if not await self._store.use_step(member.id, step):
                raise Refused(401, "used_code", "This code was used already. Wait for the next one in your app.")
            return "app"
        if len(plain) != _CODE_LENGTH:
            raise _wrong()
        if not await self._store.use_code(member.id, self._code_hash(member.id, plain), self._now()):
            raise _wrong()
        return "recovery_code"

    def _step_of(self, secret: str, code: str) -> int | None:
        """The step whose code it is: the present one, or a neighbour because clocks differ."""
        now = int(self._now().timestamp()) // _STEP_SECONDS
        codes = pyotp.TOTP(secret)
        # Every step is compared, so that the time does not tell which one was close.
        fitting = [
            step
            for step in (now - 1, now, now + 1)
            if hmac.compare_digest(codes.generate_otp(step).encode(), code.encode("utf-8", "replace"))
        ]
        return fitting[-1] if fitting else None

    def _sealed(self, staff_id: str, secret: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._seal.encrypt(nonce, secret.encode(), _binding(staff_id))

    def _opened(self, staff_id: str, sealed: bytes) -> str:
        try:
            return self._seal.decrypt(sealed[:_NONCE], sealed[_NONCE:], _binding(staff_id)).decode()
        except InvalidTag:
            raise Refused(
                409,
                "second_factor_unreadable",
                "This second factor was made with another SECRET_KEY. Ask an admin to reset it.",
            ) from None

    def _code_hash(self, staff_id: str, code: str) -> str:
        text = f"{staff_id}|{_plain(code)}".encode("utf-8", "replace")
        return hmac.new(self._code_key, text, hashlib.sha256).hexdigest()


def _binding(staff_id: str) -> bytes:
    """What a secret is sealed to, so that it opens in no other row."""
    return f"staff_second_factors|secret|{staff_id}".encode()


def _plain(code: str) -> str:
    return re.sub(r"[\s-]", "", code).upper()


def _new_codes() -> tuple[str, ...]:
    made = ("".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH)) for _ in range(RECOVERY_CODES))
    return tuple(f"{code[:5]}-{code[5:]}" for code in made)


def _wrong() -> Refused:
    return Refused(401, "wrong_code", "This code is not right. Take the newest one of your app, or a recovery code.")
