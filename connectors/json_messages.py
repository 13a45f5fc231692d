"""The JSON in which other people's programs bring messages and get them, over MQTT and as webhooks.

The fields are described for their authors in docs/channels/webhook.md.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from connectors.base import Arrival, BadPayload, Files, Media, MediaKind
from conversations.errors import ConversationError, MessageRejected
from conversations.model import Address, Attachment, InboundMessage, OutboundMessage

#: What stands for a contact or a message: one level of a topic, one part of an address, nothing that needs escaping.
ContactId = Annotated[str, StringConstraints(pattern=r"^[\w.@:=~-]{1,128}$")]
MessageId = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]
MOST_ATTACHMENTS = 10


def _language(value: object) -> object:
    """ "zh-Hans-CN" is "zh", and a language that the desk does not speak is no hint rather than a mistake."""
    if isinstance(value, str) and len(value) <= 35:
        code = value[:2].lower()
        return code if code in ("zh", "en") and not value[2:3].isalpha() else None
    return value


class SentFile(BaseModel):
    """A file inside a message."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    content: Annotated[str, StringConstraints(min_length=4)]  #: Base64 (RFC 4648, 4)
    kind: MediaKind = "file"


class SentMessage(BaseModel):
    """A message of a contact as a program sends it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: MessageId | None = None
    contact: ContactId | None = None
    text: Annotated[str, StringConstraints(max_length=20_000)] = ""
    button_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    language: Annotated[Literal["zh", "en"] | None, BeforeValidator(_language)] = None
    name: Annotated[str, StringConstraints(min_length=1, max_length=120)] | None = None
    sent_at: Annotated[AwareDatetime, Field(strict=False)] | None = None
    attachments: Annotated[list[SentFile], Field(max_length=MOST_ATTACHMENTS)] = []

    @classmethod
    def read(cls, body: bytes) -> SentMessage:
        """The message in a body; raises ``BadPayload`` that names the field and never repeats what is in it."""
        try:
            message = cls.model_validate_json(body)
        except ValidationError as error:
            first: Any = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))[:100].encode("ascii", "replace").decode()
            said = "is not a field" if first["type"] == "extra_forbidden" else str(first["msg"])
            raise BadPayload(f"{place}: {said}" if place else said.partition(":")[0]) from None
        if not message.text.strip() and message.button_id is None and not message.attachments:
            raise BadPayload("text is empty, and there is neither a button_id nor an attachment; give one of them")
        for number, file in enumerate(message.attachments):
            try:
                base64.b64decode(file.content, validate=True)
            except (binascii.Error, ValueError):
                raise BadPayload(f"attachments.{number}.content: it is not Base64") from None
        return message

    def arrival(self, address: Address, external_id: str) -> Arrival:
        """The message as the desk takes it; the files are still inside the references of its media."""
        message = InboundMessage(
            address=address,
            external_id=external_id,
            text=self.text,
            button_id=self.button_id,
            contact_name=self.name,
            language=self.language,
            sent_at=self.sent_at,
        )
        return Arrival(message, tuple(Media(file.content, file.kind, file.name) for file in self.attachments))


def content_of(media: Media) -> tuple[str, bytes]:
    """Name and content of a file that came inside a message."""
    return media.name, base64.b64decode(media.reference)


async def written(message: OutboundMessage, *, contact: str, public_url: str, files: Files, most_bytes: int) -> bytes:
    """A message of ours as JSON; raises ``MessageRejected`` when its files are gone, or too large together."""
    too_large = MessageRejected(f"with its files the message is larger than {most_bytes} bytes")
    if sum(file.size for file in message.attachments) * 4 // 3 > most_bytes:
        raise too_large  # without reading them first
    body = {
        "id": message.outbox_id,
        "contact": contact,
        "conversation": message.conversation_id,
        "seq": message.seq,
        "kind": message.kind.value,
        "author": message.author.value,
        "author_name": message.author_name,
        "text": message.text,
        "buttons": [{"id": button.id, "title": button.title} for button in message.buttons],
        "citations": [
            {"title": one.title, "quote": one.quote, "url": _whole(one.url, public_url)} for one in message.citations
        ],
        "attachments": [await _file(file, files) for file in message.attachments],
        "created_at": _time(message.created_at),
    }
    written = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    if len(written) > most_bytes:
        raise too_large
    return written


async def _file(attachment: Attachment, files: Files) -> dict[str, Any]:
    try:
        stored, content = await files.content(attachment.id)
    except ConversationError:
        raise MessageRejected(f"the file {attachment.name} is gone") from None
    encoded = base64.b64encode(content).decode()
    return {"name": stored.name, "media_type": stored.media_type, "size": len(content), "content": encoded}


def _whole(url: str, public_url: str) -> str:
    return f"{public_url.rstrip('/')}{url}" if url.startswith("/") else url


def _time(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def one_or_more(value: object) -> object:
    """A setting that is usually one value and during a change two."""
    return [value] if not isinstance(value, Sequence) or isinstance(value, str) else list(value)
