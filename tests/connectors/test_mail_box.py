"""No mail is lost and none is answered twice, whatever happens between the mailbox and the desk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.accounts import BadAccount, connectors_of
from connectors.base import Arrival, Means
from connectors.mail import MailConnector
from connectors.mail_box import answer_about
from conversations.errors import ChannelUnavailable
from conversations.model import Address, Author, utc_now
from tests.connectors.dingtalk_desk import Shelf
from tests.connectors.mail_desk import desk_with_mailbox, mailbox, settings
from tests.connectors.test_mail_sending import outbound
from tests.doubles.dovecot import PASSWORD, Dovecot, running_dovecot
from tests.doubles.mail_server import DESK, MailServer, mail, mail_server

ANN = "ann@shop.example"
NO_IDLE = "protocol imap {\n  imap_capability = IMAP4rev1\n}\n"


class Inbox:
    """Stores messages, or cannot."""

    def __init__(self) -> None:
        self.stored: list[str] = []
        self.files: list[str] = []
        self.broken_for: set[str] = set()
        self.attempts = 0

    async def receive(self, arrivals: Iterable[Arrival]) -> None:
        for arrival in arrivals:
            self.attempts += 1
            if any(word in arrival.message.text for word in self.broken_for):
                raise OSError("no space left on device")
            self.stored.append(arrival.message.text)
            self.files += [media.name for media in arrival.media]


@asynccontextmanager
async def running(connector: MailConnector, inbox: Inbox) -> AsyncIterator[asyncio.Task[None]]:
    """The connector runs, and again when it fails, as the desk runs it."""

    async def keep() -> None:
        while True:
            try:
                await connector.run(inbox.receive)
            except (ChannelUnavailable, OSError):
                await asyncio.sleep(0.02)

    task = asyncio.create_task(keep())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def cutting_once(port: int, word: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A way to the server that breaks when a command with the word passes for the first time."""
    cuts: list[bytes] = []

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, watched: bool) -> None:
        with suppress(OSError):
            while said := await reader.read(65_536):
                if watched and not cuts and word in said:
                    cuts.append(said)
                    break
                writer.write(said)
                await writer.drain()
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        back = asyncio.create_task(forward(far_reader, writer, watched=False))
        await forward(reader, far_writer, watched=True)
        writer.close()
        await back

    proxy = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield proxy.sockets[0].getsockname()[1], cuts
    finally:
        proxy.close()


@pytest.fixture
async def provider(dovecot: Dovecot) -> AsyncIterator[MailServer]:
    async with mail_server(dovecot) as provider:
        provider.proven.add("shop.example")
        yield provider


async def all_confirmed(provider: MailServer, count: int) -> None:
    """Wait until each mail carries a keyword (Maildir writes the first one as "a")."""
    await provider.until(lambda: [flags for flags, _ in provider.dovecot.mails(DESK)].count("a") == count)


async def test_mails_are_confirmed_after_they_are_stored_and_never_marked_as_seen(provider: MailServer) -> None:
    inbox = Inbox()
    inbox.broken_for = {"first"}
    await provider.write(ANN, mail(ANN, "", "first"))
    async with running(mailbox(provider), inbox):
        await provider.until(lambda: inbox.attempts >= 2)
        assert {flags for flags, _ in provider.dovecot.mails(DESK)} == {""}
        inbox.broken_for = set()
        await all_confirmed(provider, 1)
    assert inbox.stored == ["first"]


async def test_after_a_restart_only_new_mails_are_read_also_those_that_people_have_read(provider: MailServer) -> None:
    inbox = Inbox()
    await provider.write(ANN, mail(ANN, "", "first"))
    async with running(mailbox(provider), inbox):
        await all_confirmed(provider, 1)
    await provider.write(ANN, mail(ANN, "", "second"))
    new = next((provider.dovecot.maildir(DESK) / "new").iterdir())
    new.rename(new.parent.parent / "cur" / f"{new.name}:2,S")  # a colleague looked at it
    async with running(mailbox(provider), inbox):
        await provider.until(lambda: len(inbox.stored) == 2)
    assert inbox.stored == ["first", "second"]


async def test_a_connection_lost_between_storing_and_confirming_makes_no_second_turn(
    provider: MailServer, tmp_path: Path
) -> None:
    """F46: a crash between storing and confirming doubles no mail."""
    await provider.write(ANN, mail(ANN, "", "How do I return a kite?"))
    async with (
        cutting_once(provider.dovecot.port, b"STORE") as (port, cuts),
        desk_with_mailbox(tmp_path, provider, imap_port=port) as server,
    ):
        await all_confirmed(provider, 1)
        await provider.answer_to(ANN, 1)
        transcript = await server.desk.transcript(Address("email", "default", ANN))
    assert len(cuts) == 1
    assert [message.author for message in transcript] == [Author.CONTACT, Author.BOT]


