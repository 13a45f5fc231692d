"""Digests of one desk: puts in line what is due, sends it, tries again, and shows what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Protocol

import aiosmtplib
import structlog

from conversations.audit import AuditEntry, AuditLog
from conversations.model import Agent, new_id, utc_now
from conversations.sight import EVERYTHING
from conversations.store import Database
from conversations.work_leases import WorkLeases
from reporting.digest_store import DigestStore, Row
from reporting.digest_writing import Findings, body_of, letter_of
from reporting.digests import Digest, Way
from reporting.posting import GIVE_UP, NotTaken, Sender
from reporting.reports import Reports

_FIRST, _LONGEST = timedelta(minutes=1), timedelta(hours=1)
WAITS_FOR_FACTS = timedelta(minutes=15)  #: so long a digest waits while entries are still to be counted
log = structlog.get_logger()


class DigestError(Exception):
    """What cannot be done with a digest; ``code`` names why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Mailer(Protocol):
    """Whoever hands mails to a mail server."""

    sender: str

    async def send_message(self, message: EmailMessage) -> None:
        """Raise ``aiosmtplib.SMTPException`` or ``OSError`` unless the server took it."""


class Digests:
    """Start it once per service process: the one that holds the lease works, and two at once send nothing twice."""

    def __init__(
        self,
        database: Database,
        audit: AuditLog,
        leases: WorkLeases,
        reports: Reports,
        sender: Sender,
        mailer: Mailer | None,
        *,
        public_url: str = "",
        every_seconds: float = 20.0,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Without ``mailer`` nothing goes out by e-mail."""
        self._database = database
        self._audit = audit
        self._leases = leases
        self._reports = reports
        self._sender = sender
        self._mailer = mailer
        self._link = f"{public_url.rstrip('/')}/staff/#/reports"
        self._every_seconds = every_seconds
        self._now = now
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to send what is due."""
        self._task = asyncio.create_task(self._leases.keep_at("digests", self._go_on, 10.0), name="digests")

    async def close(self) -> None:
        """Stop; what is in line is sent later."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _go_on(self) -> None:
        while True:
            await self.go_on()
            await asyncio.sleep(self._every_seconds)

    @property
    def mails(self) -> bool:
        """Whether digests can go out by e-mail."""
        return self._mailer is not None

    @property
    def secret(self) -> str:
        """With which programs check what is posted to them."""
        return self._sender.secret

    # -- what supervisors do

    async def listed(self) -> list[dict[str, Any]]:
        """Every digest with when it is due next and what became of the last ones."""
        async with self._database.read() as connection:
            store = DigestStore(connection)
            return [self._form(row, await store.sendings(row["id"])) for row in await store.listed()]

    async def save(self, digest: Digest, by: Agent) -> dict[str, Any]:
        """Keep a new digest (without an id), or one over the revision that was looked at; raises ``DigestError``."""
        self._check(digest)
        now = self._now()
        saved = replace(digest, id=digest.id or new_id(), revision=digest.revision + 1)
        values = saved.values() | {"by_name": by.name, "at": now}
        async with self._database.write() as connection:
            store = DigestStore(connection)
            old = await store.find(digest.id) if digest.id else None
            if digest.id and old is None:
                raise _missing()
            if old is None or (saved.active and not old["active"]) or Digest.of(old).schedule != saved.schedule:
                values["since"] = now  # what would have been due meanwhile is not sent
            if old is None:
                await store.add(values)
            elif not await store.change(digest.id, digest.revision, values):
                raise DigestError("changed", "A colleague saved this digest meanwhile. Load the list again.")
            data: dict[str, Any] = {"digest_id": saved.id, "name": saved.name, "rhythm": saved.schedule.rhythm.value}
            data |= {"way": saved.way.value, "active": saved.active}
            await self._audit.append(connection, now, [AuditEntry("digest_saved", f"agent:{by.id}", data=data)])
            row = await store.find(saved.id)
            assert row is not None
            return self._form(row, await store.sendings(saved.id))

    async def delete(self, digest_id: str, by: Agent) -> None:
        """Remove a digest; what is still in line of it is not sent."""
        now = self._now()
        async with self._database.write() as connection:
            store = DigestStore(connection)
            row = await store.find(digest_id)
            if row is None or not await store.delete(digest_id):
                raise _missing()
            data = {"digest_id": digest_id, "name": row["name"]}
            await self._audit.append(connection, now, [AuditEntry("digest_deleted", f"agent:{by.id}", data=data)])

    async def preview(self, digest: Digest) -> dict[str, Any]:
        """What it would say if it were sent now; nothing is sent."""
        found = await self._found(digest, self._today())
        body = body_of(found) if digest.way is Way.WEBHOOK else None
        return {**letter_of(found), "body": body}

    async def send(self, digest_id: str, by: Agent) -> dict[str, Any]:
        """Send it now, besides what is due, and say what became of it; what failed is tried again."""
        async with self._database.read() as connection:
            row = await DigestStore(connection).find(digest_id)
        if row is None:
            raise _missing()
        digest = Digest.of(row)
        self._check(digest)
        now, part = self._now(), new_id()
        rows = self._rows(digest, await self._found(digest, self._today()), part, now)
        async with self._database.write() as connection:
            store = DigestStore(connection)
            if await store.find(digest_id) is None:
                raise _missing()
            await store.put_in_line(rows)
            data = {"digest_id": digest_id, "name": digest.name}
            await self._audit.append(connection, now, [AuditEntry("digest_sent", f"agent:{by.id}", data=data)])
        for one in rows:
            await self._try(one)
        async with self._database.read() as connection:
            store = DigestStore(connection)
            row = await store.find(digest_id)
            if row is None:
                raise _missing()
            return self._form(row, await store.sendings(digest_id))

    # -- what goes on by itself

    async def go_on(self) -> int:
        """Put in line what is due, try what is in line; returns how many were taken."""
        now = self._now()
        async with self._database.read() as connection:
            active = await DigestStore(connection).listed(active=True)
        for row in active:
            try:
                await self._put_in_line(row, now)
            except Exception as error:  # one that cannot be made keeps no other from being sent
                log.exception("digest_not_made", digest_id=row["id"], error=repr(error))
        async with self._database.write() as connection:
            await DigestStore(connection).tidy(now)
        async with self._database.read() as connection:
            due = await DigestStore(connection).due(now)
        return sum([await self._try(one) for one in due])

    async def _put_in_line(self, row: Row, now: datetime) -> None:
        digest = Digest.of(row)
        day = digest.schedule.last(now, self._reports.zone)
        at = digest.schedule.moment(day, self._reports.zone)
        if at <= row["since"] or (row["last_day"] or "") >= day.isoformat():
            return
        if now < at + WAITS_FOR_FACTS and (await self._reports.progress()).behind:
            return
        rows = self._rows(digest, await self._found(digest, day), day.isoformat(), now)
        async with self._database.write() as connection:
            store = DigestStore(connection)
            if await store.claim_day(digest.id, digest.revision, day.isoformat()):
                await store.put_in_line(rows)

    async def _found(self, digest: Digest, day: date) -> Findings:
        answers = [await self._reports.answer(query, EVERYTHING) for query in digest.queries(day)]
        costs = await self._reports.costs()
        return Findings(digest, answers, self._reports.zone.key, costs.currency, self._link)

    def _rows(self, digest: Digest, found: Findings, part: str, now: datetime) -> list[dict[str, Any]]:
        content = letter_of(found) if digest.way is Way.EMAIL else {"body": body_of(found)}
        return [
            {
                "id": f"digest_{digest.id}_{part}_{number}", "digest_id": digest.id, "way": digest.way.value, "address": address,
                "since": found.asked.since.isoformat(), "until": found.asked.until.isoformat(), "content": content,
                "state": "waiting", "attempts": 0, "created_at": now, "due_at": now,
            }
            for number, address in enumerate(digest.addresses)
        ]  # fmt: skip

    async def _try(self, one: Any) -> bool:
        async with self._database.write() as connection:
            if not await DigestStore(connection).claim_try(one["id"], one["attempts"], self._now()):
                return False
        attempts = one["attempts"] + 1
        values: dict[str, Any] = {"state": "sent", "error": None}
        try:
            await self._hand_over(one)
            values["sent_at"] = self._now()
        except (NotTaken, ValueError, aiosmtplib.SMTPException, OSError) as error:
            now = self._now()
            pause = min(_LONGEST, _FIRST * 2 ** min(attempts - 1, 12))
            dead = now + pause - one["created_at"] >= GIVE_UP
            values = {"state": "dead" if dead else "waiting", "due_at": now + pause, "error": _why(error)[:200]}
            log.warning("digest_not_taken", digest_id=one["digest_id"], attempts=attempts, dead=dead)
        async with self._database.write() as connection:
            await DigestStore(connection).settle(one["id"], attempts, values)
        return bool(values["state"] == "sent")

    async def _hand_over(self, one: Any) -> None:
        content = one["content"]
        if one["way"] == Way.WEBHOOK:
            await self._sender.send(one["address"], one["id"], content["body"], "digests")
            return
        if self._mailer is None:
            raise NotTaken("no mail server is set up (SMTP_URL)")
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._mailer.sender, one["address"], content["subject"]
        message["Date"] = format_datetime(one["created_at"])
        message["Message-ID"] = f"<{one['id']}@{self._mailer.sender.rpartition('@')[2].strip('<> ')}>"
        message["Auto-Submitted"] = "auto-generated"  # so that nobody's absence is answered to it
        message.set_content(content["text"])
        message.add_alternative(content["html"], subtype="html")
        await self._mailer.send_message(message)

    def _today(self) -> date:
        return self._now().astimezone(self._reports.zone).date()

    def _check(self, digest: Digest) -> None:
        if digest.way is Way.EMAIL and not self.mails:
            raise DigestError("no_mail_server", "This desk sends no e-mail: set SMTP_URL, or post to a webhook.")
        if digest.way is Way.WEBHOOK:
            for address in digest.addresses:
                try:
                    self._sender.check(address)
                except ValueError as error:
                    raise DigestError("bad_webhook", f"Check the address of the webhook: {error}.") from None

    def _form(self, row: Row, sendings: list[Row]) -> dict[str, Any]:
        digest, zone = Digest.of(row), self._reports.zone
        next_at = digest.schedule.moment(digest.schedule.next(self._now(), zone), zone) if digest.active else None
        return digest.values() | {
            "next_at": next_at.isoformat() if next_at else None,
            "by_name": row["by_name"],
            "at": row["at"].isoformat(),
            "sendings": [_sending_form(one) for one in sendings],
        }


def _sending_form(row: Row) -> dict[str, Any]:
    times = {name: row[name].isoformat() if row[name] else None for name in ("created_at", "due_at", "sent_at")}
    return {name: row[name] for name in ("id", "address", "since", "until", "state", "attempts", "error")} | times


def _missing() -> DigestError:
    return DigestError("not_found", "There is no such digest.")


def _why(error: Exception) -> str:
    """How it was refused; what mail servers say is left out, for it may name people."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"the mail server answered {error.code}"
    if isinstance(error, aiosmtplib.SMTPException | OSError):
        return f"the mail server did not take it ({type(error).__name__})"
    return str(error)
