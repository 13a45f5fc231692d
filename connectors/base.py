"""The contract of a channel: its webhooks become messages, our messages become its API calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from conversations.model import InboundMessage, OutboundMessage


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


class Connector(ABC):
    """One channel account."""

    channel: ClassVar[str]  #: URL segment and address prefix, for example "telegram"
    max_text: ClassVar[int] = 4000  #: characters; longer texts are split before ``send``

    def __init__(self, account: str = "default") -> None:
        self.account = account

    @abstractmethod
    def verify(self, request: WebhookRequest) -> None:
        """Raise ``BadSignature`` unless the channel itself made this request; never raises anything else."""

    @abstractmethod
    def parse(self, request: WebhookRequest) -> list[InboundMessage]:
        """The messages in a verified webhook; events we do not handle give an empty list; raises ``BadPayload``."""

    @abstractmethod
    async def send(self, to: str, message: OutboundMessage) -> str:
        """Deliver one message to the contact ``to`` and return the channel's id of it; raises a ``SendError``."""

    def challenge(self, request: WebhookRequest) -> str | None:
        """The answer to the channel's set-up handshake (GET), or None if it has none."""
        return None
