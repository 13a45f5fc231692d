"""What mail servers send back says which of our mails did not arrive, in whatever form they say it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mail_bounces import Bounce
from connectors.mail_reading import Ignored, Rules, read
from connectors.mail_threads import Contact, Marks
from conversations.model import Address, Author, Message
from tests.connectors.desk import AGENT, Server
from tests.connectors.mail_desk import desk_with_mailbox
from tests.doubles.dovecot import Dovecot
from tests.doubles.mail_server import DESK, MailServer, mail, mail_server, report

MARKS = Marks(b"secret of the tests", "default", DESK)
RULES = Rules(DESK, MARKS)
ANN = "ann@shop.example"
OUTBOX = "a" * 32
OURS = MARKS.message_id(Contact(ANN, "abcdefghijklmnop"), OUTBOX, 0)
COPY = f"From: Kite Shop <{DESK}>\nTo: {ANN}\nSubject: Re: Hello\nMessage-ID: {OURS}\n\nYou may return within seven days.\n"

QMAIL = f"""Hi. This is the qmail-send program at far.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{ANN}>:
192.0.2.7 does not like recipient.
Remote host said: 550 5.1.1 no such user here
Giving up on 192.0.2.7.

--- Below this line is a copy of the message.

Return-Path: <{DESK}>
{COPY}"""
EXIM = f"""This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {ANN}
    host mx.shop.example [192.0.2.7]
    SMTP error from remote mail server after RCPT TO:<{ANN}>:
    550 5.7.1 mailbox closed

------ This is a copy of the message, including all the headers. ------

{COPY}"""
EXIM_WARNING = f"""This message was created automatically by mail delivery software.
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on far.example.

  {ANN}
    Delay reason: connection timed out

No action is required on your part. Delivery attempts will continue for
some time, and this warning may be repeated. The message will be retried.

{COPY}"""
CHINESE = f"""很抱歉，您发送的邮件被退回，以下是该邮件的相关信息：
被退回邮件主题：Re: Hello
收件人：{ANN}
无法发送到 {ANN}
退信原因：收件人邮件地址不存在，邮件无法送达。
host mx.shop.example said: 550 User not found

