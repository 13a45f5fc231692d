"""The contract of a channel: its webhooks become messages, our messages become its API calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, ClassVar, Literal, Protocol

from pydantic import BaseModel, ConfigDict, StringConstraints

from conversations.errors import MessageRejected
from conversations.model import Address, Attachment, InboundMessage, OutboundMessage

MediaKind = Literal["image", "voice", "video", "file"]


class BadSignature(Exception):
    """The request was not made by the channel it claims to come from."""


class BadPayload(Exception):
    """The body cannot be read as what the channel documents; the message says which part."""


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A webhook without any web framework: header names are lower case, ``body`` is the raw bytes."""

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Media:
    """A file that a contact sent and that still lies with the channel; its connector knows how to ``fetch`` it."""

    reference: str  #: whatever the channel needs to hand it out: a file id, a download code, a link
    kind: MediaKind
    name: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it arrived, with the files that must be fetched before it can be stored."""

    message: InboundMessage
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the channel is answered once its messages are stored."""

    body: str = "ok"
    content_type: str = "text/plain; charset=utf-8"
    written: Callable[[bool], None] | None = None  #: told whether the answer went out on the connection


class Files(Protocol):
    """Where what agents and contacts attach is kept."""

    async def content(self, attachment_id: str) -> tuple[Attachment, bytes]:
        """A file; raises a ``ConversationError`` when it is gone."""
        ...

    async def save(self, owner: str, name: str, content: bytes) -> Attachment:
        """Keep a file of an address; raises ``InvalidMessage`` for a type or size that is not accepted."""
        ...


@dataclass(frozen=True, slots=True)
class Means:
    """What connectors need of the desk."""

    public_url: str  #: where customers reach this desk; links in answers begin with it
    files: Files
    now: Callable[[], datetime]  #: aware UTC
    link: Callable[[Attachment], str] | None = None  #: to a file, for channels that carry no files; good for an hour


class AccountSettings(BaseModel):
    """One entry of the channels file; each connector adds the fields its channel needs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: str
    account: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")] = "default"


#: Told by a connector which outbox id never reached the contact, and why, when the channel says so only later.
Undelivered = Callable[[str, str], Awaitable[None]]
#: Stores what arrived (and fetches its files first); raises what the inbox raises.
Receive = Callable[[Iterable[Arrival]], Awaitable[None]]


async def _nobody_listens(outbox_id: str, reason: str) -> None:
    return None


class Connector(ABC):
    """One channel account."""

    channel: ClassVar[str]  #: URL segment and address prefix, for example "telegram"
    language: ClassVar[str] = "en"  #: of what the desk itself must say there before it knows the contact's
    answers_within: ClassVar[float] = 4.5  #: seconds in which the channel wants to hear that a message is stored
    largest_webhook: ClassVar[int] = 1024 * 1024  #: bytes
    reads_transcript: ClassVar[bool] = False  #: contacts there read the transcript; nothing goes through the outbox

    def __init__(self, account: str = "default") -> None:
        self.account = account
        self.undelivered: Undelivered = _nobody_listens

    def address(self, contact: str) -> Address:
        """Where a contact of this channel account is reached."""
        return Address(self.channel, self.account, contact)

    @abstractmethod
    def verify(self, request: WebhookRequest) -> None:
        """Raise ``BadSignature`` unless the channel itself made this request; never raises anything else."""

    @abstractmethod
    def parse(self, request: WebhookRequest) -> list[Arrival]:
        """The messages in a verified webhook; events we do not handle give an empty list; raises ``BadPayload``."""

    @abstractmethod
    async def send(self, to: str, message: OutboundMessage) -> str:
        """Deliver one message to the contact ``to`` and return the channel's id of it; raises a ``SendError``."""

    async def fetch(self, media: Media) -> tuple[str, bytes]:
        """Name and content of a file that a contact sent; raises a ``SendError``."""
        raise MessageRejected(f"{self.channel} hands out no files")

    async def introduce(self, message: InboundMessage) -> InboundMessage:
        """The message with what the channel tells only when asked, such as the sender's name; raises a ``SendError``."""
        return message

    def challenge(self, request: WebhookRequest) -> str | None:
        """The answer to the channel's set-up handshake (GET), or None if it has none."""
        return None

    async def acknowledge(self, request: WebhookRequest, store: Callable[[], Awaitable[None]]) -> Acknowledgement:
        """Store the messages of a request and say what the channel is answered; ``store`` must have been awaited."""
        await store()
        return Acknowledgement()

    async def run(self, receive: Receive) -> None:
        """Hold the channel's own connection (a stream, a mailbox, a broker) until cancelled; what ends is begun again."""
        return None

    async def close(self) -> None:
        """Let go of connections."""
        return None
