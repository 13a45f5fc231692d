"""Notes where contacts can no longer be reached: they blocked us, or left the channel."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.conversation_store import at_address
from conversations.model import Address
from conversations.tables import addresses


def is_unreachable(unreachable_at: datetime | None, wrote_at: datetime | None) -> bool:
    """Whether nothing arrives at an address, by its columns: the channel said so and the contact has not written since."""
    return unreachable_at is not None and (wrote_at is None or wrote_at <= unreachable_at)


async def note_unreachable(connection: AsyncConnection, address: Address, at: datetime) -> None:
    """The channel said so; it is over once the contact writes again or something arrives."""
    await connection.execute(update(addresses).where(at_address(addresses, address)).values(unreachable_at=at))


async def note_reached(connection: AsyncConnection, address: Address) -> None:
    """Something arrived there."""
    gone = addresses.c.unreachable_at.is_not(None)
    await connection.execute(update(addresses).where(at_address(addresses, address), gone).values(unreachable_at=None))
