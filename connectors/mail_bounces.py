"""Reads bounces: which of our mails could not be delivered for good, and why.

Mail servers report in the form of RFC 3464, or in words of their own with our mail (or its head) below them. A report
counts only if it quotes a Message-ID that we signed for the very recipient it names, so nobody can call a mail
undelivered that they never saw. Reports of delays and of success change nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.utils import getaddresses

from connectors.mail_mime import decode, decoded, header
from connectors.mail_threads import Marks

_MOST_PARTS = 50
_MOST_TEXT = 200_000  # characters of one part
_MOST_RECIPIENTS = 100
_LONGEST_REASON = 300
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"@]{1,64}@[A-Za-z0-9\u0080-\U0010ffff.-]{1,253}")
_STATUS = re.compile(r"(?<![\d.])([45])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_SMTP_CODE = re.compile(r"(?<![\d.])5[05]\d[ -](?=\S)")
_SERVERS = re.compile(r"\b(mailer-daemon|postmaster)@", re.IGNORECASE)
#: Words of servers that do not write RFC 3464: qmail, Exim, Exchange, older sendmail and smail, QQ, NetEase, Coremail.
_FAILED = re.compile(
    r"undeliver|could not be delivered|couldn.t be delivered|wasn.t delivered|not been delivered|unable to deliver"
    r"|delivery (has |to the following recipients? )?failed|delivery failure|failed permanently|permanent (fatal )?error"
    r"|returned mail|returning message to sender|failure notice|returned to sender|user unknown|unknown user"
    r"|no such (user|recipient|mailbox)|mailbox (is )?(unavailable|full|not found)|recipient.{0,20}rejected"
    r"|does not exist|giving up on|退信|投递失败|无法投递|发送失败|无法送达|未能送达|不存在|拒收",
    re.IGNORECASE,
)
_DELAYED = re.compile(
    r"delay(ed)?\b|warning: |this is a warning|not yet been delivered|still (being )?(trying|retried)"
    r"|will (keep|continue) (on )?(trying|to try)|will be retried|do not need to resend|don.t need to resend"
    r"|延迟|延误|稍后重试|继续尝试|将继续投递",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a report says of one of our mails."""

    outbox_id: str
    failed: bool  #: for good; otherwise it is late, or arrived
    reason: str


def bounce_of(message: Message, marks: Marks) -> Bounce | None:
    """What a mail of a mail server says of one of ours; None if it is about none, or cannot be believed."""
    parts = list(_parts(message))
    told = [block for part in parts if part.get_content_type() == _REPORT for block in _blocks(part)]
    texts = [_text(part) for part in parts if part.get_content_type() in _TEXTS]
    heads = [part for part in parts if part.get("message-id") and part is not message]
    ids = [
        header(message, "in-reply-to"),
        header(message, "references"),
        *(header(one, "message-id") for one in heads),
        *texts,
    ]
    outbox_id = marks.outbox_id_in("\n".join(ids), _recipients(message, told, heads, texts))
    if not outbox_id:
        return None
    if told:
        return _reported(outbox_id, told)
    if not _SERVERS.search(header(message, "from")) and message.get("x-failed-recipients") is None:
        return None  # an absence note that quotes us
    subject = header(message, "subject")
    own_words = next((text for text in texts if text.strip()), "")
    for line in ("--- Below this line", "------ This is a copy", "Original message", "原邮件"):
        own_words = own_words.partition(line)[0]  # what we wrote says nothing about what became of it
    said = f"{subject}\n{own_words}"
    late = _DELAYED.search(said) is not None and _SMTP_CODE.search(own_words) is None
    failed = not late and bool(_FAILED.search(said) or _SMTP_CODE.search(own_words))
    return Bounce(outbox_id, failed, _in_words(own_words) or subject[:_LONGEST_REASON])


_REPORT = "message/delivery-status"
_TEXTS = ("text/plain", "text/html", "text/rfc822-headers")


def _parts(message: Message) -> Iterator[Message]:
    for count, part in enumerate(message.walk()):
        if count >= _MOST_PARTS:
            return
        yield part


def _blocks(part: Message) -> list[Message]:
    """The groups of fields of a report; where the parser made a text of them, they are taken apart here."""
    payload = part.get_payload()
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


def _text(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    said = decode(content[: 4 * _MOST_TEXT], part.get_content_charset())[:_MOST_TEXT]
    if part.get_content_type() == "text/html":
        said = re.sub(r"&lt;", "<", re.sub(r"&gt;", ">", re.sub(r"<(?!fd\.)[^<>]*>", " ", said)))
    return said


def _recipients(message: Message, told: list[Message], heads: list[Message], texts: list[str]) -> list[str]:
    """Every address that the report may be about; the signature says which of them it is."""
    named = [
        header(block, name).partition(";")[2] for block in told for name in ("original-recipient", "final-recipient")
    ]
    written = [header(one, name) for one in heads for name in ("to", "cc")] + [header(message, "x-failed-recipients")]
    found = [*named, *(address for _, address in getaddresses(written))]
    for text in texts:
        found += _ADDRESS.findall(text[:20_000])
    return list(dict.fromkeys(one.strip().strip("<>") for one in found if "@" in one))[:_MOST_RECIPIENTS]


def _reported(outbox_id: str, told: list[Message]) -> Bounce:
    """RFC 3464: each of our mails has one recipient, so the worst that is said counts."""
    failed = [block for block in told if header(block, "action").lower().startswith("failed")]
    about = failed[0] if failed else told[-1]
    status, why = header(about, "status"), header(about, "diagnostic-code")
    words = why.partition(";")[2].strip() or why
    server = header(about, "remote-mta").partition(";")[2].strip()
    reason = " ".join(filter(None, [status.split(" ")[0], words, f"({server})" if server else ""]))
    return Bounce(outbox_id, bool(failed), decoded(reason)[:_LONGEST_REASON])


def _in_words(text: str) -> str:
    """The line that says most about why."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    for sign in (_STATUS, _SMTP_CODE, _FAILED):
        for line in lines:
            if sign.search(line):
                return decoded(line)[:_LONGEST_REASON]
    return ""
