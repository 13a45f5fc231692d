"""Every channel account of the desk: delivers through them, and keeps those running that hold a connection of their own."""

from __future__ import annotations

import asyncio
import contextlib
import random
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from functools import partial
from typing import Any

import structlog

from connectors.base import Arrival, Connector, Sign
from connectors.door import Door
from connectors.sole_holder import LEASE_SECONDS, Leases, SoleHolder
from connectors.troubles import reason_of, trouble_of
from conversations.errors import MessageRejected, RateLimited
from conversations.model import Address, OutboundMessage

log = structlog.get_logger()

LONGEST_PAUSE_SECONDS = 60.0
_REMIND_SECONDS = 24 * 3600.0


def pushed(connectors: Iterable[Connector]) -> Callable[[Address], bool]:
    """Whether messages to an address go out through the outbox; elsewhere contacts read the transcript themselves."""
    reading = {connector.channel for connector in connectors if connector.reads_transcript}
    return lambda address: address.channel not in reading


Report = Callable[[str, str, Sign, str, str], None]


def _nobody_cares(channel: str, account: str, sign: Sign, code: str, detail: str) -> None:
    return None


class Channels:
    """Start it once per service process."""

    def __init__(
        self,
        connectors: Sequence[Connector],
        door: Door,
        leases: Leases | None = None,
        *,
        first_pause_seconds: float = 1.0,
        lease_seconds: float = LEASE_SECONDS,
        report: Report = _nobody_cares,
    ) -> None:
        """With ``leases``, connections that may be open only once are open in one of the processes that share them.

        ``report`` is told every sign of life or trouble that an account gives. Raises ``ValueError`` when two connectors
        have the same channel and account.
        """
        self._by_account = {(connector.channel, connector.account): connector for connector in connectors}
        if len(self._by_account) < len(connectors):
            raise ValueError("two channel accounts have the same channel and account name; rename one of them")
        for connector in connectors:
            connector.report = partial(report, connector.channel, connector.account)
        self.door = door
        self._first_pause_seconds = first_pause_seconds
        self._tasks: list[asyncio.Task[None]] = []
        self._holders: dict[tuple[str, str], SoleHolder] = {}
        owner = uuid.uuid4().hex
        for account, connector in self._by_account.items():
            if leases is not None and connector.one_connection:
                holder = SoleHolder(leases, "/".join(account), owner, seconds=lease_seconds)
                self._holders[account] = holder
                connector.runs_here = partial(getattr, holder, "holds")

    def elsewhere(self) -> list[tuple[str, str]]:
        """Channel and account of what can be sent only by the process that holds the connection, where that is another."""
        held = self._holders.items()
        return [one for one, holder in held if self._by_account[one].sends_by_connection and not holder.holds]

    async def deliver(self, address: Address, message: OutboundMessage) -> str:
        """Send a message to a contact; returns the channel's id of it, raises a ``SendError``."""
        connector = self._by_account.get((address.channel, address.account))
        if connector is None:
            raise MessageRejected(f"the channel account {address.channel}/{address.account} is not set up any more")
        try:
            sent = await connector.send(address.contact, message)
        except RateLimited:
            raise  # the channel works, it is only slower than we are
        except Exception as error:
            connector.report("failed", trouble_of(error), reason_of(error))
            raise
        connector.report("sent", "", "")
        return sent

    @property
    def connectors(self) -> Sequence[Connector]:
        """Every account."""
        return tuple(self._by_account.values())

    def find(self, channel: str, account: str) -> Connector | None:
        """One account."""
        return self._by_account.get((channel, account))

    async def start(
        self,
        undelivered: Callable[[str, str, str, str], Awaitable[None]] | None = None,
        reached: Callable[..., Coroutine[Any, Any, object]] | None = None,
    ) -> None:
        """Open the connections of those channels that have one.

        ``undelivered`` is told channel, account, outbox id and reason of what turns out later not to have arrived;
        ``reached`` is told channel and account, and then what ``Reached`` says, of what arrived or was read.
        """
        if any(connector.warning for connector in self._by_account.values()):
            self._tasks.append(asyncio.create_task(self._warn(), name="warnings of channels"))
        for connector in self._by_account.values():
            if undelivered is not None:
                connector.undelivered = partial(undelivered, connector.channel, connector.account)
            if reached is not None:
                connector.reached = partial(reached, connector.channel, connector.account)
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
        for account, connector in self._by_account.items():
            with contextlib.suppress(Exception):
                await connector.close()
            if account in self._holders:
                await self._holders[account].release()
        with contextlib.suppress(Exception):
            await self.door.close()

    async def _warn(self) -> None:
        """Say at the start and every day what is unsafe, for as long as it is."""
        while True:
            for connector in self._by_account.values():
                if connector.warning is not None:
                    here = {"channel": connector.channel, "account": connector.account}
                    log.warning("channel_unsafe", **here, **connector.warning)
            await asyncio.sleep(_REMIND_SECONDS)

    async def _keep(self, connector: Connector) -> None:
        """Run the connection again when it breaks, after pauses that grow; one that held for a while starts afresh."""

        holder = self._holders.get((connector.channel, connector.account))

        async def receive(arrivals: Iterable[Arrival]) -> None:
            if holder is not None:
                holder.check()
            await self.door.receive(connector, arrivals)

        clock, pause = asyncio.get_running_loop(), self._first_pause_seconds
        while True:
            began = clock.time()
            reason: object = "the connection ended"
            told, code = "the connection ended", "unavailable"
            connector.report("connecting", "", "")
            try:
                if holder is None:
                    await connector.run(receive)
                else:
                    await holder.run(partial(connector.run, receive), connector.let_go)
            except Exception as error:
                reason, told, code = error, reason_of(error), trouble_of(error)
            connector.report("broken", code, told)
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