原邮件信息：
{COPY}"""
CHINESE_DELAY = f"""您的邮件暂时未能送达，系统将继续投递，请勿重复发送。
收件人：{ANN}
原邮件信息：
{COPY}"""


def words(text: str, subject: str = "failure notice", sender: str = "MAILER-DAEMON@far.example") -> bytes:
    return mail(sender, subject, text, Return_Path="<>").as_bytes()


def bounce(raw: bytes) -> Bounce | None:
    found = read(raw, RULES)
    assert isinstance(found, Ignored)
    return found.bounce


def failed(raw: bytes) -> str:
    """Why our mail did not arrive."""
    found = bounce(raw)
    assert found is not None
    assert (found.outbox_id, found.failed) == (OUTBOX, True)
    return found.reason


class TestReports:
    def test_a_report_names_our_mail_and_the_reason(self) -> None:
        assert failed(report(ANN, COPY.encode(), DESK)) == "5.1.1 550 user unknown (mx.shop.example)"

    @pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
    def test_what_is_late_or_arrived_is_not_a_failure(self, action: str) -> None:
        found = bounce(report(ANN, COPY.encode(), DESK, action=action, status="4.4.1"))
        assert found is not None
        assert not found.failed

    def test_a_mail_that_was_given_up_after_days_has_failed(self) -> None:
        assert "4.4.7" in failed(report(ANN, COPY.encode(), DESK, status="4.4.7", why="queue lifetime exceeded"))

    def test_the_head_alone_is_enough(self) -> None:
        head, _, _ = COPY.partition("\n\n")
        raw = report(ANN, b"", DESK).replace(b"message/rfc822\r\n\r\n", b"text/rfc822-headers\r\n\r\n" + head.encode())
        assert failed(raw)

    def test_a_forwarded_recipient_is_found_in_the_head_of_our_mail(self) -> None:
        assert failed(report("elsewhere@other.example", COPY.encode(), DESK))

    def test_a_report_on_somebody_elses_recipient_proves_nothing(self) -> None:
        """F46: only who got our mail, or its server, knows a Message-ID that is signed for that recipient."""
        foreign = COPY.replace(ANN, "eve@evil.example")
        assert bounce(report("eve@evil.example", foreign.encode(), DESK)) is None
        assert bounce(report(ANN, COPY.replace("@desk.example>", "@other.example>").encode(), DESK)) is None
        other = Marks(b"another secret", "default", DESK).message_id(Contact(ANN), OUTBOX, 0)
        assert bounce(report(ANN, COPY.replace(OURS, other).encode(), DESK)) is None


class TestWords:
    @pytest.mark.parametrize(
        ("text", "reason"),
        [(QMAIL, "550 5.1.1 no such user"), (EXIM, "550 5.7.1 mailbox closed"), (CHINESE, "550 User not found")],
        ids=["qmail", "Exim", "Chinese"],
    )
    def test_servers_that_write_no_report_are_understood(self, text: str, reason: str) -> None:
        assert reason in failed(words(text))

    @pytest.mark.parametrize("text", [EXIM_WARNING, CHINESE_DELAY], ids=["Exim", "Chinese"])
    def test_a_warning_is_no_failure(self, text: str) -> None:
        found = bounce(words(text, "Warning: message delayed"))
        assert found is not None
        assert not found.failed

    def test_encodings_hide_nothing(self) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "PostMaster@far.example", DESK, "来自far.example的退信"
        message.set_content(CHINESE, cte="base64")
        assert "550" in failed(message.as_bytes())
        message.clear_content()
        message.set_content(
            f"<html><body><p>{CHINESE.replace('<', '&lt;').replace('>', '&gt;')}</p></body></html>", "html"
        )
        assert "550" in failed(message.as_bytes())
        nested = EmailMessage()
        nested["From"], nested["To"], nested["Subject"] = "postmaster@far.example", DESK, "Undeliverable: Re: Hello"
        nested.set_content("Your message couldn't be delivered.")
        nested.add_attachment(COPY.encode(), maintype="application", subtype="octet-stream", filename="a.eml")
        assert bounce(nested.as_bytes()) is None  # nothing in it names our mail where mail programs would read it
        nested["In-Reply-To"] = OURS
        nested.clear_content()
        nested.set_content(f"Your message to {ANN} couldn't be delivered. 550 5.1.10 RecipientNotFound")
        assert "RecipientNotFound" in failed(nested.as_bytes())

    def test_an_absence_note_that_quotes_us_is_no_bounce(self) -> None:
        text = f"I am away; mail to {ANN} could not be delivered to me before Monday.\n\n{COPY}"
        raw = mail(ANN, "Re: Hello", text, Return_Path="<>", Auto_Submitted="auto-replied").as_bytes()
        assert bounce(raw) is None

    def test_what_we_wrote_ourselves_says_nothing_about_what_became_of_it(self) -> None:
        text = f"Delivery report for {ANN}: relayed.\n\n--- Below this line is a copy of the message.\n\n{COPY}"
        found = bounce(words(f"{text}\nYour parcel could not be delivered.\n", "Delivery report"))
        assert found is not None
        assert not found.failed

    @given(
        st.binary(max_size=200), st.sampled_from([report(ANN, COPY.encode(), DESK), words(QMAIL)]), st.integers(0, 2000)
    )
    def test_broken_reports_never_raise(self, noise: bytes, raw: bytes, place: int) -> None:
        read(raw[:place] + noise + raw[place:], RULES)
        encoded = base64.b64encode(noise)
        read(raw.replace(b"message/delivery-status\r\n\r\n", b"message/delivery-status\r\n\r\n" + encoded, 1), RULES)


@pytest.fixture
async def provider(dovecot: Dovecot) -> AsyncIterator[MailServer]:
    async with mail_server(dovecot) as provider:
        provider.proven.add("shop.example")
        yield provider


async def undelivered(server: Server, seq: int) -> list[Message]:
    """What did not arrive, as soon as one message is among it."""
    async with asyncio.timeout(30):
        while True:
            transcript = await server.desk.transcript(Address("email", "default", ANN))
            marked = [one for one in transcript if one.delivery_failed]
            if seq in [one.seq for one in marked]:
                return marked
            await asyncio.sleep(0.05)


async def test_an_answer_that_comes_back_is_marked_in_the_transcript_and_can_be_sent_again(
    provider: MailServer, tmp_path: Path
) -> None:
    async with desk_with_mailbox(tmp_path, provider) as server:
        await provider.write(ANN, mail(ANN, "Kite", "a person please"))
        await provider.answer_to(ANN, 1)
        conversation = await server.desk.find_current(Address("email", "default", ANN))
        assert conversation is not None
        await server.desk.assign(conversation.id, AGENT)
        provider.unknown.add(ANN)
        reply = await server.desk.reply_as_agent(conversation.id, AGENT, "Here I am.")
        marked = await undelivered(server, reply.seq)
        assert all(one.author is not Author.CONTACT for one in marked)
        letters = [letter for letter in await server.outbox.dead_letters() if "user unknown" in (letter[3] or "")]
        assert len(letters) == len(marked)
        provider.unknown.clear()
        before = len(provider.inboxes[ANN])
        assert await server.outbox.replay(letters[0][0])
        await provider.answer_to(ANN, before + 1)
