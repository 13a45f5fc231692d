"""Reads Telegram's updates: which are messages for us, who wrote them, and what they hold.

Source: https://core.telegram.org/bots/api#update and the objects below it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from telegram import CallbackQuery, Message, MessageEntity, Update, User

from connectors.base import Arrival, BadPayload, Media
from conversations.model import Address, InboundMessage

#: What we ask Telegram for; edits, reactions, memberships and channel posts are left out.
KINDS = ["message", "callback_query"]
_LOCATION = {"zh": "位置", "en": "Location"}
_GREETING = {"zh": "你好", "en": "Hello"}
_LINK_CODE = re.compile(r"\d{8}")
_COMMAND = re.compile(r"^/(\w+)(?:@\w+)?")


def read_update(body: bytes) -> Update:
    """The update in a webhook; raises ``BadPayload``."""
    try:
        form = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise BadPayload("the body is no JSON") from None
    if not isinstance(form, dict) or not isinstance(form.get("update_id"), int):
        raise BadPayload("the body is no update: it has no whole number as update_id")
    try:
        # Kinds of update that we do not handle are not even read: new ones cannot break anything.
        known = {name: form[name] for name in ("update_id", *KINDS) if name in form}
        return Update.de_json(known)
    except Exception as error:  # the library checks nothing and fails in as many ways as there are mistakes
        raise BadPayload(f"the update cannot be read ({type(error).__name__})") from None


class Reader:
    """Makes messages of updates for one bot."""

    def __init__(self, bot_id: int, address: Callable[[str], Address], language: str) -> None:
        self.bot_id = bot_id
        self.username = ""  #: without it, mentions in groups are not recognised
        self._address = address
        self._language = language

    def arrivals(self, update: Update) -> list[Arrival]:
        """What an update brings us, often nothing; raises ``BadPayload``."""
        try:
            if update.message is not None:
                arrival = self._message(update.message)
            elif update.callback_query is not None:
                arrival = self._press(update.callback_query)
            else:
                arrival = None
        except BadPayload:
            raise
        except Exception as error:  # a field of another type than documented
            raise BadPayload(f"the update is not as documented ({type(error).__name__})") from None
        return [] if arrival is None else [arrival]

    def _message(self, message: Message) -> Arrival | None:
        user = message.from_user
        if user is None or user.is_bot or not self._for_us(message):
            return None
        text, media = self._content(message, language_of(user) or self._language)
        if not text and not media:
            return None
        # Not update_id: Telegram draws a new one at random after a quiet week, and it may have been used before.
        external_id = f"{self.bot_id}/{_whole(message.chat.id)}/{_whole(message.message_id)}"
        return Arrival(
            InboundMessage(
                address=self._address(contact_of(message.chat.id, message.chat.type, user)),
                external_id=external_id,
                text=text,
                contact_name=_string(user.full_name) or _string(user.username or ""),
                language=language_of(user),
                sent_at=message.date,
                vouched=_own_number(message, user),
            ),
            media,
        )

    def _press(self, query: CallbackQuery) -> Arrival | None:
        if query.message is None or query.data is None or query.from_user.is_bot:
            return None
        chat = query.message.chat
        return Arrival(
            InboundMessage(
                address=self._address(contact_of(chat.id, chat.type, query.from_user)),
                external_id=f"{self.bot_id}/press/{_string(query.id)}",
                button_id=_string(query.data),
                contact_name=_string(query.from_user.full_name),
                language=language_of(query.from_user),
            )
        )

    def _for_us(self, message: Message) -> bool:
        """In groups we are meant where the bot is mentioned or what it said is replied to."""
        if message.chat.type == "private":
            return True
        if message.chat.type not in ("group", "supergroup"):
            return False
        replied = message.reply_to_message
        if replied is not None and replied.from_user is not None and replied.from_user.id == self.bot_id:
            return True
        entities = message.parse_entities() if message.text is not None else message.parse_caption_entities()
        return any(self._means_us(entity, text) for entity, text in entities.items())

    def _means_us(self, entity: MessageEntity, text: str) -> bool:
        if entity.type == "text_mention":
            return entity.user is not None and entity.user.id == self.bot_id
        name = f"@{self.username.casefold()}"
        if not self.username:
            return False
        return (entity.type == "mention" and text.casefold() == name) or (
            entity.type == "bot_command" and text.casefold().endswith(name)
        )

    def _content(self, message: Message, language: str) -> tuple[str, tuple[Media, ...]]:
        said = _string(message.text if message.text is not None else message.caption or "")
        if self.username and message.chat.type != "private":
            said = re.sub(rf"@{re.escape(self.username)}\b", "", said, flags=re.IGNORECASE)
        said = _without_command(said.strip(), language)
        media = media_of(message)
        if message.venue is not None:
            return _place(message, f"{message.venue.title}, {message.venue.address}"), media
        if message.location is not None:
            return _place(message, _LOCATION[language]), media
        if message.contact is not None:
            name = " ".join(filter(None, (message.contact.first_name, message.contact.last_name)))
            return f"{name}: {_string(message.contact.phone_number)}", media
        if message.sticker is not None:
            return _string(message.sticker.emoji or "🙂"), media
        return said, media


def contact_of(chat_id: int, chat_type: str, user: User) -> str:
    """Who speaks: the chat, and in groups also the member, so that nobody is told what concerns another."""
    return str(_whole(chat_id)) if chat_type == "private" else f"{_whole(chat_id)}:{_whole(user.id)}"


def _own_number(message: Message, user: User) -> str | None:
    """The number of the sender who shares their own contact card, which Telegram marks with their id."""
    card = message.contact
    # What is passed on, and whatever is said in a group, is not the sender's word about themselves.
    if card is None or card.user_id != user.id or message.forward_origin is not None or message.chat.type != "private":
        return None
    digits = re.sub(r"\D", "", _string(card.phone_number))
    return f"+{digits}" if 8 <= len(digits) <= 15 else None


def language_of(user: User) -> str | None:
    """Of the contact's app, if it is one that we speak."""
    code = _string(user.language_code or "").lower()
    return next((known for known in ("zh", "en") if code == known or code.startswith(f"{known}-")), None)


