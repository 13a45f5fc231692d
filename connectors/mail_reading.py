"""Reads mails: who wrote, to which thread it belongs, what is new in it, and whether a machine wrote it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from typing import Literal

from connectors.mail_bounces import Bounce, bounce_of
from connectors.mail_mime import Content, content_of, decoded, header, headers, parsed
from connectors.mail_threads import Contact, Marks, Thread, domain_of, fits

MAX_FILE = 10 * 1024 * 1024
_HAN = re.compile(r"[\u4e00-\u9fff]")
_MESSAGE_ID = re.compile(r"<[^<>\s]{3,400}>")
_REPLY = re.compile(r"^\s*((re|fw|fwd|aw|回复|回覆|答复|答覆|转发|轉寄)\s*(\[\d+\])?\s*[:：]\s*)+", re.IGNORECASE)
_NOBODY = re.compile(r"(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)([+=-].*)?", re.IGNORECASE)
_AWAY = re.compile(
    r"\s*(\[?自动回复\]?|\[?自動回覆\]?|自动答复|auto(matic)?[ -]?reply|autoreply|out of (the )?office)(\s*[:：\]\-—]|\s*$)",
    re.IGNORECASE,
)
_ANSWERED_BY_MACHINES = ("x-autoreply", "x-autorespond", "x-autoresponse", "auto-reply")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the reader must know of the account."""

    address: str
    marks: Marks
    authserv_id: str = ""  #: whose Authentication-Results are believed; none if empty
    separate_unproven: bool = True


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that somebody wrote to us."""

    contact: Contact
    external_id: str
    thread: Thread
    name: str
    sent_at: datetime | None
    language: str | None
    bound: bool  #: it continues a thread of ours
    content: Content
    vouched: bool = False  #: our own mail server says that it is from this contact

    @property
    def text(self) -> str:
        """What is new in it; the subject is a part of the first mail, and is all there is of one without words."""
        subject = _REPLY.sub("", self.thread.subject)
        if self.bound and (self.content.new or self.content.files):
            return self.content.new
        repeats = not subject or self.content.new.startswith(subject)
        return self.content.new if repeats else f"{subject}\n\n{self.content.new}".strip()


@dataclass(frozen=True, slots=True)
class Ignored:
    """A mail nobody shall answer, and why."""

    reason: Literal["automatic", "bounce", "own", "list", "no_sender"]
    bounce: Bounce | None = None  #: if it is about a mail of ours


def read(raw: bytes, rules: Rules, received_at: datetime | None = None) -> Mail | Ignored:
    """What to make of a mail, however broken it is."""
    message = parsed(raw)
    name, email = _sender(message)
    reason = _ignored(message, email, rules)
    if reason is not None:
        return Ignored(reason, bounce_of(message, rules.marks) if reason == "bounce" else None)
    found = thread_of(message)
    recipients = _addresses(message, "to", "cc", "delivered-to", "x-original-to", "envelope-to")
    contact = rules.marks.contact_of(email, recipients, found.references[::-1])
    bound = contact is not None
    identity = found.message_id or f"sha256:{hashlib.sha256(raw).hexdigest()}"
    vouched = _vouched(message, email, rules.authserv_id)
    if contact is None:
        proven = not rules.separate_unproven or vouched
        contact = Contact(email, "" if proven else rules.marks.thread_of(email, identity))
    content = content_of(message, MAX_FILE)
    said = f"{found.subject}\n{content.new}"
    return Mail(
        contact,
        _external_id(identity, email),
        found,
        name[:100],
        _sent_at(message, received_at),
        _language(message, said),
        bound,
        content,
        # Where anybody's mail may join in, one that is vouched for says nothing about the next.
        vouched and rules.separate_unproven and contact.email == email,
    )


def thread_of(message: Message) -> Thread:
    """Subject, Message-ID and what a reply must refer to."""
    own = _MESSAGE_ID.findall(header(message, "message-id"))
    before = _MESSAGE_ID.findall(f"{header(message, 'references')} {header(message, 'in-reply-to')}")
    unique = tuple(dict.fromkeys(before))
    if len(unique) > 20:
        unique = (unique[0], *unique[-19:])
    return Thread(header(message, "subject")[:500], own[0] if own else "", unique)


def base_subject(subject: str) -> str:
    """A subject without "Re:", "回复：" and the like."""
    return _REPLY.sub("", subject).strip()


def is_chinese(text: str) -> bool:
    """Whether there is a Chinese character in it."""
    return _HAN.search(text) is not None


def _sender(message: Message) -> tuple[str, str]:
    raw = [str(value)[:2_000] for value in message.get_all("from", [])[:1]]
    for name, address in getaddresses(raw):  # before decoding: an encoded name may hold commas and angle brackets
        local, _, domain = decoded(address).rpartition("@")
        email = f"{local}@{domain.lower().rstrip('.')}"
        if fits(email):
            return decoded(name), email
    return "", ""


def _addresses(message: Message, *names: str) -> list[str]:
    raw = [str(value)[:5_000] for name in names for value in message.get_all(name, [])[:5]]
    return [address for _, address in getaddresses(raw) if "@" in address]


def _ignored(
    message: Message, email: str, rules: Rules
) -> Literal["automatic", "bounce", "own", "list", "no_sender"] | None:
    """Whether a machine wrote it (RFC 3834); answering one machine to another never ends."""
    local = email.rpartition("@")[0]
    kind = message.get_content_type()
    path = header(message, "return-path")
    if kind == "multipart/report" or path == "<>" or local.lower() in ("mailer-daemon", "postmaster"):
        return "bounce"
    if not email:
        return "no_sender"
    if _is_ours(email, rules.address) or header(message, "x-loop").lower() == rules.address.lower():
        return "own"
    submitted = header(message, "auto-submitted").partition(";")[0].strip().lower()
    if submitted not in ("", "no") or any(message.get(name) is not None for name in _ANSWERED_BY_MACHINES):
        return "automatic"
    if message.get("x-auto-response-suppress") is not None or _NOBODY.fullmatch(local):
        return "automatic"
    if header(message, "precedence").lower() in ("bulk", "list", "junk", "auto_reply") or message.get("list-id"):
        return "list"
    return "automatic" if _AWAY.match(header(message, "subject")) else None


def _is_ours(email: str, address: str) -> bool:
    local, _, domain = email.lower().rpartition("@")
    ours, _, our_domain = address.lower().rpartition("@")
    return domain == our_domain and local.partition("+")[0] == ours


def _vouched(message: Message, email: str, authserv_id: str) -> bool:
    """Whether our own server says that the domain of From really sent it.

    Only the topmost header counts, because everything below may have come with the mail (RFC 8601, section 5), and only
    DMARC, because SPF and DKIM alone say nothing about From.
    """
    results = headers(message, "authentication-results")
    if not authserv_id or not results:
        return False
    # Addresses that the sender chose stand in quotation marks and comments: nothing in there is a statement.
    said = re.sub(r'"(?:[^"\\]|\\.)*"', "", results[0])
    while (shorter := re.sub(r"\([^()]*\)", "", said)) != said:
        said = shorter
    server, *stated = said.split(";")
    verdicts = [one.strip().lower() for one in stated if one.strip().lower().startswith("dmarc")]
    if server.strip().partition(" ")[0].lower() != authserv_id.lower() or len(verdicts) != 1:
        return False
    named = re.search(r"\bheader\.from\s*=\s*(\S+)", verdicts[0])
    passed = re.match(r"dmarc\s*=\s*pass(\s|$)", verdicts[0]) is not None
    return passed and not set('"()') & set(said) and (named is None or domain_of(named[1]) == domain_of(email))


def _external_id(identity: str, email: str) -> str:
    """The Message-ID is the sender's to choose, so it counts among their mails only."""
    named = f"{identity} {email}"
    return named if len(named) <= 500 else f"sha256:{hashlib.sha256(named.encode()).hexdigest()}"


def _sent_at(message: Message, received_at: datetime | None) -> datetime | None:
    try:
        said = parsedate_to_datetime(header(message, "date"))
        said = (said if said.tzinfo else said.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return received_at
    return said if received_at is None else min(said, received_at)


def _language(message: Message, said: str) -> str | None:
    if is_chinese(said):
        return "zh"
    named = header(message, "content-language")[:2].lower()
    if named in ("zh", "en"):
        return named
    return "en" if re.search(r"[A-Za-z]{2}", said) else None
