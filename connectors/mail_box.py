"""One IMAP mailbox, read in a thread: every mail is confirmed on the server, and only after it is stored.

There is no cursor beside the mailbox that could run ahead of what is stored or be lost. A confirmed mail carries a
keyword, or lies in another folder where the server knows no keywords; everything else is new, whatever the UIDs are and
whoever has read it meanwhile. Nothing here marks a mail as seen (BODY.PEEK).
"""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal, TypeVar

import imap_tools
from imap_tools.errors import ImapToolsError

from connectors.mail_oauth import said_in, sasl
from conversations.errors import ChannelUnavailable

Tls = Literal["implicit", "starttls", "none"]
Confirm = Literal["auto", "keyword", "move"]
#: Everything that a broken connection or a refusing server raises.
TROUBLES = (imaplib.IMAP4.error, ImapToolsError, OSError, ValueError)
_HEAD_ONLY = 256 * 1024  # of a mail that is too large
_LONGEST_IDLE = 300.0  # networks forget silent connections; RFC 2177 allows 29 minutes
_TICK = 0.5  # how soon the thread sees that it shall stop
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class BoxSettings:
    """Where a mailbox is and how mails in it are confirmed."""

    host: str
    port: int
    tls: Tls
    user: str
    password: str  #: or the access token
    folder: str
    since: date
    confirm: Confirm = "auto"
    keyword: str = "Frontdesk"
    done_folder: str = "Frontdesk"
    largest_mail: int = 40 * 1024 * 1024
    timeout_seconds: float = 30.0
    oauth: bool = False


@dataclass(frozen=True, slots=True)
class Fetched:
    """A mail as it lies in the mailbox; of one that is too large only its beginning."""

    raw: bytes
    received_at: datetime | None
    whole: bool = True


class TokenRefused(ChannelUnavailable):
    """The server does not take the access token, which may have been withdrawn; a new one may help."""


