"""Digests go out: once in effect however many processes run, again until they are taken, signed or by e-mail."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from connectors.signed_posts import SignedPosts
from conversations.audit import AuditLog
from conversations.model import Agent
from conversations.store import Database
from conversations.work_leases import WorkLeases
from crm.codes import SmtpCodeSender
from reporting.digest_sending import DigestError, Digests, Mailer
from reporting.digests import Digest, Rhythm, Schedule, Way
from reporting.posting import NotTaken, Sender
from reporting.reports import Reports
from tests.doubles.vendor_server import Answer
from tests.doubles.webhook_program import FROM_DESK, Program
from tests.reporting.alert_builders import ZONE, Refusing

AT = datetime(2026, 6, 3, 6, tzinfo=UTC)  # 14:00 in Shanghai, on a Wednesday
DUE = datetime(2026, 6, 4, 0, tzinfo=UTC)  # 8:00 on the next day
GRACE = Agent("grace", "Grace")
DAILY = Digest(
    "", 0, "每日概况", Schedule(Rhythm.DAILY, time(8)), "zh", ("conversations", "miss_rate"), Way.EMAIL,
    ("lead@shop.example", "boss@shop.example"),
)  # fmt: skip


class Inbox:
    """A mail server that keeps what it takes."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answers: list[str] = []  #: instead of taking the next ones

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 taken"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SmtpCodeSender]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(self, hostname="mx.example", loop=loop), "127.0.0.1", 0)
        try:
            port = server.sockets[0].getsockname()[1]
            yield SmtpCodeSender(f"smtp://127.0.0.1:{port}", "desk@shop.example", timeout_seconds=5)
        finally:
            server.close()


class DigestDesk:
    """Digests over one database, with a clock that a test moves; each ``process`` is one of the service's."""

    def __init__(self, database: Database, mailer: Mailer | None = None, sender: Sender | None = None) -> None:
        self.database = database
        self.at = AT
        self._mailer, self._sender = mailer, sender or Refusing()
        self.digests = self.process()

    def process(self) -> Digests:
        leases = WorkLeases(self.database)
        reports = Reports(self.database, leases, ZONE, self.now)
        return Digests(
            self.database, AuditLog(b"k" * 32), leases, reports, self._sender, self._mailer,
            public_url="https://desk.example", now=self.now,
        )  # fmt: skip

    def now(self) -> datetime:
        return self.at

    async def sendings(self) -> list[dict[str, Any]]:
        return [sending for one in await self.digests.listed() for sending in one["sendings"]]


async def test_each_recipient_gets_a_mail_of_text_and_html_when_it_is_due(database: Database) -> None:
    inbox = Inbox()
    async with inbox.running() as mailer:
        desk = DigestDesk(database, mailer)
        await desk.digests.save(DAILY, GRACE)
        assert await desk.digests.go_on() == 0, "what was due before it was made is not sent"
        desk.at = DUE + timedelta(minutes=20)
        assert await desk.digests.go_on() == 2
        assert await desk.digests.go_on() == 0
    assert {mail["To"] for mail in inbox.mails} == set(DAILY.addresses)
    mail = inbox.mails[0]
    assert mail["Subject"] == "每日概况：日报 2026-06-03"
    assert mail["From"] == "desk@shop.example"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "会话数：0" in text.get_content()
    assert "<table" in html.get_content()
    assert [one["state"] for one in await desk.sendings()] == ["sent", "sent"]


async def test_it_goes_out_once_however_many_processes_run_and_start_again(database: Database) -> None:
    inbox = Inbox()
    async with inbox.running() as mailer:
        desk = DigestDesk(database, mailer)
        await desk.digests.save(replace(DAILY, addresses=("lead@shop.example",)), GRACE)
        for day in range(3):
            desk.at = DUE + timedelta(days=day, minutes=20)
            await asyncio.gather(*(desk.process().go_on() for _ in range(4)))
        await desk.process().go_on()
    assert [mail["Subject"][-10:] for mail in inbox.mails] == ["2026-06-03", "2026-06-04", "2026-06-05"]


async def test_after_days_of_standing_still_only_the_last_one_is_sent(database: Database) -> None:
    inbox = Inbox()
    async with inbox.running() as mailer:
        desk = DigestDesk(database, mailer)
        await desk.digests.save(replace(DAILY, addresses=("lead@shop.example",)), GRACE)
        desk.at = DUE + timedelta(days=5, hours=3)
        await desk.digests.go_on()
    assert [mail["Subject"][-10:] for mail in inbox.mails] == ["2026-06-08"]


