"""Writes our messages as Slack shows them: mrkdwn, links to sources, buttons in blocks.

Limits: docs.slack.dev, "chat.postMessage" and "Block Kit".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from connectors.slack_messages import ACTION, BLOCK
from connectors.text import as_plain_text, language_of, split_markdown
from conversations.model import Attachment, Author, Button, Citation, OutboundMessage

MOST_BUTTONS = 25  # elements of an actions block
LONGEST_TITLE = 75
_SECTION = 3_000
_CONTEXTS = 10  # elements of a context block
_CHOOSE = {"zh": "请选择", "en": "Please choose"}
_SOURCES = {"zh": "来源", "en": "Sources"}
_MARKUP = re.compile(
    r"\[(?P<label>[^\]\n]+)\]\((?P<url>(?:https?://|mailto:)[^\s()<>]+)\)"
    r"|\*\*(?P<bold>[^*\n]+)\*\*"
    r"|^[ ]{0,3}\#{1,6}[ ]+(?P<heading>[^\n]+)$"
    r"|^(?P<indent>[ ]*)[-*][ ]",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Text:
    """One chat.postMessage: what notifications show, whether it is mrkdwn, and blocks if there is more than text."""

    text: str
    mrkdwn: bool = True
    blocks: tuple[dict[str, Any], ...] = ()


Part = Text | Attachment


def parts_of(message: OutboundMessage, *, user: str, limit: int, public_url: str) -> list[Part]:
    """The wire messages in their order: texts of at most ``limit`` characters after escaping, then files."""
    language = language_of(message.text)
    native = 0 < len(message.buttons) <= MOST_BUTTONS and all(
        0 < len(button.title) <= LONGEST_TITLE for button in message.buttons
    )
    mrkdwn = message.author is not Author.AGENT  # what people type is not meant as markup
    shown = replace(message, citations=(), buttons=() if native else message.buttons)
    written = as_plain_text(shown, public_url, language)
    convert = as_mrkdwn if mrkdwn else escaped
    rich = native or bool(message.citations)
    pieces = list(_pieces(written, min(limit, _SECTION) if rich else limit, convert))
    if rich and not pieces:
        words = _CHOOSE if native else _SOURCES
        pieces = [words[language]]
    texts = [Text(convert(piece), mrkdwn) for piece in pieces]
    if rich:
        sources = [_source(citation, public_url, language) for citation in message.citations]
        texts[-1] = replace(texts[-1], blocks=_blocks(texts[-1].text, sources, message.buttons if native else (), user))
    return [*texts, *message.attachments]


def escaped(text: str) -> str:
    """The three signs that Slack reads as control characters."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def as_mrkdwn(text: str) -> str:
    """Markdown in Slack's own markup: bold, headings, lists and links; the rest as it is."""
    written, at = [], 0
    for found in _MARKUP.finditer(text):
        written.append(escaped(text[at : found.start()]))
        at = found.end()
        if found["url"] is not None:
            written.append(link(found["url"], found["label"]))
        elif found["bold"] is not None or found["heading"] is not None:
            bold = (found["bold"] or found["heading"]).strip().replace("**", "")
            written.append(f"*{escaped(bold)}*")
        else:
            written.append(f"{found['indent']}• ")
    written.append(escaped(text[at:]))
    return "".join(written)


def link(url: str, label: str) -> str:
    """A link with words."""
    safe = escaped(url.replace("|", "%7C").replace("<", "%3C").replace(">", "%3E"))
    words = escaped(label.replace("|", "¦").replace("\n", " "))
    return f"<{safe}|{words}>"


def chosen(blocks: list[Any], title: str) -> list[Any]:
    """The blocks of a message of ours with what was chosen in place of the buttons."""
    kept = [block for block in blocks if not (isinstance(block, dict) and block.get("type") == "actions")]
    return [*kept, {"type": "context", "elements": [{"type": "mrkdwn", "text": f"✓ *{escaped(title)}*"}]}]


def _pieces(text: str, limit: int, convert: Callable[[str], str], raw_limit: int | None = None) -> Iterator[str]:
    raw_limit = limit if raw_limit is None else raw_limit
    for piece in split_markdown(text, raw_limit):
        if not piece.strip():
            continue  # an empty message is an error
        if len(convert(piece)) <= limit or raw_limit == 1:
            yield piece
        else:  # escaping made it longer
            yield from _pieces(piece, limit, convert, max(1, raw_limit // 2))


def _source(citation: Citation, public_url: str, language: str) -> str:
    said = "来源：" if language == "zh" else "Source: "
    url = f"{public_url.rstrip('/')}{citation.url}" if citation.url.startswith("/") else citation.url
    title = citation.title[:500]
    return said + (link(url, title) if url and len(url) <= _SECTION // 2 else escaped(title))


def _blocks(text: str, sources: list[str], buttons: tuple[Button, ...], user: str) -> tuple[dict[str, Any], ...]:
    blocks: list[dict[str, Any]] = []
    if text.strip():
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": text}})
    for start in range(0, len(sources), _CONTEXTS):
        elements = [{"type": "mrkdwn", "text": source} for source in sources[start : start + _CONTEXTS]]
        blocks.append({"type": "context", "elements": elements})
    if buttons:
        elements_of_buttons = [
            {
                "type": "button",
                "action_id": f"{ACTION}{place}",
                "value": button.id,
                "text": {"type": "plain_text", "text": button.title, "emoji": False},
            }
            for place, button in enumerate(buttons)
        ]
        blocks.append({"type": "actions", "block_id": f"{BLOCK}{user}", "elements": elements_of_buttons})
    return tuple(blocks)
