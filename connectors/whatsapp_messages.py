"""Reads what WhatsApp sends: messages of contacts, and what became of ours.

Format: developers.facebook.com/docs, "WhatsApp Cloud API: Webhooks, messages". One webhook may hold many of both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from connectors.base import Arrival, BadPayload, Media, MediaKind, Unreadable
from connectors.meta_graph import (
    dict_of,
    dicts_of,
    error_of,
    events_of,
    id_of,
    place,
    read_entries,
    text_of,
    unreadable,
)
from conversations.errors import RateLimited
from conversations.model import Address, InboundMessage

log = structlog.get_logger()

#: A phone number, or the id of somebody who hides theirs: country, dot, letters and digits [2nd, since 2026].
CONTACT = re.compile(r"[0-9]{1,20}|[A-Z]{2}\.[A-Za-z0-9.]{1,140}")
_MESSAGE_ID = re.compile(r"[\x21-\x7e]{1,500}")
_PART = "~"  #: between an outbox id and the place of a part
_MEDIA_ID = re.compile(r"[0-9A-Za-z_-]{1,100}")
_FILES: Mapping[str, tuple[MediaKind, str]] = {
    "image": ("image", "photo.jpg"),
    "sticker": ("image", "sticker.webp"),
    "audio": ("file", ""),
    "video": ("video", "video.mp4"),
    "document": ("file", ""),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A message of ours that WhatsApp had taken and then could not deliver."""

    message_id: str
    to: str
    outbox_id: str
    code: int
    reason: str


def read_messages(
    raw: bytes, phone_number_id: str, address: Callable[[str], Address]
) -> Iterator[Arrival | Unreadable]:
    """The messages to our number, and those that cannot be read. Raises ``BadPayload``.

    One bad message must not hold up the others of its webhook, which WhatsApp would send again for a week.
    """
    for value in _values(raw, phone_number_id):
        names = _names(value)
        for message in events_of(value, "messages"):
            try:
                arrival = message if isinstance(message, Unreadable) else _message(message, names, address)
            except BadPayload as error:
                arrival = unreadable(message, str(error))
            if arrival is not None:
                yield arrival


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message of ours that came to the contact's device, or that they read."""

    to: str
    outbox_id: str
    read: bool
    at: datetime | None


def part_name(outbox_id: str, place: int, parts: int) -> str:
    """What comes back in the states of a part; a message has arrived when its last part has."""
    return outbox_id if place == parts - 1 else f"{outbox_id}{_PART}{place}"


def read_receipts(raw: bytes, phone_number_id: str) -> list[Receipt]:
    """Which of our messages arrived or were read, the furthest state of each; states come in any order."""
    furthest: dict[str, Receipt] = {}
    for part in _values(raw, phone_number_id):
        for status in dicts_of(part, "statuses"):
            state, outbox_id = text_of(status, "status"), id_of(status, "biz_opaque_callback_data")
            if state not in ("delivered", "read", "played") or not outbox_id or _PART in outbox_id:
                continue
            to = text_of(status, "recipient_id") or text_of(status, "recipient_user_id")
            told_at, read = text_of(status, "timestamp"), state != "delivered"
            known = told_at.isascii() and told_at.isdigit() and len(told_at) <= 10
            at = datetime.fromtimestamp(min(int(told_at), 4_000_000_000), UTC) if known else None
            if read or outbox_id not in furthest:
                furthest[outbox_id] = Receipt(to, outbox_id, read, at)
    return list(furthest.values())


def read_failures(raw: bytes, phone_number_id: str) -> list[Failure]:
    """Which of our messages did not arrive."""
    failures = []
    for part in _values(raw, phone_number_id):
        for status in dicts_of(part, "statuses"):
            if text_of(status, "status") != "failed":
                continue
            error = next(iter(dicts_of(status, "errors")), {})
            to = text_of(status, "recipient_id") or text_of(status, "recipient_user_id")
            outbox_id = id_of(status, "biz_opaque_callback_data").partition(_PART)[0]
            code = value if isinstance(value := error.get("code"), int) else 0
            meaning = error_of("WhatsApp", 0, error, lambda _: 0.0)
            reason = f"WhatsApp: {code} (too many messages)" if isinstance(meaning, RateLimited) else str(meaning)
            failures.append(Failure(text_of(status, "id")[:500], to, outbox_id, code, reason))
    return failures


