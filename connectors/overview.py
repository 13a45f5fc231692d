"""Everything an operator can know and try of channel accounts, as plain values for whoever shows them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from functools import cache
from typing import Any

from connectors.accounts import CHANNELS, class_of
from connectors.base import Connector
from connectors.channels import Channels
from connectors.set_up import form_of, is_public, snippet
from connectors.trying import check, checkable, send_test


class Overview:
    """The accounts of this process."""

    def __init__(self, channels: Channels, public_url: str, now: Callable[[], datetime]) -> None:
        self._channels = channels
        self._public_url = public_url.rstrip("/")
        self._now = now

    def accounts(self) -> list[dict[str, Any]]:
        """Every account with what must be entered at the vendor, in the order of the channels file."""
        return [self._account(one) for one in self._channels.connectors]

    async def addable(self) -> list[dict[str, Any]]:
        """Every channel that an account could be added of, with an entry for the channels file."""
        # Reading the settings of a channel loads its library, which takes a moment.
        return await asyncio.to_thread(_addable, is_public(self._public_url))

    async def check(self, channel: str, account: str) -> dict[str, Any] | None:
        """Whether the channel knows us; None where there is no such account or no way to tell."""
        connector = self._channels.find(channel, account)
        return None if connector is None or not checkable(connector) else asdict(await check(connector))

    async def send_test(self, channel: str, account: str, to: str, text: str) -> dict[str, Any] | None:
        """How sending a message went; None where there is no such account or contacts read the transcript."""
        connector = self._channels.find(channel, account)
        if connector is None or connector.reads_transcript:
            return None
        return asdict(await send_test(connector, to, text, self._now()))

    def _account(self, connector: Connector) -> dict[str, Any]:
        url = f"{self._public_url}/webhooks/{connector.channel}/{connector.account}"
        called = connector.webhook != "none"
        return {
            "channel": connector.channel,
            "account": connector.account,
            "webhook": connector.webhook,
            "url": url if called else None,
            "url_is_private": called and not is_public(self._public_url) and connector.channel != "webhook",
            "holds_connection": type(connector).run is not Connector.run and not called,
            "checkable": checkable(connector),
            "sendable": not connector.reads_transcript,
            "set_up": form_of(connector.set_up),
            "warning": dict(connector.warning) if connector.warning else None,
        }


@cache
def _addable(public: bool) -> list[dict[str, Any]]:
    found = []
    for channel in CHANNELS:
        made = class_of(channel)
        entry, variables = snippet(channel, made.Settings, made.set_up, public=public)
        found.append({"channel": channel, "snippet": entry, "variables": variables, "set_up": form_of(made.set_up)})
    return found
