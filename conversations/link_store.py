"""Reads and writes which addresses belong together, and the codes that prove it, inside one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.conversation_store import at_address
from conversations.link_tables import link_codes, link_tries
from conversations.model import Address, new_id
from conversations.tables import addresses, conversations

KEPT = timedelta(hours=1)  #: wrong codes are remembered for so long


class LinkStore:
    """Addresses of one person: each but one, the home, names the home."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def home_of(self, address: Address) -> Address:
        """Where the conversations of whoever writes at an address are kept; mostly the address itself."""
        row = (await self._connection.execute(select(addresses).where(at_address(addresses, address)))).first()
        if row is None or row.home_channel is None:
            return address
        return Address(row.home_channel, row.home_account, row.home_contact)

    async def set_home(self, address: Address, home: Address) -> None:
        """From now on an address, and those whose home it was, belong to another home."""
        await self._connection.execute(
            update(addresses)
            .where(or_(at_address(addresses, address), _with_home(address)))
            .values(home_channel=home.channel, home_account=home.account, home_contact=home.contact)
        )

    async def set_proof(self, at: Collection[Address], customer_id: str) -> None:
        """Whoever writes at these addresses is this customer."""
        chosen = or_(*(at_address(addresses, one) for one in at))
        await self._connection.execute(update(addresses).where(chosen).values(customer_id=customer_id))

    async def unlink(self, left: Collection[Address]) -> None:
        """Addresses go their own way again; what was to be answered at them is answered at home."""
        for address in left:
            own = or_(at_address(addresses, address), _with_home(address))
            nowhere: dict[str, Any] = dict.fromkeys(("home_channel", "home_account", "home_contact"))
            await self._connection.execute(update(addresses).where(own).values(**nowhere))
            there = and_(conversations.c.reply_to == str(address), ~at_address(conversations, address))
            await self._connection.execute(update(conversations).where(there).values(reply_to=None))

    async def add_code(self, code: str, address: Address, expires_at: datetime, now: datetime) -> None:
        """Remember a code; those that expired are forgotten, and older ones of the same address."""
        await self._connection.execute(
            delete(link_codes).where(or_(link_codes.c.expires_at <= now, at_address(link_codes, address)))
        )
        row = asdict(address) | {"code_hash": _hash(code), "expires_at": expires_at}
        await self._connection.execute(insert(link_codes).values(**row))

    async def take_code(self, code: str, now: datetime) -> Address | None:
        """Who asked for a code; it works once."""
        chosen = and_(link_codes.c.code_hash == _hash(code), link_codes.c.expires_at > now)
        row = (await self._connection.execute(select(link_codes).where(chosen).with_for_update())).first()
        if row is None:
            return None
        await self._connection.execute(delete(link_codes).where(link_codes.c.code_hash == row.code_hash))
        return Address(row.channel, row.account, row.contact)

    async def note_wrong_code(self, address: Address, now: datetime) -> None:
        """Somebody tried a code that is not known."""
        await self._connection.execute(delete(link_tries).where(link_tries.c.at <= now - KEPT))
        await self._connection.execute(insert(link_tries).values(asdict(address) | {"id": new_id(), "at": now}))

    async def wrong_codes(self, address: Address, now: datetime) -> tuple[int, int]:
        """How many wrong codes came from an address within the hour, and from everywhere within ten minutes."""
        recent = link_tries.c.at > now - KEPT
        own = func.count().filter(recent, at_address(link_tries, address))
        everywhere = func.count().filter(link_tries.c.at > now - KEPT / 6)
        row = (await self._connection.execute(select(own, everywhere).select_from(link_tries))).one()
        return int(row[0]), int(row[1])


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _with_home(address: Address) -> Any:
    return and_(
        addresses.c.home_channel == address.channel,
        addresses.c.home_account == address.account,
        addresses.c.home_contact == address.contact,
    )
