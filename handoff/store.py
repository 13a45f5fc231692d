"""Everything the handoff room keeps: staff, sessions, failed sign-ins, and how far each agent has read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from conversations.model import Agent, new_id
from conversations.sight import Scope
from conversations.store import Database
from handoff.errors import EmailTaken, UnknownStaff
from handoff.roles import Role
from handoff.tables import metadata, seen_marks, sign_in_buckets, staff, staff_sessions


@dataclass(frozen=True, slots=True)
class StaffMember:
    """Somebody who works at the desk."""

    id: str
    email: str
    name: str
    role: Role
    active: bool
    languages: tuple[str, ...]
    skills: tuple[str, ...] = ()
    capacity: int | None = None  #: conversations at once; None: as their teams say
    sees: Scope | None = None  #: None: as is said of their role
    password_until: datetime | None = None  #: until when their password is taken where passwords are off

    @property
    def agent(self) -> Agent:
        """The member as conversations know them."""
        return Agent(self.id, self.name)


class Stage(StrEnum):
    """How far a sign-in has come; only an open session lets anybody do anything."""

    OPEN = "open"
    CODE = "code"  #: the password was right, the second factor is still to be shown
    ENROL = "enrol"  #: a second factor is required, and this member has none yet


class Way(StrEnum):
    """How somebody proved who they are."""

    PASSWORD = "password"  # noqa: S105  # a word for it, not one
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser; ``id_hash`` is the SHA-256 of the cookie's value."""

    id_hash: str
    member: StaffMember
    csrf: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    stage: Stage = Stage.OPEN
    way: Way = Way.PASSWORD
    ip: str = ""
    browser: str = ""  #: as it calls itself


@dataclass(frozen=True, slots=True)
class Attempt:
    """A counted sign-in: refused without looking at the password when ``locked_until`` is set."""

    failures: int
    locked_until: datetime | None


