"""Reads what Slack sends: events of the Events API, and presses of buttons.

Format: docs.slack.dev, "Events API", "message", "app_mention" and "block_actions". Contacts are written as
``dm:CHANNEL:USER`` or ``thread:CHANNEL:TS:USER``, so that the address alone says where a reply goes.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from connectors.base import Arrival, BadPayload, Media, MediaKind
from conversations.model import Address, InboundMessage

#: Action and block ids of our buttons; the block's id goes on with the user who is asked.
ACTION = "frontdesk_"
BLOCK = "frontdesk:"
_SUBTYPES = (None, "file_share", "thread_broadcast")
_ID = re.compile(r"[A-Z0-9]{1,40}")
_TS = re.compile(r"\d{1,15}\.\d{1,10}")
_MARK = re.compile(r"<([^<>]*)>")


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom an address means, and where they are answered."""

    channel: str
    user: str
    thread: str | None = None

    def __str__(self) -> str:
        if self.thread is None:
            return f"dm:{self.channel}:{self.user}"
        return f"thread:{self.channel}:{self.thread}:{self.user}"

    @classmethod
    def read(cls, written: str) -> Contact | None:
        """The contact that ``str`` wrote, or None for anything else."""
        match written.split(":"):
            case ["dm", channel, user] if channel and user:
                return cls(channel, user)
            case ["thread", channel, thread, user] if channel and thread and user:
                return cls(channel, user, thread)
        return None


@dataclass(frozen=True, slots=True)
class Press:
    """A pressed button, and what the message around it needs so that it cannot be pressed again."""

    arrival: Arrival
    channel: str
    ts: str
    title: str
    text: str
    blocks: list[Any]


def read_body(raw: bytes) -> dict[str, Any]:
    """The JSON of an event, or of the ``payload`` field of a form; raises ``BadPayload``."""
    try:
        text = raw.decode()
        if not text.lstrip().startswith("{"):
            # Slash commands come as forms without a payload; there are none here.
            text = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=100)).get("payload", "")
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise BadPayload("the body is neither JSON nor a form with a payload") from None
    if not isinstance(body, dict):
        raise BadPayload("the body is not a JSON object")
    return body


def read_event(body: Mapping[str, Any], address: Callable[[str], Address]) -> Arrival | None:
    """The message in an event; None for everything that is not said to us; raises ``BadPayload``."""
    event, event_id = body.get("event"), _text(body, "event_id")
    if not isinstance(event, dict) or not event_id:
        raise BadPayload("event or event_id is missing")
    channel = _text(event, "channel")
    direct = channel.startswith("D") or event.get("channel_type") == "im"
    ours = _our_users(body)
    mentioned = event.get("type") == "app_mention"
    # What somebody says in a thread may go on with us; a mention comes as a message too, and counts as a mention.
    in_thread = event.get("type") == "message" and bool(_text(event, "thread_ts")) and not direct
    said_to_us = mentioned != direct and event.get("type") in ("message", "app_mention")
    if event.get("subtype") not in _SUBTYPES or not (said_to_us or in_thread):
        return None
    if in_thread and (not ours or any(re.search(rf"<@{one}[|>]", _text(event, "text")) for one in ours)):
        return None
    user = _text(event, "user")
    if event.get("bot_id") or event.get("bot_profile") or event.get("edited") or not user or user in ours:
        return None
    ts = _text(event, "ts")
    thread = None if direct else _text(event, "thread_ts") or ts
    if not (_ID.fullmatch(channel) and _ID.fullmatch(user) and _TS.fullmatch(ts)):
        raise BadPayload("channel, user or ts has an unknown form")
    if thread is not None and not _TS.fullmatch(thread):
        raise BadPayload("thread_ts has an unknown form")
    text = plain(_text(event, "text"), ours)
    media = _files(event.get("files"))
    if not text and not media:
        return None
    inbound = InboundMessage(
        address=address(str(Contact(channel, user, thread))),
        # Of one message in a channel come two events where it mentions us; it is one all the same.
        external_id=event_id if direct else f"message:{channel}:{ts}",
        text=text,
        sent_at=datetime.fromtimestamp(min(float(ts), 4e9), UTC),
    )
    return Arrival(inbound, media, follows=in_thread)


def read_press(body: Mapping[str, Any], address: Callable[[str], Address]) -> Press | None:
    """A press of one of our buttons by whom it was meant for; None for other actions; raises ``BadPayload``."""
    actions = body.get("actions")
    action = actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], dict) else {}
    user, channel, message = (_object(body, name) for name in ("user", "channel", "message"))
    user_id, channel_id, ts = _text(user, "id"), _text(channel, "id"), _text(message, "ts")
    value = _text(action, "value")
    if not _text(action, "action_id").startswith(ACTION) or not value:
        return None
    if _text(action, "block_id") != f"{BLOCK}{user_id}":
        return None  # somebody else in the channel
    if not (_ID.fullmatch(user_id) and _ID.fullmatch(channel_id) and _TS.fullmatch(ts) and len(value) <= 100):
        raise BadPayload("user, channel, message or value has an unknown form")
    thread = None if channel_id.startswith("D") else _text(message, "thread_ts") or ts
    if thread is not None and not _TS.fullmatch(thread):
        raise BadPayload("thread_ts has an unknown form")
    inbound = InboundMessage(
        address=address(str(Contact(channel_id, user_id, thread))),
        external_id=f"press:{channel_id}:{ts}:{user_id}:{value}",  # a press has no id; one of a button counts
        button_id=value,
    )
    blocks = message.get("blocks")
    title = _text(_object(action, "text"), "text")
    return Press(
        Arrival(inbound), channel_id, ts, title, _text(message, "text"), blocks if isinstance(blocks, list) else []
    )


def plain(text: str, ours: frozenset[str] = frozenset()) -> str:
    """Slack's text as people read it: without mentions of us, links and names spelled out, signs unescaped."""

    def spell(found: re.Match[str]) -> str:
        target, _, label = found[1].partition("|")
        if target.startswith("@"):
            return "" if target[1:] in ours else f"@{label or target[1:]}"
        if target.startswith("#"):
            return f"#{label or target[1:]}"
        if target.startswith("!"):
            return label or f"@{target[1:].partition('^')[0]}"
        link = target.removeprefix("mailto:").removeprefix("tel:")
        return link if not label or label == link else f"{label} ({link})"

    return html.unescape(_MARK.sub(spell, text)).strip()


def _our_users(body: Mapping[str, Any]) -> frozenset[str]:
    found = body.get("authorizations")
    return frozenset(
        one["user_id"]
        for one in (found if isinstance(found, list) else [])
        if isinstance(one, dict) and isinstance(one.get("user_id"), str) and one.get("is_bot", True)
    )


def _files(files: object) -> tuple[Media, ...]:
    media = []
    for file in files if isinstance(files, list) else []:
        if not isinstance(file, dict) or file.get("mode") == "tombstone":
            continue
        kind: MediaKind = "file"
        match _text(file, "mimetype").partition("/")[0]:
            case "image":
                kind = "image"
            case "audio":
                kind = "voice"
            case "video":
                kind = "video"
        link = _text(file, "url_private_download") or _text(file, "url_private")
        media.append(Media(link, kind, _text(file, "name")))
    return tuple(media[:10])


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


def _object(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    return value if isinstance(value, dict) else {}
