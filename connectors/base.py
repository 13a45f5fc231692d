"""The contract of a channel: its webhooks become messages, our messages become its API calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, ClassVar, Literal, Protocol

from pydantic import BaseModel, ConfigDict, StringConstraints

from connectors.parts import Pace
from connectors.set_up import SetUp, Webhook
from connectors.shared_buckets import SharedBuckets
from connectors.unasked import Unasked, UnaskedRule, Way
from conversations.errors import MessageRejected
from conversations.model import Address, Attachment, InboundMessage, OutboundMessage

MediaKind = Literal["image", "voice", "video", "file"]


class BadSignature(Exception):
    """The request was not made by the channel it claims to come from."""


class OutOfTime(BadSignature):
    """The request was made too long ago, or by a clock that is wrong: signed anew it may be taken."""


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
    follows: bool = False  #: meant for us only if a conversation at its address is going on; otherwise it is left out


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A part of a webhook that cannot be read, as it came, and why; the rest of the webhook can."""

    content: str
    reason: str


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
    #: Told whose proof, the proof and what it came with: whether that is new or the same as before, in any process.
    claim: Callable[[str, str, str], Awaitable[bool]] | None = None


class AccountSettings(BaseModel):
    """One entry of the channels file; each connector adds the fields its channel needs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: str
    account: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")] = "default"


#: A sign of life of an account: what happened, and of trouble a short code and the reason; ``Channels`` passes it on.
Sign = Literal["received", "sent", "fine", "failed", "refused", "connecting", "connected", "broken"]
Report = Callable[[Sign, str, str], None]
#: Told by a connector which outbox id never reached the contact, and why, when the channel says so only later.
Undelivered = Callable[[str, str], Awaitable[None]]


class Reached(Protocol):
    """Told by a connector that the contact received, or read, a message of ours and with it all before it."""

    async def __call__(
        self,
        contact: str,
        *,
        read: bool,
        outbox_id: str = "",
        until: datetime | None = None,
        at: datetime | None = None,
    ) -> object:
        """The message is named by its outbox id, or is the last one sent up to a moment; ``at`` is when it happened."""
        ...


#: Stores what arrived (and fetches its files first); raises what the inbox raises.
Receive = Callable[[Iterable[Arrival]], Awaitable[None]]


async def _nobody_listens(outbox_id: str, reason: str) -> None:
    return None


async def _nobody_marks(
    contact: str, *, read: bool, outbox_id: str = "", until: datetime | None = None, at: datetime | None = None
) -> None:
    return None


def _nobody_cares(sign: Sign, code: str, detail: str) -> None:
    return None


class Connector(ABC):
    """One channel account."""

    channel: ClassVar[str]  #: URL segment and address prefix, for example "telegram"
    language: ClassVar[str] = "en"  #: of what the desk itself must say there before it knows the contact's
    answers_within: ClassVar[float] = 4.5  #: seconds in which the channel wants to hear that a message is stored
    largest_webhook: ClassVar[int] = 1024 * 1024  #: bytes
    #: Whether it brings again later what was not acknowledged; from others everything is taken at once.
    retries: ClassVar[bool] = True
    reads_transcript: ClassVar[bool] = False  #: contacts there read the transcript; nothing goes through the outbox
    typing_lasts: ClassVar[float] = 5.0  #: seconds for which the channel shows what ``show_typing`` asks for
    one_connection: bool = False  #: of several service processes only one may ``run``: the channel allows no second
    sends_by_connection: ClassVar[bool] = False  #: only the process that runs it can ``send``
    unasked: ClassVar[UnaskedRule] = UnaskedRule()  #: when the channel takes what answers nothing
    set_up: ClassVar[SetUp] = SetUp()  #: what the operator does on the vendor's side

    def __init__(self, account: str = "default") -> None:
        self.account = account
        self.undelivered: Undelivered = _nobody_listens
        self.reached: Reached = _nobody_marks
        self.report: Report = _nobody_cares
        self.runs_here: Callable[[], bool] = lambda: True  #: whether this process holds the ``one_connection``

    @property
    def warning(self) -> Mapping[str, str] | None:
        """What is unsafe about the account's set-up, in ``zh`` and ``en``; there for as long as it is so."""
        return None

    @property
    def webhook(self) -> Webhook:
        """How the vendor learns where this account's webhook is."""
        return "pasted"

    def share_limits(self, buckets: SharedBuckets) -> None:
        """Keep the limits of the vendor together with the other service processes."""
        for name, held in vars(self).items():
            if isinstance(held, Pace):
                held.share(buckets, f"{self.channel}:{self.account}:{name.strip('_')}")

    def address(self, contact: str) -> Address:
        """Where a contact of this channel account is reached."""
        return Address(self.channel, self.account, contact)

    @abstractmethod
    def verify(self, request: WebhookRequest) -> None:
        """Raise ``BadSignature`` unless the channel itself made this request; never raises anything else."""

    @abstractmethod
    def parse(self, request: WebhookRequest) -> list[Arrival]:
        """The messages in a verified webhook; events we do not handle give an empty list; raises ``BadPayload``."""

    def unreadable(self, request: WebhookRequest) -> list[Unreadable]:
        """What ``parse`` has left out of a verified webhook because it cannot be read; it is kept for the operator."""
        return []

    @abstractmethod
    async def send(self, to: str, message: OutboundMessage) -> str:
        """Deliver one message to the contact ``to`` and return the channel's id of it; raises a ``SendError``."""

    def way(self, to: str, told: Unasked, now: datetime) -> Way | None:
        """How a contact may be told something they did not ask for now; None: not at all."""
        return "free" if self.unasked.open(told, now) else None

    async def tell(self, to: str, message: OutboundMessage, told: Unasked) -> str:
        """Send what nobody asked for, in the way that is open now; raises a ``SendError``."""
        return await self.send(to, message)

    async def fetch(self, media: Media) -> tuple[str, bytes]:
        """Name and content of a file that a contact sent; raises a ``SendError``."""
        raise MessageRejected(f"{self.channel} hands out no files")

    async def introduce(self, message: InboundMessage) -> InboundMessage:
        """The message with what the channel tells only when asked, such as the sender's name; raises a ``SendError``."""
        return message

    async def show_typing(self, contact: str) -> None:
        """Show the contact that somebody writes to them, for ``typing_lasts`` seconds; raises a ``SendError``."""
        return None

    def challenge(self, request: WebhookRequest) -> str | None:
        """The answer to the channel's set-up handshake (GET), or None if it has none."""
        return None

    async def acknowledge(self, request: WebhookRequest, store: Callable[[], Awaitable[None]]) -> Acknowledgement:
        """Store the messages of a request and say what the channel is answered; ``store`` must have been awaited."""
        await store()
        return Acknowledgement()

    async def check(self) -> str:
        """Prove the credentials without sending anything to anybody; returns who we are there, raises a ``SendError``."""
        raise MessageRejected(f"{self.channel} accounts cannot be checked without sending a message")

    async def run(self, receive: Receive) -> None:
        """Hold the channel's own connection (a stream, a mailbox, a broker) until cancelled; what ends is begun again.

        Reports ``connected`` once it is there.
        """
        return None

    async def let_go(self) -> None:
        """Close what ``run`` leaves open when it ends: another process holds the ``one_connection`` from now on."""
        return None

    async def close(self) -> None:
        """Let go of connections."""
        return None