def _values(raw: bytes, phone_number_id: str) -> Iterator[Mapping[str, Any]]:
    for entry in read_entries(raw, "whatsapp_business_account"):
        for change in dicts_of(entry, "changes"):
            value = dict_of(change, "value")
            number = text_of(dict_of(value, "metadata"), "phone_number_id")
            if change.get("field") != "messages":
                continue
            if number == phone_number_id:
                yield value
            else:
                log.warning("whatsapp_other_number", phone_number_id=number[:40])


def _names(value: Mapping[str, Any]) -> dict[str, str]:
    names: dict[str, str] = {}
    for contact in dicts_of(value, "contacts"):
        for field in ("wa_id", "user_id"):
            if known := text_of(contact, field):
                names[known] = text_of(dict_of(contact, "profile"), "name")
    return names


def _message(message: Mapping[str, Any], names: Mapping[str, str], address: Callable[[str], Address]) -> Arrival | None:
    contact = text_of(message, "from") or text_of(message, "from_user_id")
    message_id, sent_at = text_of(message, "id"), text_of(message, "timestamp")
    if message.get("group_id"):
        return None
    if not CONTACT.fullmatch(contact) or not _MESSAGE_ID.fullmatch(message_id):
        raise BadPayload("from or id has an unknown form")
    if not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) <= 10):
        raise BadPayload("timestamp is not a time")
    text, button_id, media = _content(message)
    if not text.strip() and not button_id and not media:
        return None
    inbound = InboundMessage(
        address=address(contact),
        external_id=message_id,
        text=text,
        button_id=button_id or None,
        contact_name=names.get(contact) or None,
        # WhatsApp itself checked the number; the id of somebody who hides theirs is none.
        vouched=f"+{contact}" if contact.isdigit() else None,
        sent_at=datetime.fromtimestamp(min(int(sent_at), 4_000_000_000), UTC),
    )
    return Arrival(inbound, media)


def _content(message: Mapping[str, Any]) -> tuple[str, str, tuple[Media, ...]]:
    """Text, button and files; nothing for reactions, orders, system messages and what is yet to be invented."""
    kind = text_of(message, "type")
    body = dict_of(message, kind)
    match kind:
        case "text":
            return text_of(body, "body"), "", ()
        case "button":  # of a template, whose payload is seldom one of ours; then the words count
            return text_of(body, "text"), id_of(body, "payload"), ()
        case "interactive":
            reply = dict_of(body, text_of(body, "type"))
            return text_of(reply, "title"), id_of(reply, "id"), ()
        case "location":
            where = place(body.get("latitude"), body.get("longitude"), text_of(body, "name"), text_of(body, "address"))
            return where, "", ()
        case "contacts":
            return "\n".join(filter(None, map(_card, dicts_of(message, "contacts")))), "", ()
        case _ if kind in _FILES:
            return text_of(body, "caption"), "", (_media(kind, body),)
    return "", "", ()


def _card(contact: Mapping[str, Any]) -> str:
    numbers = [text_of(phone, "phone") for phone in dicts_of(contact, "phones")]
    addresses = [text_of(email, "email") for email in dicts_of(contact, "emails")]
    name = text_of(dict_of(contact, "name"), "formatted_name")
    return ": ".join(filter(None, [name, ", ".join(filter(None, numbers + addresses))]))


def _media(kind: str, body: Mapping[str, Any]) -> Media:
    media_id = text_of(body, "id")
    if not _MEDIA_ID.fullmatch(media_id):
        raise BadPayload("the id of a file has an unknown form")
    media_kind, name = _FILES[kind]
    if kind == "audio" and body.get("voice") is True:
        media_kind, name = "voice", "voice.ogg"
    return Media(f"{media_id} {text_of(body, 'sha256')[:64]}".strip(), media_kind, text_of(body, "filename") or name)