def media_of(message: Message) -> tuple[Media, ...]:
    """The file of a message; an album is several messages with one file each."""
    if message.photo:
        largest = max(message.photo, key=lambda size: (_whole(size.width) * _whole(size.height), size.file_id))
        return (Media(_string(largest.file_id), "image", "photo.jpg"),)
    if message.voice is not None:
        return (Media(_string(message.voice.file_id), "voice", "voice.ogg"),)
    if message.animation is not None:  # Telegram repeats it as a document
        return (Media(_string(message.animation.file_id), "video", _string(message.animation.file_name or "")),)
    if message.video is not None:
        return (Media(_string(message.video.file_id), "video", _string(message.video.file_name or "video.mp4")),)
    if message.video_note is not None:
        return (Media(_string(message.video_note.file_id), "video", "video.mp4"),)
    if message.audio is not None:
        return (Media(_string(message.audio.file_id), "file", _string(message.audio.file_name or "")),)
    if message.document is not None:
        return (Media(_string(message.document.file_id), "file", _string(message.document.file_name or "")),)
    return ()


def _place(message: Message, title: str) -> str:
    assert message.location is not None, "venues have a location too"
    latitude, longitude = float(message.location.latitude), float(message.location.longitude)
    where = f"{latitude:.6f}, {longitude:.6f}"
    link = (
        f"https://www.openstreetmap.org/?mlat={latitude:.6f}&mlon={longitude:.6f}#map=17/{latitude:.6f}/{longitude:.6f}"
    )
    return f"📍 {title} ({where})\n{link}"


def _without_command(text: str, language: str) -> str:
    """Commands are no text: pressing Start is a greeting, others lose their slash."""
    command = _COMMAND.match(text)
    if command is None:
        return text
    said = text[command.end() :].strip()
    if command[1] == "link" or (command[1] == "start" and _LINK_CODE.fullmatch(said)):
        return f"/link {said}".strip()  # the desk itself reads it; t.me/BOT?start=CODE opens a chat that sends it
    if command[1] == "start":
        return _GREETING[language]
    return f"{command[1]}{text[command.end() :]}"


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise BadPayload("a text is not a text")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadPayload("an id is not a whole number")
    return value