async def test_what_is_not_taken_is_tried_again_as_the_same_mail_and_given_up_after_a_day(database: Database) -> None:
    inbox = Inbox()
    async with inbox.running() as mailer:
        desk = DigestDesk(database, mailer)
        made = await desk.digests.save(replace(DAILY, addresses=("lead@shop.example",)), GRACE)
        inbox.answers = ["451 later, lead@shop.example"]
        shown = await desk.digests.send(made["id"], GRACE)
        (one,) = shown["sendings"]
        assert (one["state"], one["attempts"], one["error"]) == ("waiting", 1, "the mail server answered 451")
        assert await desk.digests.go_on() == 0, "not before its pause is over"
        desk.at += timedelta(minutes=1)
        assert await desk.digests.go_on() == 1
        assert f"<{one['id']}@shop.example>" == inbox.mails[0]["Message-ID"]
        inbox.answers = ["550 no"] * 100
        await desk.digests.send(made["id"], GRACE)
        stopped = replace(DAILY, id=made["id"], revision=1, active=False)
        await desk.digests.save(stopped, GRACE)
        for _ in range(30):
            await desk.digests.go_on()
            desk.at += timedelta(minutes=61)
    assert {one["state"] for one in await desk.sendings()} == {"sent", "dead"}
    assert len(inbox.mails) == 1


async def test_a_try_whose_process_died_is_made_again_by_another(database: Database) -> None:
    class Dies:
        sender = "desk@shop.example"

        async def send_message(self, message: EmailMessage) -> None:
            raise asyncio.CancelledError

    inbox = Inbox()
    async with inbox.running() as mailer:
        desk = DigestDesk(database, Dies())
        made = await desk.digests.save(replace(DAILY, addresses=("lead@shop.example",)), GRACE)
        with pytest.raises(asyncio.CancelledError):
            await desk.digests.send(made["id"], GRACE)
        other = DigestDesk(database, mailer)
        assert await other.digests.go_on() == 0
        other.at += timedelta(minutes=4)
        assert await other.digests.go_on() == 1


async def test_programs_are_posted_it_signed(database: Database) -> None:
    key = base64.b64decode(FROM_DESK.removeprefix("whsec_"))
    sender = SignedPosts(key, NotTaken, private=True, clock=lambda: datetime.now(UTC).timestamp())
    program = Program()
    async with program.running():
        desk = DigestDesk(database, sender=sender)
        await desk.digests.save(replace(DAILY, way=Way.WEBHOOK, addresses=(program.url,)), GRACE)
        program.answers = [Answer(status=500)]
        desk.at = DUE + timedelta(minutes=20)
        assert await desk.digests.go_on() == 0
        desk.at += timedelta(minutes=1)
        assert await desk.digests.go_on() == 1
    assert (program.forged, program.repeats) == (0, 0)
    assert {call.headers["user-agent"] for call in program.calls} == {"frontdesk-digests"}
    (got,) = program.got
    assert (got["type"], got["since"], got["figures"][0]["metric"]) == ("report.digest", "2026-06-03", "conversations")
    await sender.close()


async def test_what_cannot_be_sent_is_refused_when_it_is_saved(database: Database) -> None:
    desk = DigestDesk(database)
    with pytest.raises(DigestError, match="SMTP_URL"):
        await desk.digests.save(DAILY, GRACE)
    with pytest.raises(DigestError, match="webhook"):
        await desk.digests.save(replace(DAILY, way=Way.WEBHOOK, addresses=("http://127.0.0.1/x",)), GRACE)
    assert await desk.digests.listed() == []


async def test_it_is_saved_over_the_revision_that_was_looked_at_and_deleted_with_what_waits(database: Database) -> None:
    inbox = Inbox()
    async with inbox.running() as mailer:
        desk = DigestDesk(database, mailer)
        made = await desk.digests.save(DAILY, GRACE)
        changed = await desk.digests.save(replace(DAILY, id=made["id"], revision=1, name="晨报"), GRACE)
        assert (changed["revision"], changed["name"]) == (2, "晨报")
        with pytest.raises(DigestError, match="meanwhile"):
            await desk.digests.save(replace(DAILY, id=made["id"], revision=1), GRACE)
        inbox.answers = ["451 later"] * 2
        await desk.digests.send(made["id"], GRACE)
        await desk.digests.delete(made["id"], GRACE)
        desk.at += timedelta(hours=30)
        assert await desk.digests.go_on() == 0
        with pytest.raises(DigestError, match="no such"):
            await desk.digests.delete(made["id"], GRACE)
    assert inbox.mails == []


async def test_a_preview_sends_nothing(database: Database) -> None:
    desk = DigestDesk(database)
    seen = await desk.digests.preview(replace(DAILY, way=Way.WEBHOOK, addresses=("https://a.example/",)))
    assert json.loads(seen["body"])["since"] == "2026-06-02"
    assert "会话数" in seen["text"]
    assert await desk.sendings() == []
