"""What a message becomes in a WeCom app: texts, a card with buttons, a card for the source, and files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.base import Means
from connectors.text import language_of, split_text
from connectors.wechat_text import plain, shortened, without_markdown
from conversations.model import Attachment, Citation, MessageKind, OutboundMessage

#: What is shown in the chat and not as a file, with the most bytes of one [unverified].
_KINDS: Mapping[str, tuple[str, int]] = {
    "image/png": ("image", 10 * 1024 * 1024),
    "image/jpeg": ("image", 10 * 1024 * 1024),
    "audio/amr": ("voice", 2 * 1024 * 1024),
    "video/mp4": ("video", 10 * 1024 * 1024),
}
_CHOOSE = {"zh": "请选择", "en": "Please choose"}
_OPEN = {"zh": "查看", "en": "Open"}
_CARD_TITLE_BYTES, _CARD_DESCRIPTION_BYTES = 128, 512  # of a textcard [unverified]


@dataclass(frozen=True, slots=True)
class CardRules:
    """What fits on a card with buttons; 0 buttons: there are no cards."""

    buttons: int
    title: int
    text: int


@dataclass(frozen=True, slots=True)
class Part:
    """One message of the API."""

    kind: str
    body: Mapping[str, Any] = field(default_factory=dict)
    attachment: Attachment | None = None


def parts_for(message: OutboundMessage, means: Means, limit: int, card: CardRules, *, textcard: bool) -> list[Part]:
    """The messages in which a message goes out, texts of at most ``limit`` bytes."""
    language = language_of(message.text)
    linked = [one for one in message.citations if one.url] if textcard else []
    said = replace(message, citations=tuple(one for one in message.citations if one not in linked))
    carded = 0 < len(message.buttons) <= card.buttons and all(len(one.title) <= card.title for one in message.buttons)
    if carded:
        said = replace(said, buttons=(), kind=MessageKind.TEXT)
    text = plain(said, means.public_url)
    on_card = ""
    if carded and len(text) <= card.text and "\n" not in text:
        text, on_card = "", text
    parts = [Part("text", {"content": part}) for part in split_text(text, limit, "utf-8") if part.strip()]
    parts += [Part("textcard", _textcard(one, means.public_url, language)) for one in linked]
    if carded:
        parts.append(Part("template_card", _buttons(message, on_card, language)))
    parts += [_file(file) for file in message.attachments]
    return parts


def _buttons(message: OutboundMessage, text: str, language: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "card_type": "button_interaction",
        "main_title": {"title": _CHOOSE[language]},
        "task_id": message.outbox_id,  # one card, however often it is sent
        "button_list": [
            {"text": without_markdown(button.title), "style": 1, "key": button.id} for button in message.buttons
        ],
    }
    if text:
        body["sub_title_text"] = text
    return body


def _textcard(citation: Citation, base_url: str, language: str) -> dict[str, str]:
    url = f"{base_url.rstrip('/')}{citation.url}" if citation.url.startswith("/") else citation.url
    quote = without_markdown(citation.quote, base_url) or citation.title
    return {
        "title": shortened(citation.title, _CARD_TITLE_BYTES),
        "description": shortened(_escaped(quote), _CARD_DESCRIPTION_BYTES),
        "url": url,
        "btntxt": _OPEN[language],
    }


def _escaped(text: str) -> str:
    """Without tags: a description may hold some, and a quote must not make any."""
    return text.replace("<", "＜").replace(">", "＞")  # the full-width signs are meant


def _file(file: Attachment) -> Part:
    kind, most = _KINDS.get(file.media_type, ("file", 0))
    return Part(kind if file.size <= most else "file", attachment=file)
