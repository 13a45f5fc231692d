"""The widget as a channel: its visitors read the transcript themselves, so delivering is announcing."""

from __future__ import annotations

from typing import ClassVar

from connectors.base import Arrival, BadSignature, Connector, WebhookRequest
from connectors.desk import Hub
from connectors.set_up import Webhook
from connectors.webchat.visitors import CHANNEL
from conversations.model import OutboundMessage


class WebchatConnector(Connector):
    """One widget account; messages come in through the socket and the polling routes, never by webhook."""

    channel: ClassVar[str] = CHANNEL
    reads_transcript: ClassVar[bool] = True

    def __init__(self, hub: Hub, account: str = "default") -> None:
        super().__init__(account)
        self._hub = hub

    @property
    def webhook(self) -> Webhook:
        """Messages come in through the widget."""
        return "none"

    def verify(self, request: WebhookRequest) -> None:
        """No webhook is ever genuine here."""
        raise BadSignature("the chat widget sends no webhooks")

    def parse(self, request: WebhookRequest) -> list[Arrival]:
        """Nothing comes this way."""
        return []

    async def send(self, to: str, message: OutboundMessage) -> str:
        """Ask the visitor's open pages to read the transcript; one who is away reads it when they come back."""
        await self._hub.publish(f"contact:{self.address(to)}", {"type": "look"})
        return message.outbox_id
