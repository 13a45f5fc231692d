"""What people send on WeChat and WeCom, as messages: both vendors push the same fields."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from connectors.base import Arrival, BadPayload, Media
from conversations.model import Address, InboundMessage

_COORDINATE = re.compile(r"-?\d{1,3}(?:\.\d{1,12})?")
#: Opens in every browser and counts coordinates as WeChat does (GCJ-02), so that the pin is where the contact is.
MAP_URL = "https://uri.amap.com/marker?position={longitude},{latitude}"


def sender_of(fields: Mapping[str, str]) -> str:
    """Who wrote; raises ``BadPayload``."""
    sender = fields.get("FromUserName", "").strip()
    if not 0 < len(sender) <= 128:
        raise BadPayload("FromUserName is missing or too long")
    return sender


def message_id_of(fields: Mapping[str, str]) -> str:
    """What makes a repeat of a message or event the same; raises ``BadPayload``."""
    if fields.get("MsgType") != "event":
        number = fields.get("MsgId", "").strip()
        if not (number.isascii() and number.isdigit() and len(number) <= 40):
            raise BadPayload("MsgId is not a number")
        return number
    # Events have no id; the vendors say to tell them apart by sender and time.
    parts = [fields.get(name, "") for name in ("FromUserName", "CreateTime", "Event", "EventKey", "TaskId")]
    digest = hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    return f"event-{digest[:40]}"


def sent_at_of(fields: Mapping[str, str]) -> datetime:
    """When it was sent; raises ``BadPayload``."""
    seconds = fields.get("CreateTime", "").strip()
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 11):
        raise BadPayload("CreateTime is not a time")
    return datetime.fromtimestamp(int(seconds), UTC)


def arrival_of(
    fields: Mapping[str, str],
    address: Address,
    *,
    text: str,
    media: tuple[Media, ...] = (),
    button_id: str | None = None,
    name: str | None = None,
) -> Arrival:
    """A message of the sender; raises ``BadPayload``."""
    message = InboundMessage(
        address=address,
        external_id=message_id_of(fields),
        text=text,
        button_id=button_id,
        contact_name=name,
        sent_at=sent_at_of(fields),
    )
    return Arrival(message, media)


def content_of(fields: Mapping[str, str], map_url: str = MAP_URL) -> tuple[str, tuple[Media, ...]] | None:
    """Text and files of an ordinary message, None for types that are not handled; raises ``BadPayload``."""
    kind = fields.get("MsgType")
    if kind is None:
        raise BadPayload("MsgType is missing")
    if kind == "text":
        return fields.get("Content", ""), ()
    if kind == "image":
        return "", (Media(_media_id(fields), "image", "image.jpg"),)
    if kind == "voice":
        form = fields.get("Format", "").lower()
        name = f"voice.{form if form.isalnum() and len(form) <= 5 else 'amr'}"
        return fields.get("Recognition", ""), (Media(_media_id(fields), "voice", name),)
    if kind in ("video", "shortvideo"):
        return "", (Media(_media_id(fields), "video", "video.mp4"),)
    if kind == "location":
        return _location(fields, map_url), ()
    if kind == "link":
        return "\n".join(filter(None, (fields.get(name, "") for name in ("Title", "Description", "Url")))), ()
    if kind == "file":  # the vendor tells the name and hands out nothing
        return f"［文件］{fields.get('Title', '')}", ()
    return None


def _media_id(fields: Mapping[str, str]) -> str:
    media_id = fields.get("MediaId", "").strip()
    if not 0 < len(media_id) <= 512:
        raise BadPayload("MediaId is missing or too long")
    return media_id


def _location(fields: Mapping[str, str], map_url: str) -> str:
    latitude, longitude = fields.get("Location_X", "").strip(), fields.get("Location_Y", "").strip()
    if not (_COORDINATE.fullmatch(latitude) and _COORDINATE.fullmatch(longitude)):
        raise BadPayload("Location_X or Location_Y is not a number of degrees")
    label = " ".join(fields.get("Label", "").split())
    link = map_url.format(latitude=quote(latitude), longitude=quote(longitude))
    return f"［位置］{label}\n{latitude}, {longitude}\n{link}"
