"""Reads what Messenger sends: messages, quick replies and presses of buttons.

Format: developers.facebook.com/docs/messenger-platform, "Webhook events: messages" and "messaging_postbacks".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from connectors.base import Arrival, BadPayload, Media, MediaKind, Unreadable
from connectors.meta_graph import dict_of, dicts_of, events_of, id_of, place, read_entries, text_of, unreadable
from conversations.model import Address, InboundMessage

log = structlog.get_logger()

CONTACT = re.compile(r"[0-9]{1,40}")  #: page-scoped id
_MESSAGE_ID = re.compile(r"[\x21-\x7e]{1,500}")
_MOST_FILES = 10
_FILES: Mapping[str, tuple[MediaKind, str]] = {
    "image": ("image", "photo"),
    "audio": ("voice", "voice.mp4"),
    "video": ("video", "video.mp4"),
    "file": ("file", ""),
}


def read_messages(raw: bytes, page_id: str, address: Callable[[str], Address]) -> Iterator[Arrival | Unreadable]:
    """The messages to our page, and those that cannot be read. Raises ``BadPayload``."""
    for entry in read_entries(raw, "page"):
        if text_of(entry, "id") != page_id:
            log.warning("messenger_other_page", page_id=text_of(entry, "id")[:40])
            continue
        for event in events_of(entry, "messaging"):
            try:
                arrival = event if isinstance(event, Unreadable) else _event(event, page_id, address)
            except BadPayload as error:
                arrival = unreadable(event, str(error))
            if arrival is not None:
                yield arrival


@dataclass(frozen=True, slots=True)
class Watermark:
    """Everything we sent up to a moment came to the contact's device, or was read."""

    contact: str
    read: bool
    until: datetime


def read_watermarks(raw: bytes, page_id: str) -> list[Watermark]:
    """How far contacts received and read; the furthest of each, because they come in any order and together."""
    furthest: dict[tuple[str, bool], Watermark] = {}
    for entry in read_entries(raw, "page"):
        for event in dicts_of(entry, "messaging") if text_of(entry, "id") == page_id else ():
            contact = text_of(dict_of(event, "sender"), "id")
            for name in ("delivery", "read"):
                until = dict_of(event, name).get("watermark")
                if not CONTACT.fullmatch(contact) or not isinstance(until, int) or not 0 < until < 4_000_000_000_000:
                    continue
                mark = Watermark(contact, name == "read", datetime.fromtimestamp(until / 1000, UTC))
                known = furthest.get((contact, mark.read))
                if known is None or known.until < mark.until:
                    furthest[contact, mark.read] = mark
    return list(furthest.values())


def _event(event: Mapping[str, Any], page_id: str, address: Callable[[str], Address]) -> Arrival | None:
    """A message or a press; nothing for echoes of our own words, receipts, reactions, edits and the like."""
    message, postback = dict_of(event, "message"), dict_of(event, "postback")
    contact = text_of(dict_of(event, "sender"), "id")
    if not (message or postback) or message.get("is_echo") or message.get("is_deleted") or contact == page_id:
        return None
    message_id, sent_at = text_of(message or postback, "mid"), event.get("timestamp")
    if not CONTACT.fullmatch(contact) or not _MESSAGE_ID.fullmatch(message_id):
        raise BadPayload("sender or mid has an unknown form")
    if not isinstance(sent_at, int) or not 0 <= sent_at < 4_000_000_000_000:
        raise BadPayload("timestamp is not a time")
    media: tuple[Media, ...] = ()
    if message:
        button_id = id_of(dict_of(message, "quick_reply"), "payload")
        text, media = _content(message)
    else:
        text, button_id = text_of(postback, "title"), id_of(postback, "payload")
    if not text.strip() and not button_id and not media:
        return None
    inbound = InboundMessage(
        address=address(contact),
        external_id=message_id,
        text=text,
        button_id=button_id or None,
        sent_at=datetime.fromtimestamp(sent_at / 1000, UTC),
    )
    return Arrival(inbound, media)


def _content(message: Mapping[str, Any]) -> tuple[str, tuple[Media, ...]]:
    lines, media = [text_of(message, "text")], []
    for attachment in dicts_of(message, "attachments"):
        kind, payload = text_of(attachment, "type"), dict_of(attachment, "payload")
        url = text_of(payload, "url")
        if kind == "location":
            where = dict_of(payload, "coordinates")
            lines.append(place(where.get("lat"), where.get("long"), text_of(attachment, "title")))
        elif kind in _FILES and url:
            media_kind, name = _FILES[kind]
            media.append(Media(url, media_kind, name))
        elif kind == "fallback" and not lines[0]:  # a shared link, which the text usually holds as well
            title, link = text_of(payload, "title") or text_of(attachment, "title"), url or text_of(attachment, "url")
            lines.append(" ".join(filter(None, [title, link])))
    return "\n".join(filter(None, lines)), tuple(media[:_MOST_FILES])
