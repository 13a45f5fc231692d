"""Every channel account of the desk: delivers through them, and keeps those running that hold a connection of their own."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial

import structlog

from connectors.base import Arrival, Connector
from connectors.door import Door
from conversations.errors import MessageRejected
from conversations.model import Address, OutboundMessage

log = structlog.get_logger()

LONGEST_PAUSE_SECONDS = 60.0


def pushed(connectors: Iterable[Connector]) -> Callable[[Address], bool]:
    """Whether messages to an address go out through the outbox; elsewhere contacts read the transcript themselves."""
    reading = {connector.channel for connector in connectors if connector.reads_transcript}
    return lambda address: address.channel not in reading


class Channels:
    """Start it once per service process."""

    def __init__(self, connectors: Sequence[Connector], door: Door, *, first_pause_seconds: float = 1.0) -> None:
        """Raises ``ValueError`` when two connectors have the same channel and account."""
        self._by_account = {(connector.channel, connector.account): connector for connector in connectors}
        if len(self._by_account) < len(connectors):
            raise ValueError("two channel accounts have the same channel and account name; rename one of them")
        self.door = door
        self._first_pause_seconds = first_pause_seconds
        self._tasks: list[asyncio.Task[None]] = []

    async def deliver(self, address: Address, message: OutboundMessage) -> str:
        """Send a message to a contact; returns the channel's id of it, raises a ``SendError``."""
        connector = self._by_account.get((address.channel, address.account))
        if connector is None:
            raise MessageRejected(f"the channel account {address.channel}/{address.account} is not set up any more")
        return await connector.send(address.contact, message)

    async def start(self, undelivered: Callable[[str, str, str, str], Awaitable[None]] | None = None) -> None:
        """Open the connections of those channels that have one.

        ``undelivered`` is told channel, account, outbox id and reason of what turns out later not to have arrived.
        """
        for connector in self._by_account.values():
            if undelivered is not None:
                connector.undelivered = partial(undelivered, connector.channel, connector.account)
            if type(connector).run is not Connector.run:
                name = f"{connector.channel}/{connector.account}"
                self._tasks.append(asyncio.create_task(self._keep(connector), name=name))

    async def stop(self) -> None:
        """Take nothing more in."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Let go of what was needed to send."""
        for connector in self._by_account.values():
            with contextlib.suppress(Exception):
                await connector.close()
        with contextlib.suppress(Exception):
            await self.door.close()

    async def _keep(self, connector: Connector) -> None:
        """Run the connection again when it breaks, after pauses that grow; one that held for a while starts afresh."""

        async def receive(arrivals: Iterable[Arrival]) -> None:
            await self.door.receive(connector, arrivals)

        clock, pause = asyncio.get_running_loop(), self._first_pause_seconds
        while True:
            began = clock.time()
            reason = "the connection ended"
            try:
                await connector.run(receive)
            except Exception as error:
                reason = repr(error)
            if clock.time() - began > LONGEST_PAUSE_SECONDS:
                pause = self._first_pause_seconds
            log.warning(
                "channel_disconnected",
                channel=connector.channel,
                account=connector.account,
                error=reason,
                retry_in_seconds=round(pause, 1),
            )
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311  # spreads retries, guards nothing
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2)
