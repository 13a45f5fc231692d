"""Reads what DingTalk pushes: messages to the robot, presses on cards, and where to answer them.

Format: DingTalk's "message types of robots" and the callbacks of interactive cards; contacts are written as
``staff:ID`` (single chat), ``guest:ID`` (somebody without a staff id), ``group:CONVERSATION:ID`` and
``group-guest:CONVERSATION:ID``, so that a reply after a restart needs nothing but the address.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.base import Arrival, BadPayload, Media, MediaKind
from conversations.model import Address, InboundMessage

_MEDIA: Mapping[str, MediaKind] = {"picture": "image", "audio": "voice", "video": "video", "file": "file"}
_UNREADABLE = "［发来一条机器人收不到的消息，例如位置或名片］"
_LONGEST = 400  # of an id within the 512 characters of an address


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom an address means."""

    user: str  #: staff id, or DingTalk's own sender id where there is none
    staff: bool
    conversation: str | None = None  #: the group's openConversationId

    def __str__(self) -> str:
        if self.conversation is None:
            return f"{'staff' if self.staff else 'guest'}:{self.user}"
        return f"{'group' if self.staff else 'group-guest'}:{self.conversation}:{self.user}"

    @classmethod
    def read(cls, written: str) -> Contact | None:
        """The contact that ``str`` wrote, or None for anything else."""
        kind, _, rest = written.partition(":")
        if kind in ("staff", "guest") and rest:
            return cls(rest, kind == "staff")
        conversation, _, user = rest.partition(":")
        if kind in ("group", "group-guest") and conversation and user:
            return cls(user, kind == "group", conversation)
        return None


@dataclass(frozen=True, slots=True)
class Session:
    """A link that answers in the chat a message came from, for about an hour and a half."""

    contact: str
    name: str
    webhook: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """What one push holds: a message, and the session that its reply may use."""

    arrival: Arrival
    session: Session | None = None


def read_json(raw: bytes | str) -> dict[str, Any]:
    """A JSON object; raises ``BadPayload``."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadPayload("the body is not JSON") from None
    if not isinstance(body, dict):
        raise BadPayload("the body is not a JSON object")
    return body


def read_message(body: Mapping[str, Any], address: Callable[[str], Address]) -> Reading | None:
    """A message to the robot; None for one in a group that does not mention it; raises ``BadPayload``."""
    message_id = _text(body, "msgId")
    in_group = str(body.get("conversationType")) == "2"
    if not message_id:
        raise BadPayload("msgId is missing")
    if in_group and body.get("isInAtList") is False:
        return None
    contact = _contact(body, in_group)
    name = _text(body, "senderNick")
    text, media = _content(body)
    inbound = InboundMessage(
        address=address(str(contact)),
        external_id=message_id,
        text=text,
        contact_name=name or None,
        sent_at=_moment(body.get("createAt")),
    )
    webhook, expires_at = _text(body, "sessionWebhook"), _moment(body.get("sessionWebhookExpiredTime"))
    session = Session(str(contact), name, webhook, expires_at) if webhook and expires_at else None
    return Reading(Arrival(inbound, media), session)


def read_press(body: Mapping[str, Any], address: Callable[[str], Address]) -> Arrival | None:
    """A press of a button on an interactive card; None for another action; raises ``BadPayload``."""
    card, user = _text(body, "outTrackId"), _text(body, "userId")
    if not card or not user:
        raise BadPayload("outTrackId or userId is missing")
    content = body.get("content")
    inner = read_json(content) if isinstance(content, str) else content
    private = inner.get("cardPrivateData") if isinstance(inner, dict) else None
    private = private if isinstance(private, dict) else {}
    params, actions = private.get("params"), private.get("actionIds")
    button = _text(params, "button_id") if isinstance(params, dict) else ""
    if not button and isinstance(actions, list) and actions and isinstance(actions[0], str):
        button = actions[0]
    if not button:
        return None
    in_group = body.get("spaceType") == "IM_GROUP"
    contact = Contact(user, True, _text(body, "spaceId") or None if in_group else None)
    external_id = f"card:{card}:{user}:{button}"  # the push has no id; one press of a button counts
    if len(str(contact)) > _LONGEST or len(external_id) > _LONGEST:
        raise BadPayload("an id is too long")
    return Arrival(InboundMessage(address(str(contact)), external_id, button_id=button))


def _contact(body: Mapping[str, Any], in_group: bool) -> Contact:
    staff, sender, conversation = (_text(body, name) for name in ("senderStaffId", "senderId", "conversationId"))
    user = staff or sender
    if not user or (in_group and not conversation):
        raise BadPayload("senderId or conversationId is missing")
    if ":" in conversation or len(user) > _LONGEST // 2 or len(conversation) > _LONGEST // 2:
        raise BadPayload("senderId or conversationId has an unknown form")
    return Contact(user, bool(staff), conversation if in_group else None)


def _content(body: Mapping[str, Any]) -> tuple[str, tuple[Media, ...]]:
    kind = body.get("msgtype")
    content = body.get("content")
    content = content if isinstance(content, dict) else {}
    if kind == "text":
        said = body.get("text")
        text = _text(said, "content") if isinstance(said, dict) else ""
        return text or _UNREADABLE, ()
    if kind == "richText":
        return _rich(content.get("richText"))
    code = _text(content, "downloadCode")
    if kind == "audio" and (recognised := _text(content, "recognition")):
        return recognised, ()  # DingTalk has written it down already; the sound (AMR) adds nothing to read
    if isinstance(kind, str) and kind in _MEDIA and code:
        return "", (Media(code, _MEDIA[kind], _file_name(kind, content)),)
    return _UNREADABLE, ()


def _rich(items: object) -> tuple[str, tuple[Media, ...]]:
    parts, media = [], []
    for item in items if isinstance(items, list) else []:
        if not isinstance(item, dict):
            continue
        if isinstance(item.get("text"), str):
            parts.append(item["text"])
        if code := _text(item, "downloadCode"):
            media.append(Media(code, "image"))
    text = "".join(parts).strip()
    return text if text or media else _UNREADABLE, tuple(media)


def _file_name(kind: str, content: Mapping[str, Any]) -> str:
    if kind == "video":
        return f"video.{_text(content, 'videoType') or 'mp4'}"
    return _text(content, "fileName")


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return value.strip() if isinstance(value, str) else ""


def _moment(value: object) -> datetime | None:
    """A time in milliseconds, as a number or in quotes."""
    try:
        number = int(value) if isinstance(value, int | str) else 0
        return datetime.fromtimestamp(number / 1000, UTC) if 0 < number < 4e12 else None
    except (ValueError, OverflowError, OSError):
        return None
