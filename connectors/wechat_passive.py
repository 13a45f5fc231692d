"""Hands replies to webhooks that are still open, so that a contact is answered in the response to their own message."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from types import TracebackType
from typing import Self

_REMEMBERED_CONTACTS = 5_000
_REMEMBERED_MESSAGES = 5
_WRITING_SECONDS = 5.0  # a response that was not written by then never will be

#: Told whether the response with the reply was written.
Written = Callable[[bool], None]


class _Exchange:
    """One message of a contact and the requests that brought it: the first, and repeats while it was open."""

    def __init__(self) -> None:
        self.open: list[asyncio.Future[str | None]] = []
        self.reply: str | None = None
        self.on_written: Written | None = None
        self.fetches = False

    def give(self, reply: str, on_written: Written | None) -> None:
        """Answer the newest request; the vendor has hung up on those before it."""
        self.reply, self.on_written = reply, on_written
        *others, newest = self.open
        newest.set_result(reply)
        for other in others:
            other.set_result(None)
        self.open.clear()

    def written(self, well: bool) -> None:
        """Settle what was given; one that went wrong can be given again."""
        on_written, self.on_written = self.on_written, None
        if not well and on_written is not None:
            self.reply = None
        if on_written is not None:
            on_written(well)


class OpenRequest:
    """A request that waits for a reply; used as a context, whose failure takes back what it was given."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange
        self._future: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        if exchange.reply is not None:  # the response that held it did not arrive, else this would be no repeat
            self._future.set_result(exchange.reply)
        else:
            exchange.open.append(self._future)

    @property
    def fetches(self) -> bool:
        """Whether the message only asks for an answer that is kept; a repeat asks for the same, whatever is kept now."""
        return self._exchange.fetches

    @fetches.setter
    def fetches(self, fetches: bool) -> None:
        self._exchange.fetches = fetches

    async def reply(self, until: float) -> str | None:
        """What to answer, or None when nothing came until that time of the loop's clock."""
        await asyncio.wait({self._future}, timeout=max(0.0, until - asyncio.get_running_loop().time()))
        return self._take()

    @property
    def over(self) -> bool:
        """Whether a newer request of the message is answered instead of this one, or none needs to be."""
        return bool(self._exchange.open) or (self._future.done() and self._future.result() is None)

    def answer(self, reply: str, on_written: Written) -> None:
        """Answer this request itself, which must not be ``over``, with something that needs no reply of the desk."""
        self._exchange.open.append(self._future)
        self._exchange.give(reply, on_written)

    def written(self, well: bool) -> None:
        """The response was written, or could not be."""
        self._exchange.written(well)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self._take() is not None:
            self._exchange.written(False)

    def _take(self) -> str | None:
        if self._future in self._exchange.open:
            self._exchange.open.remove(self._future)
        return self._future.result() if self._future.done() else None


class PassiveReplies:
    """The open requests of one account."""

    def __init__(self) -> None:
        self._contacts: OrderedDict[str, OrderedDict[str, _Exchange]] = OrderedDict()

    def request(self, contact: str, message_id: str) -> OpenRequest:
        """A request has come that can be answered; a repeat joins the one before it."""
        exchanges = self._contacts.setdefault(contact, OrderedDict())
        self._contacts.move_to_end(contact)
        exchange = exchanges.setdefault(message_id, _Exchange())
        if len(exchanges) > _REMEMBERED_MESSAGES:
            exchanges.popitem(last=False)
        if len(self._contacts) > _REMEMBERED_CONTACTS:
            self._contacts.popitem(last=False)
        return OpenRequest(exchange)

    def give(self, contact: str, reply: str, on_written: Written) -> bool:
        """Answer the contact's oldest open request; returns False where there is none."""
        exchange = self._waiting(contact)
        if exchange is None:
            return False
        exchange.give(reply, on_written)
        return True

    def release(self, contact: str) -> None:
        """Let the contact's oldest open request go without a reply: its answer went another way."""
        exchange = self._waiting(contact)
        if exchange is not None:
            for future in exchange.open:
                future.set_result(None)
            exchange.open.clear()

    async def offer(self, contact: str, reply: str) -> bool | None:
        """Answer an open request and wait for the response to be written; None where no request is open."""
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def settle(well: bool) -> None:
            if not written.done():
                written.set_result(well)

        if not self.give(contact, reply, settle):
            return None
        await asyncio.wait({written}, timeout=_WRITING_SECONDS)
        return written.done() and written.result()

    def _waiting(self, contact: str) -> _Exchange | None:
        return next((one for one in self._contacts.get(contact, {}).values() if one.open), None)
