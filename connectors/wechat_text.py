"""Writes messages for WeChat and WeCom, which show plain text only and count it in UTF-8 bytes."""

from __future__ import annotations

import re
from dataclasses import replace

from connectors.text import as_plain_text, language_of, split_text
from conversations.model import Author, OutboundMessage

_FENCE = re.compile(r"^ {0,3}(?:```|~~~).*\n?", re.MULTILINE)
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*$", re.MULTILINE)
_QUOTE = re.compile(r"^ {0,3}> ?", re.MULTILINE)
_BULLET = re.compile(r"^( *)[-*+] +(?=\S)", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\(<?([^\s()<>]+)>?(?: +\"[^\"\n]*\")?\)")
_STRONG = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_CODE = re.compile(r"`([^`\n]+)`")

#: Said in place of what does not fit in the messages that a channel allows for one answer.
_CUT = {
    "zh": "\n……（内容较长，请就具体问题继续提问）",
    "en": "\n… (the answer is longer; ask about the part you need)",
}


def without_markdown(text: str, base_url: str = "") -> str:
    """The text without marks that would be shown as they are; links keep their address."""

    def link(found: re.Match[str]) -> str:
        title, url = found[1].strip(), found[2]
        if url.startswith("/"):
            url = f"{base_url.rstrip('/')}{url}"
        return url if title in ("", url) else f"{title} {url}"

    text = _FENCE.sub("", text)
    text = _HEADING.sub(r"\1", text)
    text = _QUOTE.sub("", text)
    text = _BULLET.sub(r"\1• ", text)
    text = _LINK.sub(link, text)
    return _CODE.sub(r"\1", _STRONG.sub(r"\2", text))


def plain(message: OutboundMessage, base_url: str) -> str:
    """A whole message as plain text, with a numbered list for its buttons and a line for each source."""
    language = language_of(message.text)
    if message.author is Author.AGENT:  # what people type is not meant as markup
        return as_plain_text(message, base_url, language)
    return as_plain_text(replace(message, text=without_markdown(message.text, base_url)), base_url, language)


def parts_of(text: str, limit: int, most: int) -> list[str]:
    """The text in at most ``most`` parts of at most ``limit`` bytes; one that is longer ends with a word about it."""
    parts = [part for part in split_text(text, limit, "utf-8") if part.strip()]
    if len(parts) <= most:
        return parts
    end = _CUT[language_of(text)]
    last = split_text(parts[most - 1], limit - len(end.encode()), "utf-8")[0]
    return [*parts[: most - 1], last.rstrip() + end]


def shortened(text: str, size: int) -> str:
    """The text in at most ``size`` bytes, with a sign where it was cut."""
    parts = split_text(text, size, "utf-8")
    return text if len(parts) <= 1 else split_text(text, size - 3, "utf-8")[0] + "…"
