"""The other side of e-mail: aiosmtpd as the desk's provider and the customers' mail programs, Dovecot as its mailbox."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import aiosmtplib
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.doubles.dovecot import PASSWORD, Dovecot
from tests.doubles.oauth import Issuer

DESK = "support@desk.example"
AUTHSERV = "mx.desk.example"
_TAKEN = "250 2.0.0 taken"


def read(raw: bytes) -> EmailMessage:
    """A mail as mail programs read it."""
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


@dataclass
class MailServer:
    """Takes mails: those to the desk go into its mailbox, others into the inboxes of customers."""

    dovecot: Dovecot
    port: int = 0
    inboxes: dict[str, list[bytes]] = field(default_factory=dict)
    #: Answers instead of taking, in order: to RCPT ("rcpt:550 …"), to the mail ("550 …"), "drop" or "hang" after it.
    failures: list[str] = field(default_factory=list)
    proven: set[str] = field(default_factory=set)  #: domains that pass DMARC
    attempts: int = 0
    unknown: set[str] = field(default_factory=set)  #: recipients who are taken and then turn out not to exist

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.failures and self.failures[0].startswith("rcpt:"):
            return self.failures.pop(0).removeprefix("rcpt:")
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.attempts += 1
        content = envelope.content
        assert isinstance(content, bytes)
        failure = self.failures.pop(0) if self.failures else ""
        if failure == "hang":
            await asyncio.sleep(60)
        if failure[:1] in ("4", "5"):
            return failure
        for recipient in envelope.rcpt_tos:
            self._take(recipient, envelope.mail_from or "", content)
        if failure == "drop":  # taken, but the sender does not hear of it
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return _TAKEN

    def _take(self, recipient: str, sender: str, content: bytes) -> None:
        local, _, domain = recipient.partition("@")
        if domain == DESK.partition("@")[2]:
            author = str(read(content)["from"] or "")
            verdict = "pass" if any(f"@{domain}" in author for domain in self.proven) else "fail"
            head = f"Return-Path: <{sender}>\r\nDelivered-To: {recipient}\r\n"
            head += f"Authentication-Results: {AUTHSERV}; dmarc={verdict}\r\n"
            self.dovecot.deliver(f"{local.partition('+')[0]}@{domain}", head.encode() + content)
        elif recipient in self.unknown:
            if sender:  # a report is never reported on
                self._take(sender, "", report(recipient, content, sender))
        else:
            self.inboxes.setdefault(recipient, []).append(content)

    def received(self, customer: str) -> list[EmailMessage]:
        """What a customer got so far."""
        return [read(one) for one in self.inboxes.get(customer, [])]

    async def until(self, true: Callable[[], Any], seconds: float = 30.0) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110  # what is waited for may happen in the desk
                await asyncio.sleep(0.02)

    async def answer_to(self, customer: str, count: int) -> EmailMessage:
        """The customer's mail number ``count`` (from 1), as soon as it is there."""
        await self.until(lambda: len(self.inboxes.get(customer, [])) >= count)
        return self.received(customer)[count - 1]

    async def write(self, sender: str, message: EmailMessage | bytes, to: str = DESK) -> None:
        """A customer's mail program hands a mail in."""
        raw = message if isinstance(message, bytes) else message.as_bytes(policy=policy.SMTP)
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=self.port, start_tls=False) as smtp:
            await smtp.sendmail(sender, [to], raw)


class _Smtp(SMTP):
    line_length_limit = 12_290  # a line with a token (RFC 4954, section 4)


class MailServerWithTokens(MailServer):
    """It lets nobody in without an access token."""

    def __init__(self, dovecot: Dovecot, issuer: Issuer) -> None:
        super().__init__(dovecot)
        self.issuer = issuer
        self.signed_in: list[bool] = []

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not session.authenticated and address == DESK:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        return "250 2.1.0 ok"

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:
        """As Google documents it: a refusal is told as JSON, and the client answers with an empty line."""
        said = base64.b64decode(args[1]).decode() if len(args) > 1 else ""
        known = said in {f"user={DESK}\x01auth=Bearer {token}\x01\x01" for token in self.issuer.valid}
        self.signed_in.append(known)
        if not known:
            await server.challenge_auth(json.dumps({"status": "400", "schemes": "Bearer"}), log_client_response=False)
            return AuthResult(success=False, handled=False, message="535 5.7.3 Authentication unsuccessful")
        return AuthResult(success=True)