class MailBox:
    """A connection; all methods block and belong into one thread, except ``stop``."""

    def __init__(self, settings: BoxSettings, context: ssl.SSLContext) -> None:
        self._settings = settings
        self._context = context
        self._box: Any = None
        self._moves = False
        self._stopped = threading.Event()
        self._confirmed: set[int] = set()  #: here, for servers whose search knows no keywords

    def open(self) -> None:
        """Sign in and look how mails can be confirmed; raises ``ChannelUnavailable``."""
        self._tried("the mailbox cannot be opened", self._open)

    def new(self) -> list[int]:
        """The UIDs of mails that are not confirmed, oldest first; raises ``ChannelUnavailable``."""
        return self._tried("searching failed", self._new)

    def fetch(self, uid: int) -> Fetched | None:
        """A mail, or None if somebody took it away meanwhile; raises ``ChannelUnavailable``."""
        return self._tried("fetching failed", lambda: self._fetch(uid))

    def confirm(self, uid: int) -> None:
        """Say that a mail is stored and need not be read again; raises ``ChannelUnavailable``."""
        self._tried("confirming failed", lambda: self._confirm(uid))
        self._confirmed.add(uid)

    def wait(self, seconds: float, *, idle: bool = True) -> None:
        """Return when the server tells of something new, or after a while; raises ``ChannelUnavailable``."""
        if idle and "IDLE" in self._box.client.capabilities:
            self._tried("waiting failed", lambda: self._idle(min(seconds, _LONGEST_IDLE)))
        else:
            self._stopped.wait(seconds)

    def heads_from(self, sender: str, most: int = 20) -> list[bytes]:
        """The headers of a sender's last mails, newest first; raises ``ChannelUnavailable``."""
        return self._tried("looking a mail up failed", lambda: self._heads_from(sender, most))

    def stop(self) -> None:
        """Let a waiting thread go on; may be called from any thread."""
        self._stopped.set()

    def close(self) -> None:
        """Sign out, or at least hang up."""
        self._stopped.set()
        if self._box is None:
            return
        try:
            self._box.client.sock.settimeout(2.0)
            self._box.logout()
        except TROUBLES:
            self.hang_up()

    def hang_up(self) -> None:
        """Cut the connection, also while another thread waits for an answer on it."""
        try:
            self._box.client.sock.shutdown(socket.SHUT_RDWR)
        except (AttributeError, OSError):
            return

    def _open(self) -> None:
        wanted = self._settings
        timeout = wanted.timeout_seconds
        if wanted.tls == "implicit":
            self._box = imap_tools.MailBox(wanted.host, wanted.port, timeout=timeout, ssl_context=self._context)
        elif wanted.tls == "starttls":
            self._box = imap_tools.MailBoxStartTls(wanted.host, wanted.port, timeout, self._context)
        else:
            self._box = imap_tools.MailBoxUnencrypted(wanted.host, wanted.port, timeout)
        client = self._box.client
        if wanted.oauth:
            self._sign_in_by_token()
        else:
            ascii_only = f"{wanted.user}{wanted.password}".isascii()
            sign_in = self._box.login if ascii_only else self._box.login_utf8
            sign_in(wanted.user, wanted.password, initial_folder=None)
        client._get_capabilities()  # servers tell more to those who are signed in
        if "ID" in client.capabilities:
            client.xatom("ID", '("name" "Frontdesk" "version" "1.0")')  # NetEase refuses SELECT to strangers
        self._box.folder.set(wanted.folder)
        allowed = b" ".join(one or b"" for one in client.untagged_responses.get("PERMANENTFLAGS", [])).decode()
        knows_keyword = "\\*" in allowed or wanted.keyword.lower() in allowed.lower().strip("()").split()
        if wanted.confirm == "keyword" and not knows_keyword:
            raise ValueError("the server keeps no keywords; use confirm: move")
        self._moves = wanted.confirm == "move" or not knows_keyword
        if self._moves and not self._box.folder.exists(wanted.done_folder):
            self._box.folder.create(wanted.done_folder)

    def _sign_in_by_token(self) -> None:
        refusals: list[str] = []

        def answer(challenge: bytes) -> str:
            if not challenge:
                return sasl(self._settings.user, self._settings.password)
            refusals.append(said_in(challenge))
            return ""  # the server waits for it before it says no

        if "AUTH=XOAUTH2" not in self._box.client.capabilities:
            raise ValueError("the server does not offer XOAUTH2; use password instead of oauth")
        try:
            self._box.client.authenticate("XOAUTH2", answer)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            raise TokenRefused(f"{' '.join(refusals)} {error}".strip()) from None

    def _new(self) -> list[int]:
        client = self._box.client
        client.untagged_responses.pop("EXISTS", None)  # what comes from here on is looked at before waiting
        client.noop()  # some servers tell of new mails with no other command
        since = self._settings.since
        criteria = f"SINCE {since.day}-{_MONTHS[since.month - 1]}-{since.year} UNDELETED"
        if not self._moves:
            criteria += f" UNKEYWORD {self._settings.keyword}"
        return sorted({int(uid) for uid in self._box.uids(criteria)} - self._confirmed)

    def _fetch(self, uid: int) -> Fetched | None:
        found = self._items(uid, "(RFC822.SIZE INTERNALDATE)")
        if found is None:
            return None
        line, _ = found
        size = re.search(rb"RFC822\.SIZE (\d+)", line)
        whole = size is None or int(size[1]) <= self._settings.largest_mail
        body = self._items(uid, "(BODY.PEEK[])" if whole else f"(BODY.PEEK[]<0.{_HEAD_ONLY}>)")
        return None if body is None else Fetched(body[1], _internal_date(line), whole)

    def _items(self, uid: int, what: str) -> tuple[bytes, bytes] | None:
        """The words and the literal of the answer about one mail; None if the server has nothing to say of it."""
        status, data = self._box.client.uid("FETCH", str(uid), what)
        if status != "OK":
            raise ValueError(f"FETCH was answered {status}")
        wanted = b"BODY[" if b"BODY" in what.encode() else b"INTERNALDATE"
        return answer_about(uid, wanted, data)

    def _confirm(self, uid: int) -> None:
        if self._moves:
            self._box.move(str(uid), self._settings.done_folder)
            return
        status, _ = self._box.client.uid("STORE", str(uid), "+FLAGS.SILENT", f"({self._settings.keyword})")
        if status != "OK":
            raise ValueError(f"STORE was answered {status}")

    def _idle(self, seconds: float) -> None:
        idle = self._box.idle
        until = time.monotonic() + seconds
        idle.start()
        told = "EXISTS" in self._box.client.untagged_responses
        while not told and not self._stopped.is_set() and time.monotonic() < until:
            began = time.monotonic()
            told = any(b"EXISTS" in line for line in idle.poll(_TICK))
            if not told and time.monotonic() - began < _TICK / 2:
                break  # something else was said, or the server hung up
        idle.stop()

    def _heads_from(self, sender: str, most: int) -> list[bytes]:
        heads: list[tuple[datetime, bytes]] = []
        quoted = sender.replace("\\", "\\\\").replace('"', '\\"')
        for folder in dict.fromkeys([self._settings.folder, *([self._settings.done_folder] if self._moves else [])]):
            self._box.folder.set(folder)
            for uid in sorted(map(int, self._box.uids(f'FROM "{quoted}"')))[-most:]:
                found, date_line = self._items(uid, "(BODY.PEEK[HEADER])"), self._items(uid, "(INTERNALDATE)")
                if found is not None and date_line is not None:
                    heads.append((_internal_date(date_line[0]) or datetime.min.replace(tzinfo=UTC), found[1]))
        return [head for _, head in sorted(heads, key=lambda one: one[0])[::-1][:most]]

    def _tried(self, what: str, action: Callable[[], Value]) -> Value:
        try:
            return action()
        except TokenRefused as error:
            raise TokenRefused(
                f"IMAP {self._settings.host}: the server does not take the access token of {self._settings.user} "
                f"({str(error)[:100]}); it may not read this mailbox, or IMAP is switched off there"
            ) from None
        except TROUBLES as error:
            said = str(error).replace(self._settings.password, "…") if self._settings.password else str(error)
            raise ChannelUnavailable(f"IMAP {self._settings.host}: {what}: {said[:300]}") from None


def answer_about(uid: int, wanted: bytes, data: list[Any]) -> tuple[bytes, bytes] | None:
    """Words and literal of the FETCH answer about one mail, among what the server told of others meanwhile."""
    for words, literal in _answers(data):
        if wanted in words and re.search(rb"\bUID %d\b" % uid, words):
            return words, literal
    return None


def _answers(data: list[Any]) -> list[tuple[bytes, bytes]]:
    """Words and literal of each FETCH answer, from imaplib's list of pieces; an answer begins with a number."""
    answers: list[tuple[bytes, bytes]] = []
    for piece in data:
        words, literal = piece if isinstance(piece, tuple) else (piece or b"", b"")
        if answers and not re.match(rb"\d+ \(", words):
            before, kept = answers.pop()
            answers.append((before + b" " + words, kept or literal))
        else:
            answers.append((words, literal))
    return answers


def _internal_date(line: bytes) -> datetime | None:
    parts = imaplib.Internaldate2tuple(line)
    return None if parts is None else datetime.fromtimestamp(time.mktime(parts), UTC)
