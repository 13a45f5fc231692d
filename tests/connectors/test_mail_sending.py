"""Answers become mails that stay in their thread, and what SMTP servers say of them has its meaning."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.mail_threads import Thread
from connectors.mail_writing import Envelope, Letterhead, write
from conversations.errors import (
    ChannelUnavailable,
    ContactUnreachable,
    DeliveryUnknown,
    MessageRejected,
    SendError,
)
from conversations.model import Attachment, Author, Button, Citation, MessageKind, OutboundMessage
from tests.connectors.dingtalk_desk import Shelf
from tests.connectors.mail_desk import desk_with_mailbox, mailbox
from tests.doubles.dovecot import PASSWORD, Dovecot
from tests.doubles.mail_server import DESK, MailServer, mail, mail_server, read

ANN = "ann@shop.example"
NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
HEAD = Letterhead(DESK, "风筝店", "https://desk.example")
SOURCE = Citation("p", "a", "Returns <7 days>", "q", "/articles/returns")


def outbound(text: str, author: Author = Author.BOT, **more: object) -> OutboundMessage:
    values = {"outbox_id": "a" * 32, "conversation_id": "c" * 32, "seq": 2, "kind": MessageKind.TEXT, "created_at": NOW}
    return OutboundMessage(author=author, text=text, **(values | more))  # type: ignore[arg-type]


def letter(message: OutboundMessage, thread: Thread | None = None, to: str = ANN) -> EmailMessage:
    thread = thread or Thread("Re: Hello", "<2@x.example>", ("<1@x.example>",))
    return read(write(HEAD, Envelope(to, "<fd@desk.example>", DESK, thread), message, [], NOW))


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


@pytest.fixture
async def provider(dovecot: Dovecot) -> AsyncIterator[MailServer]:
    async with mail_server(dovecot) as provider:
        yield provider


class TestHowMailsLook:
    def test_a_reply_has_the_headers_of_its_thread(self) -> None:
        message = letter(outbound("Hello"))
        assert (message["subject"], message["in-reply-to"]) == ("Re: Hello", "<2@x.example>")
        assert message["references"] == "<1@x.example> <2@x.example>"
        assert message["from"] == f"风筝店 <{DESK}>"
        assert letter(outbound("好"), Thread("Re: 回复：咨询", "<2@x>", ()))["subject"] == "回复：咨询"
        assert letter(outbound("好"), Thread())["subject"] == "回复：您的来信"
        assert letter(outbound("Hello"), Thread())["subject"] == "Re: Your message"

    def test_long_message_ids_are_never_encoded(self) -> None:
        long = f"<{'x' * 180}@mail.example>"
        raw = write(HEAD, Envelope(ANN, "<fd@desk.example>", DESK, Thread("x", long, (long,))), outbound("x"), [], NOW)
        assert f"In-Reply-To: {long}\r\n".encode() in raw
        assert max(map(len, raw.split(b"\r\n"))) < 998

    def test_machines_say_that_they_are_and_people_do_not(self) -> None:
        assert letter(outbound("x"))["auto-submitted"] == "auto-replied"
        assert letter(outbound("x", Author.SYSTEM))["auto-submitted"] == "auto-replied"
        assert letter(outbound("x", Author.AGENT))["auto-submitted"] is None

    def test_sources_are_links_and_choices_a_numbered_list(self) -> None:
        buttons = (Button("1", "Order <one>"), Button("2", "Order two"))
        message = letter(
            outbound("See **this** [page](https://x.example/a?b=1&c=2)", citations=(SOURCE,), buttons=buttons)
        )
        plain, page = body(message, "plain"), body(message, "html")
        assert "See this page (https://x.example/a?b=1&c=2)" in plain
        assert "1. Order <one>\n2. Order two" in plain
        assert "Source: Returns <7 days> https://desk.example/articles/returns" in plain
        assert "<strong>this</strong>" in page
        assert "<li>Order &lt;one&gt;</li>" in page
        assert '<a href="https://desk.example/articles/returns">Returns &lt;7 days&gt;</a>' in page

    @pytest.mark.parametrize("author", [Author.BOT, Author.AGENT])
    def test_nothing_remote_and_nothing_active_gets_into_html(self, author: Author) -> None:
        text = "<script>x</script> <img src=https://e.example/p> ![p](https://e.example/p.png) [x](javascript:alert(1))"
        citation = replace(SOURCE, url="javascript:alert(1)")
        page = body(letter(outbound(text, author, citations=(citation,))), "html")
        assert "<script" not in page
        assert "<img" not in page
        assert 'href="javascript' not in page

    @settings(max_examples=100, deadline=None)
    @given(
        subject=st.text(max_size=80), text=st.text(max_size=80), title=st.text(max_size=40), name=st.text(max_size=20)
    )
    def test_no_text_makes_a_header_of_its_own(self, subject: str, text: str, title: str, name: str) -> None:
        """F46: CRLF in a subject, a name or a title adds no header."""
        bad = "\r\nBcc: evil@x.example\r\n\r\n"
        thread = Thread(f"{subject}{bad}", f"<1{bad}@x>", (f"<0{bad}@x>",))
        head = Letterhead(DESK, f"{name}{bad}", "https://desk.example")
        buttons = (Button("1", f"{title}{bad}"),)
        file = (Attachment("f", f"{title}{bad}.txt", "text/plain", 1), b"x")
        message = outbound(f"{text}{bad}", buttons=buttons)
        raw = write(head, Envelope(ANN, "<fd@desk.example>", DESK, thread), message, [file], NOW)
        found = read(raw)
        assert found["bcc"] is None
        known = {"from", "to", "reply-to", "subject", "date", "message-id", "in-reply-to", "references"}
        known |= {"auto-submitted", "x-auto-response-suppress", "mime-version", "content-type"}
        assert {name.lower() for name in found} <= known
        raw.decode("ascii")


class TestThroughSmtp:
    async def test_each_attempt_has_the_same_message_id(self, provider: MailServer) -> None:
        connector = mailbox(provider)
        first = await connector.send(ANN, outbound("Hello"))
        assert await connector.send(ANN, outbound("Hello")) == first
        assert {message["message-id"] for message in provider.received(ANN)} == {first}
        assert await connector.send(ANN, outbound("Hello", outbox_id="b" * 32)) != first

    async def test_files_go_along_and_large_ones_get_mails_of_their_own(self, provider: MailServer) -> None:
        shelf = Shelf()
        files = tuple(shelf.put(f"图{place}.png", "image/png", b"\x89PNG" * 200_000) for place in range(3))
        await mailbox(provider, shelf, files_per_mail=1_700_000).send(ANN, outbound("Files", attachments=files))
        names = [[one.get_filename() for one in message.iter_attachments()] for message in provider.received(ANN)]
        assert names == [["图0.png", "图1.png"], ["图2.png"]]
        assert len({message["message-id"] for message in provider.received(ANN)}) == 2
        gone = Attachment("gone", "a.png", "image/png", 1)
        with pytest.raises(MessageRejected, match="gone"):
            await mailbox(provider, shelf).send(ANN, outbound("x", attachments=(gone,)))

    async def test_a_password_is_given_under_tls_only_with_a_certificate_that_holds(self, dovecot: Dovecot) -> None:
        async with mail_server(dovecot, tls=True) as provider:
            tls: dict[str, Any] = {"smtp_tls": "starttls", "smtp_login": True, "smtp_host": "localhost"}
            with pytest.raises(ChannelUnavailable):
                await mailbox(provider, **tls).send(ANN, outbound("x"))
            trusted = tls | {"ca_file": provider.dovecot.certificate}
            await mailbox(provider, **trusted).send(ANN, outbound("x"))
            assert len(provider.received(ANN)) == 1
            with pytest.raises(ChannelUnavailable, match="refused") as refused:
                await mailbox(provider, **trusted, smtp_password="not this").send(ANN, outbound("y"))
            assert "not this" not in str(refused.value)

    @pytest.mark.parametrize(
        ("failure", "error"),
        [
            ("rcpt:450 4.2.1 busy, greylisted", ChannelUnavailable),
            ("rcpt:550 5.1.1 no such user", ContactUnreachable),
            ("rcpt:552 5.2.2 mailbox full", ContactUnreachable),
            ("rcpt:550 5.7.1 relaying denied", MessageRejected),
            ("421 4.7.0 too many mails", ChannelUnavailable),
            ("451 4.3.0 try again", ChannelUnavailable),
            ("552 5.3.4 too large", MessageRejected),
            ("554 5.7.1 looks like spam", MessageRejected),
            ("drop", DeliveryUnknown),
        ],
    )
    async def test_each_refusal_has_its_meaning(
        self, provider: MailServer, failure: str, error: type[SendError]
    ) -> None:
        provider.failures = [failure]
        with pytest.raises(error) as refused:
            await mailbox(provider).send(ANN, outbound("x"))
        assert type(refused.value) is error

    async def test_a_server_that_falls_silent_after_the_mail_may_have_it(self, provider: MailServer) -> None:
        provider.failures = ["hang"]
        with pytest.raises(DeliveryUnknown):
            await mailbox(provider, smtp_timeout_seconds=0.5).send(ANN, outbound("x"))

    async def test_a_server_that_is_not_there_has_nothing(self) -> None:
        with pytest.raises(ChannelUnavailable):
            await mailbox().send(ANN, outbound("x"))

    @pytest.mark.parametrize("to", ["nobody", "a@b\r\nRCPT TO:<c@d>", "<a@b.example>", "a@b.example,c@d.example", ""])
    async def test_what_is_no_address_is_refused(self, provider: MailServer, to: str) -> None:
        with pytest.raises(MessageRejected):
            await mailbox(provider).send(to, outbound("x"))
        assert provider.attempts == 0

    async def test_the_outbox_tries_again_and_a_lost_answer_makes_no_second_mail_with_another_id(
        self, provider: MailServer, tmp_path: Path
    ) -> None:
        """F24: an e-mail whose answer was lost has the same Message-ID when it is sent again."""
        provider.proven.add("shop.example")
        async with desk_with_mailbox(tmp_path, provider) as server:
            await provider.write(ANN, mail(ANN, "Hi", "How do I return a kite?"))
            provider.failures = ["451 4.3.0 try again", "drop"]
            await provider.until(lambda: len(provider.received(ANN)) == 2)
            assert len({message["message-id"] for message in provider.received(ANN)}) == 1
            await provider.write(ANN, mail(ANN, "Hi again", "and another"))
            provider.failures = ["554 5.1.1 gone"]
            address = server.connectors[0].address(ANN)

            async def given_up() -> bool:
                return any(one.delivery_failed for one in await server.desk.transcript(address))

            while not await given_up():  # noqa: ASYNC110  # the desk has no event for it here
                await asyncio.sleep(0.02)


class TestLoops:
    async def test_automatic_answers_to_one_sender_end_and_people_may_go_on(self, provider: MailServer) -> None:
        now = NOW
        connector = mailbox(provider, automatic_per_hour=3, now=lambda: now)
        for number in range(3):
            await connector.send(ANN, outbound("x", outbox_id=f"{number}" * 32))
        await connector.send(ANN, outbound("x", outbox_id="0" * 32))  # another attempt
        with pytest.raises(MessageRejected, match="machine"):
            await connector.send(f"{ANN}#abcdefgh", outbound("x", outbox_id="9" * 32))
        await connector.send(ANN, outbound("x", Author.AGENT, outbox_id="8" * 32))
        await connector.send("bob@shop.example", outbound("x", outbox_id="7" * 32))
        now += timedelta(hours=1)
        await connector.send(ANN, outbound("x", outbox_id="9" * 32))

    async def test_an_automatic_answer_to_our_answer_is_the_last_mail(
        self, provider: MailServer, tmp_path: Path
    ) -> None:
        """F46: of two programs that answer automatically, ours says one thing, whatever the other sends back."""
        provider.proven.add("shop.example")
        async with desk_with_mailbox(tmp_path, provider) as server:
            await provider.write(ANN, mail(ANN, "Hi", "How do I return a kite?"))
            answer = await provider.answer_to(ANN, 1)
            assert answer["auto-submitted"] == "auto-replied"
            for number in range(5):  # its absence notice, and that of whoever stands in
                away = mail(
                    ANN,
                    f"Automatic reply: {answer['subject']}",
                    f"I am away until Monday ({number}).",
                    Auto_Submitted="auto-replied",
                    In_Reply_To=str(answer["message-id"]),
                )
                await provider.write(ANN, away)
            await provider.until(lambda: all("a" in flags for flags, _ in provider.dovecot.mails(DESK)))
            await provider.write(ANN, mail(ANN, "Hi", "And a reel?"))  # what would have been said before is out by then
            await provider.answer_to(ANN, 2)
            assert len(provider.received(ANN)) == 2
            transcript = await server.desk.transcript(server.connectors[0].address(ANN))
            assert not [one for one in transcript if "away" in one.text]

    async def test_two_machines_that_answer_everything_stop(self, provider: MailServer, tmp_path: Path) -> None:
        """F46: a program that hides that it is one gets no more answers than are set."""
        provider.proven.add("shop.example")
        async with desk_with_mailbox(tmp_path, provider, automatic_per_hour=3):
            await provider.write(ANN, mail(ANN, "Hi", "first"))
            for count in range(1, 4):  # a program that knows nothing of Auto-Submitted
                answer = await provider.answer_to(ANN, count)
                again = mail(
                    ANN, str(answer["subject"]), f"We got your mail {count}", In_Reply_To=str(answer["message-id"])
                )
                await provider.write(ANN, again)
            await provider.until(lambda: all("a" in flags for flags, _ in provider.dovecot.mails(DESK)))
            assert len(provider.received(ANN)) == 3


def test_the_password_is_in_no_text_about_the_account() -> None:
    connector = mailbox()
    assert PASSWORD not in repr(connector.settings) + str(connector.settings)
