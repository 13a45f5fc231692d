"""Shows contacts that somebody is writing to them, on channels that have such a sign.

The bot's sign appears when it has worked for a second, an agent's as soon as they type. A sign is never waited for,
comes at most as often as it fades, and ends with the next message; its failures are counted and change nothing else.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Iterable

import structlog

from connectors.base import Connector
from connectors.desk import Hub
from conversations.model import Address

log = structlog.get_logger()

BOT_SECONDS = 1.0  #: a quicker answer needs no sign
_LONGEST = 30.0  #: seconds in which the bot has answered or apologised
_CALL_SECONDS = 5.0
_MOST = 64  #: signs at the same time
_REMEMBERED = 10_000


class TypingSigns:
    """The signs of all channel accounts."""

    def __init__(self, connectors: Iterable[Connector], hub: Hub, *, bot_seconds: float = BOT_SECONDS) -> None:
        showing = [one for one in connectors if type(one).show_typing is not Connector.show_typing]
        self._by_account = {(one.channel, one.account): one for one in showing}
        self._hub = hub
        self._bot_seconds = bot_seconds
        self._shown_at: OrderedDict[Address, float] = OrderedDict()
        self._tasks: dict[Address, asyncio.Task[None]] = {}
        self.failures: Counter[str] = Counter()  #: by channel

    def note(self, address: Address, author: str) -> None:
        """The bot has begun to work on an answer, or an agent types; returns at once."""
        connector = self._by_account.get((address.channel, address.account))
        if connector is None or address in self._tasks or len(self._tasks) >= _MOST:
            return
        sign = self._while_the_bot_works if author == "bot" else self._once
        task = asyncio.create_task(sign(connector, address), name=f"typing to {address.channel}")
        self._tasks[address] = task
        task.add_done_callback(lambda _: self._tasks.pop(address, None))

    async def close(self) -> None:
        """Show nothing more."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _once(self, connector: Connector, address: Address) -> None:
        clock = asyncio.get_running_loop().time
        if clock() - self._shown_at.get(address, float("-inf")) < connector.typing_lasts:
            return
        await self._show(connector, address)

    async def _while_the_bot_works(self, connector: Connector, address: Address) -> None:
        clock = asyncio.get_running_loop().time
        try:
            async with self._hub.subscribe(f"contact:{address}") as news, asyncio.timeout(_LONGEST):
                answered = asyncio.ensure_future(_next_answer(aiter(news).__anext__))
                try:
                    wait = self._bot_seconds
                    while not (await asyncio.wait((answered,), timeout=wait))[0]:
                        wait = connector.typing_lasts
                        left = self._shown_at.get(address, float("-inf")) + wait - clock()
                        if left > 0.05:  # an earlier sign is still there
                            wait = left
                            continue
                        await self._show(connector, address)
                finally:
                    answered.cancel()
                    await asyncio.gather(answered, return_exceptions=True)
        except Exception as error:  # the hub lost something: then nobody knows whether there is an answer
            log.info("typing_sign_ended", channel=connector.channel, error=repr(error))

    async def _show(self, connector: Connector, address: Address) -> None:
        self._shown_at[address] = asyncio.get_running_loop().time()
        self._shown_at.move_to_end(address)
        if len(self._shown_at) > _REMEMBERED:
            self._shown_at.popitem(last=False)
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                await connector.show_typing(address.contact)
        except Exception as error:
            self.failures[connector.channel] += 1
            log.info(
                "typing_not_shown",
                channel=connector.channel,
                account=connector.account,
                failures=self.failures[connector.channel],
                error=str(error) or type(error).__name__,
            )


async def _next_answer(following: Callable[[], Awaitable[dict[str, object]]]) -> None:
    """Returns when the contact was told something, or is not with the bot any more."""
    while True:
        event = await following()
        message = event.get("message")
        if event.get("type") == "message" and isinstance(message, dict) and message.get("author") != "contact":
            return
