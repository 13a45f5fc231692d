"""Who is behind a number: last four digits and one-time codes, counted so that guessing does not pay.

Nothing here tells an unknown number from a wrong answer: unknown references get attempts, locks and codes of their own.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from crm import codes as rules
from crm.codes import CodeSender, keyed_hash, new_code
from crm.errors import CodeExpired, Locked
from crm.keyed_store import Clock, KeyedStore
from crm.model import Proof, WriteKey, normal_contact_point, utc_now
from crm.tables import attempts, codes, customers, orders, tickets, writes


@dataclass(frozen=True, slots=True)
class _Behind:
    """Who a reference leads to, and where a code would reach them."""

    customer_id: str | None
    phone: str | None
    contact_points: tuple[str, ...]
    language: str


class IdentityStore(KeyedStore):
    """Proofs of identity over the shop's tables."""

    def __init__(self, engine: AsyncEngine, sender: CodeSender, code_key: bytes, now: Clock = utc_now) -> None:
        if len(code_key) < 16:
            raise ValueError("the key that protects one-time codes needs at least 16 bytes")
        super().__init__(engine, now)
        self._sender = sender
        self._code_key = code_key

    async def verify_last4(self, reference: str, last4: str, key: WriteKey) -> Proof | None:
        """Who stands behind an order or ticket, if the digits end their phone number; raises ``Locked``."""
        subject = f"last4:{self._hash(reference)}"

        async def work(connection: AsyncConnection) -> dict[str, Any]:
            row = await self._attempts(connection, subject)
            if row["locked_until_at"] is not None:
                return {"locked": row["locked_until_at"].isoformat()}
            behind = await self._behind(connection, reference)
            # An account is locked in silence: saying so would tell which orders belong together.
            account = f"account:{self._hash(behind.customer_id)}" if behind and behind.customer_id else None
            locked = False
            if account:
                locked = (await self._attempts(connection, account))["locked_until_at"] is not None
            digits = (behind.phone or "")[-4:] if behind else ""
            if behind and not locked and hmac.compare_digest(digits, last4) and len(digits) == 4:
                await connection.execute(delete(attempts).where(attempts.c.subject == subject))
                return {"proof": behind.customer_id}
            if account:
                await self._count(connection, account, rules.WRONG_TRIES_PER_ACCOUNT)
            until = await self._count(connection, subject, rules.WRONG_TRIES)
            return {"locked": until.isoformat()} if until else {}

        result = await self.once(key, work)
        if "locked" in result:
            raise Locked(datetime.fromisoformat(result["locked"]))
        return Proof(reference, result["proof"]) if "proof" in result else None

    async def start_code(self, reference: str, key: WriteKey) -> bool:
        """Send a one-time code to whoever stands behind a reference; False when too many were asked for."""
        code = new_code()
        outgoing: list[tuple[str, str]] = []

        async def work(connection: AsyncConnection) -> bool:
            subject = f"codes:{self._hash(reference)}"
            asked = (await self._attempts(connection, subject))["count"]
            if asked >= rules.CODES_PER_HOUR:
                return False
            await self._count(connection, subject, None)
            behind = await self._behind(connection, reference)
            to = (
                next((point for point in behind.contact_points if self._sender.can_send(point)), None)
                if behind
                else None
            )
            if behind and to:
                # In silence, like the lock of an account above; it also keeps strangers' tickets from mailing anybody often.
                account = f"codes-account:{self._hash(behind.customer_id or to)}"
                if (await self._attempts(connection, account))["count"] >= rules.CODES_PER_ACCOUNT:
                    to = None
                await self._count(connection, account, None)
            mine = codes.c.reference_hash == self._hash(reference)
            await connection.execute(delete(codes).where(mine))
            await connection.execute(
                codes.insert().values(
                    reference_hash=self._hash(reference),
                    customer_id=behind.customer_id if behind else None,
                    known=to is not None,
                    code_hash=self._hash(reference, code),
                    attempts_left=rules.CODE_TRIES,
                    expires_at=self.now() + timedelta(seconds=rules.CODE_SECONDS),
                )
            )
            if behind and to:
                outgoing.append((to, behind.language))
            return True

        accepted = bool(await self.once(key, work))
        for to, language in outgoing:
            await self._sender.send(to, code, language)
        return accepted

    async def code_pending(self, reference: str) -> bool:
        """Whether a code was asked for that can still be typed."""
        alive = (codes.c.attempts_left > 0) & (codes.c.expires_at > self.now())
        statement = select(codes.c.reference_hash).where(codes.c.reference_hash == self._hash(reference), alive)
        async with self.reading.connect() as connection:
            return (await connection.execute(statement)).first() is not None

    async def check_code(self, reference: str, code: str, key: WriteKey) -> Proof | None:
        """Who stands behind the reference, if the code is right; None when wrong; raises ``CodeExpired``."""

        async def work(connection: AsyncConnection) -> dict[str, Any]:
            mine = codes.c.reference_hash == self._hash(reference)
            alive = (codes.c.attempts_left > 0) & (codes.c.expires_at > self.now())
            take = update(codes).where(mine, alive).values(attempts_left=codes.c.attempts_left - 1).returning(*codes.c)
            row = (await connection.execute(take)).mappings().first()
            if row is None:
                return {"expired": True}
            right = hmac.compare_digest(row["code_hash"], self._hash(reference, code))
            if not (right and row["known"]):
                return {}
            await connection.execute(delete(codes).where(mine))
            return {"proof": row["customer_id"]}

        result = await self.once(key, work)
        if "expired" in result:
            raise CodeExpired(reference)
        return Proof(reference, result["proof"]) if "proof" in result else None

    async def purge(self, older_than_days: int = 30) -> None:
        """Forget old keys, codes and counts; call it now and then."""
        limit = self.now() - timedelta(days=older_than_days)
        async with self.engine.begin() as connection:
            await connection.execute(delete(writes).where(writes.c.at < limit))
            await connection.execute(delete(codes).where(codes.c.expires_at < limit))
            await connection.execute(delete(attempts).where(attempts.c.since_at < limit))

    def _hash(self, *parts: str) -> str:
        return keyed_hash(self._code_key, *parts)

    async def _attempts(self, connection: AsyncConnection, subject: str) -> dict[str, Any]:
        """The counter of a subject, made or reset as needed and locked until the transaction ends."""
        now = self.now()
        new = self.insert(attempts).values(subject=subject, count=0, since_at=now)
        lock = new.on_conflict_do_update(index_elements=["subject"], set_={"subject": subject}).returning(*attempts.c)
        row = dict((await connection.execute(lock)).mappings().one())
        window = timedelta(seconds=rules.WINDOW_SECONDS)
        ended = row["locked_until_at"] <= now if row["locked_until_at"] else row["since_at"] + window <= now
        if ended:
            row |= {"count": 0, "since_at": now, "locked_until_at": None}
            await connection.execute(update(attempts).where(attempts.c.subject == subject).values(**row))
        return row

    async def _count(self, connection: AsyncConnection, subject: str, limit: int | None) -> datetime | None:
        """Count one more; says until when the subject is locked if that reached the limit."""
        mine = attempts.c.subject == subject
        more = update(attempts).where(mine).values(count=attempts.c.count + 1).returning(attempts.c.count)
        count = (await connection.execute(more)).scalar_one()
        if limit is None or count < limit:
            return None
        until: datetime = self.now() + timedelta(seconds=rules.WINDOW_SECONDS)
        await connection.execute(update(attempts).where(mine).values(locked_until_at=until))
        return until

    async def _behind(self, connection: AsyncConnection, reference: str) -> _Behind | None:
        point = normal_contact_point(reference) or ""
        of_order = select(orders.c.customer_id).where(orders.c.number == reference).scalar_subquery()
        of_ticket = select(tickets.c.customer_id).where(tickets.c.number == reference).scalar_subquery()
        ids = or_(customers.c.id == reference, customers.c.id == of_order, customers.c.id == of_ticket)
        points = or_(customers.c.email == point, customers.c.phone == point)
        row = (await connection.execute(select(customers).where(or_(ids, points)))).mappings().first()
        if row is not None:
            # The address that was typed comes first: it is the one its owner looks at.
            ways = sorted(filter(None, (row["email"], row["phone"])), key=lambda way: way != point)
            return _Behind(row["id"], row["phone"], tuple(ways), row["language"])
        stranger = select(tickets.c.contact_point, tickets.c.language).where(
            tickets.c.number == reference, tickets.c.customer_id.is_(None), tickets.c.contact_point.is_not(None)
        )
        ticket = (await connection.execute(stranger)).mappings().first()
        way = normal_contact_point(ticket["contact_point"]) if ticket else None
        if ticket is None or way is None:
            return None
        return _Behind(None, None if "@" in way else way, (way,), ticket["language"])