class StaffStore:
    """The staff tables in the service's database, which belongs to the caller."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert: Any = sqlite.insert if database.is_sqlite else postgresql.insert

    async def create_tables(self) -> None:
        """Create what is missing; existing tables are left alone (migrations change them)."""
        async with self._database.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)

    # staff

    async def add(
        self, email: str, name: str, role: Role, password_hash: str, languages: Sequence[str], now: datetime
    ) -> StaffMember:
        """A new member; raises ``EmailTaken``. E-mail addresses are compared without case."""
        member = StaffMember(new_id(), email.strip().lower(), name.strip(), role, True, tuple(languages))
        try:
            async with self._database.write() as connection:
                await connection.execute(
                    staff.insert().values(
                        id=member.id,
                        email=member.email,
                        name=member.name,
                        role=role.value,
                        password_hash=password_hash,
                        active=True,
                        languages=list(languages),
                        created_at=now,
                    )
                )
        except IntegrityError:
            raise EmailTaken(f"{member.email} is already a member of staff; use another address") from None
        return member

    async def all_staff(self) -> list[StaffMember]:
        """Everybody, also those deactivated, by name."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(staff).order_by(staff.c.name, staff.c.id))
            return [_member(row) for row in rows]

    async def find(self, staff_id: str) -> StaffMember | None:
        """The member with this id."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(staff).where(staff.c.id == staff_id))).first()
        return _member(row) if row else None

    async def find_by_email(self, email: str) -> tuple[StaffMember, str] | None:
        """The member with this e-mail address, and the hash of their password."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(staff).where(staff.c.email == email.strip().lower()))).first()
        return (_member(row), row.password_hash) if row else None

    async def get_by_email(self, email: str) -> StaffMember:
        """The member with this e-mail address. Raises ``UnknownStaff``."""
        found = await self.find_by_email(email)
        if found is None:
            raise UnknownStaff(f"nobody here has the address {email}; `staff list` shows who has")
        return found[0]

    async def set_password_hash(self, staff_id: str, password_hash: str, *, end_sessions: bool) -> None:
        """Keep another hash; a changed password ends all sessions, a mere rehash does not."""
        async with self._database.write() as connection:
            await connection.execute(update(staff).where(staff.c.id == staff_id).values(password_hash=password_hash))
            if end_sessions:
                await connection.execute(delete(staff_sessions).where(staff_sessions.c.staff_id == staff_id))

    async def set_active(self, email: str, active: bool) -> StaffMember:
        """Open or close an account; closing ends its sessions. Raises ``UnknownStaff``."""
        member = await self.get_by_email(email)
        async with self._database.write() as connection:
            await connection.execute(update(staff).where(staff.c.id == member.id).values(active=active))
            if not active:
                await connection.execute(delete(staff_sessions).where(staff_sessions.c.staff_id == member.id))
        return member

    async def allow_password(self, email: str, now: datetime, minutes: int) -> StaffMember:
        """Take a member's password for a while where passwords are off. Raises ``UnknownStaff``."""
        member = await self.get_by_email(email)
        until = now + timedelta(minutes=minutes)
        async with self._database.write() as connection:
            await connection.execute(update(staff).where(staff.c.id == member.id).values(password_until=until))
        return member

    async def change(self, staff_id: str, **values: Any) -> StaffMember | None:
        """Write name, role, languages, sight or state of a member; whoever may do other things from now on signs in anew."""
        before = await self.find(staff_id)
        async with self._database.write() as connection:
            await connection.execute(update(staff).where(staff.c.id == staff_id).values(**values))
        after = await self.find(staff_id)
        if before is None or after is None:
            return None
        if (before.role, before.sees) != (after.role, after.sees) or not after.active:
            await self.close_sessions_of(staff_id)
        return after

    # sessions

    async def open_session(self, session: Session, replaces: str | None = None) -> None:
        """Store a session; the one it replaces and those long expired are deleted with it."""
        async with self._database.write() as connection:
            gone = staff_sessions.c.expires_at < session.created_at
            if replaces is not None:
                gone |= staff_sessions.c.id_hash == replaces
            await connection.execute(delete(staff_sessions).where(gone))
            await connection.execute(
                staff_sessions.insert().values(
                    id_hash=session.id_hash,
                    staff_id=session.member.id,
                    csrf=session.csrf,
                    created_at=session.created_at,
                    last_seen_at=session.last_seen_at,
                    expires_at=session.expires_at,
                    stage=session.stage.value,
                    way=session.way.value,
                    ip=session.ip,
                    browser=session.browser,
                )
            )

    async def find_session(self, id_hash: str) -> Session | None:
        """The session of an active member, whatever its age."""
        query = _SESSIONS.where(staff_sessions.c.id_hash == id_hash, staff.c.active)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else _session(row)

    async def sessions_of(self, staff_id: str, now: datetime) -> list[Session]:
        """The sessions of a member that have not expired, the one used last first."""
        query = _SESSIONS.where(staff_sessions.c.staff_id == staff_id, staff_sessions.c.expires_at > now)
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(staff_sessions.c.last_seen_at.desc()))
            return [_session(row) for row in rows]

    async def touch_session(self, id_hash: str, now: datetime) -> None:
        """Note that the person was active."""
        async with self._database.write() as connection:
            await connection.execute(
                update(staff_sessions).where(staff_sessions.c.id_hash == id_hash).values(last_seen_at=now)
            )

    async def close_sessions_of(self, staff_id: str, keep: str | None = None) -> int:
        """Revoke all sessions of a member, perhaps but one; returns how many there were."""
        theirs = staff_sessions.c.staff_id == staff_id
        if keep is not None:
            theirs &= staff_sessions.c.id_hash != keep
        async with self._database.write() as connection:
            return (await connection.execute(delete(staff_sessions).where(theirs))).rowcount

    async def close_session(self, id_hash: str) -> None:
        """Revoke one session."""
        async with self._database.write() as connection:
            await connection.execute(delete(staff_sessions).where(staff_sessions.c.id_hash == id_hash))

    # sign-in attempts

    async def count_attempt(
        self, bucket: str, now: datetime, *, limit: int, lock_seconds: float, forget_seconds: float
    ) -> Attempt:
        """Count one sign-in before its password is looked at, so that attempts made at once are all counted.

        From ``limit`` on every attempt locks the bucket, each time twice as long; an attempt on a locked bucket counts nothing.
        """
        buckets = sign_in_buckets.c
        fresh = self._insert(sign_in_buckets).values(bucket=bucket, failures=1, locked_until=None, updated_at=now)
        counted = fresh.on_conflict_do_update(
            index_elements=[buckets.bucket],
            set_={
                "failures": case(
                    (buckets.updated_at < now - timedelta(seconds=forget_seconds), 1), else_=buckets.failures + 1
                ),
                "updated_at": now,
            },
            where=(buckets.locked_until.is_(None)) | (buckets.locked_until <= now),
        ).returning(buckets.failures)
        async with self._database.write() as connection:
            failures = (await connection.execute(counted)).scalar_one_or_none()
            if failures is None:
                until = (
                    await connection.execute(select(buckets.locked_until).where(buckets.bucket == bucket))
                ).scalar_one()
                return Attempt(limit, until)
            if failures >= limit:
                seconds = min(lock_seconds * 2 ** min(failures - limit, 16), forget_seconds)
                locked = update(sign_in_buckets).where(buckets.bucket == bucket)
                await connection.execute(locked.values(locked_until=now + timedelta(seconds=seconds)))
            await connection.execute(
                delete(sign_in_buckets).where(buckets.updated_at < now - timedelta(seconds=2 * forget_seconds))
            )
        return Attempt(failures, None)

    async def forget_attempts(self, bucket: str, *, beginning: bool = False) -> None:
        """Clear a bucket after a successful sign-in, or all that begin like this."""
        named = sign_in_buckets.c.bucket
        chosen = named.startswith(bucket, autoescape=True) if beginning else named == bucket
        async with self._database.write() as connection:
            await connection.execute(delete(sign_in_buckets).where(chosen))

    # what agents have seen

    async def mark_seen(self, staff_id: str, conversation_id: str, seq: int) -> bool:
        """The member has read up to ``seq``; marks never move back. Returns whether this was news."""
        row = self._insert(seen_marks).values(staff_id=staff_id, conversation_id=conversation_id, seq=seq)
        keep_highest = row.on_conflict_do_update(
            index_elements=[seen_marks.c.staff_id, seen_marks.c.conversation_id],
            set_={"seq": row.excluded.seq},
            where=seen_marks.c.seq < row.excluded.seq,
        )
        async with self._database.write() as connection:
            return (await connection.execute(keep_highest)).rowcount == 1

    async def seen_seqs(self, staff_id: str, conversation_ids: Sequence[str]) -> dict[str, int]:
        """How far the member has read each conversation; those never opened are missing."""
        if not conversation_ids:
            return {}
        query = select(seen_marks.c.conversation_id, seen_marks.c.seq).where(
            seen_marks.c.staff_id == staff_id, seen_marks.c.conversation_id.in_(conversation_ids)
        )
        async with self._database.read() as connection:
            return {row.conversation_id: row.seq for row in await connection.execute(query)}


_SESSIONS = select(
    staff,
    *(
        staff_sessions.c[name]
        for name in ("id_hash", "csrf", "last_seen_at", "expires_at", "stage", "way", "ip", "browser")
    ),
    staff_sessions.c.created_at.label("began_at"),
).join(staff, staff.c.id == staff_sessions.c.staff_id)


def _session(row: Any) -> Session:
    times = (row.began_at, row.last_seen_at, row.expires_at)
    return Session(row.id_hash, _member(row), row.csrf, *times, Stage(row.stage), Way(row.way), row.ip, row.browser)


def _member(row: Any) -> StaffMember:
    return StaffMember(
        row.id,
        row.email,
        row.name,
        Role(row.role),
        row.active,
        tuple(row.languages),
        tuple(row.skills),
        row.capacity,
        Scope(row.sees) if row.sees else None,
        row.password_until,
    )
