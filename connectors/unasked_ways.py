"""Which of the desk's channels may be written to unasked, and how; see ``connectors/unasked.py`` for what each allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.base import Connector
from connectors.channels import Channels
from connectors.unasked import Unasked
from conversations.errors import MessageRejected
from conversations.model import Address, OutboundMessage


class UnaskedWays:
    """Asks the connector of an address."""

    def __init__(self, connectors: Sequence[Connector], channels: Channels, now: Callable[[], datetime]) -> None:
        self._by_account = {(one.channel, one.account): one for one in connectors}
        self._channels = channels
        self._now = now

    def way(self, address: Address, told: Mapping[str, Any]) -> str | None:
        """How an address may be written to now: "free", "template", "kept" where it is read later; None: not at all."""
        connector = self._of(address)
        if connector is None:
            return None
        return "kept" if connector.reads_transcript else connector.way(address.contact, Unasked(**told), self._now())

    def repeatable(self, address: Address) -> bool:
        """Whether a message that is sent again is not shown twice there."""
        connector = self._of(address)
        return connector is not None and connector.unasked.repeatable

    def mail_to(self, email: str) -> Address | None:
        """Where a mail to somebody goes: from the first mailbox of the channels file; None without one."""
        box = next((one for one in self._by_account.values() if one.channel == "email"), None)
        return None if box is None else box.address(email.strip().lower())

    async def deliver(self, address: Address, message: OutboundMessage) -> str:
        """Send an ordinary message; raises a ``SendError``."""
        return await self._channels.deliver(address, message)

    async def tell(self, address: Address, message: OutboundMessage, told: Mapping[str, Any]) -> str:
        """Send a message that nobody asked for; raises a ``SendError``."""
        connector = self._of(address)
        if connector is None:
            raise MessageRejected(f"the channel account {address.channel}/{address.account} is not set up any more")
        return await connector.tell(address.contact, message, Unasked(**told))

    def _of(self, address: Address) -> Connector | None:
        return self._by_account.get((address.channel, address.account))
