"""Takes MIME apart: the words of a mail and its files, whatever is broken in it.

Nothing here raises: senders write wrong charsets, cut-off encodings and nested parts without end, and their mail is
shown as well as it can be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import collapse_rfc2231_value
from typing import Any

from connectors.base import MediaKind
from connectors.mail_html import PICTURE, text_of
from connectors.mail_quotes import new_part

MAX_FILES = 20
_MAX_PARTS = 200
_MAX_DEPTH = 20
_MAX_BOUNDARIES = 20_000  # lines that may begin a part; the parser makes an object of each
_MAX_TEXT = 500_000  # characters that are looked at
_LONGEST_HEADER = 5_000
#: Charsets that senders name too narrowly or in words that Python does not know.
_WIDER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "cp936": "gb18030",
    "x-gbk": "gb18030",
    "big5": "big5hkscs",
    "x-big5": "big5hkscs",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "unknown-8bit": "utf-8",
    "iso-8859-1": "cp1252",
}
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True)
class File:
    """A file of a mail; too large a one keeps its name only."""

    name: str
    kind: MediaKind
    content: bytes


@dataclass(frozen=True, slots=True)
class Content:
    """What is new in a mail, all of its words, and its files."""

    new: str
    whole: str
    cut: bool
    files: tuple[File, ...]


class _Readable(policy.Compat32):
    """Keeps bytes of a header that were never encoded, as old programs send them, as text in the likeliest charset."""

    def header_fetch_parse(self, name: str, value: Any) -> Any:
        if isinstance(value, str) and any("\udc80" <= letter <= "\udcff" for letter in value):
            return decode(value.encode("utf-8", "surrogateescape"), None)
        return super().header_fetch_parse(name, value)


_POLICY = _Readable()


def parsed(raw: bytes) -> Message:
    """The mail; one with parts without end is its head and one text."""
    try:
        if raw.count(b"\n--") > _MAX_BOUNDARIES:
            raise ValueError("too many parts")
        return message_from_bytes(raw, policy=_POLICY)
    except (RecursionError, ValueError, LookupError, HeaderParseError, AttributeError, TypeError, AssertionError):
        return BytesHeaderParser(policy=_POLICY).parsebytes(raw)


def header(message: Message, name: str) -> str:
    """A header as one line of text without control characters; empty if it is not there."""
    return decoded(message.get(name, ""))


def headers(message: Message, name: str) -> list[str]:
    """All headers of a name, top to bottom."""
    return [decoded(value) for value in message.get_all(name, [])]


def decoded(value: object) -> str:
    """A header value with its encoded words decoded, at most 5 000 characters."""
    raw = str(value)[:_LONGEST_HEADER]
    try:
        pieces = [piece if isinstance(piece, str) else decode(piece, charset) for piece, charset in decode_header(raw)]
        said = "".join(pieces)
    except (HeaderParseError, ValueError, LookupError, TypeError, AssertionError):
        said = raw
    if any("\udc80" <= letter <= "\udcff" for letter in said):  # bytes that were never encoded
        said = decode(said.encode("utf-8", "surrogateescape"), None)
    return _CONTROLS.sub(" ", said).encode("utf-8", "replace").decode().strip()


def decode(content: bytes, charset: str | None) -> str:
    """Bytes as text: in the charset they claim, else in the likeliest one that fits."""
    claimed = (charset or "").strip().strip("\"'").lower()
    first = _WIDER.get(claimed, claimed)
    for encoding in (first, "utf-8", "gb18030"):
        try:
            return content.decode(encoding or "utf-8")
        except (UnicodeError, LookupError, ValueError):
            continue
    try:
        return content.decode(first or "utf-8", "replace")
    except (UnicodeError, LookupError, ValueError):
        return content.decode("utf-8", "replace")


def content_of(message: Message, largest_file: int) -> Content:
    """Words and files; text/plain is preferred, HTML is read as text where there is none."""
    plain: list[str] = []
    html: list[str] = []
    files: list[tuple[str, File]] = []
    for part in _leaves(message):
        kind = part.get_content_type().lower()
        kind = "text/plain" if kind.startswith("multipart/") else kind  # parts that could not be told apart
        body = _bytes_of(part)
        name = _name_of(part)
        attached = _disposition(part) == "attachment" or (bool(name) and not kind.startswith("text/"))
        if kind == "text/plain" and not attached:
            text = decode(body[: 4 * _MAX_TEXT], _parameter(part, "charset"))[:_MAX_TEXT]
            plain.append(_unfolded(text) if _parameter(part, "format").lower() == "flowed" else text)
        elif kind == "text/html" and not attached:
            html.append(decode(body[: 4 * _MAX_TEXT], _parameter(part, "charset"))[:_MAX_TEXT])
        elif len(files) <= MAX_FILES:
            content = body if len(body) <= largest_file and len(files) < MAX_FILES else b""
            files.append((_content_id(part), File(name or _made_up_name(kind), _kind_of(kind), content)))
    written = "\n".join(text_of(one) for one in html)
    from_html, html_cut = new_part(written)
    whole = "\n".join(plain)
    if whole.strip():
        new, cut = new_part(whole)
    else:
        new, cut, whole = from_html, html_cut, written
    shown_new = set(PICTURE.findall(from_html))
    shown_old = set(PICTURE.findall(written)) - shown_new
    kept = tuple(file for content_id, file in files if not content_id or content_id not in shown_old)
    return Content(PICTURE.sub("", new).strip(), PICTURE.sub("", whole).strip(), cut, kept)


def _leaves(message: Message, depth: int = 0, seen: list[int] | None = None) -> Iterator[Message]:
    """The parts that hold something; a mail inside the mail is one of them."""
    seen = [0] if seen is None else seen
    seen[0] += 1
    if seen[0] > _MAX_PARTS or depth > _MAX_DEPTH:
        return
    payload = message.get_payload()
    if isinstance(payload, list) and message.get_content_maintype() == "multipart":
        for part in payload:
            if isinstance(part, Message):
                yield from _leaves(part, depth + 1, seen)
    else:
        yield message


def _bytes_of(part: Message) -> bytes:
    try:
        payload = part.get_payload()
        if isinstance(payload, list):  # message/rfc822
            return b"\n".join(one.as_bytes() for one in payload if isinstance(one, Message))
        content = part.get_payload(decode=True)
        return content if isinstance(content, bytes) else str(payload).encode("utf-8", "surrogateescape")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, AssertionError, KeyError):
        return b""


def _parameter(part: Message, name: str) -> str:
    try:
        value = part.get_param(name, "")
        return collapse_rfc2231_value(value) if isinstance(value, str | tuple) else ""
    except (ValueError, LookupError, TypeError, AttributeError, HeaderParseError):
        return ""


def _disposition(part: Message) -> str:
    return header(part, "content-disposition").partition(";")[0].strip().lower()


def _content_id(part: Message) -> str:
    return header(part, "content-id").strip("<> ") if _disposition(part) != "attachment" else ""


def _name_of(part: Message) -> str:
    try:
        name = part.get_param("filename", None, "content-disposition") or part.get_param("name", None)
        if isinstance(name, tuple):
            name = collapse_rfc2231_value(name)
    except (ValueError, LookupError, TypeError, AttributeError, HeaderParseError):
        return ""
    return decoded(name)[:200] if isinstance(name, str) else ""


def _kind_of(content_type: str) -> MediaKind:
    family = content_type.partition("/")[0]
    if family == "image":
        return "image"
    return "voice" if family == "audio" else "video" if family == "video" else "file"


def _made_up_name(content_type: str) -> str:
    if content_type == "message/rfc822":
        return "mail.txt"
    family, _, kind = content_type.partition("/")
    return f"{family}.{re.sub(r'[^a-z0-9]', '', kind)[:10] or 'bin'}"


def _unfolded(text: str) -> str:
    """Text whose long lines were broken after a space (RFC 3676), in long lines again."""
    lines: list[str] = []
    flows = False
    for line in text.replace("\r\n", "\n").split("\n"):
        line = line[1:] if line.startswith(" ") else line
        if flows and not line.startswith(">") and line != "-- ":
            lines[-1] += line
        else:
            lines.append(line)
        flows = line.endswith(" ") and line != "-- " and not line.startswith(">")
    return "\n".join(lines)
