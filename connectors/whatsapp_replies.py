"""Writes our messages as WhatsApp takes them: texts, up to three buttons, a list of up to ten, files.

Limits: developers.facebook.com/docs, "WhatsApp Cloud API: Messages" and "Media".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.meta_text import fits_natively, texts_of
from connectors.text import language_of
from conversations.errors import MessageRejected
from conversations.model import Attachment, Button, OutboundMessage

LONGEST_TEXT = 4096
LONGEST_BODY = 1024  # of a message with buttons
MOST_BUTTONS, LONGEST_TITLE = 3, 20
MOST_ROWS, LONGEST_ROW = 10, 24
_CHOOSE = {"zh": "请选择", "en": "Please choose"}
_OPEN_LIST = {"zh": "查看选项", "en": "Choose"}
_MIB = 1024 * 1024
#: What WhatsApp takes, by our media types: how it is shown, as what it is uploaded, and how large it may be.
_FILES: Mapping[str, tuple[str, str, int]] = {
    "image/png": ("image", "image/png", 5 * _MIB),
    "image/jpeg": ("image", "image/jpeg", 5 * _MIB),
    "audio/mpeg": ("audio", "audio/mpeg", 16 * _MIB),
    "audio/ogg": ("audio", "audio/ogg", 16 * _MIB),
    "video/mp4": ("video", "video/mp4", 16 * _MIB),
    "application/pdf": ("document", "application/pdf", 100 * _MIB),
    "text/plain": ("document", "text/plain", 100 * _MIB),
    "text/csv": ("document", "text/plain", 100 * _MIB),
}
_OFFICE = "application/vnd.openxmlformats-officedocument."

#: What stands in the body of a request beside the recipient, or a file that is uploaded first.
Part = dict[str, Any] | Attachment


def parts_of(message: OutboundMessage, public_url: str, *, previews: bool) -> list[Part]:
    """The wire messages in their order, buttons under the last text; raises ``MessageRejected`` for other files.

    That is said before anything is sent: half a message helps nobody.
    """
    for file in message.attachments:
        kind_of(file)
    buttons = message.buttons
    as_buttons = fits_natively(buttons, MOST_BUTTONS, LONGEST_TITLE)
    native = as_buttons or fits_natively(buttons, MOST_ROWS, LONGEST_ROW)
    last_limit = LONGEST_BODY if native else None
    texts = texts_of(message, public_url, LONGEST_TEXT, bold="*", with_buttons=native, last_limit=last_limit)
    language = language_of(message.text)
    if native and not texts:
        texts = [_CHOOSE[language]]
    parts: list[Part] = [_text(text, previews) for text in texts]
    if native:
        parts[-1] = _buttons(texts[-1], buttons) if as_buttons else _list(texts[-1], buttons, _OPEN_LIST[language])
    return [*parts, *message.attachments]


def kind_of(file: Attachment) -> tuple[str, str]:
    """How a file is shown and as what it is uploaded; raises ``MessageRejected`` for what WhatsApp does not take."""
    if file.media_type.startswith(_OFFICE):
        return "document", file.media_type
    if file.media_type not in _FILES:
        raise MessageRejected(f"WhatsApp takes no files such as {file.name}; send it as PDF, PNG, JPEG, MP4 or MP3")
    kind, media_type, largest = _FILES[file.media_type]
    if file.size > largest:
        raise MessageRejected(f"{file.name} is too large; WhatsApp takes {largest // _MIB} MB of {kind}")
    return kind, media_type


def file_part(kind: str, media_id: str, name: str) -> dict[str, Any]:
    """The message that shows an uploaded file."""
    shown = {"id": media_id, "filename": name} if kind == "document" else {"id": media_id}
    return {"type": kind, kind: shown}


def _text(text: str, previews: bool) -> dict[str, Any]:
    return {"type": "text", "text": {"body": text, "preview_url": previews and "://" in text}}


def _buttons(text: str, buttons: tuple[Button, ...]) -> dict[str, Any]:
    replies = [{"type": "reply", "reply": {"id": one.id, "title": one.title.strip()}} for one in buttons]
    body = {"type": "button", "body": {"text": text}, "action": {"buttons": replies}}
    return {"type": "interactive", "interactive": body}


def _list(text: str, buttons: tuple[Button, ...], opens: str) -> dict[str, Any]:
    rows = [{"id": one.id, "title": one.title.strip()} for one in buttons]
    body = {"type": "list", "body": {"text": text}, "action": {"button": opens, "sections": [{"rows": rows}]}}
    return {"type": "interactive", "interactive": body}
