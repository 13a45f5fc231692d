"""One-time codes: how they are made and kept, and the ways they reach a customer."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import secrets
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib

from crm.model import utc_now

CODE_SECONDS = 600
CODE_TRIES = 5
CODES_PER_HOUR = 3
CODES_PER_ACCOUNT = 6
WRONG_TRIES = 5
WRONG_TRIES_PER_ACCOUNT = 10
WINDOW_SECONDS = 3600

_HERE = {"127.0.0.1", "localhost", "::1"}
logger = logging.getLogger(__name__)

TEXTS = {
    "zh": (
        "验证码 {code}",
        "您的验证码是 {code}，10 分钟内有效。如非本人操作，请忽略，也不要把它告诉任何人。",
    ),
    "en": (
        "{code} is your one-time code",
        "Your one-time code is {code}. It is valid for 10 minutes. If you did not ask for it, ignore this message "
        "and do not share it with anyone.",
    ),
}


def new_code() -> str:
    """Six random digits."""
    return f"{secrets.randbelow(1_000_000):06d}"


def keyed_hash(key: bytes, *parts: str) -> str:
    """A hash that cannot be reversed by trying all values unless one has the key; 64 hexadecimal digits."""
    return hmac.new(key, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()


class CodeSender(Protocol):
    """A way to reach customers. ``send`` hands over at once and fails silently for the customer:
    neither its time nor its result may tell whether somebody is behind a number."""

    def can_send(self, contact_point: str) -> bool:
        """Whether this way leads to such a contact point (e-mail address or phone)."""

    async def send(self, contact_point: str, code: str, language: str) -> None:
        """Hand a code over for delivery."""


class MailboxCodeSender:
    """Appends to a JSON-lines file that the demo page shows; stands for SMS and e-mail alike."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def can_send(self, contact_point: str) -> bool:
        """A demo mailbox takes everything."""
        return bool(contact_point)

    async def send(self, contact_point: str, code: str, language: str) -> None:
        """Write one line; readers see whole lines only."""
        line = {"at": utc_now().isoformat(), "to": contact_point, "code": code, "language": language}
        line["text"] = TEXTS[language][1].format(code=code)
        await asyncio.to_thread(self._append, json.dumps(line, ensure_ascii=False) + "\n")

    def _append(self, line: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line)


class SmtpCodeSender:
    """Sends codes by e-mail in the background; ``url`` is ``smtp://user:password@host:587`` or ``smtps://…``."""

    def __init__(self, url: str, sender: str, timeout_seconds: float = 20) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise ValueError("SMTP_URL must look like smtp://user:password@host:587 or smtps://host:465")
        self.sender = sender
        self.timeout_seconds = timeout_seconds
        self._host = parts.hostname
        self._tls = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._tls else 587)
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        # A password never goes over a network as it is; without one, mail is encrypted where the server can.
        open_password = self._password is not None and not self._tls and self._host not in _HERE
        self._start_tls = True if open_password else None
        self._pending: set[asyncio.Task[None]] = set()

    def can_send(self, contact_point: str) -> bool:
        """Only e-mail addresses."""
        return "@" in contact_point

    async def send(self, contact_point: str, code: str, language: str) -> None:
        """Start the delivery; a failure is logged without the code."""
        task = asyncio.create_task(self._deliver(contact_point, code, language))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def close(self) -> None:
        """Wait for deliveries that are under way."""
        await asyncio.gather(*self._pending)

    async def _deliver(self, contact_point: str, code: str, language: str) -> None:
        subject, body = TEXTS[language]
        message = EmailMessage()
        message["From"], message["To"] = self.sender, contact_point
        message["Subject"] = subject.format(code=code)
        message.set_content(body.format(code=code))
        try:
            await self.send_message(message)
        except (aiosmtplib.SMTPException, OSError) as error:
            logger.error("a one-time code could not be mailed: %s; check SMTP_URL", type(error).__name__)

    async def send_message(self, message: EmailMessage) -> None:
        """Hand any mail to the server; raises ``aiosmtplib.SMTPException`` or ``OSError`` unless it was taken."""
        await aiosmtplib.send(
            message,
            hostname=self._host,
            port=self._port,
            username=self._user,
            password=self._password,
            use_tls=self._tls,
            start_tls=self._start_tls,
            timeout=self.timeout_seconds,
        )