@pytest.mark.parametrize("word", [b"SEARCH", b"FETCH", b"IDLE"])
async def test_after_a_lost_connection_it_goes_on(provider: MailServer, word: bytes) -> None:
    """F46: a connection that breaks at any step, after the fetch too, loses and doubles no mail."""
    inbox = Inbox()
    await provider.write(ANN, mail(ANN, "", "first"))
    async with (
        cutting_once(provider.dovecot.port, word) as (port, cuts),
        running(mailbox(provider, imap_port=port), inbox),
    ):
        await provider.until(lambda: cuts)
        await provider.write(ANN, mail(ANN, "", "second"))
        await all_confirmed(provider, 2)
    assert inbox.stored == ["first", "second"]


async def test_new_numbers_lose_nothing_and_double_nothing(provider: MailServer, tmp_path: Path) -> None:
    """F46: a new UIDVALIDITY loses and doubles no mail."""
    first, second = mail(ANN, "", "one"), mail(ANN, "", "two")
    del second["Message-ID"]
    for message in (first, second):
        await provider.write(ANN, message)
    async with desk_with_mailbox(tmp_path, provider) as server:
        await all_confirmed(provider, 2)
        await provider.answer_to(ANN, 2)
    folder = provider.dovecot.maildir(DESK)
    for file in (folder / "cur").iterdir():  # as from a backup: no keywords, no numbers
        file.rename(folder / "new" / file.name.partition(":")[0])
    provider.dovecot.forget_numbers(DESK)
    await provider.write(ANN, mail(ANN, "", "three"))
    async with desk_with_mailbox(tmp_path, provider) as server:
        await all_confirmed(provider, 3)
        await provider.answer_to(ANN, 3)
        transcript = await server.desk.transcript(Address("email", "default", ANN))
    assert [one.text for one in transcript if one.author is Author.CONTACT] == ["one", "two", "three"]
    assert len(provider.received(ANN)) == 3


async def test_mails_are_moved_where_keywords_are_not_wanted(provider: MailServer) -> None:
    inbox = Inbox()
    await provider.write(ANN, mail(ANN, "Hi", "first"))
    async with running(mailbox(provider, confirm="move", done_folder="Done"), inbox):
        await provider.until(lambda: provider.dovecot.mails(DESK, ".Done"))
        await provider.write(ANN, mail(ANN, "Hi", "second"))
        await provider.until(lambda: len(provider.dovecot.mails(DESK, ".Done")) == 2)
    assert inbox.stored == ["Hi\n\nfirst", "Hi\n\nsecond"]
    assert provider.dovecot.mails(DESK) == []
    again = mailbox(provider, confirm="move", done_folder="Done")  # started afresh, it looks there for the thread
    await again.send(ANN, outbound("Hello"))
    assert provider.received(ANN)[0]["in-reply-to"] == mail(ANN, "Hi", "second")["message-id"]


async def three_mails_are_noticed(provider: MailServer, poll_seconds: float) -> None:
    inbox = Inbox()
    async with running(mailbox(provider, poll_seconds=poll_seconds), inbox):
        for number in range(1, 4):
            await provider.write(ANN, mail(ANN, "", f"number {number}"))
            await provider.until(lambda: len(inbox.stored) == number)  # noqa: B023
            await asyncio.sleep(0.1)
    assert inbox.stored == ["number 1", "number 2", "number 3"]


async def test_a_mail_is_noticed_when_it_comes(provider: MailServer) -> None:
    await three_mails_are_noticed(provider, poll_seconds=600)


async def test_a_server_that_does_not_tell_of_new_mails_is_asked() -> None:
    with running_dovecot(NO_IDLE) as other:
        async with mail_server(other) as provider:
            await three_mails_are_noticed(provider, poll_seconds=0.1)


async def test_old_mails_are_left_alone(provider: MailServer) -> None:
    inbox = Inbox()
    await provider.write(ANN, mail(ANN, "", "long before the desk"))
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    async with running(mailbox(provider, since=tomorrow, poll_seconds=0.1), inbox):
        await asyncio.sleep(0.5)
    assert inbox.stored == []
    assert [flags for flags, _ in provider.dovecot.mails(DESK)] == [""]


async def test_a_mail_that_cannot_be_stored_does_not_hold_up_the_others(provider: MailServer) -> None:
    inbox = Inbox()
    inbox.broken_for = {"poison"}
    for text in ("poison", "one", "two"):
        await provider.write(ANN, mail(ANN, "", text))
    async with running(mailbox(provider), inbox):
        await provider.until(lambda: inbox.stored == ["one", "two"])
        inbox.broken_for = set()
        await all_confirmed(provider, 3)
    assert inbox.stored == ["one", "two", "poison"]


async def test_mails_of_machines_are_confirmed_and_not_answered(provider: MailServer) -> None:
    inbox = Inbox()
    await provider.write(ANN, mail(ANN, "Out of office", "away", Auto_Submitted="auto-replied"))
    await provider.write(DESK, mail(DESK, "Re: x", "ours"))
    async with running(mailbox(provider), inbox):
        await all_confirmed(provider, 2)
    assert inbox.stored == []


