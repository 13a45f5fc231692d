"""Hands a finished mail to an SMTP server and says what became of it."""

from __future__ import annotations

import contextlib
import ssl
from dataclasses import dataclass
from typing import Literal

import aiosmtplib
from aiosmtplib import SMTPException, SMTPResponseException

from connectors.mail_box import TokenRefused
from conversations.errors import ChannelUnavailable, ContactUnreachable, DeliveryUnknown, MessageRejected, SendError


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Where mails are handed in."""

    host: str
    port: int
    tls: Literal["implicit", "starttls", "none"]
    user: str | None
    password: str | None
    timeout_seconds: float = 20.0
    oauth: bool = False  #: the password is an access token


async def sign_in(settings: SmtpSettings, context: ssl.SSLContext) -> None:
    """Show that mails would be taken, and go again; raises ``ChannelUnavailable``."""
    smtp = _smtp(settings, context)
    try:
        await _connect(smtp, settings)
        with contextlib.suppress(SMTPException, OSError):
            await smtp.quit(timeout=2)
    finally:
        smtp.close()


async def hand_in(settings: SmtpSettings, context: ssl.SSLContext, sender: str, to: str, content: bytes) -> None:
    """Deliver to one recipient; raises a ``SendError`` that says whether the mail may be out."""
    smtp = _smtp(settings, context)
    where = f"SMTP {settings.host}"
    try:
        await _connect(smtp, settings)
        try:
            needs_utf8 = not (sender + to).isascii()
            options = ["SMTPUTF8", "BODY=8BITMIME"] if needs_utf8 else []
            await smtp.mail(sender, options=options, encoding="utf-8" if needs_utf8 else "ascii")
            try:
                await smtp.rcpt(to, encoding="utf-8" if needs_utf8 else "ascii")
            except SMTPResponseException as error:
                raise _refused(error, where, recipient=True) from None
        except SMTPResponseException as error:
            raise _refused(error, where) from None
        except (SMTPException, OSError, ValueError) as error:
            raise ChannelUnavailable(f"{where}: the connection broke ({_named(error)})") from None
        try:
            await smtp.data(content)
        except SMTPResponseException as error:
            raise _refused(error, where) from None
        except (SMTPException, OSError) as error:
            raise DeliveryUnknown(f"{where}: no answer to the mail ({_named(error)})") from None
        with contextlib.suppress(SMTPException, OSError):  # the mail is theirs, whatever they say to goodbye
            await smtp.quit(timeout=2)
    finally:
        smtp.close()


def _smtp(settings: SmtpSettings, context: ssl.SSLContext) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname=settings.host,
        port=settings.port,
        use_tls=settings.tls == "implicit",
        start_tls=settings.tls == "starttls",
        tls_context=context if settings.tls != "none" else None,
        timeout=settings.timeout_seconds,
    )


async def _connect(smtp: aiosmtplib.SMTP, settings: SmtpSettings) -> None:
    where = f"SMTP {settings.host}"
    try:
        await smtp.connect()
        if settings.user is not None and settings.password is not None:
            enter = smtp.auth_xoauth2 if settings.oauth else smtp.login
            await enter(settings.user, settings.password)
    except aiosmtplib.SMTPAuthenticationError as error:
        if settings.oauth:
            raise TokenRefused(
                f"{where}: the server does not take the access token of {settings.user} ({error.code}); "
                "it may not send from this mailbox, or authenticated SMTP is switched off there"
            ) from None
        # The operator can mend it: what waits then goes out.
        raise ChannelUnavailable(f"{where}: signing in was refused ({error.code})") from None
    except (SMTPException, OSError, ValueError) as error:
        raise ChannelUnavailable(f"{where}: no connection ({_named(error)})") from None


def _named(error: Exception) -> str:
    return f"{type(error).__name__} {error.code}" if isinstance(error, SMTPResponseException) else type(error).__name__


def _refused(error: SMTPResponseException, where: str, *, recipient: bool = False) -> SendError:
    """What a reply code means (RFC 5321, section 4.2; RFC 3463 for the enhanced code in its text)."""
    said = f"{where}: {error.code} {' '.join(str(error.message).split())[:200]}"
    if error.code < 500 and error.code != -1:
        return ChannelUnavailable(said)
    if error.code == -1:
        return DeliveryUnknown(said)
    policy = " ".join(str(error.message).split()).startswith("5.7.")
    if recipient and error.code in (550, 551, 552, 553, 554) and not policy:
        return ContactUnreachable(said)
    return MessageRejected(said)
