"""Writes our messages as mails: plain text with a simple HTML alternative, files, and headers that keep the thread.

Headers are written here line by line, because the standard library encodes long Message-IDs in References as if they
were words, and because no value may ever bring a line of its own.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr

from markdown_it import MarkdownIt

from connectors.mail_reading import base_subject, is_chinese
from connectors.mail_threads import Thread
from connectors.text import as_plain_text, tables_as_lists
from conversations.model import Attachment, Author, MessageKind, OutboundMessage

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LINK = re.compile(r"\[([^\]\n]+)\]\((https?://[^\s()]+)\)")
_WORDS = {
    "zh": (
        "回复：",
        "您的来信",
        "直接回复此邮件即可，只写选项前的数字。",
        "直接回复此邮件，只写一个数字即可。",
        "来源：",
    ),
    "en": ("Re: ", "Your message", "Reply with the number of your choice.", "Just reply with a number.", "Source: "),
}
_STOP = {
    "zh": "不想再收到这类邮件？点这里退订：{link}",
    "en": "Don't want e-mails like this one? Unsubscribe here: {link}",
}
_STOP_LINK = {"zh": "退订", "en": "unsubscribe"}
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table").disable("image")
_POLICY = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What stands above every mail of one account."""

    address: str
    name: str
    public_url: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands above this one."""

    to: str
    message_id: str
    reply_to: str
    thread: Thread
    stop_url: str | None = None  #: of a mail that nobody asked for: ends all of them


def language_of(message: OutboundMessage, thread: Thread) -> str:
    """The thread's language: of its subject, or of the answer where the subject says nothing."""
    words = thread.subject or message.text
    return "zh" if is_chinese(words) or (not thread.subject and not message.text) else "en"


def write(
    letterhead: Letterhead,
    envelope: Envelope,
    message: OutboundMessage,
    files: list[tuple[Attachment, bytes]],
    now: datetime,
) -> bytes:
    """The mail as it is handed in."""
    language = language_of(message, envelope.thread)
    body = EmailMessage(policy=_POLICY)
    stop_url = envelope.stop_url
    body.set_content(_plain(message, letterhead, language, stop_url))
    body.add_alternative(_html(message, letterhead, language, stop_url), subtype="html")
    for file, content in files:
        family, _, kind = file.media_type.partition("/")
        body.add_attachment(content, maintype=family, subtype=kind, filename=one_line(file.name))
    thread = envelope.thread
    prefix, nothing, *_ = _WORDS[language]
    named = [("From", _sender(letterhead))]
    named.append(("To", one_line(envelope.to)))
    named.append(("Reply-To", one_line(envelope.reply_to)))
    subject = thread.subject if stop_url else prefix + (base_subject(thread.subject) or nothing)
    named.append(("Subject", _encoded("Subject", subject)))
    named.append(("Date", format_datetime(now)))
    named.append(("Message-ID", one_line(envelope.message_id)))
    if thread.message_id:
        named.append(("In-Reply-To", one_line(thread.message_id)))
        referred = dict.fromkeys((*thread.references, thread.message_id))
        named.append(("References", "\r\n ".join(one_line(one) for one in referred)))
    if message.author is not Author.AGENT:
        # RFC 3834: no machine shall answer this
        named.append(("Auto-Submitted", "auto-generated" if stop_url else "auto-replied"))
        named.append(("X-Auto-Response-Suppress", "All"))
    if stop_url:  # RFC 8058: mail programs show a button that posts there
        named.append(("List-Unsubscribe", f"<{one_line(stop_url)}>"))
        named.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    head = "".join(f"{name}: {value}\r\n" for name, value in named)
    return head.encode("utf-8") + body.as_bytes(policy=_POLICY)


def one_line(value: str) -> str:
    """A header value that stays in its line, whatever it is made of."""
    return _CONTROLS.sub(" ", value).strip()


def _sender(letterhead: Letterhead) -> str:
    name = one_line(letterhead.name)
    if name.isascii():
        return formataddr((name, letterhead.address))
    return f"{_encoded('From', name)} <{letterhead.address}>"


def _encoded(name: str, value: str) -> str:
    said = one_line(value)[:400]
    return (
        said if said.isascii() and len(said) < 200 else Header(said, "utf-8", header_name=name).encode(linesep="\r\n")
    )


def _plain(message: OutboundMessage, letterhead: Letterhead, language: str, stop_url: str | None) -> str:
    said = message
    if message.author is not Author.AGENT:  # what people type is not meant as markup
        text = _LINK.sub(r"\1 (\2)", message.text).replace("**", "")
        said = replace(message, text=text)
    blocks = [as_plain_text(said, letterhead.public_url, language)]
    if message.buttons:
        blocks.append(_hint(message, language))
    if stop_url:
        blocks.append(_STOP[language].format(link=stop_url))
    return "\n\n".join(filter(None, blocks))


def _html(message: OutboundMessage, letterhead: Letterhead, language: str, stop_url: str | None) -> str:
    blocks: list[str] = []
    if message.text and message.author is not Author.AGENT:
        blocks.append(_MARKDOWN.render(message.text).strip())
    elif message.text:
        lines = html.escape(tables_as_lists(message.text, language)).split("\n")
        blocks.append(f"<p>{'<br>'.join(lines)}</p>")
    if message.buttons:
        titles = "".join(f"<li>{html.escape(button.title)}</li>" for button in message.buttons)
        marks = "ul" if message.kind is MessageKind.RATING_REQUEST else "ol"
        blocks.append(f"<{marks}>{titles}</{marks}><p>{html.escape(_hint(message, language))}</p>")
    for citation in message.citations:
        url = f"{letterhead.public_url.rstrip('/')}{citation.url}" if citation.url.startswith("/") else citation.url
        title = html.escape(citation.title)
        if url.startswith(("https://", "http://")):
            title = f'<a href="{html.escape(url)}">{title}</a>'
        blocks.append(f"<p>{_WORDS[language][4]}{title}</p>")
    if stop_url:
        link = f'<a href="{html.escape(stop_url)}">{_STOP_LINK[language]}</a>'
        blocks.append(f"<p><small>{_STOP[language].format(link=link)}</small></p>")
    page = "\n".join(blocks)
    return (
        f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8"></head><body>\n{page}\n</body></html>\n'
    )


def _hint(message: OutboundMessage, language: str) -> str:
    return _WORDS[language][3 if message.kind is MessageKind.RATING_REQUEST else 2]