def mail(sender: str, subject: str, text: str, **headers: str) -> EmailMessage:
    """A plain mail to the desk."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, DESK, subject
    message["Message-ID"] = headers.pop("message_id", f"<{abs(hash((sender, subject, text)))}@program.example>")
    message["Date"] = "Mon, 30 Nov 2026 10:00:00 +0800"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def reply(answer: EmailMessage, sender: str, text: str, quote: str = "On Monday, {who} wrote:") -> EmailMessage:
    """What a mail program makes of "reply": the thread's headers, Reply-To, and the old words quoted below."""
    body = answer.get_body(("plain",))
    assert body is not None
    old = "\n".join(f"> {line}" for line in body.get_content().splitlines())
    message = mail(sender, str(answer["subject"]), f"{text}\n\n{quote.format(who=DESK)}\n{old}\n")
    message.replace_header("To", str(answer["reply-to"] or answer["from"]))
    message.replace_header("Message-ID", f"<reply-to-{str(answer['message-id']).strip('<>')}>")
    message["In-Reply-To"] = str(answer["message-id"])
    message["References"] = f"{answer['references'] or ''} {answer['message-id']}".strip()
    return message


def report(
    recipient: str,
    original: bytes,
    to: str,
    *,
    action: str = "failed",
    status: str = "5.1.1",
    why: str = "550 user unknown",
) -> bytes:
    """What a mail server says of a mail that it had taken (RFC 3464)."""
    fields = "Reporting-MTA: dns; mx.far.example\r\nArrival-Date: Mon, 30 Nov 2026 10:00:00 +0800\r\n\r\n"
    fields += f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n"
    fields += f"Remote-MTA: dns; mx.{recipient.partition('@')[2]}\r\nDiagnostic-Code: smtp; {why}\r\n"
    return (
        (
            f"From: Mail Delivery System <MAILER-DAEMON@far.example>\r\nTo: {to}\r\n"
            "Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\n"
            f"Message-ID: <report-{abs(hash(original))}@far.example>\r\nMIME-Version: 1.0\r\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="=_report"\r\n\r\n'
            "--=_report\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
            f"I'm sorry to have to inform you that your message could not be delivered.\r\n<{recipient}>: {why}\r\n"
            f"--=_report\r\nContent-Type: message/delivery-status\r\n\r\n{fields}\r\n"
            "--=_report\r\nContent-Type: message/rfc822\r\n\r\n"
        ).encode()
        + original
        + b"\r\n--=_report--\r\n"
    )


@asynccontextmanager
async def mail_server(
    dovecot: Dovecot, *, tls: bool = False, issuer: Issuer | None = None
) -> AsyncIterator[MailServer]:
    """A provider with an empty mailbox on the server; with ``tls`` its SMTP side wants STARTTLS and a password, of an
    ``issuer`` it takes tokens."""
    mine = dovecot.with_mailbox(DESK)
    provider = MailServer(mine) if issuer is None else MailServerWithTokens(mine, issuer)
    if issuer is not None:
        issuer.user = mine.login(DESK)
    context = None
    if tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(dovecot.folder / "cert.pem", dovecot.folder / "key.pem")

    def checked(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
        right = isinstance(given, LoginPassword) and (given.login, given.password) == (
            DESK.encode(),
            PASSWORD.encode(),
        )
        return AuthResult(success=right, handled=False)

    def connection() -> SMTP:
        server = _Smtp(
            provider,
            tls_context=context,
            require_starttls=tls,
            auth_required=tls,
            authenticator=checked,
            auth_require_tls=tls,
            data_size_limit=40_000_000,
            loop=asyncio.get_running_loop(),
        )
        server.command_size_limits["AUTH"] = 12_288  # RFC 4954, section 4
        return server

    listener = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0)
    provider.port = listener.sockets[0].getsockname()[1]
    try:
        yield provider
    finally:
        listener.close()
