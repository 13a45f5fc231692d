"""Sends a message that a channel takes in several parts, without sending a part twice when a later one fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from connectors.rate_limit import RateLimit
from connectors.shared_buckets import SharedBuckets
from conversations.errors import RateLimited
from conversations.model import OutboundMessage

Part = TypeVar("Part")


async def send_parts(
    message: OutboundMessage, parts: Sequence[Part], send_one: Callable[[int, Part], Awaitable[str]]
) -> str:
    """Send the parts that are not out yet, in order; returns the channel's id of the first one.

    ``send_one`` gets the part's place (from 0) and the part; what it raises ends the attempt. ``message.sent_parts``
    grows with each part that went out; the outbox keeps it, so that the next attempt goes on there, in whichever
    process.
    """
    sent = message.sent_parts
    for place in range(len(sent), len(parts)):
        sent.append(await send_one(place, parts[place]))
    return sent[0] if sent else message.outbox_id


class Pace:
    """How quickly a channel account may send: all together, and to one contact; what is too quick is ``RateLimited``."""

    def __init__(self, together: RateLimit, to_one: RateLimit | None = None) -> None:
        self._together = together
        self._to_one = to_one

    async def take(self, to: str) -> None:
        """Count one message; raises ``RateLimited`` with the time until it may go out."""
        if self._to_one is not None and (wait := await self._to_one.take(to)):
            raise RateLimited(wait)
        if wait := await self._together.take(""):
            if self._to_one is not None:
                await self._to_one.put_back(to)  # nothing went out
            raise RateLimited(wait)

    def share(self, buckets: SharedBuckets, name: str) -> None:
        """Count together with the paces of the same name in other processes."""
        self._together.share(buckets, f"{name}:together")
        if self._to_one is not None:
            self._to_one.share(buckets, f"{name}:to_one")
