"""What a message becomes on a WeChat official account: few messages, for only five are allowed for each of the contact's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.base import Means
from connectors.text import language_of, split_text
from connectors.wechat_text import parts_of, plain, shortened, without_markdown
from conversations.model import Attachment, Citation, MessageKind, OutboundMessage

#: What the API takes as which kind, with the most bytes of one [unverified]; anything else goes as a link.
_KINDS: Mapping[str, tuple[str, int]] = {
    "image/png": ("image", 10 * 1024 * 1024),
    "image/jpeg": ("image", 10 * 1024 * 1024),
    "image/gif": ("image", 10 * 1024 * 1024),
    "audio/amr": ("voice", 2 * 1024 * 1024),
    "audio/mpeg": ("voice", 2 * 1024 * 1024),
}
_FILE = {"zh": "文件", "en": "File"}
_NO_FILE = {"zh": "文件无法在微信中发送", "en": "this file cannot be sent on WeChat"}
_SOURCE = {"zh": "来源", "en": "Source"}
_CARD_TITLE_BYTES, _CARD_DESCRIPTION_BYTES = 128, 512  # [unverified]
_MENU_ENTRIES = 10
_MENU_TITLE = 60  # characters


@dataclass(frozen=True, slots=True)
class Part:
    """One message of the API; ``passive`` says that a passive reply can carry its text instead."""

    kind: str
    text: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    attachment: Attachment | None = None
    passive: bool = False


def parts_for(
    message: OutboundMessage, means: Means, limit: int, most: int, *, msgmenu: bool, news: bool = False
) -> list[Part]:
    """The messages in which a message goes out, at most ``most``, texts of at most ``limit`` bytes.

    With ``news`` the first source is a card, where there is a message left for one.
    """
    files = [file for file in message.attachments if _sendable(file)]
    linked = [file for file in message.attachments if not _sendable(file)]
    if len(files) >= most:
        files, linked = files[: most - 1], [*linked, *files[most - 1 :]]
    if msgmenu and _fits_menu(message) and not linked:
        return [*_menu(message, means, limit, most - len(files)), *map(_file, files)]
    cards = [_card(one, means.public_url, message.text) for one in message.citations if one.url][: 1 if news else 0]
    if cards and most - len(files) > 1:
        carded = next(one for one in message.citations if one.url)
        said = replace(message, citations=tuple(one for one in message.citations if one is not carded))
        return [*parts_for(said, means, limit, most - 1, msgmenu=False), *cards]
    text = _with_links(plain(message, means.public_url), linked, means)
    return [
        *(Part("text", part, {"content": part}, passive=True) for part in parts_of(text, limit, most - len(files))),
        *map(_file, files),
    ]


def without_api(message: OutboundMessage, means: Means, limit: int) -> list[str]:
    """The texts in which a message is given where there is nothing but passive replies; every file is a link."""
    return split_text(_with_links(plain(message, means.public_url), message.attachments, means), limit, "utf-8")


def _card(citation: Citation, base_url: str, answer: str) -> Part:
    """An article (图文消息) that opens where the source is; its text says the same where cards are refused."""
    url = f"{base_url.rstrip('/')}{citation.url}" if citation.url.startswith("/") else citation.url
    quote = without_markdown(citation.quote, base_url)
    article = {
        "title": shortened(citation.title or url, _CARD_TITLE_BYTES),
        "description": shortened(" ".join(quote.split()), _CARD_DESCRIPTION_BYTES),
        "url": url,
    }
    text = f"{_SOURCE[language_of(answer or citation.title)]}: {citation.title} {url}"
    return Part("news", text, {"articles": [article]})


def _sendable(file: Attachment) -> bool:
    kind = _KINDS.get(file.media_type)
    return kind is not None and file.size <= kind[1]


def _file(file: Attachment) -> Part:
    return Part(_KINDS[file.media_type][0], attachment=file)


def _with_links(text: str, files: tuple[Attachment, ...] | list[Attachment], means: Means) -> str:
    language = language_of(text)
    lines = [
        f"{_FILE[language]}: {file.name} {means.link(file) if means.link is not None else _NO_FILE[language]}"
        for file in files
    ]
    return "\n\n".join(filter(None, [text, "\n".join(lines)]))


def _fits_menu(message: OutboundMessage) -> bool:
    # A rating is asked for with numbers that are typed: its titles are long, and a menu shows no numbers.
    return 0 < len(message.buttons) <= _MENU_ENTRIES and all(len(one.title) <= _MENU_TITLE for one in message.buttons)


def _menu(message: OutboundMessage, means: Means, limit: int, most: int) -> list[Part]:
    asked = replace(message, buttons=(), kind=MessageKind.TEXT)
    *before, head = parts_of(plain(asked, means.public_url), limit, most) or [""]
    body = {
        "head_content": head,
        "list": [{"id": button.id, "content": without_markdown(button.title)} for button in message.buttons],
        "tail_content": "",
    }
    return [*(Part("text", part, {"content": part}, passive=True) for part in before), Part("msgmenu", body=body)]