async def test_of_a_mail_that_is_too_large_the_beginning_is_read(provider: MailServer) -> None:
    inbox = Inbox()
    large = mail(ANN, "", "see the film")
    large.add_attachment(b"x" * 500_000, maintype="application", subtype="zip", filename="film.zip")
    await provider.write(ANN, large)
    async with running(mailbox(provider, largest_mail=300_000), inbox):
        await all_confirmed(provider, 1)
    assert inbox.stored[0].startswith("see the film\n[the mail is too large")


async def test_a_thread_is_found_again_after_a_restart(provider: MailServer) -> None:
    await provider.write(ANN, mail(ANN, "About kites", "first", message_id="<first@x.example>"))
    await provider.write(ANN, mail(ANN, "About kites", "second", message_id="<second@x.example>"))
    async with running(mailbox(provider), Inbox()):
        await all_confirmed(provider, 2)
    await mailbox(provider).send(ANN, outbound("Hello"))
    (answer,) = provider.received(ANN)
    assert (answer["subject"], answer["in-reply-to"]) == ("Re: About kites", "<second@x.example>")
    await mailbox(provider).send("bob@shop.example", outbound("Hello"))
    assert provider.received("bob@shop.example")[0]["in-reply-to"] is None
    # Without the mailbox the answer goes out all the same.
    await mailbox(provider, imap_port=9).send("bob@shop.example", outbound("Hello"))
    assert len(provider.received("bob@shop.example")) == 2


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
async def test_the_mailbox_is_opened_by_tls_with_a_certificate_that_holds(provider: MailServer, tls: str) -> None:
    port = provider.dovecot.tls_port if tls == "implicit" else provider.dovecot.port
    secure: dict[str, Any] = {"imap_tls": tls, "imap_port": port, "imap_host": "localhost"}
    inbox = Inbox()
    with pytest.raises(ChannelUnavailable, match="certificate"):
        await mailbox(provider, **secure).run(inbox.receive)
    await provider.write(ANN, mail(ANN, "", "first"))
    async with running(mailbox(provider, **secure, ca_file=provider.dovecot.certificate), inbox):
        await all_confirmed(provider, 1)
    with pytest.raises(ChannelUnavailable, match="AUTHENTICATIONFAILED") as refused:
        await mailbox(provider, password="wrong one").run(inbox.receive)
    assert "wrong one" not in str(refused.value)


async def test_it_stops_at_once_while_it_waits_and_while_the_server_is_silent(provider: MailServer) -> None:
    connector = mailbox(provider, poll_seconds=600)
    task = asyncio.create_task(connector.run(Inbox().receive))
    await asyncio.sleep(0.5)
    task.cancel()
    async with asyncio.timeout(10):
        await asyncio.gather(task, return_exceptions=True)

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(greet, "127.0.0.1", 0)
    connector = mailbox(provider, imap_port=silent.sockets[0].getsockname()[1])
    task = asyncio.create_task(connector.run(Inbox().receive))
    await asyncio.sleep(0.3)
    task.cancel()
    async with asyncio.timeout(10):
        await asyncio.gather(task, return_exceptions=True)
    silent.close()


@pytest.mark.parametrize(
    "data",
    [
        [b"2 (FLAGS (\\Seen) UID 8)", (b"1 (UID 5 BODY[] {5}", b"words"), b")"],
        [(b"1 (BODY[] {5}", b"words"), b" UID 5)", b"2 (FLAGS () UID 8)"],
        [
            b"1 (UID 5 FLAGS (Frontdesk))",
            (b"1 (UID 5 BODY[]<0> {5}", b"words"),
            b")",
            (b"2 (UID 8 BODY[] {1}", b"x"),
            b")",
        ],
    ],
)
def test_a_mail_is_told_from_what_the_server_says_meanwhile(data: list[Any]) -> None:
    found = answer_about(5, b"BODY[", data)
    assert found is not None
    assert found[1] == b"words"
    assert answer_about(7, b"BODY[", data) is None


class TestSettings:
    def entry(self, **more: object) -> dict[str, object]:
        needed = {"channel": "email", "address": DESK, "password": PASSWORD, "since": "2026-12-01"}
        return needed | {"imap_host": "imap.desk.example", "smtp_host": "smtp.desk.example"} | more

    def test_tls_is_the_default_and_its_absence_must_be_wanted(self) -> None:
        means = Means("https://desk.example", Shelf(), utc_now)
        (connector,) = connectors_of([self.entry()], means)
        assert isinstance(connector, MailConnector)
        assert (connector.settings.imap().port, connector.settings.smtp().port) == (993, 465)
        for bad in ({"imap_tls": "none"}, {"smtp_tls": "none"}, {"address": "Shop <a@b>"}, {"ca_file": "/nowhere"}):
            with pytest.raises(BadAccount) as refused:
                connectors_of([self.entry(**bad)], means)
            assert PASSWORD not in str(refused.value)
        connectors_of([self.entry(imap_tls="none", allow_plaintext=True)], means)

    def test_the_day_from_which_mails_are_answered_must_be_said(self) -> None:
        with pytest.raises(BadAccount, match="since"):
            connectors_of([{**self.entry(), "since": None}], Means("https://desk.example", Shelf(), utc_now))
        assert settings().since.year == 2020
